package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
)

// saramaMember is a group member and the handler of its claims.
type saramaMember struct {
	tally
	group   sarama.ConsumerGroup
	stop    context.CancelFunc
	done    chan struct{}
	passive bool
	topic   string
	calls   atomic.Int32
	session atomic.Pointer[sarama.ConsumerGroupSession]
}

func (s *saramaClient) Member(group, topic string, o memberOptions) (member, error) {
	c := saramaConfig()
	if o.instance != "" {
		c.Consumer.Group.InstanceId = o.instance
		c.Consumer.Group.Session.Timeout = 20 * time.Second
	}
	if o.cooperative {
		c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{
			sarama.NewBalanceStrategyCooperativeSticky()}
	}
	joined, err := sarama.NewConsumerGroup(s.bootstrap, group, c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &saramaMember{tally: newTally(), group: joined, stop: cancel, topic: topic,
		done: make(chan struct{}), passive: o.passive}
	go func() {
		defer close(m.done)
		for ctx.Err() == nil {
			err := joined.Consume(ctx, []string{topic}, m)
			if errors.Is(err, sarama.ErrClosedConsumerGroup) {
				return
			}
		}
	}()
	return m, nil
}

func (m *saramaMember) Setup(session sarama.ConsumerGroupSession) error {
	m.session.Store(&session)
	m.calls.Add(1)
	return nil
}

func (m *saramaMember) Cleanup(sarama.ConsumerGroupSession) error {
	m.calls.Add(1)
	return nil
}

func (m *saramaMember) ConsumeClaim(s sarama.ConsumerGroupSession,
	claim sarama.ConsumerGroupClaim) error {
	m.add(claim.Partition())
	defer m.remove(claim.Partition())
	for {
		select {
		case r, open := <-claim.Messages():
			if !open {
				return nil
			}
			if m.passive {
				continue
			}
			m.see(r.Partition, r.Offset)
			s.MarkMessage(r, "")
			if int64(r.Offset) == claim.HighWaterMarkOffset()-1 {
				s.Commit()
			}
		case <-s.Context().Done():
			return nil
		}
	}
}

func (m *saramaMember) callbacks() int { return int(m.calls.Load()) }

func (m *saramaMember) commit(partition int32, offset int64, metadata string) error {
	session := *m.session.Load()
	session.MarkOffset(m.topic, partition, offset, metadata)
	session.Commit()
	return nil
}

func (m *saramaMember) leave() {
	m.stop()
	<-m.done
	m.group.Close()
}

// taker reads a number of records of one partition, commits the position and ends the session.
type taker struct {
	count, taken int
	first        int64
	stop         context.CancelFunc
}

func (t *taker) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (t *taker) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (t *taker) ConsumeClaim(s sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) error {
	for r := range c.Messages() {
		if t.first < 0 {
			t.first = r.Offset
		}
		t.taken++
		s.MarkMessage(r, "")
		if t.taken == t.count {
			s.Commit()
			t.stop()
			return nil
		}
	}
	return nil
}

func (s *saramaClient) Take(group, topic string, count int) (int64, int, error) {
	joined, err := sarama.NewConsumerGroup(s.bootstrap, group, saramaConfig())
	if err != nil {
		return 0, 0, err
	}
	defer joined.Close()
	ctx, cancel := brief()
	defer cancel()
	t := &taker{count: count, first: -1, stop: cancel}
	for ctx.Err() == nil {
		if err := joined.Consume(ctx, []string{topic}, t); err != nil && ctx.Err() == nil {
			return t.first, t.taken, err
		}
	}
	if t.taken < count {
		return t.first, t.taken, errors.New("not all records came in time")
	}
	return t.first, t.taken, nil
}
