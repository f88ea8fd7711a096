package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// How long a producer waits for its last answers.
	drainLimit  = 90 * time.Second
	commitEvery = 40 * time.Millisecond
	createEvery = 150 * time.Millisecond
)

// load writes until it is told to end. What it waits for then is written down too.
func load(o options) {
	j := newJournal(o.out)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	client := connect(o)
	defer client.Close()
	admin := kadm.NewClient(client)
	must(create(ctx, admin, o))
	known := &ends{offset: map[int32]int64{}}
	var group sync.WaitGroup
	for i := range o.producers {
		group.Go(func() { produce(ctx, j, o, o.first+i, known) })
	}
	if o.again > 0 {
		group.Go(func() { again(ctx, j, admin, o) })
	}
	if o.removals {
		group.Go(func() { removals(ctx, j, admin, o, known) })
	}
	if o.reread {
		group.Go(func() { follow(ctx, j, o) })
	}
	if o.topics {
		group.Go(func() { commit(ctx, j, admin, o) })
		group.Go(func() { topics(ctx, j, admin, o) })
	}
	group.Wait()
}

func create(ctx context.Context, admin *kadm.Client, o options) error {
	configs := map[string]*string{}
	for _, pair := range strings.Split(o.configs, ",") {
		if name, value, found := strings.Cut(pair, "="); found {
			configs[name] = &value
		}
	}
	answer, err := admin.CreateTopic(ctx, int32(o.partitions), 1, configs, o.topic)
	if errors.Is(answer.Err, kerr.TopicAlreadyExists) {
		return nil
	}
	return err
}

// pace calls do every interval until the context ends.
func pace(ctx context.Context, interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			do()
		}
	}
}

// produce sends to random partitions, or each key to its own: S before, A or F when the answer is there.
func produce(ctx context.Context, j *journal, o options, producer int, known *ends) {
	client := connect(o,
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(2*time.Millisecond),
		kgo.ProducerBatchMaxBytes(64<<10),
		kgo.MaxBufferedRecords(2000),
	)
	defer client.Close()
	random := rand.New(rand.NewPCG(uint64(producer), 0))
	sequence := 0
	each := max(1, o.rate*o.every/1000)
	pace(ctx, time.Duration(o.every)*time.Millisecond, func() {
		for range each {
			partition := random.IntN(o.partitions)
			if o.keys > 0 {
				partition = sequence % o.keys % o.partitions
			}
			if !o.tombstones || !isOver(sequence, o.keys) {
				send(j, client, o, producer, sequence, int32(partition), known)
			}
			sequence++
		}
	})
	drained, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	must(client.Flush(drained))
	j.line("E %d %d", producer, sequence)
}

func send(j *journal, client *kgo.Client, o options, producer, sequence int, partition int32,
	known *ends,
) {
	record := &kgo.Record{
		Topic:     o.topic,
		Partition: partition,
		Key:       key(producer, sequence, o.keys),
		Value:     value(producer, sequence, o.size),
	}
	if o.tombstones && isTombstone(sequence, o.keys) {
		entomb(record)
	}
	j.line("S %d %d %d %s %d", producer, sequence, partition, hash(record.Value), now())
	client.Produce(context.Background(), record, func(r *kgo.Record, err error) {
		if err != nil {
			j.line("F %d %d %d %v", producer, sequence, partition, err)
			return
		}
		known.raise(r.Partition, r.Offset+1)
		j.line("A %d %d %d %d %d %d", producer, sequence, r.Partition, r.Offset,
			r.Timestamp.UnixMilli(), now())
	})
}

// follow reads what is written, as it is written: L.
func follow(ctx context.Context, j *journal, o options) {
	client := connect(o, kgo.ConsumeTopics(o.topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	for ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			producer, sequence := named(r)
			j.line("L %d %d %d %d %d %s %d", r.Partition, r.Offset, producer, sequence,
				r.Timestamp.UnixMilli(), hash(r.Value), now())
		})
	}
}

// commit commits rising offsets: o before, O when it is acknowledged.
func commit(ctx context.Context, j *journal, admin *kadm.Client, o options) {
	// Later than what an earlier load of the run has committed.
	offset := int64(o.first) * 1_000_000
	pace(ctx, commitEvery, func() {
		offset++
		partition := int32(offset) % int32(o.partitions)
		var offsets kadm.Offsets
		offsets.AddOffset(o.topic, partition, offset, -1)
		j.line("o %d %d", partition, offset)
		answers, err := admin.CommitOffsets(ctx, o.group, offsets)
		if err == nil && answers.Ok() {
			j.line("O %d %d %d", partition, offset, now())
		}
	})
}
