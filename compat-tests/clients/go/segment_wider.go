package main

import (
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// segmentReader has one of the library's readers for each partition.
type segmentReader struct{ *channel }

func (s *segment) open(topic string, partition int, o readOptions) *kafka.Reader {
	c := kafka.ReaderConfig{Brokers: []string{s.bootstrap}, Topic: topic, Partition: partition,
		MinBytes: 1, MaxBytes: 10 << 20, MaxWait: 500 * time.Millisecond}
	if o.fetchBytes > 0 {
		c.MaxBytes = int(o.fetchBytes)
	}
	if o.committed {
		c.IsolationLevel = kafka.ReadCommitted
	}
	return kafka.NewReader(c)
}

func (s *segment) Reader(topics map[string]int32, from int64, o readOptions) (reader, error) {
	if o.reset != "" {
		return nil, unsupported{"kafka-go always goes on at the earliest"}
	}
	r := segmentReader{newChannel()}
	for topic, partitions := range topics {
		for p := range partitions {
			one := s.open(topic, int(p), o)
			// The library's numbers for the two ends are the wire's, turned round.
			offset := map[int64]int64{earliest: kafka.FirstOffset, latest: kafka.LastOffset}[from]
			if from >= 0 {
				offset = from
			}
			if err := one.SetOffset(offset); err != nil {
				r.close()
				return nil, err
			}
			r.readers.Go(func() { r.forward(one) })
		}
	}
	return r, nil
}

// forward passes on what one partition brings until it is told to stop.
func (r segmentReader) forward(one *kafka.Reader) {
	defer one.Close()
	for {
		m, err := one.ReadMessage(r.ctx)
		if err != nil || !r.pass(fromSegment(m)) {
			return
		}
	}
}

func (r segmentReader) pause(string, int32) error {
	return unsupported{"kafka-go has no pause"}
}

func (r segmentReader) resume(string, int32) error {
	return unsupported{"kafka-go has no pause"}
}

func (r segmentReader) renew() error {
	return unsupported{"kafka-go's reader itself makes a topic that is gone"}
}

func (s *segment) CommittedEnd(topic string) (int64, error) {
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		IsolationLevel: kafka.ReadCommitted,
		Topics:         map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(0)}}})
	if err != nil {
		return 0, err
	}
	return answer.Topics[topic][0].LastOffset, answer.Topics[topic][0].Error
}

func (s *segment) TopicID(string) (string, error) {
	return "", unsupported{"kafka-go has no topic ids"}
}

func (s *segment) Cluster() (clusterInfo, error) {
	ctx, cancel := brief()
	defer cancel()
	found, err := s.cl.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{}})
	if err != nil {
		return clusterInfo{}, err
	}
	address := func(b kafka.Broker) string { return fmt.Sprintf("%s:%d", b.Host, b.Port) }
	info := clusterInfo{id: &found.ClusterID, controller: address(found.Controller)}
	for _, node := range found.Brokers {
		info.nodes = append(info.nodes, address(node))
	}
	return info, nil
}

func (s *segment) GroupStates() (map[string]string, error) {
	return nil, unsupported{"kafka-go lists groups without their states"}
}

func (s *segment) GroupMembers(group, topic string) (groupInfo, error) {
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.DescribeGroups(ctx,
		&kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return groupInfo{}, err
	}
	found := answer.Groups[0]
	info := groupInfo{state: found.GroupState}
	for _, each := range found.Members {
		partitions := []int{}
		for _, assigned := range each.MemberAssignments.Topics {
			if assigned.Topic == topic {
				partitions = append(partitions, assigned.Partitions...)
			}
		}
		info.members = append(info.members, []any{each.ClientHost, partitions})
	}
	return info, found.Error
}

func (s *segment) PatternMember(string, string) (patternMember, error) {
	return nil, unsupported{"kafka-go subscribes to names only"}
}
