package main

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Topics deleted, and given more partitions.
var topicCases = []testCase{
	{kmsg.DeleteTopics, "delete-topics/names", deleteNames, nil},
	{kmsg.DeleteTopics, "delete-topics/ids", deleteIDs, since(6)},
	{kmsg.CreatePartitions, "create-partitions/counts", partitionCounts, atTop(0)},
	{kmsg.CreatePartitions, "create-partitions/assigned", partitionsAssigned, atTop(0)},
}

// deleteRequest names the same topics in the form of every version.
func deleteRequest(names ...string) *kmsg.DeleteTopicsRequest {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis, req.TopicNames = 15000, names
	for _, name := range names {
		asked := kmsg.NewDeleteTopicsRequestTopic()
		asked.Topic = &name
		req.Topics = append(req.Topics, asked)
	}
	return req
}

func deleteNames(r *run) {
	names := []string{r.name + ".a", r.name + ".b", r.name + ".c"}
	r.make(newTopic(names[0], 1, 1), newTopic(names[1], 2, 1), newTopic(names[2], 1, 1))
	r.ask("nothing", deleteRequest())
	r.ask("unknown", deleteRequest("no-such-topic"))
	r.ask("unknown, twice", deleteRequest("no-such-topic", "no-such-topic"))
	r.ask("no name", deleteRequest(""))
	r.ask("bad name", deleteRequest("a/b"))
	r.ask("cluster metadata", deleteRequest("__cluster_metadata"))
	r.ask("twice", deleteRequest(names[0], names[0]))
	r.ask("one of two", deleteRequest(names[1], "no-such-topic"))
	r.ask("again", deleteRequest(names[1]))
	r.ask("twice, and another", deleteRequest(names[2], names[0], names[0]))
	r.settle()
	r.outcome(names...)
}

func deleteIDs(r *run) {
	names := []string{r.name + ".a", r.name + ".b", r.name + ".c", r.name + ".d"}
	r.make(newTopic(names[0], 1, 1), newTopic(names[1], 1, 1), newTopic(names[2], 1, 1), newTopic(names[3], 1, 1))
	byID := func(topic string) kmsg.DeleteTopicsRequestTopic {
		asked := kmsg.NewDeleteTopicsRequestTopic()
		if topic != "" {
			asked.TopicID = r.id(topic)
		}
		return asked
	}
	byName := func(topic string) kmsg.DeleteTopicsRequestTopic {
		return kmsg.DeleteTopicsRequestTopic{Topic: &topic}
	}
	byBoth := func(topic string) kmsg.DeleteTopicsRequestTopic {
		return kmsg.DeleteTopicsRequestTopic{Topic: &topic, TopicID: r.id(topic)}
	}
	ask := func(label string, topics ...kmsg.DeleteTopicsRequestTopic) {
		req := deleteRequest()
		req.Topics = topics
		r.ask(label, req)
	}
	ask("unknown", byID("no-such-topic"))
	ask("unknown, twice", byID("no-such-topic"), byID("no-such-topic"))
	ask("neither", byID(""))
	ask("neither, twice", byID(""), byID(""))
	ask("both", byBoth(names[0]))
	ask("both, twice", byBoth(names[0]), byBoth(names[0]))
	ask("twice", byID(names[0]), byID(names[0]))
	ask("name and id of one", byName(names[0]), byID(names[0]))
	ask("by id", byID(names[1]))
	ask("by id again", byID(names[1]))
	ask("one of each", byID(names[2]), byName(names[3]), byID("no-such-topic"), byName("no-such-topic"))
	r.settle()
	r.outcome(names...)
}

// more asks for partitions up to count; each list of brokers places one of the new ones.
func more(topic string, count int32, placed ...[]int32) kmsg.CreatePartitionsRequestTopic {
	asked := kmsg.NewCreatePartitionsRequestTopic()
	asked.Topic, asked.Count = topic, count
	for _, replicas := range placed {
		a := kmsg.NewCreatePartitionsRequestTopicAssignment()
		a.Replicas = replicas
		asked.Assignment = append(asked.Assignment, a)
	}
	return asked
}

func partitionsRequest(topics ...kmsg.CreatePartitionsRequestTopic) *kmsg.CreatePartitionsRequest {
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis, req.Topics = 15000, topics
	return req
}

func partitionCounts(r *run) {
	a, b := r.name+".a", r.name+".b"
	r.make(newTopic(a, 2, 1), newTopic(b, 1, 1))
	ask := func(label string, topics ...kmsg.CreatePartitionsRequestTopic) {
		r.ask(label, partitionsRequest(topics...))
	}
	// Not too many: Kafka answers with an unknown error and makes 10,002 partitions.
	for _, count := range []int32{2, 1, 0, -1} {
		ask("to", more(a, count))
	}
	ask("unknown", more("no-such-topic", 3))
	ask("no name", more("", 3))
	ask("bad name", more("a/b", 3))
	ask("cluster metadata", more("__cluster_metadata", 3))
	ask("twice", more(a, 3), more(a, 4))
	ask("twice, and another", more(a, 3), more(a, 3), more(b, 2))
	ask("nothing")
	validate := partitionsRequest(more(a, 9), more(b, 1), more("no-such-topic", 3))
	validate.ValidateOnly = true
	r.ask("validate only", validate)
	ask("one of two", more(a, 3), more("no-such-topic", 3))
	r.settle()
	r.outcome(a, b)
}

func partitionsAssigned(r *run) {
	topic := r.name
	r.make(newTopic(topic, 2, 1))
	ask := func(label string, asked kmsg.CreatePartitionsRequestTopic) {
		r.ask(label, partitionsRequest(asked))
	}
	ask("too few", more(topic, 4, []int32{0}))
	ask("too many", more(topic, 3, []int32{0}, []int32{0}))
	ask("unknown broker", more(topic, 3, []int32{9}))
	ask("broker -1", more(topic, 3, []int32{-1}))
	ask("no brokers", more(topic, 3, []int32{}))
	ask("broker twice", more(topic, 3, []int32{0, 0}))
	ask("more copies", more(topic, 3, []int32{0, 9}))
	ask("unequal", more(topic, 4, []int32{0}, []int32{}))
	ask("unknown topic", more("no-such-topic", 3, []int32{9}))
	ask("no more", more(topic, 2, []int32{0}))
	empty := more(topic, 3)
	empty.Assignment = []kmsg.CreatePartitionsRequestTopicAssignment{}
	ask("an empty list", empty)
	ask("good", more(topic, 4, []int32{0}))
	r.settle()
	r.outcome(topic)
}
