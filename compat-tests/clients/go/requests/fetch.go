package main

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

var fetchCases = []testCase{
	{kmsg.Fetch, "fetch/read", fetchRead, nil},
	{kmsg.Fetch, "fetch/errors", fetchErrors, nil},
	{kmsg.Fetch, "fetch/limits", fetchLimits, nil},
	{kmsg.Fetch, "fetch/epochs", fetchEpochs, nil},
	{kmsg.Fetch, "fetch/sessions", fetchSessions, since(7)},
	{kmsg.Fetch, "fetch/session-errors", fetchSessionErrors, since(7)},
	{kmsg.Fetch, "fetch/replica", fetchReplica, nil},
	{kmsg.Fetch, "fetch/pipeline", fetchPipeline, nil},
}

// from is where a fetch begins in a partition.
type from struct {
	partition int32
	offset    int64
}

func (r *run) fetchTopic(topic string, wanted ...from) kmsg.FetchRequestTopic {
	asked := kmsg.NewFetchRequestTopic()
	asked.Topic, asked.TopicID = topic, r.id(topic)
	for _, w := range wanted {
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.PartitionMaxBytes = w.partition, w.offset, 1<<20
		asked.Partitions = append(asked.Partitions, p)
	}
	return asked
}

// fetchRequest is one that does not wait, outside of any session.
func (r *run) fetchRequest(topic string, wanted ...from) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.SessionEpoch = 0, 1, 1<<20, -1
	req.Topics = append(req.Topics, r.fetchTopic(topic, wanted...))
	return req
}

func fetchRead(r *run) {
	topic := r.topic("", 2)
	r.produce(topic, 0, newBatch(3))
	r.produce(topic, 0, newBatch(2).from(r.producer(), 0, 0))
	r.ask("all", r.fetchRequest(topic, from{0, 0}, from{1, 0}))
	r.ask("within a batch", r.fetchRequest(topic, from{0, 1}))
	r.ask("second batch", r.fetchRequest(topic, from{0, 3}))
	r.ask("at the end", r.fetchRequest(topic, from{0, 5}))
	committed := r.fetchRequest(topic, from{0, 0}, from{1, 0})
	committed.IsolationLevel = 1
	r.ask("read committed", committed)
	level := r.fetchRequest(topic, from{0, 0})
	level.IsolationLevel = 7
	r.ask("isolation level 7", level)
	waits := r.fetchRequest(topic, from{0, 5})
	waits.MaxWaitMillis, waits.MinBytes = 30, 1
	r.ask("waits in vain", waits)
	waits.MinBytes = 0
	waits.MaxWaitMillis = 20000
	r.ask("nothing to wait for", waits)
}

func fetchErrors(r *run) {
	topic := r.topic("", 2)
	r.produce(topic, 0, newBatch(6))
	r.deleteBefore(topic, 3)
	r.ask("below the start", r.fetchRequest(topic, from{0, 1}))
	r.ask("above the end", r.fetchRequest(topic, from{0, 7}))
	r.ask("negative", r.fetchRequest(topic, from{0, -1}))
	r.ask("far", r.fetchRequest(topic, from{0, 1 << 62}))
	r.ask("partition", r.fetchRequest(topic, from{9, 0}, from{0, 3}, from{-1, 0}))
	r.ask("topic", r.fetchRequest("no-such-topic", from{0, 0}))
	r.ask("name", r.fetchRequest("no such/topic", from{0, 0}))
	r.ask("twice", r.fetchRequest(topic, from{0, 3}, from{0, 4}))
	r.ask("no partitions", r.fetchRequest(topic))
	none := r.fetchRequest(topic)
	none.Topics = nil
	r.ask("no topics", none)
	waits := r.fetchRequest(topic, from{0, 6}, from{9, 0})
	waits.MaxWaitMillis, waits.MinBytes = 50, 1
	r.ask("an error and a wait", waits)
	nameless := r.fetchRequest(topic, from{0, 3})
	nameless.Topics[0].Topic, nameless.Topics[0].TopicID = "", [16]byte{}
	r.ask("no name, no id", nameless)
}

func (r *run) deleteBefore(topic string, offset int64) {
	p := kmsg.NewDeleteRecordsRequestTopicPartition()
	p.Offset = offset
	asked := kmsg.NewDeleteRecordsRequestTopic()
	asked.Topic, asked.Partitions = topic, append(asked.Partitions, p)
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis, req.Topics = 10000, append(req.Topics, asked)
	r.use(req)
}

