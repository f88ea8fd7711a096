package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// The shortest of the lives of a topic, and of the times between two of them.
	lifeTime   = 250 * time.Millisecond
	writeEvery = 5 * time.Millisecond
	// After that a client is given up: it may know an earlier life of the topic only.
	writeLimit = 2 * time.Second
)

// again has topics written to all the time while each is deleted and made again under its name.
func again(ctx context.Context, j *journal, admin *kadm.Client, o options) {
	var group sync.WaitGroup
	for i := range o.again {
		name := fmt.Sprintf("again-%d-%d", o.first, i)
		standing := false
		group.Go(func() {
			pace(ctx, lifeTime*time.Duration(2+i)/2, func() {
				if standing {
					standing = !remove(ctx, j, admin, name)
				} else {
					standing = establish(ctx, j, admin, name)
				}
			})
		})
		group.Go(func() { writeAlong(ctx, j, o, name, i) })
	}
	group.Wait()
}

// writeAlong writes one record after the other, whatever becomes of the topic: w before, W when
// acknowledged.
func writeAlong(ctx context.Context, j *journal, o options, name string, number int) {
	var client *kgo.Client
	sequence := 0
	pace(ctx, writeEvery, func() {
		if client == nil {
			client = connect(o, kgo.DisableIdempotentWrite())
		}
		sequence++
		record := &kgo.Record{Topic: name, Value: value(-1000-10*o.first-number, sequence, 200)}
		j.line("w %s %s %d", name, hash(record.Value), now())
		limited, cancel := context.WithTimeout(ctx, writeLimit)
		defer cancel()
		if err := client.ProduceSync(limited, record).FirstErr(); err != nil {
			client.Close()
			client = nil
			return
		}
		j.line("W %s %s %d", name, hash(record.Value), now())
	})
	if client != nil {
		client.Close()
	}
}
