package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The time of every record that a case does not date itself.
const someTime = 1_700_000_000_000

// Attributes of a batch.
const (
	logAppendTime = 1 << 3
	transactional = 1 << 4
	control       = 1 << 5
)

// record is one record; nil keys and values are null.
type record struct {
	key, value []byte
	time       int64
	delta      *int32
}

// batch is a record batch, right unless a case changes it.
type batch struct {
	kmsg.RecordBatch
	records []record
	raw     []byte
	badCRC  bool
}

// newBatch is a batch of n records "v0", "v1", ... one millisecond apart.
func newBatch(n int) *batch {
	b := &batch{}
	for i := range n {
		b.records = append(b.records, record{
			key: fmt.Appendf(nil, "k%d", i), value: fmt.Appendf(nil, "v%d", i), time: someTime + int64(i),
		})
	}
	return b.seal()
}

// keyless is a batch of one record without a key.
func keyless() *batch {
	b := &batch{records: []record{{value: []byte("v"), time: someTime}}}
	return b.seal()
}

// at is a batch of one record of that time.
func at(time int64) *batch {
	b := &batch{records: []record{{key: []byte("k"), value: []byte("v"), time: time}}}
	return b.seal()
}

// seal fills in the header for the records that are there.
func (b *batch) seal() *batch {
	b.Magic, b.PartitionLeaderEpoch = 2, -1
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = -1, -1, -1
	b.NumRecords, b.LastOffsetDelta = int32(len(b.records)), int32(len(b.records)-1)
	if len(b.records) > 0 {
		b.FirstTimestamp = b.records[0].time
	}
	for _, r := range b.records {
		b.MaxTimestamp = max(b.MaxTimestamp, r.time)
	}
	return b
}

// from makes it an idempotent producer's.
func (b *batch) from(id int64, epoch int16, sequence int32) *batch {
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = id, epoch, sequence
	return b
}

// with changes the batch before it is written.
func (b *batch) with(change func(*batch)) *batch {
	change(b)
	return b
}

// bytes are the batch as it is sent.
func (b *batch) bytes() []byte {
	b.Records = b.raw
	if b.raw == nil {
		for i, r := range b.records {
			rec := kmsg.Record{
				TimestampDelta64: r.time - b.FirstTimestamp, TimestampDelta: int32(r.time - b.FirstTimestamp),
				OffsetDelta: int32(i), Key: r.key, Value: r.value,
			}
			if r.delta != nil {
				rec.OffsetDelta = *r.delta
			}
			// The length counts what follows it; of a record of length 0 the length takes one byte.
			rec.Length = int32(len(rec.AppendTo(nil)) - 1)
			b.Records = rec.AppendTo(b.Records)
		}
	}
	out := b.AppendTo(nil)
	binary.BigEndian.PutUint32(out[8:], uint32(len(out)-12))
	crc := crc32.Checksum(out[21:], crc32.MakeTable(crc32.Castagnoli))
	if b.badCRC {
		crc++
	}
	binary.BigEndian.PutUint32(out[17:], crc)
	return out
}

// oldMessage is one message of magic 0 or 1.
func oldMessage(magic int8) []byte {
	body := []byte{byte(magic), 0}
	if magic == 1 {
		body = binary.BigEndian.AppendUint64(body, someTime)
	}
	body = append(body, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 'v')
	out := binary.BigEndian.AppendUint32(make([]byte, 8), uint32(len(body)+4))
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
	return append(out, body...)
}

// batches describes record batches as they came in a fetch.
func (s *seen) batches(raw []byte) any {
	out := []any{}
	for len(raw) > 0 {
		// What a limit has cut off at the end is no batch, and no client takes it for one.
		if len(raw) < 61 {
			return out
		}
		size := int(binary.BigEndian.Uint32(raw[8:])) + 12
		if size > len(raw) {
			return out
		}
		var b kmsg.RecordBatch
		if err := b.ReadFrom(raw[:size]); err != nil {
			return append(out, fmt.Sprintf("not a batch: %v", err))
		}
		crc := crc32.Checksum(raw[21:size], crc32.MakeTable(crc32.Castagnoli))
		out = append(out, map[string]any{
			"base": b.FirstOffset, "leader epoch": b.PartitionLeaderEpoch, "magic": b.Magic,
			"attributes": b.Attributes, "last delta": b.LastOffsetDelta, "first time": b.FirstTimestamp,
			"max time": b.MaxTimestamp, "producer": s.ordinal("producer", b.ProducerID),
			"producer epoch": b.ProducerEpoch, "sequence": b.FirstSequence, "count": b.NumRecords,
			"crc": uint32(b.CRC) == crc, "records": fmt.Sprintf("%x", b.Records),
		})
		raw = raw[size:]
	}
	return out
}
