package main

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
)

// segment drives segmentio's kafka-go.
type segment struct {
	bootstrap string
	cl        *kafka.Client
}

func newSegment(bootstrap string) client {
	var addr net.Addr = kafka.TCP(bootstrap)
	// Cached metadata would hide new topics for longer; it is also the time limit for asking.
	transport := &kafka.Transport{MetadataTTL: 2 * time.Second}
	return &segment{bootstrap, &kafka.Client{Addr: addr, Transport: transport}}
}

func (s *segment) Close() { s.cl.Transport.(*kafka.Transport).CloseIdleConnections() }

func (s *segment) CreateTopic(topic string, partitions int32, rf int16, c map[string]string) error {
	ctx, cancel := brief()
	defer cancel()
	spec := kafka.TopicConfig{Topic: topic, NumPartitions: int(partitions),
		ReplicationFactor: int(rf)}
	for key, value := range c {
		spec.ConfigEntries = append(spec.ConfigEntries,
			kafka.ConfigEntry{ConfigName: key, ConfigValue: value})
	}
	request := &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{spec}}
	answer, err := s.cl.CreateTopics(ctx, request)
	// The library's answer when its own look at the cluster took too long.
	for errors.Is(err, kafka.BrokerNotAvailable) && ctx.Err() == nil {
		answer, err = s.cl.CreateTopics(ctx, request)
	}
	if err != nil {
		return err
	}
	return answer.Errors[topic]
}

func (s *segment) DeleteTopic(topic string) error {
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err != nil {
		return err
	}
	return answer.Errors[topic]
}

func (s *segment) CreatePartitions(topic string, total int32) error {
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: total}}})
	if err != nil {
		return err
	}
	return answer.Errors[topic]
}

func (s *segment) PartitionCount(topic string) (int, error) {
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return 0, err
	}
	for _, each := range answer.Topics {
		if each.Name == topic {
			return len(each.Partitions), each.Error
		}
	}
	return 0, kafka.UnknownTopicOrPartition
}

func (s *segment) Topics() (names []string, err error) {
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return nil, err
	}
	for _, each := range answer.Topics {
		names = append(names, each.Name)
	}
	return names, nil
}

func (s *segment) SetTopicConfig(topic, key, value string) error {
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
			Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: key, Value: value,
				ConfigOperation: kafka.ConfigOperationSet}}}}})
	if err != nil {
		return err
	}
	return answer.Resources[0].Error
}

func (s *segment) TopicConfig(topic, key string) (config, error) {
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
			ConfigNames: []string{key}}}})
	if err != nil {
		return config{}, err
	}
	for _, entry := range answer.Resources[0].ConfigEntries {
		source := "other"
		if entry.ConfigSource == 1 {
			source = "DYNAMIC_TOPIC_CONFIG"
		}
		return config{entry.ConfigValue, source}, nil
	}
	return config{}, answer.Resources[0].Error
}

func (s *segment) DeleteRecords(string, int64) error {
	return unsupported{"kafka-go has no DeleteRecords"}
}

func (s *segment) OffsetAt(topic string, at int64) (int64, error) {
	if at == maxTimestamp {
		return 0, unsupported{"kafka-go asks ListOffsets below version 7"}
	}
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{topic: {{Partition: 0, Timestamp: at}}}})
	if err != nil {
		return 0, err
	}
	found := answer.Topics[topic][0]
	switch at {
	case earliest:
		return found.FirstOffset, found.Error
	case latest:
		return found.LastOffset, found.Error
	}
	for offset := range found.Offsets {
		return offset, found.Error
	}
	return -1, found.Error
}

func (s *segment) Committed(group, topic string, partitions int) ([]int64, string, error) {
	ctx, cancel := brief()
	defer cancel()
	offsets, metadata := make([]int64, partitions), ""
	wanted := map[string][]int{topic: {}}
	for p := range offsets {
		wanted[topic] = append(wanted[topic], p)
	}
	answer, err := s.cl.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: wanted})
	if err != nil {
		return nil, "", err
	}
	for _, each := range answer.Topics[topic] {
		offsets[each.Partition], metadata = each.CommittedOffset, each.Metadata
		err = errors.Join(err, each.Error)
	}
	return offsets, metadata, errors.Join(err, answer.Error)
}

func (s *segment) Groups() (names []string, err error) {
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.ListGroups(ctx, &kafka.ListGroupsRequest{})
	if err != nil {
		return nil, err
	}
	for _, each := range answer.Groups {
		names = append(names, each.GroupID)
	}
	return names, answer.Error
}

func (s *segment) GroupState(group string) (string, error) {
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.DescribeGroups(ctx,
		&kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return "", err
	}
	return answer.Groups[0].GroupState, answer.Groups[0].Error
}

func (s *segment) DeleteGroup(group string) error {
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return err
	}
	return answer.Errors[group]
}

func (s *segment) DeleteOffset(group, topic string) error {
	ctx, cancel := brief()
	defer cancel()
	answer, err := s.cl.OffsetDelete(ctx, &kafka.OffsetDeleteRequest{GroupID: group,
		Topics: map[string][]int{topic: {0}}})
	if err != nil {
		return err
	}
	err = answer.Error
	for _, each := range answer.Topics[topic] {
		err = errors.Join(err, each.Error)
	}
	return err
}

// segmentProducer keeps what is sent until the end: the library's writer answers by the call.
type segmentProducer struct {
	w    *kafka.Writer
	kept []kafka.Message
	done []func(error)
}

func (s *segment) Producer(o produceOptions) (producer, error) {
	if o.idempotent {
		return nil, unsupported{"kafka-go has no idempotent producer"}
	}
	codecs := map[string]kafka.Compression{"gzip": kafka.Gzip, "snappy": kafka.Snappy,
		"lz4": kafka.Lz4, "zstd": kafka.Zstd}
	w := &kafka.Writer{Addr: s.cl.Addr, Compression: codecs[o.codec],
		RequiredAcks: kafka.RequireAll, BatchTimeout: 5 * time.Millisecond,
		AllowAutoTopicCreation: true, BatchBytes: 1 << 20,
		Transport: &kafka.Transport{MetadataTTL: 2 * time.Second},
		Balancer: kafka.BalancerFunc(func(m kafka.Message, _ ...int) int {
			return m.WriterData.(int)
		})}
	if o.batchBytes > 0 {
		w.BatchSize = 20
	}
	if o.acks != "" {
		w.RequiredAcks = map[string]kafka.RequiredAcks{"0": kafka.RequireNone,
			"1": kafka.RequireOne}[o.acks]
	}
	return &segmentProducer{w: w}, nil
}

func (p *segmentProducer) send(r record, done func(error)) {
	m := kafka.Message{Topic: r.topic, Key: r.key, Value: r.value, Time: r.time,
		WriterData: int(r.partition)}
	for _, h := range r.headers {
		m.Headers = append(m.Headers, kafka.Header{Key: h.key, Value: h.value})
	}
	p.kept = append(p.kept, m)
	p.done = append(p.done, done)
}

func (p *segmentProducer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	defer p.w.Close()
	err := p.w.WriteMessages(ctx, p.kept...)
	// The writer does not wait for a topic that its own request has just had created. It finds
	// no partitions then, and has sent nothing.
	for errors.Is(err, kafka.UnknownTopicOrPartition) && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
		err = p.w.WriteMessages(ctx, p.kept...)
	}
	var each kafka.WriteErrors
	isList := errors.As(err, &each)
	for i, done := range p.done {
		if isList {
			done(each[i])
		} else {
			done(err)
		}
	}
	return err
}