func fetchLimits(r *run) {
	topic := r.topic("", 2)
	for range 3 {
		r.produce(topic, 0, newBatch(2))
		r.produce(topic, 1, newBatch(2))
	}
	size := int32(len(newBatch(2).bytes()))
	for _, limit := range []int32{0, 1, size - 1, size, size + 1, 2*size - 1, 2 * size, 2*size + 1, -1} {
		sign := ""
		if limit < 0 {
			sign = "negative "
		}
		partition := r.fetchRequest(topic, from{0, 0})
		partition.Topics[0].Partitions[0].PartitionMaxBytes = limit
		r.ask(sign+"partition", partition)
		both := r.fetchRequest(topic, from{0, 0}, from{1, 0})
		both.Topics[0].Partitions[0].PartitionMaxBytes = limit
		both.Topics[0].Partitions[1].PartitionMaxBytes = limit
		r.ask(sign+"partition, each of two", both)
		whole := r.fetchRequest(topic, from{0, 0}, from{1, 0})
		whole.MaxBytes = limit
		r.ask(sign+"whole", whole)
	}
	least := r.fetchRequest(topic, from{0, 0})
	least.MinBytes, least.MaxWaitMillis = 1<<20, 30
	r.ask("more than there is", least)
	negative := r.fetchRequest(topic, from{0, 6})
	negative.MinBytes, negative.MaxWaitMillis = -1, 20000
	r.ask("min bytes negative", negative)
	back := r.fetchRequest(topic, from{0, 6})
	back.MaxWaitMillis = -1
	r.ask("max wait negative", back)
}

func fetchEpochs(r *run) {
	topic := r.topic("", 1)
	r.produce(topic, 0, newBatch(3))
	for _, epoch := range []int32{0, 1, -2, 1000} {
		req := r.fetchRequest(topic, from{0, 0})
		req.Topics[0].Partitions[0].CurrentLeaderEpoch = epoch
		r.ask("current", req)
	}
	for _, epoch := range []int32{0, 1, -2, 1000} {
		for _, offset := range []int64{0, 3, 4, 100} {
			req := r.fetchRequest(topic, from{0, offset})
			req.Topics[0].Partitions[0].LastFetchedEpoch = epoch
			r.ask("last fetched", req)
		}
	}
	rack := r.fetchRequest(topic, from{0, 0})
	rack.Rack = "somewhere"
	r.ask("rack", rack)
	start := r.fetchRequest(topic, from{0, 0})
	start.Topics[0].Partitions[0].LogStartOffset = 2
	r.ask("log start", start)
}

func fetchSessions(r *run) {
	topic := r.topic("", 3)
	r.produce(topic, 0, newBatch(2))
	full := r.fetchRequest(topic, from{0, 0}, from{1, 0})
	full.SessionEpoch = 0
	id := r.ask("full", full).(*kmsg.FetchResponse).SessionID
	next := func(label string, epoch int32, change func(*kmsg.FetchRequest)) {
		req := r.fetchRequest(topic)
		req.Topics, req.SessionID, req.SessionEpoch = nil, id, epoch
		if change != nil {
			change(req)
		}
		r.ask(label, req)
	}
	next("nothing changed", 1, nil)
	next("moved on", 2, func(req *kmsg.FetchRequest) {
		req.Topics = append(req.Topics, r.fetchTopic(topic, from{0, 2}))
	})
	next("nothing new", 3, nil)
	r.produce(topic, 1, newBatch(1))
	next("something new", 4, nil)
	next("one more partition", 5, func(req *kmsg.FetchRequest) {
		req.Topics = append(req.Topics, r.fetchTopic(topic, from{2, 0}, from{1, 1}))
	})
	forget := kmsg.NewFetchRequestForgottenTopic()
	forget.Topic, forget.TopicID, forget.Partitions = topic, r.id(topic), []int32{0, 2, 9}
	next("forgotten", 6, func(req *kmsg.FetchRequest) {
		req.ForgottenTopics = append(req.ForgottenTopics, forget)
	})
	r.produce(topic, 0, newBatch(1))
	next("not told of what is forgotten", 7, nil)
	next("a partition that is not there", 8, func(req *kmsg.FetchRequest) {
		req.Topics = append(req.Topics, r.fetchTopic(topic, from{7, 0}))
	})
	next("told again", 9, nil)
	next("out of range", 10, func(req *kmsg.FetchRequest) {
		req.Topics = append(req.Topics, r.fetchTopic(topic, from{1, 99}))
	})
	next("still out of range", 11, nil)
	next("closed by a full one", -1, func(req *kmsg.FetchRequest) {
		req.Topics = append(req.Topics, r.fetchTopic(topic, from{0, 0}))
	})
	next("gone", 12, nil)
}

