package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
)

func fromSegment(m kafka.Message) record {
	out := record{topic: m.Topic, partition: int32(m.Partition), offset: m.Offset, key: m.Key,
		value: m.Value, time: m.Time}
	for _, h := range m.Headers {
		out.headers = append(out.headers, header{h.Key, h.Value})
	}
	return out
}

// segmentMember follows the generations of a group and reads what each assigns.
type segmentMember struct {
	tally
	s          *segment
	topic      string
	group      *kafka.ConsumerGroup
	stop       context.CancelFunc
	done       chan struct{}
	passive    bool
	calls      atomic.Int32
	generation atomic.Pointer[kafka.Generation]
}

func (s *segment) Member(group, topic string, o memberOptions) (member, error) {
	if o.instance != "" {
		return nil, unsupported{"kafka-go has no static members"}
	}
	if o.cooperative {
		return nil, unsupported{"kafka-go has no cooperative rebalancing"}
	}
	joined, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{ID: group,
		Brokers: []string{s.bootstrap}, Topics: []string{topic}, SessionTimeout: 6 * time.Second,
		HeartbeatInterval: 500 * time.Millisecond, RebalanceTimeout: 10 * time.Second,
		JoinGroupBackoff: 500 * time.Millisecond, StartOffset: kafka.FirstOffset})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &segmentMember{tally: newTally(), s: s, topic: topic, group: joined, stop: cancel,
		done: make(chan struct{}), passive: o.passive}
	go func() {
		defer close(m.done)
		for ctx.Err() == nil {
			if generation, err := joined.Next(ctx); err == nil {
				m.follow(generation)
			}
		}
	}()
	return m, nil
}

func (m *segmentMember) follow(g *kafka.Generation) {
	m.calls.Add(1)
	m.generation.Store(g)
	mine := g.Assignments[m.topic]
	for _, assignment := range mine {
		m.add(int32(assignment.ID))
		g.Start(func(ctx context.Context) {
			defer m.remove(int32(assignment.ID))
			if m.passive {
				<-ctx.Done()
				return
			}
			m.read(ctx, g, assignment)
		})
	}
}

func (m *segmentMember) read(ctx context.Context, g *kafka.Generation,
	assignment kafka.PartitionAssignment) {
	r := m.s.open(m.topic, assignment.ID, readOptions{})
	defer r.Close()
	if r.SetOffset(assignment.Offset) != nil {
		return
	}
	for {
		message, err := r.ReadMessage(ctx)
		if err != nil {
			return
		}
		m.see(int32(message.Partition), message.Offset)
		next := map[int]int64{message.Partition: message.Offset + 1}
		if g.CommitOffsets(map[string]map[int]int64{m.topic: next}) != nil {
			return
		}
	}
}

func (m *segmentMember) callbacks() int { return int(m.calls.Load()) }

func (m *segmentMember) commit(partition int32, offset int64, metadata string) error {
	ctx, cancel := brief()
	defer cancel()
	g := m.generation.Load()
	answer, err := m.s.cl.OffsetCommit(ctx, &kafka.OffsetCommitRequest{GroupID: g.GroupID,
		GenerationID: int(g.ID), MemberID: g.MemberID, Topics: map[string][]kafka.OffsetCommit{
			m.topic: {{Partition: int(partition), Offset: offset, Metadata: metadata}}}})
	if err != nil {
		return err
	}
	return answer.Topics[m.topic][0].Error
}

func (m *segmentMember) leave() {
	m.stop()
	m.group.Close()
	<-m.done
}

func (s *segment) Take(group, topic string, count int) (first int64, taken int, err error) {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{s.bootstrap}, Topic: topic,
		GroupID: group, StartOffset: kafka.FirstOffset, MaxWait: 500 * time.Millisecond,
		SessionTimeout: 6 * time.Second, HeartbeatInterval: 500 * time.Millisecond,
		RebalanceTimeout: 10 * time.Second})
	defer func() { err = errors.Join(err, r.Close()) }()
	ctx, cancel := brief()
	defer cancel()
	first = -1
	for taken < count {
		m, err := r.FetchMessage(ctx)
		if err != nil {
			return first, taken, err
		}
		if first < 0 {
			first = m.Offset
		}
		taken++
		if taken == count {
			return first, taken, r.CommitMessages(ctx, m)
		}
	}
	return first, taken, nil
}
