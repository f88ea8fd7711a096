package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

const removeEvery = 60 * time.Millisecond

// ends are the offsets after the last record of each partition that was acknowledged.
type ends struct {
	lock   sync.Mutex
	offset map[int32]int64
}

func (e *ends) raise(partition int32, offset int64) {
	e.lock.Lock()
	defer e.lock.Unlock()
	e.offset[partition] = max(e.offset[partition], offset)
}

func (e *ends) of(partition int32) int64 {
	e.lock.Lock()
	defer e.lock.Unlock()
	return e.offset[partition]
}

// removals deletes records of one partition after the other, up to somewhere in the newest
// hundred, at times all: k before, K when acknowledged.
func removals(ctx context.Context, j *journal, admin *kadm.Client, o options, known *ends) {
	round := 0
	pace(ctx, removeEvery, func() {
		round++
		partition := int32(round % o.partitions)
		before := known.of(partition) - int64(round*37%101)
		if before <= 0 {
			return
		}
		j.line("k %d %d", partition, before)
		var offsets kadm.Offsets
		offsets.AddOffset(o.topic, partition, before, -1)
		answers, err := admin.DeleteRecords(ctx, offsets)
		if err == nil && answers.Error() == nil {
			j.line("K %d %d %d", partition, before, now())
		}
	})
}
