package main

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// paced sends each record when it is due. Its time counts from then, also where the producer
// itself was held up: a broker that stands still for a second has made a second's records late.
func paced(o options) map[string]float64 {
	var written batches
	c := client(o, kgo.MaxBufferedRecords(10_000_000), kgo.WithHooks(&written))
	defer c.Close()
	var lock sync.Mutex
	var seen []time.Duration
	run := func(stop func(int) bool, keep bool) {
		begin, value := time.Now(), payload(o.size)
		for i := 0; !stop(i); i++ {
			due := begin.Add(time.Duration(i) * time.Second / time.Duration(o.rate))
			if wait := time.Until(due); wait > 0 {
				time.Sleep(wait)
			}
			c.Produce(context.Background(), &kgo.Record{Value: value},
				func(_ *kgo.Record, err error) {
					must(err)
					took := time.Since(due)
					lock.Lock()
					defer lock.Unlock()
					if keep {
						seen = append(seen, took)
					}
				})
		}
		must(c.Flush(context.Background()))
	}
	run(func(i int) bool { return i == o.warm }, false)
	ready()
	before := written.Load()
	result := func() map[string]float64 {
		values := percentiles(seen)
		values["batches"] = float64(written.Load() - before)
		return values
	}
	if o.seconds > 0 {
		run(func(i int) bool { return i == o.rate*o.seconds }, true)
		return result()
	}
	var closed atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		closed.Store(true)
	}()
	run(func(int) bool { return closed.Load() }, true)
	return result()
}

// batches counts those that were sent: of one partition, each in a request of its own.
type batches struct{ atomic.Int64 }

func (b *batches) OnProduceBatchWritten(
	kgo.BrokerMetadata, string, int32, kgo.ProduceBatchMetrics,
) {
	b.Add(1)
}

// many has producers of their own connections, with batches up to 16 KiB and five requests in
// flight, that keep their buffers full.
func many(o options) map[string]float64 {
	var acknowledged atomic.Int64
	var stop atomic.Bool
	var done sync.WaitGroup
	for range o.producers {
		c := client(o, kgo.ProducerBatchMaxBytes(16<<10), kgo.DisableIdempotentWrite(),
			kgo.MaxProduceRequestsInflightPerBroker(5), kgo.MaxBufferedRecords(5000),
			kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
		done.Add(1)
		go func() {
			defer done.Done()
			defer c.Close()
			value := payload(o.size)
			for !stop.Load() {
				c.Produce(context.Background(), &kgo.Record{Value: value},
					func(_ *kgo.Record, err error) {
						must(err)
						acknowledged.Add(1)
					})
			}
			must(c.Flush(context.Background()))
		}()
	}
	for acknowledged.Load() < int64(o.warm) {
		time.Sleep(time.Millisecond)
	}
	ready()
	begin, before := time.Now(), acknowledged.Load()
	time.Sleep(time.Duration(o.seconds) * time.Second)
	seconds := time.Since(begin).Seconds()
	count := float64(acknowledged.Load() - before)
	stop.Store(true)
	done.Wait()
	return map[string]float64{"count": count, "seconds": seconds, "per_second": count / seconds}
}
