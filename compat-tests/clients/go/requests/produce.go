package main

import (
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

var produceCases = []testCase{
	{kmsg.Produce, "produce/acks", produceAcks, nil},
	{kmsg.Produce, "produce/unknown", produceUnknown, nil},
	{kmsg.Produce, "produce/bad-batch", produceBadBatches, nil},
	{kmsg.Produce, "produce/bad-shape", produceBadShapes, nil},
	{kmsg.Produce, "produce/time", produceTimes, nil},
	{kmsg.Produce, "produce/append-time", produceAppendTime, nil},
	{kmsg.Produce, "produce/size", produceSizes, nil},
	{kmsg.Produce, "produce/idempotent", produceIdempotent, nil},
	{kmsg.Produce, "produce/transactional", produceTransactional, nil},
	{kmsg.Produce, "produce/compacted", produceCompacted, nil},
	{kmsg.Produce, "produce/many", produceMany, nil},
	{kmsg.Produce, "produce/internal", produceInternal, nil},
}

// part is the records for one partition.
type part struct {
	index   int32
	records []byte
}

func (r *run) produceRequest(acks int16, topic string, parts ...part) *kmsg.ProduceRequest {
	asked := kmsg.NewProduceRequestTopic()
	asked.Topic, asked.TopicID = topic, r.id(topic)
	for _, p := range parts {
		partition := kmsg.NewProduceRequestTopicPartition()
		partition.Partition, partition.Records = p.index, p.records
		asked.Partitions = append(asked.Partitions, partition)
	}
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis, req.Topics = acks, 10000, append(req.Topics, asked)
	return req
}

// produce appends on the way, and returns the offset of the first record.
func (r *run) produce(topic string, partition int32, b *batch) int64 {
	resp := r.use(r.produceRequest(-1, topic, part{partition, b.bytes()})).(*kmsg.ProduceResponse)
	answered := resp.Topics[0].Partitions[0]
	if answered.ErrorCode != 0 {
		panic("produce: " + errorName(answered.ErrorCode))
	}
	return answered.BaseOffset
}

// ends keeps the first and last offsets of a partition, the proof of what was stored.
func (r *run) ends(topic string, partition int32) {
	for _, which := range []int64{-2, -1} {
		resp := r.use(offsetsRequest(topic, offsetAt{partition, -1, which})).(*kmsg.ListOffsetsResponse)
		r.note("ends", resp.Topics[0].Partitions[0].Offset)
	}
}

func produceAcks(r *run) {
	topic := r.topic("", 2)
	for _, acks := range []int16{1, -1, 2, -2} {
		r.ask("valid", r.produceRequest(acks, topic, part{0, newBatch(3).bytes()}))
	}
	r.silent("acks 0", r.produceRequest(0, topic, part{0, newBatch(2).bytes()}))
	r.silent("acks 0, no such partition", r.produceRequest(0, topic, part{7, newBatch(2).bytes()}))
	r.silent("acks 0, bad crc", r.produceRequest(0, topic, part{0, newBatch(1).with(badCRC).bytes()}))
	none := r.produceRequest(-1, topic)
	none.Topics = nil
	r.ask("no topics", none)
	r.ask("no partitions", r.produceRequest(-1, topic))
	r.ask("two partitions", r.produceRequest(-1, topic, part{1, newBatch(1).bytes()}, part{0, newBatch(2).bytes()}))
	r.ends(topic, 0)
	r.ends(topic, 1)
}

func produceUnknown(r *run) {
	topic := r.topic("", 1)
	good := newBatch(1).bytes()
	r.ask("partition", r.produceRequest(-1, topic, part{1, good}, part{0, good}, part{-1, good}))
	r.ask("topic", r.produceRequest(-1, "no-such-topic", part{0, good}))
	r.ask("topic's name", r.produceRequest(-1, "no such/topic", part{0, good}))
	r.ask("invalid acks", r.produceRequest(3, "no-such-topic", part{0, good}))
	none := r.produceRequest(-1, topic, part{0, good})
	none.Topics[0].TopicID, none.Topics[0].Topic = [16]byte{}, ""
	r.ask("no name, no id", none)
	r.ends(topic, 0)
}

func badCRC(b *batch) { b.badCRC = true }

func produceBadBatches(r *run) {
	topic := r.topic("", 1)
	delta := int32(5)
	for _, bad := range []struct {
		label string
		b     *batch
	}{
		{"crc", newBatch(2).with(badCRC)},
		{"magic 3", newBatch(2).with(func(b *batch) { b.Magic = 3 })},
		{"magic -1", newBatch(2).with(func(b *batch) { b.Magic = -1 })},
		{"count too high", newBatch(2).with(func(b *batch) { b.NumRecords = 3 })},
		{"count too low", newBatch(2).with(func(b *batch) { b.NumRecords = 1 })},
		{"count and delta too high", newBatch(2).with(func(b *batch) { b.NumRecords, b.LastOffsetDelta = 3, 2 })},
		{"count and delta too low", newBatch(2).with(func(b *batch) { b.NumRecords, b.LastOffsetDelta = 1, 0 })},
		{"count negative", newBatch(2).with(func(b *batch) { b.NumRecords = -1 })},
		{"delta too high", newBatch(2).with(func(b *batch) { b.LastOffsetDelta = 2 })},
		{"delta too low", newBatch(2).with(func(b *batch) { b.LastOffsetDelta = 0 })},
		{"delta negative", newBatch(2).with(func(b *batch) { b.LastOffsetDelta = -1 })},
		{"no records", newBatch(0)},
		{"no records, delta 0", newBatch(0).with(func(b *batch) { b.LastOffsetDelta = 0 })},
		{"control", newBatch(1).with(func(b *batch) { b.Attributes = control })},
		{"base offset", newBatch(1).with(func(b *batch) { b.FirstOffset = 7 })},
		{"leader epoch", newBatch(1).with(func(b *batch) { b.PartitionLeaderEpoch = 9 })},
		{"unknown codec", newBatch(1).with(func(b *batch) { b.Attributes = 5 })},
		{"log append time", newBatch(1).with(func(b *batch) { b.Attributes = logAppendTime })},
		{"garbage in a record", newBatch(1).with(func(b *batch) { b.raw = []byte{0x20, 1, 2, 3} })},
		{"bytes after the records", newBatch(1).with(func(b *batch) {
			b.raw = append(oneRecord(), 0, 0, 0)
		})},
	} {
		r.ask(bad.label, r.produceRequest(-1, topic, part{0, bad.b.bytes()}))
	}
	r.ends(topic, 0)
	inside := r.topic(".inside", 1)
	gzip := newBatch(1).with(func(b *batch) { b.Attributes, b.raw = 1, []byte{1, 2, 3} })
	r.ask("gzip that is none", r.produceRequest(-1, inside, part{0, gzip.bytes()}))
	moved := newBatch(2).with(func(b *batch) { b.records[1].delta = &delta })
	r.ask("record's delta", r.produceRequest(-1, inside, part{0, moved.bytes()}))
}

// oneRecord are the bytes of the only record of a batch.
func oneRecord() []byte {
	b := newBatch(1)
	b.bytes()
	return b.Records
}

func produceBadShapes(r *run) {
	topic := r.topic("", 2)
	good := newBatch(2).bytes()
	for _, bad := range []struct {
		label   string
		records []byte
	}{
		{"empty", []byte{}},
		{"magic 0", oldMessage(0)},
		{"magic 1", oldMessage(1)},
		{"cut", good[:len(good)-3]},
		{"cut in the header", good[:40]},
		{"a few bytes", good[:5]},
		{"two batches", append(append([]byte{}, good...), good...)},
		{"too long", lengthOf(good, 100000)},
	} {
		r.ask(bad.label, r.produceRequest(-1, topic, part{0, bad.records}, part{1, good}))
	}
	r.ask("the same partition twice", r.produceRequest(-1, topic, part{0, good}, part{0, good}))
	r.ends(topic, 0)
	after := append(append([]byte{}, good...), 0, 0, 0)
	r.ask("bytes after", r.produceRequest(-1, r.topic(".after", 1), part{0, after}))
	lengths := r.topic(".lengths", 2)
	for _, length := range []int32{10, 0, -1} {
		bad := lengthOf(good, length)
		r.ask("length", r.produceRequest(-1, lengths, part{0, bad}, part{1, good}))
	}
	// One broker never answers this.
	null := r.produceRequest(-1, topic, part{0, nil}, part{1, good})
	null.SetVersion(r.version)
	c := r.open()
	c.send(usual(null), null.AppendTo(nil))
	r.answer("null", c, null, time.Second)
}

func lengthOf(good []byte, length int32) []byte {
	bad := append([]byte{}, good...)
	for i := range 4 {
		bad[8+i] = byte(length >> (24 - 8*i))
	}
	return bad
}

func produceTimes(r *run) {
	hour := int64(3_600_000)
	now := time.Now().UnixMilli()
	topic := r.topic("", 1)
	r.ask("two hours ahead", r.produceRequest(-1, topic, part{0, at(now + 2*hour).bytes()}))
	r.ask("half an hour ahead", r.produceRequest(-1, topic, part{0, at(now + hour/2).bytes()}))
	r.ask("no time", r.produceRequest(-1, topic, part{0, at(-1).with(func(b *batch) { b.MaxTimestamp = -1 }).bytes()}))
	r.ask("1970", r.produceRequest(-1, topic, part{0, at(0).bytes()}))
	r.ask("max time that no record has", r.produceRequest(-1, topic, part{0, newBatch(2).with(func(b *batch) {
		b.MaxTimestamp += 7
	}).bytes()}))
	strict := r.topic(".strict", 1, "message.timestamp.before.max.ms", "3600000")
	r.ask("two hours back", r.produceRequest(-1, strict, part{0, at(now - 2*hour).bytes()}))
	r.ask("half an hour back", r.produceRequest(-1, strict, part{0, at(now - hour/2).bytes()}))
	three := newBatch(0)
	for i, shift := range []int64{0, 2 * hour, -2 * hour} {
		three.records = append(three.records, record{key: []byte{byte(i)}, time: now + shift})
	}
	r.ask("two of three", r.produceRequest(-1, strict, part{0, three.seal().bytes()}))
}

func produceAppendTime(r *run) {
	topic := r.topic("", 1, "message.timestamp.type", "LogAppendTime")
	r.ask("created long ago", r.produceRequest(-1, topic, part{0, newBatch(2).bytes()}))
	r.ask("no time", r.produceRequest(-1, topic, part{0, at(-1).bytes()}))
	r.ask("created far ahead", r.produceRequest(-1, topic, part{0, at(9_000_000_000_000).bytes()}))
	idempotent := func() *batch { return newBatch(1).from(r.producer(), 0, 0) }
	r.ask("idempotent", r.produceRequest(-1, topic, part{0, idempotent().bytes()}))
}

func produceSizes(r *run) {
	topic := r.topic("", 1, "max.message.bytes", "1000")
	large := newBatch(1).with(func(b *batch) { b.records[0].value = []byte(strings.Repeat("x", 2000)) })
	r.ask("too large", r.produceRequest(-1, topic, part{0, large.bytes()}))
	fits := newBatch(1).with(func(b *batch) { b.records[0].value = []byte(strings.Repeat("x", 900)) })
	size := len(fits.bytes())
	fits.records[0].value = append(fits.records[0].value, strings.Repeat("y", 1000-size)...)
	r.ask("just fits", r.produceRequest(-1, topic, part{0, fits.bytes()}))
	fits.records[0].value = append(fits.records[0].value, 'z')
	r.ask("one byte more", r.produceRequest(-1, topic, part{0, fits.bytes()}))
	segment := r.topic(".segment", 1, "segment.bytes", "1048576", "max.message.bytes", "4000000")
	huge := newBatch(1).with(func(b *batch) { b.records[0].value = make([]byte, 1_100_000) })
	r.ask("larger than a segment", r.produceRequest(-1, segment, part{0, huge.bytes()}))
}

// producer is a new producer id.
func (r *run) producer() int64 {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.ProducerID, req.ProducerEpoch = -1, -1
	return r.use(req).(*kmsg.InitProducerIDResponse).ProducerID
}

func produceIdempotent(r *run) {
	topic := r.topic("", 2)
	id := r.producer()
	send := func(label string, b *batch) {
		r.ask(label, r.produceRequest(-1, topic, part{0, b.bytes()}))
	}
	send("a new producer does not begin at 0", newBatch(2).from(id, 0, 5))
	send("first", newBatch(2).from(id, 0, 7))
	send("the same again", newBatch(2).from(id, 0, 7))
	send("next", newBatch(3).from(id, 0, 9))
	send("a gap", newBatch(1).from(id, 0, 20))
	send("the first again", newBatch(2).from(id, 0, 7))
	send("an overlap", newBatch(2).from(id, 0, 8))
	send("more than the last", newBatch(4).from(id, 0, 9))
	for i := range int32(6) {
		send("one", newBatch(1).from(id, 0, 12+i))
	}
	send("older than five batches", newBatch(2).from(id, 0, 7))
	send("the fifth last", newBatch(1).from(id, 0, 13))
	send("next epoch, not at 0", newBatch(1).from(id, 1, 3))
	send("next epoch", newBatch(1).from(id, 1, 0))
	send("the older epoch", newBatch(1).from(id, 0, 18))
	send("epoch negative", newBatch(1).from(id, -1, 0))
	send("sequence negative", newBatch(1).from(id, 1, -1))
	send("an id that nobody gave", newBatch(1).from(987654321, 0, 3))
	send("an id that nobody gave, at 0", newBatch(1).from(987654322, 0, 0))
	send("wraps", newBatch(2).from(987654323, 0, 1<<31-1))
	send("after it wrapped", newBatch(2).from(987654323, 0, 1))
	r.ask("other partition, not at 0", r.produceRequest(-1, topic, part{1, newBatch(1).from(id, 1, 4).bytes()}))
	r.ask("the same batch twice", r.produceRequest(-1, topic,
		part{1, newBatch(1).from(id, 1, 5).bytes()}, part{1, newBatch(1).from(id, 1, 5).bytes()}))
	r.ends(topic, 0)
	r.ends(topic, 1)
}

func produceTransactional(r *run) {
	topic := r.topic("", 1)
	id := r.producer()
	inTransaction := func(b *batch) { b.Attributes = transactional }
	r.ask("a batch, no transactional id", r.produceRequest(-1, topic,
		part{0, newBatch(1).from(id, 0, 0).with(inTransaction).bytes()}))
	r.ask("no producer", r.produceRequest(-1, topic, part{0, newBatch(1).with(inTransaction).bytes()}))
	r.ends(topic, 0)
}

func produceCompacted(r *run) {
	topic := r.topic("", 1, "cleanup.policy", "compact")
	r.ask("no key", r.produceRequest(-1, topic, part{0, keyless().bytes()}))
	r.ask("an empty key", r.produceRequest(-1, topic, part{0, keyless().with(func(b *batch) {
		b.records[0].key = []byte{}
	}).bytes()}))
	r.ask("keys", r.produceRequest(-1, topic, part{0, newBatch(2).bytes()}))
	mixed := newBatch(4).with(func(b *batch) { b.records[1].key, b.records[3].key = nil, nil })
	r.ask("some without", r.produceRequest(-1, topic, part{0, mixed.bytes()}))
	r.ends(topic, 0)
}

func produceMany(r *run) {
	// One version at each shape of the request is enough for what takes long.
	if r.version != 3 && r.version != 9 && r.version != r.table[r.api].highest {
		return
	}
	topic := r.topic("", 1000)
	var parts []part
	for p := range int32(1001) {
		parts = append(parts, part{p, newBatch(1).bytes()})
	}
	r.ask("a thousand and one", r.produceRequest(-1, topic, parts...))
}

func produceInternal(r *run) {
	good := newBatch(1).bytes()
	const topic = "__consumer_offsets"
	req := kmsg.NewPtrMetadataRequest()
	name := topic
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = &name
	req.Topics = append(req.Topics, asked)
	r.seen.topics[r.use(req).(*kmsg.MetadataResponse).Topics[0].TopicID] = topic
	r.ask("the offsets topic", r.produceRequest(-1, topic, part{0, good}))
}
