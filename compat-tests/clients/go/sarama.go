package main

import (
	"io"
	"log"
	"os"
	"time"

	"github.com/IBM/sarama"
)

// saramaClient drives IBM's sarama.
type saramaClient struct {
	bootstrap []string
	cl        sarama.Client
	adm       sarama.ClusterAdmin
}

func saramaConfig() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.V4_0_0_0
	c.Metadata.AllowAutoTopicCreation = false
	c.Producer.Return.Successes = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Enable = false
	c.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	c.Consumer.Group.Session.Timeout = 6 * time.Second
	return c
}

func newSarama(bootstrap string) (client, error) {
	sarama.Logger = log.New(io.Discard, "", 0)
	if os.Getenv("SARAMA_LOG") != "" {
		sarama.Logger = log.New(os.Stderr, "sarama ", log.LstdFlags)
	}
	s := &saramaClient{bootstrap: []string{bootstrap}}
	cl, err := sarama.NewClient(s.bootstrap, saramaConfig())
	if err != nil {
		return nil, err
	}
	s.cl = cl
	s.adm, err = sarama.NewClusterAdminFromClient(cl)
	return s, err
}

func (s *saramaClient) Close() { s.adm.Close() }

func (s *saramaClient) CreateTopic(topic string, partitions int32, rf int16,
	c map[string]string) error {
	configs := map[string]*string{}
	for key, value := range c {
		configs[key] = &value
	}
	detail := &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: rf,
		ConfigEntries: configs}
	return s.adm.CreateTopic(topic, detail, false)
}

func (s *saramaClient) DeleteTopic(topic string) error { return s.adm.DeleteTopic(topic) }

func (s *saramaClient) CreatePartitions(topic string, total int32) error {
	return s.adm.CreatePartitions(topic, total, nil, false)
}

func (s *saramaClient) PartitionCount(topic string) (int, error) {
	all, err := s.adm.DescribeTopics([]string{topic})
	if err != nil {
		return 0, err
	}
	if all[0].Err != sarama.ErrNoError {
		return 0, all[0].Err
	}
	return len(all[0].Partitions), nil
}

func (s *saramaClient) Topics() ([]string, error) {
	err := s.cl.RefreshMetadata()
	if err != nil {
		return nil, err
	}
	return s.cl.Topics()
}

func (s *saramaClient) SetTopicConfig(topic, key, value string) error {
	entry := sarama.IncrementalAlterConfigsEntry{
		Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value}
	set := map[string]sarama.IncrementalAlterConfigsEntry{key: entry}
	return s.adm.IncrementalAlterConfig(sarama.TopicResource, topic, set, false)
}

func (s *saramaClient) TopicConfig(topic, key string) (config, error) {
	all, err := s.adm.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource,
		Name: topic, ConfigNames: []string{key}})
	if err != nil || len(all) == 0 {
		return config{}, err
	}
	source := all[0].Source.String()
	if all[0].Source == sarama.SourceTopic {
		source = "DYNAMIC_TOPIC_CONFIG"
	}
	return config{all[0].Value, source}, nil
}

func (s *saramaClient) DeleteRecords(topic string, before int64) error {
	return s.adm.DeleteRecords(topic, map[int32]int64{0: before})
}

func (s *saramaClient) OffsetAt(topic string, at int64) (int64, error) {
	if at == maxTimestamp {
		return 0, unsupported{"sarama asks ListOffsets below version 7"}
	}
	return s.cl.GetOffset(topic, 0, at)
}

func (s *saramaClient) Committed(group, topic string, partitions int) ([]int64, string, error) {
	wanted := map[string][]int32{}
	offsets, metadata := make([]int64, partitions), ""
	for p := range offsets {
		wanted[topic] = append(wanted[topic], int32(p))
	}
	answer, err := s.adm.ListConsumerGroupOffsets(group, wanted)
	if err != nil {
		return nil, "", err
	}
	if answer.Err != sarama.ErrNoError {
		return nil, "", answer.Err
	}
	for p := range offsets {
		block := answer.GetBlock(topic, int32(p))
		offsets[p], metadata = block.Offset, block.Metadata
	}
	return offsets, metadata, nil
}

func (s *saramaClient) Groups() (names []string, err error) {
	all, err := s.adm.ListConsumerGroups()
	for name := range all {
		names = append(names, name)
	}
	return names, err
}

func (s *saramaClient) GroupState(group string) (string, error) {
	all, err := s.adm.DescribeConsumerGroups([]string{group})
	if err != nil {
		return "", err
	}
	if all[0].Err != sarama.ErrNoError {
		return "", all[0].Err
	}
	return all[0].State, nil
}

func (s *saramaClient) DeleteGroup(group string) error { return s.adm.DeleteConsumerGroup(group) }

func (s *saramaClient) DeleteOffset(group, topic string) error {
	return s.adm.DeleteConsumerGroupOffset(group, topic, 0)
}
