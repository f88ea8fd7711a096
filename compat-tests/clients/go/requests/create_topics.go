package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Topics made, in all the ways that fail.
var createCases = []testCase{
	{kmsg.CreateTopics, "create-topics/names", createNames, atTop(2)},
	{kmsg.CreateTopics, "create-topics/doubtful", createDoubtful, atTop()},
	{kmsg.CreateTopics, "create-topics/numbers", createNumbers, atTop(2)},
	{kmsg.CreateTopics, "create-topics/assigned", createAssigned, atTop(2)},
	{kmsg.CreateTopics, "create-topics/configs", createConfigs, atTop(2)},
}

type topicSpec = kmsg.CreateTopicsRequestTopic

// topicOption is what a new topic has beside its name and numbers.
type topicOption func(*topicSpec)

// on puts a partition on brokers.
func on(partition int32, replicas ...int32) topicOption {
	return func(topic *topicSpec) {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = partition, replicas
		topic.ReplicaAssignment = append(topic.ReplicaAssignment, a)
	}
}

// config sets a setting of a new topic.
func config(name, value string) topicOption {
	return func(topic *topicSpec) {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = name, &value
		topic.Configs = append(topic.Configs, c)
	}
}

// nullConfig names a setting without a value.
func nullConfig(name string) topicOption {
	return func(topic *topicSpec) {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = name, nil
		topic.Configs = append(topic.Configs, c)
	}
}

func newTopic(name string, partitions int32, factor int16, options ...topicOption) topicSpec {
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, factor
	for _, option := range options {
		option(&topic)
	}
	return topic
}

func createRequest(topics ...topicSpec) *kmsg.CreateTopicsRequest {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis, req.Topics = 15000, topics
	return req
}

// onlyOwn leaves of settings those that are not a default; create-topics/one compares them all.
func onlyOwn(resp kmsg.Response) {
	switch answer := resp.(type) {
	case *kmsg.CreateTopicsResponse:
		for i := range answer.Topics {
			configs := &answer.Topics[i].Configs
			*configs = kept(*configs, func(c kmsg.CreateTopicsResponseTopicConfig) bool {
				return own(c.Source)
			})
		}
	case *kmsg.DescribeConfigsResponse:
		for i := range answer.Resources {
			configs := &answer.Resources[i].Configs
			*configs = kept(*configs, func(c kmsg.DescribeConfigsResponseResourceConfig) bool {
				return own(int8(c.Source))
			})
		}
	}
}

// own says whether a setting was set while the broker ran.
func own(source int8) bool { return source != 4 && source != 5 }

func kept[T any](all []T, keep func(T) bool) []T {
	var some []T
	for _, one := range all {
		if keep(one) {
			some = append(some, one)
		}
	}
	return some
}

// created asks for topics, and in the end for what became of them.
func created(r *run, table func(create func(string, ...topicSpec))) {
	r.trim = onlyOwn
	var names []string
	table(func(label string, topics ...topicSpec) {
		r.ask(label, createRequest(topics...))
		for _, topic := range topics {
			names = append(names, topic.Topic)
		}
	})
	r.settle()
	r.outcome(names...)
}

// outcome keeps what there is of topics: partitions and settings that are no defaults.
func (r *run) outcome(names ...string) {
	there := r.use(metadataRequest(names...)).(*kmsg.MetadataResponse)
	r.seen.learn(there)
	for _, topic := range there.Topics {
		r.note("outcome "+*topic.Topic, r.seen.value("", reflect.ValueOf(topic)))
	}
	r.settings(topics, names...)
}

func createNames(r *run) {
	created(r, func(create func(string, ...topicSpec)) {
		long := func(n int) string { return r.name + strings.Repeat("y", n-len(r.name)) }
		for _, name := range []string{
			"", ".", "..", "a/b", "a b", "ä", "a\x00b", "a\nb", "a:b", "__consumer_offsets",
			"__cluster_metadata", long(249), long(250), r.name + "-_.Z9",
		} {
			create("name", newTopic(name, 1, 1))
		}
		named := func(suffix string) topicSpec { return newTopic(r.name+suffix, 1, 1) }
		create("dot and underscore", named(".a.b_c"))
		create("collides", named(".a_b.c"))
		create("exists", named(".a.b_c"))
		create("exists, all else bad", newTopic(r.name+".a.b_c", 0, 0, config("nope", "1")))
		create("bad name, all else bad", newTopic("a/b", 0, 0, config("nope", "1")))
		create("twice", named(".twice"), named(".twice"), named(".once"))
		create("three times", named(".thrice"), named(".thrice"), named(".thrice"))
		create("twice, exists", named(".once"), named(".once"))
		create("nothing")
		validate := createRequest(named(".validated"), named(".once"), newTopic("a/b", 1, 1))
		validate.ValidateOnly = true
		r.ask("validate only", validate)
		r.ask("validate only again", validate)
		create("after that", named(".validated"))
	})
}

// createDoubtful is what one broker might make and another refuse.
func createDoubtful(r *run) {
	created(r, func(create func(string, ...topicSpec)) {
		create("collide", newTopic(r.name+".a.b", 1, 1), newTopic(r.name+".a_b", 1, 1))
		create("no number", newTopic(r.name+".c", 1, 1, config("min.cleanable.dirty.ratio", "NaN")))
	})
}

