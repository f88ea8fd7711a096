package main

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

var offsetCases = []testCase{
	{kmsg.ListOffsets, "list-offsets/special", listSpecial, nil},
	{kmsg.ListOffsets, "list-offsets/times", listTimes, nil},
	{kmsg.ListOffsets, "list-offsets/errors", listErrors, nil},
	{kmsg.OffsetForLeaderEpoch, "leader-epoch/all", leaderEpochs, nil},
	{kmsg.DeleteRecords, "delete-records/all", deleteRecords, nil},
	{kmsg.InitProducerID, "init-producer/all", initProducer, nil},
}

// offsetAt asks for the offset at a time in a partition.
type offsetAt struct {
	partition, epoch int32
	time             int64
}

// each makes one thing of each wanted one.
func each[W, P any](wanted []W, make func(W) P) []P {
	var all []P
	for _, w := range wanted {
		all = append(all, make(w))
	}
	return all
}

func offsetsRequest(topic string, wanted ...offsetAt) *kmsg.ListOffsetsRequest {
	asked := kmsg.NewListOffsetsRequestTopic()
	asked.Topic = topic
	asked.Partitions = each(wanted, func(w offsetAt) kmsg.ListOffsetsRequestTopicPartition {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.CurrentLeaderEpoch, p.Timestamp = w.partition, w.epoch, w.time
		return p
	})
	req := kmsg.NewPtrListOffsetsRequest()
	req.Topics = append(req.Topics, asked)
	return req
}

func listSpecial(r *run) {
	topic := r.topic("", 2)
	for n := range 3 {
		r.produce(topic, 0, newBatch(n+1))
	}
	r.produce(topic, 0, at(someTime-5))
	for time := int64(-1); time >= -8; time-- {
		r.ask("full", offsetsRequest(topic, offsetAt{0, -1, time}))
		r.ask("empty", offsetsRequest(topic, offsetAt{1, -1, time}))
	}
	committed := offsetsRequest(topic, offsetAt{0, -1, -1}, offsetAt{1, -1, -2})
	committed.IsolationLevel = 1
	r.ask("read committed", committed)
}

func listTimes(r *run) {
	topic := r.topic("", 1)
	for shift := range int64(4) {
		r.produce(topic, 0, newBatch(2).with(func(b *batch) {
			for i := range b.records {
				b.records[i].time += shift * 1000
			}
			b.seal()
		}))
	}
	for _, time := range []int64{0, 1, someTime - 1, someTime, someTime + 1, someTime + 2, someTime + 1001, someTime + 3001, someTime + 3002, 1 << 60} {
		r.ask("time", offsetsRequest(topic, offsetAt{0, -1, time}))
	}
	late := r.topic(".late", 1)
	for _, time := range []int64{someTime + 9, someTime + 4, someTime + 12} {
		r.produce(late, 0, at(time))
	}
	for _, time := range []int64{someTime + 3, someTime + 9, someTime + 10, -3} {
		r.ask("out of order", offsetsRequest(late, offsetAt{0, -1, time}))
	}
}

func listErrors(r *run) {
	topic := r.topic("", 2)
	r.produce(topic, 0, newBatch(3))
	r.ask("partition", offsetsRequest(topic, offsetAt{5, -1, -1}, offsetAt{0, -1, -1}, offsetAt{-1, -1, -1}))
	r.ask("topic", offsetsRequest("no-such-topic", offsetAt{0, -1, -1}))
	r.ask("name", offsetsRequest("no such/topic", offsetAt{0, -1, -1}))
	r.ask("twice", offsetsRequest(topic, offsetAt{0, -1, -1}, offsetAt{0, -1, -2}, offsetAt{1, -1, -1}))
	r.ask("epoch 0", offsetsRequest(topic, offsetAt{0, 0, -1}))
	r.ask("epoch 9", offsetsRequest(topic, offsetAt{0, 9, -1}))
	r.ask("epoch -2", offsetsRequest(topic, offsetAt{0, -2, -1}))
	r.ask("no partitions", offsetsRequest(topic))
	r.ask("no topics", kmsg.NewPtrListOffsetsRequest())
	level := offsetsRequest(topic, offsetAt{0, -1, -1})
	level.IsolationLevel = 7
	r.ask("isolation level 7", level)
	for _, id := range []int32{-2, -3, 1} {
		replica := offsetsRequest(topic, offsetAt{0, -1, -1})
		replica.ReplicaID = id
		r.ask("replica", replica)
	}
}

