package main

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// franz drives franz-go and its kadm.
type franz struct {
	bootstrap string
	cl        *kgo.Client
	adm       *kadm.Client
}

func newFranz(bootstrap string) (client, error) {
	f := &franz{bootstrap: bootstrap}
	cl, err := f.open()
	f.cl, f.adm = cl, kadm.NewClient(cl)
	return f, err
}

func (f *franz) open(opts ...kgo.Opt) (*kgo.Client, error) {
	// Metadata is looked at again soon: topics are new.
	base := []kgo.Opt{kgo.SeedBrokers(f.bootstrap), kgo.MetadataMinAge(50 * time.Millisecond)}
	return kgo.NewClient(append(base, opts...)...)
}

func (f *franz) Close() { f.cl.Close() }

func (f *franz) CreateTopic(topic string, partitions int32, rf int16, c map[string]string) error {
	ctx, cancel := brief()
	defer cancel()
	configs := map[string]*string{}
	for key, value := range c {
		configs[key] = &value
	}
	_, err := f.adm.CreateTopic(ctx, partitions, rf, configs, topic)
	return err
}

func (f *franz) DeleteTopic(topic string) error {
	ctx, cancel := brief()
	defer cancel()
	_, err := f.adm.DeleteTopic(ctx, topic)
	return err
}

func (f *franz) CreatePartitions(topic string, total int32) error {
	ctx, cancel := brief()
	defer cancel()
	all, err := f.adm.UpdatePartitions(ctx, int(total), topic)
	return errors.Join(err, all.Error())
}

func (f *franz) PartitionCount(topic string) (int, error) {
	ctx, cancel := brief()
	defer cancel()
	all, err := f.adm.ListTopics(ctx, topic)
	if err != nil {
		return 0, err
	}
	return len(all[topic].Partitions), all[topic].Err
}

func (f *franz) Topics() ([]string, error) {
	ctx, cancel := brief()
	defer cancel()
	all, err := f.adm.ListTopics(ctx)
	return all.Names(), err
}

func (f *franz) SetTopicConfig(topic, key, value string) error {
	ctx, cancel := brief()
	defer cancel()
	set := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}
	all, err := f.adm.AlterTopicConfigs(ctx, set, topic)
	if err != nil {
		return err
	}
	return all[0].Err
}

func (f *franz) TopicConfig(topic, key string) (config, error) {
	ctx, cancel := brief()
	defer cancel()
	all, err := f.adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return config{}, err
	}
	for _, entry := range all[0].Configs {
		if entry.Key == key {
			return config{entry.MaybeValue(), entry.Source.String()}, nil
		}
	}
	return config{}, all[0].Err
}

func (f *franz) DeleteRecords(topic string, before int64) error {
	ctx, cancel := brief()
	defer cancel()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, before, -1)
	all, err := f.adm.DeleteRecords(ctx, offsets)
	return errors.Join(err, all.Error())
}

func (f *franz) OffsetAt(topic string, at int64) (int64, error) {
	ctx, cancel := brief()
	defer cancel()
	list := func() (kadm.ListedOffsets, error) {
		switch at {
		case earliest:
			return f.adm.ListStartOffsets(ctx, topic)
		case latest:
			return f.adm.ListEndOffsets(ctx, topic)
		case maxTimestamp:
			return f.adm.ListMaxTimestampOffsets(ctx, topic)
		}
		return f.adm.ListOffsetsAfterMilli(ctx, at, topic)
	}
	all, err := list()
	if err != nil {
		return 0, err
	}
	found, _ := all.Lookup(topic, 0)
	// kadm answers the end of the log where nothing is that late; the timestamp tells.
	if at >= 0 && found.Timestamp < 0 {
		return -1, found.Err
	}
	return found.Offset, found.Err
}

func (f *franz) Committed(group, topic string, partitions int) ([]int64, string, error) {
	ctx, cancel := brief()
	defer cancel()
	all, err := f.adm.FetchOffsets(ctx, group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, "", err
	}
	offsets, metadata := make([]int64, partitions), ""
	for p := range offsets {
		found, ok := all.Lookup(topic, int32(p))
		if !ok {
			found.At = -1
		}
		offsets[p], metadata = found.At, found.Metadata
	}
	return offsets, metadata, nil
}

func (f *franz) Groups() ([]string, error) {
	ctx, cancel := brief()
	defer cancel()
	all, err := f.adm.ListGroups(ctx)
	return all.Groups(), err
}

func (f *franz) GroupState(group string) (string, error) {
	ctx, cancel := brief()
	defer cancel()
	all, err := f.adm.DescribeGroups(ctx, group)
	if err != nil {
		return "", err
	}
	return all[group].State, all[group].Err
}

func (f *franz) DeleteGroup(group string) error {
	ctx, cancel := brief()
	defer cancel()
	_, err := f.adm.DeleteGroup(ctx, group)
	return err
}

func (f *franz) DeleteOffset(group, topic string) error {
	ctx, cancel := brief()
	defer cancel()
	set := kadm.TopicsSet{}
	set.Add(topic, 0)
	all, err := f.adm.DeleteOffsets(ctx, group, set)
	return errors.Join(err, all.Error())
}