func createNumbers(r *run) {
	created(r, func(create func(string, ...topicSpec)) {
		numbered := func(label string, partitions int32, factor int16) {
			create(label, newTopic(r.name+"."+strings.ReplaceAll(label, " ", "-"), partitions, factor))
		}
		numbered("defaults", -1, -1)
		numbered("default partitions", -1, 1)
		numbered("default factor", 2, -1)
		numbered("no partitions", 0, 1)
		numbered("negative partitions", -2, 1)
		numbered("no factor", 1, 0)
		numbered("negative factor", 1, -2)
		numbered("two copies", 1, 2)
		numbered("most copies", 1, 32767)
		numbered("both bad", 0, 0)
		numbered("too many", 10001, 1)
		numbered("most", 1<<31-1, 1)
		create("bad, all else bad", newTopic(r.name+".bad", 0, 0, config("nope", "1")))
		create("too many together", newTopic(r.name+".6000", 6000, 1), newTopic(r.name+".4001", 4001, 1))
		create("one of two", newTopic(r.name+".good", 1, 1), newTopic(r.name+".none", 0, 1))
	})
}

func createAssigned(r *run) {
	created(r, func(create func(string, ...topicSpec)) {
		assigned := func(label string, options ...topicOption) {
			create(label, newTopic(r.name+"."+strings.ReplaceAll(label, " ", "-"), -1, -1, options...))
		}
		assigned("two", on(0, 0), on(1, 0))
		assigned("out of order", on(1, 0), on(0, 0))
		assigned("gap", on(0, 0), on(2, 0))
		assigned("from 1", on(1, 0))
		assigned("partition -1", on(-1, 0))
		assigned("partition twice", on(0, 0), on(0, 0))
		assigned("broker twice", on(0, 0, 0))
		assigned("unknown broker", on(0, 7))
		assigned("broker -1", on(0, -1))
		assigned("one unknown broker", on(0, 0, 7))
		assigned("no brokers", on(0))
		assigned("unequal", on(0, 0), on(1, 0, 7))
		assigned("unequal, unknown first", on(0, 7, 0), on(1, 0))
		assigned("one without", on(0, 0), on(1))
		create("and partitions", newTopic(r.name+".partitions", 1, -1, on(0, 0)))
		create("and factor", newTopic(r.name+".factor", -1, 1, on(0, 0)))
		create("and both", newTopic(r.name+".both", 1, 1, on(0, 0)))
		create("and neither", newTopic(r.name+".neither", 0, 0, on(0, 0)))
		assigned("with bad config", on(0, 7), config("nope", "1"))
	})
}

// topicValues are values that are read in some odd way, or refused.
var topicValues = [][2]string{
	{"retention.ms", "abc"}, {"retention.ms", ""}, {"retention.ms", "1.5"}, {"retention.ms", "-2"},
	{"retention.ms", "007"}, {"retention.ms", "+7"}, {"retention.ms", " 5000 "},
	{"segment.bytes", "1"}, {"segment.bytes", "99999999999"}, {"internal.segment.bytes", "2000"},
	{"max.message.bytes", "0x10"}, {"min.insync.replicas", "0"}, {"preallocate", "yes"},
	{"preallocate", "TRUE"}, {"preallocate", "1"}, {"compression.type", "zip"},
	{"compression.type", "GZIP"}, {"compression.type", " gzip "}, {"compression.gzip.level", "0"},
	{"compression.lz4.level", "0"}, {"compression.zstd.level", "100"}, {"cleanup.policy", "x"},
	{"cleanup.policy", ""}, {"cleanup.policy", "delete,delete"}, {"cleanup.policy", ",delete"},
	{"cleanup.policy", "delete,compact"}, {"cleanup.policy", "compact , delete"},
	{"cleanup.policy", "Delete"}, {"min.cleanable.dirty.ratio", "2"},
	{"min.cleanable.dirty.ratio", "0.50"}, {"min.cleanable.dirty.ratio", ".5"},
	{"min.cleanable.dirty.ratio", "1e-1"},
	{"message.timestamp.type", "x"}, {"message.timestamp.type", "logappendtime"},
	{"message.timestamp.difference.max.ms", "1"}, {"message.format.version", "3.0"},
	{"message.downconversion.enable", "true"}, {"local.retention.ms", "-3"},
	{"local.retention.ms", "99999999999"}, {"leader.replication.throttled.replicas", "x"},
	{"leader.replication.throttled.replicas", "*"}, {"remote.storage.enable", "true"},
}

func createConfigs(r *run) {
	created(r, func(create func(string, ...topicSpec)) {
		set := func(label string, options ...topicOption) {
			create(label, newTopic(r.name+"."+strings.ReplaceAll(label, " ", "-"), 1, 1, options...))
		}
		set("good", config("retention.ms", "1000"), config("cleanup.policy", "compact"))
		set("unknown", config("nope", "1"))
		set("no name", config("", "1"))
		set("null", nullConfig("retention.ms"))
		set("null of unknown", nullConfig("nope"))
		set("two bad", config("nope", "1"), config("retention.ms", "abc"))
		set("twice", config("retention.ms", "1000"), config("retention.ms", "2000"))
		for n, pair := range topicValues {
			topic := newTopic(fmt.Sprintf("%s.value-%d", r.name, n), 1, 1, config(pair[0], pair[1]))
			create(pair[0]+"="+pair[1], topic)
		}
		set("lags", config("min.compaction.lag.ms", "10"), config("max.compaction.lag.ms", "5"))
		set("local and all", config("local.retention.bytes", "100"), config("retention.bytes", "50"))
	})
}
