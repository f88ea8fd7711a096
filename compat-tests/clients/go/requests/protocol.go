package main

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

var protocolCases = []testCase{
	{kmsg.ApiVersions, "api-versions/all", apiVersions, nil},
	{kmsg.ApiVersions, "api-versions/above", apiVersionsAbove, until(1)},
	{kmsg.ApiVersions, "frames/unknown", unknownFrames, until(1)},
	{kmsg.ApiVersions, "frames/versions", versionsOutOfRange, until(1)},
	{kmsg.Metadata, "frames/headers", oddHeaders, nil},
}

func apiVersionsRequest(name, version string) *kmsg.ApiVersionsRequest {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = name, version
	return req
}

// served keeps of an answer the rows of what the table's broker serves: the other one has more.
func (r *run) served(label string, resp kmsg.Response) {
	answered, ok := resp.(*kmsg.ApiVersionsResponse)
	if !ok {
		return
	}
	own := answered.ApiKeys[:0]
	for _, row := range answered.ApiKeys {
		if _, found := r.table[row.ApiKey]; found {
			own = append(own, row)
		}
	}
	answered.ApiKeys = nil
	plain := r.seen.plain(answered)
	for _, row := range own {
		plain[kmsg.NameForKey(row.ApiKey)] = []int16{row.MinVersion, row.MaxVersion}
	}
	r.note(label, plain)
}

func (r *run) versions(label string, req *kmsg.ApiVersionsRequest) {
	req.SetVersion(r.version)
	c := r.open()
	c.send(usual(req), req.AppendTo(nil))
	_, body, err := c.receive(answerLimit)
	if err != nil {
		r.note(label, err.Error())
		return
	}
	resp, _, err := decode(req, body)
	must(err)
	r.served(label, resp)
}

func apiVersions(r *run) {
	r.versions("good", apiVersionsRequest("librdkafka", "2.0.2"))
	if r.version >= 3 {
		r.versions("no name", apiVersionsRequest("", "1"))
		r.versions("no version", apiVersionsRequest("a", ""))
		r.versions("bad name", apiVersionsRequest("a name", "1"))
		r.versions("bad version", apiVersionsRequest("a", "1 2"))
		r.versions("edges", apiVersionsRequest("-a", "1"))
	}
}

func apiVersionsAbove(r *run) {
	for _, version := range []int16{5, 99, 32767, -1} {
		req := kmsg.NewPtrApiVersionsRequest()
		h := usual(req)
		h.version, h.flexible = version, version > 2
		c := r.open()
		c.send(h, []byte{2, 'a', 2, '1', 0})
		_, body, err := c.receive(answerLimit)
		if err != nil {
			r.note("above", err.Error())
			continue
		}
		resp, exact, err := decode(req, body)
		must(err)
		r.note("above", []any{exact, r.seen.plain(resp)})
	}
}

// closes says what becomes of a connection that sends this and then asks something harmless.
func (r *run) closes(label string, h header, body []byte) {
	c := r.open()
	c.send(h, body)
	_, _, err := c.receive(2 * time.Second)
	if err == nil {
		r.note(label, "an answer")
		return
	}
	r.note(label, err.Error())
}

func unknownFrames(r *run) {
	client := "c"
	for _, key := range []int16{-1, 4, 5, 6, 7, 52, 200, 32767} {
		for _, version := range []int16{0, 1, -1} {
			r.closes("key", header{key, version, &client, false, nil}, []byte{0, 0, 0, 0})
		}
	}
}

func versionsOutOfRange(r *run) {
	for key, served := range r.table {
		if key == apiVersionsKey {
			continue
		}
		req := kmsg.RequestForKey(key)
		for _, version := range []int16{served.lowest - 1, -1, 99} {
			if key == 0 && version == 2 {
				// Announced for older clients, and refused.
				continue
			}
			req.SetVersion(max(version, 0))
			h := usual(req)
			h.version = version
			r.closes(kmsg.NameForKey(key), h, req.AppendTo(nil))
		}
	}
}

func oddHeaders(r *run) {
	topic := r.topic("", 1)
	req := metadataRequest(topic)
	req.SetVersion(r.version)
	body := req.AppendTo(nil)
	empty := ""
	with := func(label string, change func(*header), body []byte) {
		h := usual(req)
		change(&h)
		r.raw(label, req, h, body)
	}
	with("no client id", func(h *header) { h.client = nil }, body)
	with("empty client id", func(h *header) { h.client = &empty }, body)
	if req.IsFlexible() {
		tags := []byte{2, 5, 1, 'x', 0x80, 1, 2, 'y', 'z'}
		with("tagged fields in the header", func(h *header) { h.tags = tags }, body)
		with("tagged fields in the body", func(*header) {}, append(body[:len(body)-1:len(body)-1], tags...))
	}
	with("bytes after the body", func(*header) {}, append(body[:len(body):len(body)], 1, 2, 3))
	with("half a body", func(*header) {}, body[:len(body)/2])
	with("no body", func(*header) {}, nil)
}
