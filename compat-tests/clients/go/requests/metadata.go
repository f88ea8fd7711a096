package main

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// What there is: topics as clients and administrators find them, folders, the cluster.
var metadataCases = []testCase{
	{kmsg.Metadata, "metadata/names", metadataNames, nil},
	{kmsg.Metadata, "metadata/ids", metadataIDs, since(10)},
	{kmsg.Metadata, "metadata/unknown", metadataUnknown, since(4)},
	{kmsg.Metadata, "metadata/auto-create", metadataAutoCreate, nil},
	{kmsg.DescribeTopicPartitions, "describe-topic-partitions/all", describeTopicPartitions, nil},
	{kmsg.DescribeCluster, "describe-cluster/kinds", describeClusterKinds, nil},
	{kmsg.DescribeLogDirs, "describe-log-dirs/all", describeLogDirs, nil},
}

// Cases for a broker that deletes no topics and makes none by itself.
var restrictedCases = []testCase{
	{kmsg.DeleteTopics, "restricted/delete-topics", deleteRestricted, nil},
	{kmsg.Metadata, "restricted/auto-create", metadataAutoCreate, nil},
	{kmsg.DescribeConfigs, "restricted/settings", describeRestricted, atTop()},
}

// ofCase keeps the topics that a case has made; other cases come and go.
func ofCase[T any](r *run, all []T, name func(T) string) []T {
	return kept(all, func(one T) bool { return strings.HasPrefix(name(one), r.name) })
}

// allTopics asks for every topic there is, in the words of the version.
func allTopics(version int16) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	if version == 0 {
		req.Topics = []kmsg.MetadataRequestTopic{}
	}
	return req
}

func metadataNames(r *run) {
	one, two := r.topic(".one", 1), r.topic(".two", 2)
	r.settle()
	r.ask("two", metadataRequest(two, one))
	r.ask("twice", metadataRequest(one, two, one))
	for _, name := range []string{
		"", ".", "..", "a/b", "a b", "ä", "a\x00b", strings.Repeat("y", 249) + "z", "a:b",
	} {
		r.ask("bad name", metadataRequest(name))
	}
	r.ask("good and bad", metadataRequest("a/b", one))
	none := metadataRequest()
	none.Topics = []kmsg.MetadataRequestTopic{}
	if r.version > 0 {
		r.ask("no topics", none)
	}
	for _, operations := range []bool{false, true} {
		req := metadataRequest(one)
		req.IncludeTopicAuthorizedOperations = operations
		req.IncludeClusterAuthorizedOperations = operations
		r.ask("operations", req)
	}
	r.trim = func(resp kmsg.Response) {
		answer := resp.(*kmsg.MetadataResponse)
		answer.Topics = ofCase(r, answer.Topics, func(topic kmsg.MetadataResponseTopic) string {
			return *topic.Topic
		})
	}
	r.ask("all", allTopics(r.version))
}

func metadataIDs(r *run) {
	one, two := r.topic(".one", 1), r.topic(".two", 1)
	r.settle()
	byID := func(id [16]byte, name *string) kmsg.MetadataRequestTopic {
		asked := kmsg.NewMetadataRequestTopic()
		asked.TopicID, asked.Topic = id, name
		return asked
	}
	ask := func(label string, topics ...kmsg.MetadataRequestTopic) {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = topics
		r.ask(label, req)
	}
	zero, unknown := [16]byte{}, r.id("no-such-topic")
	ask("known", byID(r.id(one), nil))
	ask("two", byID(r.id(one), nil), byID(r.id(two), nil))
	ask("twice", byID(r.id(one), nil), byID(r.id(one), nil))
	ask("unknown", byID(unknown, nil))
	ask("one of two", byID(unknown, nil), byID(r.id(one), nil))
	ask("unknown twice", byID(unknown, nil), byID(unknown, nil))
	ask("no name, no id", byID(zero, nil))
	ask("id and its name", byID(r.id(one), &one))
	ask("id and another's name", byID(r.id(one), &two))
	ask("id and no name", byID(r.id(one), new(string)))
	ask("one by id, one by name", byID(r.id(one), nil), byID(zero, &two))
	ask("one by name, one by id", byID(zero, &two), byID(r.id(one), nil))
}

// metadataUnknown asks for topics that are not to be made, which older versions cannot say.
func metadataUnknown(r *run) {
	r.ask("unknown", metadataRequest("no-such-topic"))
	r.ask("unknown twice", metadataRequest("no-such-topic", "no-such-topic"))
	r.ask("unknown and bad", metadataRequest("no-such-topic", "a/b"))
	r.ask("longest name", metadataRequest(strings.Repeat("y", 249)))
	r.ask("still unknown", metadataRequest("no-such-topic"))
}

// metadataAutoCreate names a topic that the broker may make, and waits for what becomes of it.
func metadataAutoCreate(r *run) {
	request := func(names ...string) *kmsg.MetadataRequest {
		req := metadataRequest(names...)
		req.AllowAutoTopicCreation = true
		return req
	}
	name := r.name + ".made"
	r.ask("bad name", request("a/b"))
	r.ask("first", request(name))
	if r.restricted {
		r.ask("again", request(name))
		r.settle()
		r.outcome(name)
		return
	}
	eventually(name+" is there", func() bool {
		topic := r.use(metadataRequest(name)).(*kmsg.MetadataResponse).Topics[0]
		return topic.ErrorCode == 0 && topic.Partitions[0].ErrorCode == 0
	})
	r.settle()
	r.ask("then", request(name))
	r.outcome(name)
	dotted := r.topic(".a.b", 1)
	r.settle()
	r.ask("collides", request(strings.ReplaceAll(dotted, ".a.b", ".a_b")))
}

