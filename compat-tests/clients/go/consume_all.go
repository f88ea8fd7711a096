package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// collection is everything that was read, once each.
type collection struct {
	partitions map[int32]map[int64]*kgo.Record
	distinct   int
	duplicates int
}

func (c *collection) keep(r *kgo.Record) {
	offsets, found := c.partitions[r.Partition]
	if !found {
		offsets = map[int64]*kgo.Record{}
		c.partitions[r.Partition] = offsets
	}
	if _, again := offsets[r.Offset]; again {
		c.duplicates++
		return
	}
	offsets[r.Offset] = r
	c.distinct++
	if c.distinct%5000 == 0 {
		fmt.Fprintln(os.Stderr, "PROGRESS", c.distinct)
	}
}

// consumeAll reads a whole topic as a group member, through a restart of the broker.
func consumeAll(a args) map[string]any {
	expect, idle := a.number("expect", 0), time.Duration(a.number("idle-s", 120))*time.Second
	cl := got(kgo.NewClient(kgo.SeedBrokers(a["bootstrap"]), kgo.ConsumerGroup(a["group"]),
		kgo.ConsumeTopics(a["topic"]), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(10*time.Second),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.BlockRebalanceOnPoll()))
	defer cl.Close()
	all := &collection{partitions: map[int32]map[int64]*kgo.Record{}}
	step := func(patience time.Duration) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		fetches := cl.PollFetches(ctx)
		fetches.EachRecord(all.keep)
		if !fetches.Empty() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := cl.CommitRecords(ctx, fetches.Records()...); err != nil {
				fmt.Fprintln(os.Stderr, "not committed, will be with the next:", err)
			}
		}
		cl.AllowRebalance()
	}
	last, before := time.Now(), 0
	for all.distinct < expect && time.Since(last) < idle {
		step(time.Second)
		if all.distinct > before {
			last, before = time.Now(), all.distinct
		}
	}
	step(time.Second)
	return all.summary(a["client"])
}

func (c *collection) summary(client string) map[string]any {
	ordered := true
	home := map[string]int32{}
	records := []*kgo.Record{}
	for partition, offsets := range c.partitions {
		for offset, r := range offsets {
			// Offsets without a gap: nothing was skipped.
			ordered = ordered && offset < int64(len(offsets))
			other, found := home[string(r.Key)]
			ordered = ordered && (!found || other == partition)
			home[string(r.Key)] = partition
			records = append(records, r)
		}
	}
	slices.SortFunc(records, func(a, b *kgo.Record) int {
		if order := bytes.Compare(a.Key, b.Key); order != 0 {
			return order
		}
		return int(a.Offset - b.Offset)
	})
	sum := sha256.New()
	for _, r := range records {
		for _, part := range [][]byte{r.Key, r.Value} {
			sum.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
			sum.Write(part)
		}
	}
	return map[string]any{"client": client, "count": c.distinct, "duplicates": c.duplicates,
		"order_ok": ordered, "checksum": hex.EncodeToString(sum.Sum(nil))}
}
