package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// How long an answer may take before it counts as missing.
const answerLimit = 15 * time.Second

// The only answer whose header never has tagged fields.
const apiVersionsKey = 18

// conn is one connection; its requests are numbered from 1.
type conn struct {
	net.Conn
	last int32
}

func dial(bootstrap string) *conn {
	c, err := net.DialTimeout("tcp", bootstrap, answerLimit)
	must(err)
	return &conn{Conn: c}
}

// header is what goes before a body. tags are raw: a count and the fields.
type header struct {
	key, version int16
	client       *string
	flexible     bool
	tags         []byte
}

// usual is the header of a well-behaved client.
func usual(req kmsg.Request) header {
	client := "requests"
	return header{req.Key(), req.GetVersion(), &client, req.IsFlexible(), []byte{0}}
}

// send writes one frame and returns its number.
func (c *conn) send(h header, body []byte) int32 {
	c.last++
	frame := binary.BigEndian.AppendUint16(make([]byte, 4), uint16(h.key))
	frame = binary.BigEndian.AppendUint16(frame, uint16(h.version))
	frame = binary.BigEndian.AppendUint32(frame, uint32(c.last))
	if h.client == nil {
		frame = append(frame, 0xff, 0xff)
	} else {
		frame = binary.BigEndian.AppendUint16(frame, uint16(len(*h.client)))
		frame = append(frame, *h.client...)
	}
	if h.flexible {
		frame = append(frame, h.tags...)
	}
	frame = append(frame, body...)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	must(c.SetWriteDeadline(time.Now().Add(answerLimit)))
	// A peer that has closed is noticed by the read that follows.
	c.Write(frame)
	return c.last
}

var (
	errClosed = errors.New("closed")
	errSilent = errors.New("no answer")
)

// receive reads one answer: its number and what follows it.
func (c *conn) receive(limit time.Duration) (int32, []byte, error) {
	must(c.SetReadDeadline(time.Now().Add(limit)))
	var head [8]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return 0, nil, errSilent
		}
		return 0, nil, errClosed
	}
	size := int32(binary.BigEndian.Uint32(head[:]))
	if size < 4 || size > 64<<20 {
		return 0, nil, fmt.Errorf("an answer of %d bytes", size)
	}
	body := make([]byte, size-4)
	if _, err := io.ReadFull(c, body); err != nil {
		return 0, nil, errClosed
	}
	return int32(binary.BigEndian.Uint32(head[4:])), body, nil
}

// decode turns what follows an answer's number into the codec's type. exact says whether the
// codec writes the same bytes again: nothing is left over, and nothing is written in long form.
func decode(req kmsg.Request, body []byte) (resp kmsg.Response, exact bool, err error) {
	resp = req.ResponseKind()
	if resp.IsFlexible() && req.Key() != apiVersionsKey {
		if len(body) == 0 || body[0] != 0 {
			return resp, false, errors.New("tagged fields in the header of an answer")
		}
		body = body[1:]
	}
	if err := resp.ReadFrom(body); err != nil {
		return resp, false, err
	}
	again := resp.AppendTo(nil)
	return resp, string(again) == string(body), nil
}