func leaderEpochs(r *run) {
	topic := r.topic("", 2)
	r.produce(topic, 0, newBatch(3))
	type epochs struct{ partition, current, asked int32 }
	request := func(topic string, wanted ...epochs) *kmsg.OffsetForLeaderEpochRequest {
		asked := kmsg.NewOffsetForLeaderEpochRequestTopic()
		asked.Topic = topic
		asked.Partitions = each(wanted, func(w epochs) kmsg.OffsetForLeaderEpochRequestTopicPartition {
			p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
			p.Partition, p.CurrentLeaderEpoch, p.LeaderEpoch = w.partition, w.current, w.asked
			return p
		})
		req := kmsg.NewPtrOffsetForLeaderEpochRequest()
		req.ReplicaID, req.Topics = -1, append(req.Topics, asked)
		return req
	}
	for _, wanted := range []int32{0, 1, 100, -1, -5} {
		r.ask("epoch", request(topic, epochs{0, -1, wanted}))
		r.ask("epoch of an empty log", request(topic, epochs{1, -1, wanted}))
	}
	r.ask("current", request(topic, epochs{0, 0, 0}))
	r.ask("current is newer", request(topic, epochs{0, 5, 0}))
	r.ask("partition", request(topic, epochs{7, -1, 0}, epochs{0, -1, 0}))
	r.ask("topic", request("no-such-topic", epochs{0, -1, 0}))
	r.ask("twice", request(topic, epochs{0, -1, 0}, epochs{0, -1, 4}))
	r.ask("nothing", kmsg.NewPtrOffsetForLeaderEpochRequest())
}

func deleteRecords(r *run) {
	topic := r.topic("", 2)
	r.produce(topic, 0, newBatch(6))
	request := func(topic string, upTo ...[2]int64) *kmsg.DeleteRecordsRequest {
		asked := kmsg.NewDeleteRecordsRequestTopic()
		asked.Topic = topic
		asked.Partitions = each(upTo, func(w [2]int64) kmsg.DeleteRecordsRequestTopicPartition {
			p := kmsg.NewDeleteRecordsRequestTopicPartition()
			p.Partition, p.Offset = int32(w[0]), w[1]
			return p
		})
		req := kmsg.NewPtrDeleteRecordsRequest()
		req.TimeoutMillis, req.Topics = 10000, append(req.Topics, asked)
		return req
	}
	for _, offset := range []int64{0, 2, 1, 7, -2, -5, 4, -1} {
		r.ask("up to", request(topic, [2]int64{0, offset}))
		r.ends(topic, 0)
	}
	r.ask("empty", request(topic, [2]int64{1, 0}))
	r.ask("empty, all", request(topic, [2]int64{1, -1}))
	r.ask("empty, beyond", request(topic, [2]int64{1, 1}))
	r.ask("partition", request(topic, [2]int64{5, 0}, [2]int64{0, -1}))
	r.ask("topic", request("no-such-topic", [2]int64{0, 0}))
	r.ask("twice", request(topic, [2]int64{0, 3}, [2]int64{0, -1}))
	r.ask("nothing", kmsg.NewPtrDeleteRecordsRequest())
	r.ask("the offsets topic", request("__consumer_offsets", [2]int64{0, 0}))
	compacted := r.topic(".compacted", 1, "cleanup.policy", "compact")
	r.produce(compacted, 0, newBatch(2))
	r.ask("compacted", request(compacted, [2]int64{0, 1}))
}

func initProducer(r *run) {
	request := func(id int64, epoch int16) *kmsg.InitProducerIDRequest {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.ProducerID, req.ProducerEpoch = id, epoch
		return req
	}
	r.ask("new", request(-1, -1))
	second := r.ask("another", request(-1, -1)).(*kmsg.InitProducerIDResponse)
	r.ask("with an id and an epoch", request(second.ProducerID, 0))
	r.ask("with a higher epoch", request(second.ProducerID, 5))
	r.ask("an id alone", request(second.ProducerID, -1))
	r.ask("an epoch alone", request(-1, 3))
	timeout := request(-1, -1)
	timeout.TransactionTimeoutMillis = -5
	r.ask("time-out negative", timeout)
	empty := request(-1, -1)
	empty.TransactionalID = new(string)
	r.ask("an empty transactional id", empty)
}
