package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// world is what all cases share.
type world struct {
	bootstrap string
	table     map[int16]span
	// Whether the broker deletes no topics and makes none by itself.
	restricted bool
	// Held by a case that changes settings of brokers.
	brokers sync.Mutex
}

// run is one case at one version, with names of topics and groups of its own.
type run struct {
	*world
	api     int16
	version int16
	name    string
	main    *conn
	conns   []*conn
	steps   map[string]any
	seen    *seen
	// Takes out of answers what is not to be compared.
	trim func(kmsg.Response)
	// How many changes were made only to wait for them.
	fences int
	// Whether it holds brokers.
	locked bool
}

func newRun(w *world, c testCase, version int16) *run {
	name := fmt.Sprintf("%s.v%d", strings.ReplaceAll(c.name, "/", "."), version)
	return &run{world: w, api: c.api.Int16(), version: version, name: name,
		steps: map[string]any{}, seen: newSeen(w.bootstrap)}
}

// open makes a connection that ends with the case.
func (r *run) open() *conn {
	c := dial(r.bootstrap)
	r.conns = append(r.conns, c)
	return c
}

func (r *run) close() {
	for _, c := range r.conns {
		c.Close()
	}
	if r.locked {
		r.brokers.Unlock()
	}
}

func (r *run) connection() *conn {
	if r.main == nil {
		r.main = r.open()
	}
	return r.main
}

// note keeps what was observed under a label that is not taken yet.
func (r *run) note(label string, what any) {
	unique := label
	for n := 2; r.steps[unique] != nil; n++ {
		unique = fmt.Sprintf("%s #%d", label, n)
	}
	r.steps[unique] = what
}

// ask sends at the version under test, and keeps the answer as seen.
func (r *run) ask(label string, req kmsg.Request) kmsg.Response {
	req.SetVersion(r.version)
	return r.raw(label, req, usual(req), req.AppendTo(nil))
}

// also asks another API, at the highest version, and keeps the answer as seen.
func (r *run) also(label string, req kmsg.Request) kmsg.Response {
	req.SetVersion(r.highest(req))
	return r.raw(label, req, usual(req), req.AppendTo(nil))
}

// use asks another API on the way, at the highest version.
func (r *run) use(req kmsg.Request) kmsg.Response {
	req.SetVersion(r.highest(req))
	c := r.open()
	defer c.Close()
	c.send(usual(req), req.AppendTo(nil))
	_, body, err := c.receive(answerLimit)
	must(err)
	resp, _, err := decode(req, body)
	must(err)
	return resp
}

func (w *world) highest(req kmsg.Request) int16 {
	return min(req.MaxVersion(), w.table[req.Key()].highest)
}

// raw sends any header and body on the case's connection. It returns nil when there was no
// answer; a connection that was closed is replaced.
func (r *run) raw(label string, req kmsg.Request, h header, body []byte) kmsg.Response {
	c := r.connection()
	c.send(h, body)
	return r.answer(label, c, req, answerLimit)
}

// answer waits for the next answer on c, and keeps it as seen.
func (r *run) answer(label string, c *conn, req kmsg.Request, limit time.Duration) kmsg.Response {
	id, body, err := c.receive(limit)
	if err != nil {
		r.note(label, err.Error())
		if c == r.main {
			r.main = nil
		}
		return nil
	}
	resp, exact, err := decode(req, body)
	if err != nil {
		r.note(label, fmt.Sprintf("undecodable: %v", err))
		return nil
	}
	if r.trim != nil {
		r.trim(resp)
	}
	r.seen.learn(resp)
	seen := r.seen.plain(resp)
	if !exact {
		seen["(bytes)"] = "not as the codec writes them"
	}
	if id != c.last && c == r.main {
		seen["(number)"] = id - c.last
	}
	r.note(label, seen)
	return resp
}

