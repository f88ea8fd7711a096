package main

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
)

func topicAdmin(r *runner) fields {
	out := fields{}
	configs := map[string]string{"retention.ms": "7200000"}
	out["create"] = errorName(r.CreateTopic(r.topic, 3, 1, configs))
	out["create_again"] = errorName(r.CreateTopic(r.topic, 3, 1, configs))
	until("topic is visible", func() bool {
		n, err := r.PartitionCount(r.topic)
		return err == nil && n > 0
	})
	out["partitions"] = got(r.PartitionCount(r.topic))
	out["listed"] = r.listed() == 1
	out["create_partitions"] = errorName(r.CreatePartitions(r.topic, 5))
	until("partitions are added", func() bool { return got(r.PartitionCount(r.topic)) == 5 })
	out["partitions_after"] = 5
	out["alter"] = errorName(r.SetTopicConfig(r.topic, "max.message.bytes", "123456"))
	until("config is visible", func() bool {
		return got(r.TopicConfig(r.topic, "max.message.bytes")).value == "123456"
	})
	seen := fields{}
	for _, key := range []string{"max.message.bytes", "retention.ms"} {
		entry := got(r.TopicConfig(r.topic, key))
		seen[key] = []string{entry.value, entry.source}
	}
	out["configs"] = seen
	out["delete"] = errorName(r.DeleteTopic(r.topic))
	until("topic is gone", func() bool {
		_, err := r.PartitionCount(r.topic)
		return err != nil
	})
	_, err := r.PartitionCount(r.topic)
	out["describe_deleted"] = errorName(err)
	return out
}

// listed counts the topics that begin with this scenario's name.
func (r *runner) listed() int {
	count := 0
	for _, name := range got(r.Topics()) {
		if strings.HasPrefix(name, r.topic) {
			count++
		}
	}
	return count
}

func deleteRecords(r *runner) fields {
	r.create(1, nil)
	r.produce(1, 50, produceOptions{})
	must(r.DeleteRecords(r.topic, 20))
	out := fields{
		"earliest": got(r.OffsetAt(r.topic, earliest)),
		"latest":   got(r.OffsetAt(r.topic, latest)),
	}
	// Offset 0 is gone: the client must come back at the earliest.
	read := r.read(1, 0, 30, readOptions{})
	out["read"] = len(read)
	out["first"] = read[0].offset
	out["beyond"] = errorName(r.DeleteRecords(r.topic, 1000))
	return out
}

func brokerErrors(r *runner) fields {
	r.create(1, map[string]string{"max.message.bytes": "10000"})
	missing := r.topic + "-missing"
	out := fields{}
	large := record{topic: r.topic, value: make([]byte, 20_000)}
	out["too_large"] = errorName(r.produceAll(produceOptions{}, []record{large}))
	_, err := r.PartitionCount(missing)
	out["unknown_topic_metadata"] = errorName(err)
	offsets, _, err := r.Committed(r.topic+"-nobody", r.topic, 1)
	must(err)
	out["unknown_group"] = offsets[0]
	create := func(name string, partitions int32, replication int16, key, value string) string {
		configs := map[string]string{}
		if key != "" {
			configs[key] = value
		}
		return errorName(r.CreateTopic(name, partitions, replication, configs))
	}
	out["bad_name"] = create(r.topic+" bad/name!", 1, 1, "", "")
	out["bad_config_name"] = create(missing, 1, 1, "no.such.config", "1")
	out["bad_config_value"] = create(missing, 1, 1, "retention.ms", "abc")
	out["replication"] = create(missing, 1, 3, "", "")
	out["partitions_zero"] = create(missing, 0, 1, "", "")
	return out
}

func listMany(r *runner) fields {
	topics := map[string]int32{}
	records := []record{}
	for i := range 100 {
		name := fmt.Sprintf("%s-%03d", r.topic, i)
		err := r.CreateTopic(name, 1, 1, nil)
		if !isCode(err, kerr.TopicAlreadyExists) {
			must(err)
		}
		topics[name] = 1
		records = append(records, record{topic: name, key: fmt.Appendf(nil, "key-%d", i)})
	}
	until("all topics are listed", func() bool { return r.listed() == 100 })
	must(r.produceAll(produceOptions{}, records))
	read := got(r.readAll(topics, earliest, 100, readOptions{}))
	return fields{"created": len(topics), "listed": r.listed(), "read": len(read)}
}
