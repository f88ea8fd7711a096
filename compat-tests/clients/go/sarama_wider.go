package main

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/IBM/sarama"
)

// saramaReader has one of the library's consumers for each partition.
type saramaReader struct {
	*channel
	consumer sarama.Consumer
	topics   map[string]int32
	reset    string
	lock     sync.Mutex
	open     map[string]sarama.PartitionConsumer
}

func (s *saramaClient) Reader(topics map[string]int32, from int64, o readOptions) (reader, error) {
	c := saramaConfig()
	c.Consumer.Return.Errors = true
	if o.fetchBytes > 0 {
		c.Consumer.Fetch.Default = o.fetchBytes
	}
	if o.committed {
		c.Consumer.IsolationLevel = sarama.ReadCommitted
	}
	consumer, err := sarama.NewConsumer(s.bootstrap, c)
	if err != nil {
		return nil, err
	}
	r := &saramaReader{channel: newChannel(), consumer: consumer, topics: topics, reset: o.reset,
		open: map[string]sarama.PartitionConsumer{}}
	if err := r.start(from); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// start opens all partitions; the library leaves it to its user to choose another offset.
func (r *saramaReader) start(from int64) error {
	for topic, partitions := range r.topics {
		for p := range partitions {
			part, err := r.consumer.ConsumePartition(topic, p, from)
			if errors.Is(err, sarama.ErrOffsetOutOfRange) && r.reset != "none" {
				other := map[string]int64{"": sarama.OffsetOldest,
					"latest": sarama.OffsetNewest}[r.reset]
				part, err = r.consumer.ConsumePartition(topic, p, other)
			}
			if err != nil {
				return err
			}
			r.lock.Lock()
			r.open[fmt.Sprint(topic, p)] = part
			r.lock.Unlock()
			r.readers.Go(func() { r.forward(part) })
		}
	}
	return nil
}

// forward passes on what one partition brings until it is told to stop, or the library gives up.
func (r *saramaReader) forward(part sarama.PartitionConsumer) {
	defer part.Close()
	for {
		select {
		case m, open := <-part.Messages():
			if !open || !r.pass(fromSarama(m)) {
				return
			}
		case err, open := <-part.Errors():
			if !open {
				return
			}
			fmt.Fprintln(os.Stderr, "sarama:", err)
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *saramaReader) of(topic string, partition int32) sarama.PartitionConsumer {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.open[fmt.Sprint(topic, partition)]
}

func (r *saramaReader) pause(topic string, partition int32) error {
	r.of(topic, partition).Pause()
	return nil
}

func (r *saramaReader) resume(topic string, partition int32) error {
	r.of(topic, partition).Resume()
	return nil
}

// renew: the library ends a partition whose offset is out of range.
func (r *saramaReader) renew() error {
	r.channel.close()
	r.channel = newChannel()
	return r.start(sarama.OffsetOldest)
}

func (r *saramaReader) close() {
	r.channel.close()
	r.consumer.Close()
}

func (s *saramaClient) CommittedEnd(topic string) (int64, error) {
	return 0, unsupported{"sarama lists offsets without isolation"}
}

func (s *saramaClient) TopicID(topic string) (string, error) {
	all, err := s.adm.DescribeTopics([]string{topic})
	if err != nil {
		return "", err
	}
	return all[0].Uuid.String(), nil
}

func (s *saramaClient) Cluster() (clusterInfo, error) {
	nodes, controller, err := s.adm.DescribeCluster()
	info := clusterInfo{}
	for _, node := range nodes {
		info.nodes = append(info.nodes, node.Addr())
		if node.ID() == controller {
			info.controller = node.Addr()
		}
	}
	return info, err
}

func (s *saramaClient) GroupStates() (map[string]string, error) {
	return nil, unsupported{"sarama lists groups without their states"}
}

func (s *saramaClient) GroupMembers(group, topic string) (groupInfo, error) {
	all, err := s.adm.DescribeConsumerGroups([]string{group})
	if err != nil {
		return groupInfo{}, err
	}
	info := groupInfo{state: all[0].State, assignor: all[0].Protocol}
	for _, each := range all[0].Members {
		assigned, err := each.GetMemberAssignment()
		if err != nil {
			return groupInfo{}, err
		}
		info.members = append(info.members, []any{each.ClientHost, assigned.Topics[topic]})
	}
	return info, nil
}

func (s *saramaClient) PatternMember(string, string) (patternMember, error) {
	return nil, unsupported{"sarama subscribes to names only"}
}
