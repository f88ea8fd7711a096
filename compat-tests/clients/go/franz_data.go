package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

type franzProducer struct{ cl *kgo.Client }

func (f *franz) Producer(o produceOptions) (producer, error) {
	codecs := map[string]kgo.CompressionCodec{
		"": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(),
		"zstd": kgo.ZstdCompression(),
	}
	opts := []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.AllowAutoTopicCreation(),
		kgo.ProducerBatchCompression(codecs[o.codec]), kgo.ProducerLinger(time.Millisecond),
		kgo.UnknownTopicRetries(20),
	}
	if o.batchBytes > 0 {
		opts = append(opts, kgo.ProducerBatchMaxBytes(int32(o.batchBytes)))
	}
	if o.acks != "" {
		acks := map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck()}[o.acks]
		opts = append(opts, kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite())
	}
	cl, err := f.open(opts...)
	return franzProducer{cl}, err
}

func (p franzProducer) send(r record, done func(error)) {
	out := &kgo.Record{Topic: r.topic, Partition: r.partition, Key: r.key, Value: r.value,
		Timestamp: r.time}
	for _, h := range r.headers {
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: h.key, Value: h.value})
	}
	p.cl.Produce(context.Background(), out, func(_ *kgo.Record, err error) { done(err) })
}

func (p franzProducer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Second)
	defer cancel()
	err := p.cl.Flush(ctx)
	p.cl.Close()
	return err
}

func fromFranz(r *kgo.Record) record {
	out := record{topic: r.Topic, partition: r.Partition, offset: r.Offset, key: r.Key,
		value: r.Value, time: r.Timestamp, appendTime: "CreateTime"}
	if r.Attrs.TimestampType() == 1 {
		out.appendTime = "LogAppendTime"
	}
	for _, h := range r.Headers {
		out.headers = append(out.headers, header{h.Key, h.Value})
	}
	return out
}

type franzMember struct {
	tally
	topic string
	cl    *kgo.Client
	stop  context.CancelFunc
	done  chan struct{}
	calls atomic.Int32
}

func (f *franz) Member(group, topic string, o memberOptions) (member, error) {
	m := &franzMember{tally: newTally(), topic: topic, done: make(chan struct{})}
	timeout := 6 * time.Second
	opts := []kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.HeartbeatInterval(500 * time.Millisecond), kgo.FetchMaxWait(500 * time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.Balancers(kgo.RangeBalancer()),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, p map[string][]int32) {
			m.calls.Add(1)
			m.add(p[topic]...)
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, p map[string][]int32) {
			m.calls.Add(1)
			m.remove(p[topic]...)
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, p map[string][]int32) {
			m.remove(p[topic]...)
		}),
	}
	if o.instance != "" {
		opts, timeout = append(opts, kgo.InstanceID(o.instance)), 20*time.Second
	}
	if o.cooperative {
		opts = append(opts, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	}
	cl, err := f.open(append(opts, kgo.SessionTimeout(timeout))...)
	if err != nil {
		return nil, err
	}
	m.cl = cl
	ctx, cancel := context.WithCancel(context.Background())
	m.stop = cancel
	go m.poll(ctx, o.passive)
	return m, nil
}

func (m *franzMember) poll(ctx context.Context, passive bool) {
	defer close(m.done)
	for ctx.Err() == nil {
		fetches := m.cl.PollFetches(ctx)
		fetches.EachRecord(func(r *kgo.Record) { m.see(r.Partition, r.Offset) })
		if !passive && !fetches.Empty() {
			m.cl.CommitRecords(context.Background(), fetches.Records()...)
		}
	}
}

func (m *franzMember) callbacks() int { return int(m.calls.Load()) }

func (m *franzMember) commit(partition int32, offset int64, metadata string) (err error) {
	at := kgo.EpochOffset{Epoch: -1, Offset: offset}
	ctx := kgo.PreCommitFnContext(context.Background(), withMetadata(metadata))
	set := map[string]map[int32]kgo.EpochOffset{m.topic: {partition: at}}
	m.cl.CommitOffsetsSync(ctx, set, committed(&err))
	return err
}

func (m *franzMember) leave() {
	m.stop()
	<-m.done
	m.cl.Close()
}

func (f *franz) Take(group, topic string, count int) (first int64, taken int, err error) {
	cl, err := f.open(kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(6*time.Second))
	if err != nil {
		return 0, 0, err
	}
	defer cl.Close()
	ctx, cancel := brief()
	defer cancel()
	first = -1
	var last *kgo.Record
	for taken < count && ctx.Err() == nil {
		fetches := cl.PollRecords(ctx, count-taken)
		fetches.EachRecord(func(r *kgo.Record) {
			if first < 0 {
				first = r.Offset
			}
			taken++
			last = r
		})
	}
	if last != nil {
		err = cl.CommitRecords(ctx, last)
	}
	return first, taken, errors.Join(err, ctx.Err())
}

// withMetadata puts the text on every partition of a commit.
func withMetadata(text string) func(*kmsg.OffsetCommitRequest) error {
	return func(request *kmsg.OffsetCommitRequest) error {
		for t := range request.Topics {
			for p := range request.Topics[t].Partitions {
				request.Topics[t].Partitions[p].Metadata = &text
			}
		}
		return nil
	}
}

// committed keeps the first error of a commit's answer.
func committed(failure *error) func(*kgo.Client, *kmsg.OffsetCommitRequest,
	*kmsg.OffsetCommitResponse, error) {
	return func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse,
		err error) {
		*failure = err
		if err != nil {
			return
		}
		for _, topic := range answer.Topics {
			for _, partition := range topic.Partitions {
				*failure = errors.Join(*failure, kerr.ErrorForCode(partition.ErrorCode))
			}
		}
	}
}