func describeTopicPartitions(r *run) {
	one, two, three := r.topic(".one", 1), r.topic(".two", 3), r.topic(".three", 2)
	r.settle()
	type cursor struct {
		topic     string
		partition int32
	}
	ask := func(label string, limit int32, from *cursor, names ...string) {
		req := kmsg.NewPtrDescribeTopicPartitionsRequest()
		req.ResponsePartitionLimit = limit
		for _, name := range names {
			asked := kmsg.NewDescribeTopicPartitionsRequestTopic()
			asked.Topic = name
			req.Topics = append(req.Topics, asked)
		}
		if from != nil {
			at := kmsg.NewDescribeTopicPartitionsRequestCursor()
			at.Topic, at.Partition = from.topic, from.partition
			req.Cursor = &at
		}
		r.ask(label, req)
	}
	for _, limit := range []int32{0, -1, 1, 2, 3, 4, 5, 6, 7, 2000, 1<<31 - 1} {
		ask("limit", limit, nil, one, two, three)
	}
	ask("twice", 2000, nil, one, one)
	ask("unknown", 2000, nil, "no-such-topic", one)
	ask("unknown, limit 1", 1, nil, "no-such-topic", one)
	ask("no name", 2000, nil, "")
	for _, name := range []string{"a/b", strings.Repeat("y", 250)} {
		ask("bad name", 2000, nil, name)
	}
	for _, partition := range []int32{-1, 0, 1, 2, 3, 9} {
		ask("cursor", 2000, &cursor{two, partition}, one, two, three)
		ask("cursor, limit 1", 1, &cursor{two, partition}, one, two, three)
	}
	ask("cursor at the first", 2000, &cursor{one, 0}, one, two, three)
	ask("cursor before all", 2000, &cursor{"a", 0}, one, two, three)
	ask("cursor between", 2000, &cursor{one + ".5", 1}, one, two, three)
	ask("cursor behind all", 2000, &cursor{"zzz", 0}, one, two, three)
	ask("cursor without a name", 2000, &cursor{"", 0}, one, two, three)
	ask("cursor at an unknown topic", 2000, &cursor{"no-such-topic", 0}, "no-such-topic", one)
	ask("all from there", 2, &cursor{two, 1})
	ask("all from between", 1, &cursor{one + ".5", 0})
}

func describeClusterKinds(r *run) {
	for _, kind := range []int8{1, 2, 0, 3, -1} {
		req := kmsg.NewPtrDescribeClusterRequest()
		req.EndpointType = kind
		if r.version > 0 || kind == 1 {
			r.ask("kind", req)
		}
	}
	req := kmsg.NewPtrDescribeClusterRequest()
	req.IncludeClusterAuthorizedOperations = true
	r.ask("operations", req)
	if r.version >= 2 {
		req.IncludeFencedBrokers = true
		r.ask("fenced ones, too", req)
		req.EndpointType = 2
		r.ask("fenced controllers", req)
	}
}

func describeLogDirs(r *run) {
	topic := r.topic("", 2)
	r.produce(topic, 0, newBatch(3))
	r.settle()
	r.trim = func(resp kmsg.Response) {
		answer := resp.(*kmsg.DescribeLogDirsResponse)
		for i := range answer.Dirs {
			dir := &answer.Dirs[i]
			dir.Topics = ofCase(r, dir.Topics, func(topic kmsg.DescribeLogDirsResponseDirTopic) string {
				return topic.Topic
			})
		}
	}
	ask := func(label, topic string, partitions ...int32) {
		asked := kmsg.NewDescribeLogDirsRequestTopic()
		asked.Topic, asked.Partitions = topic, partitions
		req := kmsg.NewPtrDescribeLogDirsRequest()
		req.Topics = append(req.Topics, asked)
		r.ask(label, req)
	}
	ask("both", topic, 0, 1)
	ask("twice", topic, 1, 1)
	ask("one of two", topic, 0, 9)
	ask("no such partition", topic, 9, -1)
	ask("no partitions", topic)
	ask("unknown topic", "no-such-topic", 0)
	ask("bad name", "a/b", 0)
	r.ask("all", kmsg.NewPtrDescribeLogDirsRequest())
	none := kmsg.NewPtrDescribeLogDirsRequest()
	none.Topics = []kmsg.DescribeLogDirsRequestTopic{}
	r.ask("none", none)
}

func deleteRestricted(r *run) {
	name := r.name
	r.make(newTopic(name, 1, 1))
	r.ask("there", deleteRequest(name))
	r.ask("unknown", deleteRequest("no-such-topic"))
	r.ask("twice", deleteRequest(name, name))
	r.ask("nothing", deleteRequest())
	r.settle()
	r.outcome(name)
}

func describeRestricted(r *run) {
	req := describeRequest(brokers, "0")
	req.Resources[0].ConfigNames = []string{"delete.topic.enable", "auto.create.topics.enable"}
	req.IncludeSynonyms = true
	r.ask("its settings", req)
}