// silent sends at the version under test, and keeps whether the broker stays silent, as it
// does for acks=0: the next request on the connection is the first that is answered.
func (r *run) silent(label string, req kmsg.Request) {
	req.SetVersion(r.version)
	c := r.open()
	c.send(usual(req), req.AppendTo(nil))
	probe := kmsg.NewPtrApiVersionsRequest()
	c.send(usual(probe), probe.AppendTo(nil))
	switch id, _, err := c.receive(answerLimit); {
	case err != nil:
		r.note(label, err.Error())
	case id == c.last:
		r.note(label, "no answer, connection open")
	default:
		r.note(label, "an answer")
	}
}

// topic makes a topic of this case's own and waits until its leaders serve it.
func (r *run) topic(suffix string, partitions int32, configs ...string) string {
	name := r.name + suffix
	topic := newTopic(name, partitions, 1)
	for i := 0; i < len(configs); i += 2 {
		config(configs[i], configs[i+1])(&topic)
	}
	r.make(topic)
	eventually(name+" is led", func() bool {
		offsets := kmsg.NewPtrListOffsetsRequest()
		asked := kmsg.NewListOffsetsRequestTopic()
		asked.Topic = name
		for p := range partitions {
			part := kmsg.NewListOffsetsRequestTopicPartition()
			part.Partition, part.Timestamp = p, -1
			asked.Partitions = append(asked.Partitions, part)
		}
		offsets.Topics = append(offsets.Topics, asked)
		for _, p := range r.use(offsets).(*kmsg.ListOffsetsResponse).Topics[0].Partitions {
			if p.ErrorCode != 0 {
				return false
			}
		}
		return true
	})
	return name
}

// make makes topics on the way.
func (r *run) make(topics ...kmsg.CreateTopicsRequestTopic) {
	resp := r.use(createRequest(topics...)).(*kmsg.CreateTopicsResponse)
	for _, made := range resp.Topics {
		if made.ErrorCode != 0 {
			panic(fmt.Sprintf("%s cannot be created: %s", made.Topic, errorName(made.ErrorCode)))
		}
	}
	r.seen.learn(resp)
}

// settle waits until the broker follows everything that the controller has decided. The second
// change is seen only when the first one, and all before it, were taken in whole.
func (r *run) settle() {
	const key = "consumer.session.timeout.ms"
	fence := r.name + ".fence"
	for range 2 {
		r.fences++
		value := fmt.Sprint(45000 + r.fences)
		r.use(incrementalRequest(of(groups, fence, set(key, value))))
		asked := describeRequest(groups, fence)
		asked.Resources[0].ConfigNames = []string{key}
		eventually("a change is seen", func() bool {
			seen := r.use(asked).(*kmsg.DescribeConfigsResponse).Resources[0].Configs
			return len(seen) == 1 && seen[0].Value != nil && *seen[0].Value == value
		})
	}
}

// id is the id of a topic that this case has made; unknown names have an id that no topic has.
func (r *run) id(topic string) [16]byte {
	for id, name := range r.seen.topics {
		if name == topic {
			return id
		}
	}
	return [16]byte{0xbe, 0xef, 15: 1}
}

// warm waits until the group coordinator serves every partition of its topic.
func (w *world) warm() {
	r := newRun(w, testCase{name: "warm"}, 0)
	defer r.close()
	eventually("the coordinator serves", func() bool {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKeys = []string{"warm"}
		if r.use(req).(*kmsg.FindCoordinatorResponse).Coordinators[0].ErrorCode != 0 {
			return false
		}
		for n := range 40 {
			beat := kmsg.NewPtrHeartbeatRequest()
			beat.Group, beat.MemberID = fmt.Sprintf("warm-%d", n), "nobody"
			// UNKNOWN_MEMBER_ID: it knows its groups.
			if r.use(beat).(*kmsg.HeartbeatResponse).ErrorCode != 25 {
				return false
			}
		}
		return true
	})
}

// eventually looks again until ready, for at most some minutes: Apache Kafka on a busy machine may
// wait for a request of its own to time out, after 30 s, before it makes its topic of offsets.
func eventually(what string, ready func() bool) {
	for deadline := time.Now().Add(3 * time.Minute); !ready(); {
		if time.Now().After(deadline) {
			panic("not in time: " + what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
