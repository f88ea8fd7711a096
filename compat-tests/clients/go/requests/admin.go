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
	{kmsg.AlterConfigs, "alter-configs/topic", alterConfigsTopic, nil},
	{kmsg.IncrementalAlterConfigs, "incremental-alter-configs/topic", incrementalTopic, nil},
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
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = r.name, 2, 1
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis, req.Topics = 10000, append(req.Topics, topic)
	r.ask("new", req)
	r.ask("again", req)
}

func deleteTopicsOne(r *run) {
	topic := r.topic("", 1)
	asked := kmsg.NewDeleteTopicsRequestTopic()
	asked.Topic = &topic
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis, req.TopicNames = 10000, []string{topic}
	req.Topics = append(req.Topics, asked)
	r.ask("there", req)
	r.ask("gone", req)
}

func describeConfigsTopic(r *run) {
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType = kmsg.ConfigResourceTypeTopic
	resource.ResourceName = r.topic("", 1, "retention.ms", "7200000")
	resource.ConfigNames = []string{"retention.ms", "cleanup.policy"}
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Resources = append(req.Resources, resource)
	r.ask("two settings", req)
}

func alterConfigsTopic(r *run) {
	config := kmsg.NewAlterConfigsRequestResourceConfig()
	value := "7200000"
	config.Name, config.Value = "retention.ms", &value
	resource := kmsg.NewAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, r.topic("", 1)
	resource.Configs = append(resource.Configs, config)
	req := kmsg.NewPtrAlterConfigsRequest()
	req.Resources = append(req.Resources, resource)
	r.ask("one setting", req)
}

func incrementalTopic(r *run) {
	config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	value := "7200000"
	config.Name, config.Value = "retention.ms", &value
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, r.topic("", 1)
	resource.Configs = append(resource.Configs, config)
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Resources = append(req.Resources, resource)
	r.ask("one setting", req)
}

func logDirsTopic(r *run) {
	asked := kmsg.NewDescribeLogDirsRequestTopic()
	asked.Topic, asked.Partitions = r.topic("", 1), []int32{0}
	req := kmsg.NewPtrDescribeLogDirsRequest()
	req.Topics = append(req.Topics, asked)
	r.ask("one", req)
}

func createPartitionsTwo(r *run) {
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = r.topic("", 1), 3
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis, req.Topics = 10000, append(req.Topics, topic)
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
