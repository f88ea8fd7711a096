package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// readAll returns count records and whatever follows at once, or what came within the patience.
func (r *runner) readAll(topics map[string]int32, from int64, count int, o readOptions) ([]record,
	error) {
	all, err := r.Reader(topics, from, o)
	if err != nil {
		return nil, err
	}
	defer all.close()
	return collect(all, count, o.patience)
}

// collect polls until count records have come and a moment more, or the patience is over.
func collect(from reader, count int, patience time.Duration) ([]record, error) {
	if patience == 0 {
		patience = 20 * time.Second
	}
	all := []record{}
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		more, err := from.poll(ctx)
		cancel()
		if err != nil {
			return all, err
		}
		all = append(all, more...)
		if moment := time.Now().Add(200 * time.Millisecond); len(all) >= count &&
			moment.Before(deadline) {
			deadline = moment
		}
	}
	return all, nil
}

// soon polls once for a fifth of a second.
func soon(from reader) ([]record, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	return from.poll(ctx)
}

// channel gathers what the goroutines of a library's readers pass on.
type channel struct {
	records  chan record
	failures chan error
	ctx      context.Context
	stop     context.CancelFunc
	readers  sync.WaitGroup
}

func newChannel() *channel {
	ctx, cancel := context.WithCancel(context.Background())
	return &channel{records: make(chan record), failures: make(chan error), ctx: ctx,
		stop: cancel}
}

// pass says whether the record was taken; if not, the reader is to end.
func (c *channel) pass(r record) bool {
	select {
	case c.records <- r:
		return true
	case <-c.ctx.Done():
		return false
	}
}

func (c *channel) fail(err error) {
	select {
	case c.failures <- err:
	case <-c.ctx.Done():
	}
}

func (c *channel) poll(ctx context.Context) ([]record, error) {
	select {
	case r := <-c.records:
		return c.more([]record{r}), nil
	case err := <-c.failures:
		return nil, err
	case <-ctx.Done():
		return nil, nil
	}
}

// more adds what waits already.
func (c *channel) more(some []record) []record {
	for len(some) < 1000 {
		select {
		case r := <-c.records:
			some = append(some, r)
		default:
			return some
		}
	}
	return some
}

func (c *channel) close() {
	c.stop()
	c.readers.Wait()
}

// arranged runs what a scenario needs before it starts by franz-go, where the client cannot.
func (r *runner) arranged(err error, by func(client) error) {
	var missing unsupported
	if errors.As(err, &missing) {
		helper := got(newFranz(r.bootstrap))
		defer helper.Close()
		err = by(helper)
	}
	must(err)
}
