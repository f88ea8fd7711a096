package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const readLimit = 120 * time.Second

// read writes down everything that the broker has: B where a partition begins and ends, R for
// each record, G for each committed offset, N for each topic, H for each record of another topic.
func read(o options) {
	j := newJournal(o.out)
	ctx, cancel := context.WithTimeout(context.Background(), readLimit)
	defer cancel()
	client := connect(o)
	defer client.Close()
	admin := kadm.NewClient(client)
	listed, err := admin.ListTopics(ctx)
	must(err)
	for _, topic := range listed.Sorted() {
		must(topic.Err)
		j.line("N %s %v", topic.Topic, topic.ID)
	}
	// The first question may find a broker that makes the topic of the offsets for it.
	committed, err := admin.FetchOffsets(ctx, o.group)
	for err != nil && ctx.Err() == nil {
		time.Sleep(100 * time.Millisecond)
		committed, err = admin.FetchOffsets(ctx, o.group)
	}
	must(err)
	committed.Each(func(answer kadm.OffsetResponse) {
		must(answer.Err)
		j.line("G %d %d", answer.Partition, answer.At)
	})
	starts, err := admin.ListStartOffsets(ctx, listed.Names()...)
	must(err)
	ends, err := admin.ListEndOffsets(ctx, listed.Names()...)
	must(err)
	positions := map[string]map[int32]kgo.Offset{}
	left := map[partition]int64{}
	starts.Each(func(start kadm.ListedOffset) {
		must(start.Err)
		end, found := ends.Lookup(start.Topic, start.Partition)
		if !found {
			must(fmt.Errorf("%s-%d has no end", start.Topic, start.Partition))
		}
		must(end.Err)
		if start.Topic == o.topic {
			j.line("B %d %d %d", start.Partition, start.Offset, end.Offset)
		}
		if end.Offset > start.Offset {
			if positions[start.Topic] == nil {
				positions[start.Topic] = map[int32]kgo.Offset{}
			}
			positions[start.Topic][start.Partition] = kgo.NewOffset().At(start.Offset)
			left[partition{start.Topic, start.Partition}] = end.Offset
		}
	})
	consume(ctx, j, o, positions, left)
}

type partition struct {
	topic  string
	number int32
}

// consume reads each partition up to the offset in left.
func consume(
	ctx context.Context, j *journal, o options, positions map[string]map[int32]kgo.Offset,
	left map[partition]int64,
) {
	if len(left) == 0 {
		return
	}
	client := connect(o, kgo.ConsumePartitions(positions))
	defer client.Close()
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			fmt.Fprintln(os.Stderr, "these partitions could not be read to their ends:", left)
			os.Exit(1)
		}
		fetches.EachError(func(topic string, number int32, err error) {
			j.line("X %s-%d %v", topic, number, err)
		})
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Topic == o.topic {
				producer, sequence := named(r)
				j.line("R %d %d %d %d %d %s", r.Partition, r.Offset, producer, sequence,
					r.Timestamp.UnixMilli(), hash(r.Value))
			} else {
				j.line("H %s %d %s", r.Topic, r.Offset, hash(r.Value))
			}
			at := partition{r.Topic, r.Partition}
			if r.Offset+1 >= left[at] {
				delete(left, at)
			}
		})
	}
}