func fetchSessionErrors(r *run) {
	topic := r.topic("", 1)
	unknown := r.fetchRequest(topic, from{0, 0})
	unknown.SessionID, unknown.SessionEpoch = 12345, 1
	r.ask("unknown session", unknown)
	zero := r.fetchRequest(topic, from{0, 0})
	zero.SessionEpoch = 5
	r.ask("no session, epoch 5", zero)
	full := r.fetchRequest(topic, from{0, 0})
	full.SessionEpoch = 0
	id := r.ask("full", full).(*kmsg.FetchResponse).SessionID
	wrong := r.fetchRequest(topic)
	wrong.Topics, wrong.SessionID, wrong.SessionEpoch = nil, id, 7
	r.ask("wrong epoch", wrong)
	wrong.SessionEpoch = 1
	r.ask("right epoch after it", wrong)
	again := r.fetchRequest(topic, from{0, 0})
	again.SessionID, again.SessionEpoch = id, 0
	r.ask("made anew", again)
	wrong.SessionEpoch = 2
	r.ask("the old one", wrong)
	empty := r.fetchRequest(topic)
	empty.Topics, empty.SessionEpoch = nil, 0
	r.ask("a session of nothing", empty)
	half := r.fetchRequest(topic, from{0, 0})
	half.Topics = append(half.Topics, r.fetchTopic("no-such-topic", from{0, 0}))
	half.SessionEpoch = 0
	more := r.fetchRequest(topic)
	more.Topics, more.SessionEpoch = nil, 1
	more.SessionID = r.ask("with a topic that is not there", half).(*kmsg.FetchResponse).SessionID
	r.ask("told again", more)
}

func fetchReplica(r *run) {
	topic := r.topic("", 1)
	r.produce(topic, 0, newBatch(1))
	for _, id := range []int32{1, 0, -2, -3} {
		req := r.fetchRequest(topic, from{0, 0})
		req.ReplicaID = id
		if r.version >= 15 {
			req.ReplicaState.ID, req.ReplicaState.Epoch = id, 3
		}
		label := "consumer"
		if id >= 0 {
			label = "replica"
		}
		r.ask(label, req)
	}
}

// fetchPipeline has a hundred requests in flight, of which the first waits longest.
func fetchPipeline(r *run) {
	topic := r.topic("", 1)
	c := r.connection()
	first := c.last + 1
	slow := r.fetchRequest(topic, from{0, 0})
	slow.SetVersion(r.version)
	slow.MaxWaitMillis, slow.MinBytes = 300, 1000
	c.send(usual(slow), slow.AppendTo(nil))
	var reqs []kmsg.Request
	for n := range 99 {
		var req kmsg.Request = kmsg.NewPtrApiVersionsRequest()
		switch n % 4 {
		case 1:
			req = metadataRequest(topic)
		case 2:
			req = r.produceRequest(-1, topic, part{0, newBatch(1).bytes()})
		case 3:
			fetch := r.fetchRequest(topic, from{0, 0})
			fetch.MaxWaitMillis = 50
			req = fetch
		}
		req.SetVersion(r.highest(req))
		c.send(usual(req), req.AppendTo(nil))
		reqs = append(reqs, req)
	}
	var produced []int64
	for n := range int32(100) {
		id, body, err := c.receive(answerLimit)
		must(err)
		if id != first+n {
			r.note("out of order", id)
		}
		if n > 0 {
			resp, _, err := decode(reqs[n-1], body)
			must(err)
			if answered, ok := resp.(*kmsg.ProduceResponse); ok {
				produced = append(produced, answered.Topics[0].Partitions[0].BaseOffset)
			}
		}
	}
	r.note("offsets", produced)
}
