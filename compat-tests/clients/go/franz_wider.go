package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// franzReader keeps its partitions to take them up again.
type franzReader struct {
	cl  *kgo.Client
	all map[string]map[int32]kgo.Offset
}

func (f *franz) Reader(topics map[string]int32, from int64, o readOptions) (reader, error) {
	start := kgo.NewOffset().At(from)
	if from == earliest {
		start = kgo.NewOffset().AtStart()
	} else if from == latest {
		start = kgo.NewOffset().AtEnd()
	}
	all := map[string]map[int32]kgo.Offset{}
	for topic, partitions := range topics {
		all[topic] = map[int32]kgo.Offset{}
		for p := range partitions {
			all[topic][p] = start
		}
	}
	reset := map[string]kgo.Offset{"": kgo.NewOffset().AtStart(), "none": kgo.NoResetOffset(),
		"latest": kgo.NewOffset().AtEnd()}[o.reset]
	opts := []kgo.Opt{kgo.ConsumePartitions(all), kgo.FetchMaxWait(500 * time.Millisecond),
		kgo.ConsumeResetOffset(reset)}
	if o.fetchBytes > 0 {
		opts = append(opts, kgo.FetchMaxBytes(o.fetchBytes),
			kgo.FetchMaxPartitionBytes(o.fetchBytes))
	}
	if o.committed {
		opts = append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	cl, err := f.open(opts...)
	return &franzReader{cl, all}, err
}

func (r *franzReader) poll(ctx context.Context) ([]record, error) {
	fetches := r.cl.PollFetches(ctx)
	if ctx.Err() != nil {
		return nil, nil
	}
	records := []record{}
	fetches.EachRecord(func(r *kgo.Record) { records = append(records, fromFranz(r)) })
	return records, fetches.Err()
}

func (r *franzReader) pause(topic string, partition int32) error {
	r.cl.PauseFetchPartitions(map[string][]int32{topic: {partition}})
	return nil
}

func (r *franzReader) resume(topic string, partition int32) error {
	r.cl.ResumeFetchPartitions(map[string][]int32{topic: {partition}})
	return nil
}

// renew: the library does not take up a topic under a new id by itself.
func (r *franzReader) renew() error {
	for topic := range r.all {
		r.cl.PurgeTopicsFromClient(topic)
	}
	r.cl.AddConsumePartitions(r.all)
	return nil
}

func (r *franzReader) close() { r.cl.Close() }

func (f *franz) CommittedEnd(topic string) (int64, error) {
	ctx, cancel := brief()
	defer cancel()
	all, err := f.adm.ListCommittedOffsets(ctx, topic)
	found, _ := all.Lookup(topic, 0)
	return found.Offset, err
}

func (f *franz) TopicID(topic string) (string, error) {
	ctx, cancel := brief()
	defer cancel()
	all, err := f.adm.ListTopics(ctx, topic)
	return all[topic].ID.String(), err
}

func (f *franz) Cluster() (clusterInfo, error) {
	ctx, cancel := brief()
	defer cancel()
	found, err := f.adm.BrokerMetadata(ctx)
	info := clusterInfo{id: &found.Cluster}
	for _, node := range found.Brokers {
		address := fmt.Sprintf("%s:%d", node.Host, node.Port)
		info.nodes = append(info.nodes, address)
		if node.NodeID == found.Controller {
			info.controller = address
		}
	}
	return info, err
}

func (f *franz) GroupStates() (map[string]string, error) {
	ctx, cancel := brief()
	defer cancel()
	all, err := f.adm.ListGroups(ctx)
	states := map[string]string{}
	for name, each := range all {
		states[name] = each.State
	}
	return states, err
}

func (f *franz) GroupMembers(group, topic string) (groupInfo, error) {
	ctx, cancel := brief()
	defer cancel()
	all, err := f.adm.DescribeGroups(ctx, group)
	if err != nil {
		return groupInfo{}, err
	}
	info := groupInfo{state: all[group].State, assignor: all[group].Protocol}
	for _, each := range all[group].Members {
		partitions := []int32{}
		if assigned, ok := each.Assigned.AsConsumer(); ok {
			for _, t := range assigned.Topics {
				if t.Topic == topic {
					partitions = append(partitions, t.Partitions...)
				}
			}
		}
		info.members = append(info.members, []any{each.ClientHost, partitions})
	}
	return info, all[group].Err
}

// franzPattern is a member that owns partitions of several topics.
type franzPattern struct {
	placeTally
	cl   *kgo.Client
	stop context.CancelFunc
	done chan struct{}
}

func (f *franz) PatternMember(group, pattern string) (patternMember, error) {
	m := &franzPattern{placeTally: newPlaceTally(), done: make(chan struct{})}
	gone := func(_ context.Context, _ *kgo.Client, p map[string][]int32) { m.remove(p) }
	cl, err := f.open(kgo.ConsumerGroup(group), kgo.ConsumeTopics(pattern), kgo.ConsumeRegex(),
		kgo.DisableAutoCommit(), kgo.HeartbeatInterval(500*time.Millisecond),
		kgo.MetadataMaxAge(500*time.Millisecond), kgo.Balancers(kgo.RangeBalancer()),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, p map[string][]int32) {
			m.add(p)
		}), kgo.OnPartitionsRevoked(gone), kgo.OnPartitionsLost(gone))
	if err != nil {
		return nil, err
	}
	m.cl = cl
	ctx, cancel := context.WithCancel(context.Background())
	m.stop = cancel
	go func() {
		defer close(m.done)
		for ctx.Err() == nil {
			cl.PollFetches(ctx)
		}
	}()
	return m, nil
}

func (m *franzPattern) leave() {
	m.stop()
	<-m.done
	m.cl.Close()
}
