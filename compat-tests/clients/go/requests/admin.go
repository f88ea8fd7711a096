package main

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Topics, configurations and the cluster: what each version answers when all is well.
var adminCases = []testCase{
	{kmsg.Metadata, "metadata/topic", metadataTopic, nil},
	{kmsg.CreateTopics, "create-topics/one", createTopicsOne, nil},
	{kmsg.DeleteTopics, "delete-topics/one", deleteTopicsOne, nil},
	{kmsg.DescribeConfigs, "describe-configs/topic", describeConfigsTopic, nil},
	{kmsg.AlterConfigs, "alter-configs/topic", oneSetting, nil},
	{kmsg.IncrementalAlterConfigs, "incremental-alter-configs/topic", oneSetting, nil},
	{kmsg.DescribeLogDirs, "describe-log-dirs/topic", logDirsTopic, nil},
	{kmsg.CreatePartitions, "create-partitions/two", createPartitionsTwo, nil},
	{kmsg.DescribeCluster, "describe-cluster/all", describeCluster, nil},
	{kmsg.DescribeProducers, "describe-producers/one", describeProducers, nil},
	{kmsg.ListConfigResources, "list-config-resources/topics", listConfigResources, nil},
	{kmsg.DescribeTopicPartitions, "describe-topic-partitions/one", describePartitions, nil},
}

func metadataRequest(topics ...string) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range topics {
		asked := kmsg.NewMetadataRequestTopic()
		asked.Topic = &name
		req.Topics = append(req.Topics, asked)
	}
	return req
}

func metadataTopic(r *run) {
	r.ask("one", metadataRequest(r.topic("", 2)))
}

func createTopicsOne(r *run) {
	req := createRequest(newTopic(r.name, 2, 1))
	r.ask("new", req)
	r.ask("again", req)
}

func deleteTopicsOne(r *run) {
	req := deleteRequest(r.topic("", 1))
	r.ask("there", req)
	r.ask("gone", req)
}

func describeConfigsTopic(r *run) {
	req := describeRequest(topics, r.topic("", 1, "retention.ms", "7200000"))
	req.Resources[0].ConfigNames = []string{"retention.ms", "cleanup.policy"}
	r.ask("two settings", req)
}

func oneSetting(r *run) {
	r.alter("one setting", of(topics, r.topic("", 1), set("retention.ms", "7200000")))
}

func logDirsTopic(r *run) {
	asked := kmsg.NewDescribeLogDirsRequestTopic()
	asked.Topic, asked.Partitions = r.topic("", 1), []int32{0}
	req := kmsg.NewPtrDescribeLogDirsRequest()
	req.Topics = append(req.Topics, asked)
	r.ask("one", req)
}

func createPartitionsTwo(r *run) {
	req := partitionsRequest(more(r.topic("", 1), 3))
	r.ask("two more", req)
	r.ask("no more", req)
}

func describeCluster(r *run) {
	r.ask("plain", kmsg.NewPtrDescribeClusterRequest())
}

func describeProducers(r *run) {
	topic := r.topic("", 1)
	r.produce(topic, 0, newBatch(2).from(r.producer(), 0, 0))
	asked := kmsg.NewDescribeProducersRequestTopic()
	asked.Topic, asked.Partitions = topic, []int32{0, 5}
	req := kmsg.NewPtrDescribeProducersRequest()
	req.Topics = append(req.Topics, asked)
	r.ask("one", req)
}

func listConfigResources(r *run) {
	req := kmsg.NewPtrListConfigResourcesRequest()
	// Version 0 lists client metrics, of which there are none; brokers are few.
	req.ResourceTypes = []int8{int8(kmsg.ConfigResourceTypeBroker)}
	r.ask("brokers", req)
}

func describePartitions(r *run) {
	asked := kmsg.NewDescribeTopicPartitionsRequestTopic()
	asked.Topic = r.topic("", 2)
	req := kmsg.NewPtrDescribeTopicPartitionsRequest()
	req.ResponsePartitionLimit, req.Topics = 100, append(req.Topics, asked)
	r.ask("one", req)
}

// describeRequest asks for every setting of resources of one kind.
func describeRequest(kind kmsg.ConfigResourceType, names ...string) *kmsg.DescribeConfigsRequest {
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, name := range names {
		resource := kmsg.NewDescribeConfigsRequestResource()
		resource.ResourceType, resource.ResourceName = kind, name
		req.Resources = append(req.Resources, resource)
	}
	return req
}
