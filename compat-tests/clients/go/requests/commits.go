package main

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

var commitCases = []testCase{
	{kmsg.OffsetCommit, "offset-commit/simple", commitSimple, nil},
	{kmsg.OffsetCommit, "offset-commit/member", commitMember, nil},
	{kmsg.OffsetFetch, "offset-fetch/one", fetchOne, nil},
	{kmsg.OffsetFetch, "offset-fetch/many", fetchMany, since(8)},
	{kmsg.OffsetDelete, "offset-delete/all", deleteOffsets, nil},
}

func commitRequest(m *member, topic string, partitions ...int32) *kmsg.OffsetCommitRequest {
	asked := kmsg.NewOffsetCommitRequestTopic()
	asked.Topic = topic
	for _, index := range partitions {
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		metadata := "where it was"
		p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = index, 5, 0, &metadata
		asked.Partitions = append(asked.Partitions, p)
	}
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = m.group, m.id, m.instance, m.generation
	req.Topics = append(req.Topics, asked)
	return req
}

// outside is somebody who commits without being a member.
func outside(group string) *member { return &member{group: group, generation: -1} }

// commit commits offset 5 of the first partition on the way, as no member.
func (r *run) commit(group, topic string) {
	resp := r.use(commitRequest(outside(group), topic, 0)).(*kmsg.OffsetCommitResponse)
	if code := resp.Topics[0].Partitions[0].ErrorCode; code != 0 {
		panic("commit: " + errorName(code))
	}
}

// fetchOffsets asks in the forms of all versions at once; without topics, for all of them.
func fetchOffsets(group string, topics ...string) *kmsg.OffsetFetchRequest {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = group
	more := kmsg.NewOffsetFetchRequestGroup()
	more.Group, more.MemberEpoch = group, -1
	for _, topic := range topics {
		asked := kmsg.NewOffsetFetchRequestTopic()
		asked.Topic, asked.Partitions = topic, []int32{0, 1, 9}
		req.Topics = append(req.Topics, asked)
		also := kmsg.NewOffsetFetchRequestGroupTopic()
		also.Topic, also.Partitions = topic, []int32{0, 1, 9}
		more.Topics = append(more.Topics, also)
	}
	req.Groups = append(req.Groups, more)
	return req
}

func commitSimple(r *run) {
	topic := r.topic("", 2)
	group := r.name
	r.ask("new group", commitRequest(outside(group), topic, 0, 1))
	r.also("stored", fetchOffsets(group, topic))
	r.ask("no such partition", commitRequest(outside(group), topic, 0, 7, -1))
	r.ask("no such topic", commitRequest(outside(group), "no-such-topic", 0))
	r.ask("twice", commitRequest(outside(group), topic, 0, 0))
	r.ask("no partitions", commitRequest(outside(group), topic))
	none := commitRequest(outside(group), topic)
	none.Topics = nil
	r.ask("no topics", none)
	r.ask("no group", commitRequest(outside(""), topic, 0))
	change := func(label string, change func(*kmsg.OffsetCommitRequestTopicPartition)) {
		req := commitRequest(outside(group), topic, 1)
		change(&req.Topics[0].Partitions[0])
		r.ask(label, req)
		r.also("stored", fetchOffsets(group, topic))
	}
	long := strings.Repeat("x", 4097)
	fits := long[:4096]
	change("metadata too long", func(p *kmsg.OffsetCommitRequestTopicPartition) { p.Metadata = &long })
	change("metadata just fits", func(p *kmsg.OffsetCommitRequestTopicPartition) { p.Metadata = &fits })
	change("no metadata", func(p *kmsg.OffsetCommitRequestTopicPartition) { p.Metadata = nil })
	change("negative", func(p *kmsg.OffsetCommitRequestTopicPartition) { p.Offset = -1 })
	change("very negative", func(p *kmsg.OffsetCommitRequestTopicPartition) { p.Offset = -100 })
	change("no epoch", func(p *kmsg.OffsetCommitRequestTopicPartition) { p.LeaderEpoch, p.Offset = -1, 6 })
	change("epoch 9", func(p *kmsg.OffsetCommitRequestTopicPartition) { p.LeaderEpoch = 9 })
	change("epoch -7", func(p *kmsg.OffsetCommitRequestTopicPartition) { p.LeaderEpoch = -7 })
	if r.version <= 4 {
		keep := commitRequest(outside(group), topic, 0)
		keep.RetentionTimeMillis = 100000
		r.ask("kept for a while", keep)
	}
	generation := commitRequest(outside(group), topic, 0)
	generation.Generation = 3
	r.ask("a generation, nobody there", generation)
	somebody := commitRequest(outside(group), topic, 0)
	somebody.MemberID = "nobody"
	r.ask("a member, nobody there", somebody)
	strange := commitRequest(outside(group+".none"), topic, 0)
	strange.Generation, strange.MemberID = 3, "nobody"
	r.ask("a generation, no group", strange)
	negative := commitRequest(outside(group), topic, 0)
	negative.Generation = -2
	r.ask("generation -2", negative)
}

func commitMember(r *run) {
	topic := r.topic("", 2)
	m := r.stable("")
	r.ask("right", commitRequest(m, topic, 0))
	r.also("stored", fetchOffsets(m.group, topic))
	changed := func(label string, change func(*member)) {
		other := *m
		change(&other)
		r.ask(label, commitRequest(&other, topic, 0, 1))
	}
	name := "nobody"
	changed("generation", func(m *member) { m.generation++ })
	changed("old generation", func(m *member) { m.generation = 0 })
	changed("generation -1", func(m *member) { m.generation = -1 })
	changed("member", func(m *member) { m.id = "nobody" })
	changed("no member", func(m *member) { m.id = "" })
	changed("instance", func(m *member) { m.instance = &name })
	changed("as no member", func(m *member) { m.id, m.generation = "", -1 })
	r.join(m, "range", "roundrobin")
	r.ask("before the sync", commitRequest(m, topic, 0))
	r.use(r.syncRequest(m, m))
	r.ask("after it", commitRequest(m, topic, 0))
	r.use(r.leaveRequest(m))
	r.ask("after it left", commitRequest(m, topic, 0))
	r.ask("as no member, empty group", commitRequest(outside(m.group), topic, 0))
}

func fetchOne(r *run) {
	topic := r.topic("", 2)
	other := r.topic(".other", 1)
	r.commit(r.name, topic)
	r.commit(r.name, other)
	r.ask("one topic", fetchOffsets(r.name, topic))
	r.ask("unknown topic", fetchOffsets(r.name, "no-such-topic"))
	r.ask("unknown group", fetchOffsets("no-such-group", topic))
	r.ask("no group", fetchOffsets("", topic))
	if r.version >= 2 {
		all := fetchOffsets(r.name)
		all.Topics, all.Groups[0].Topics = nil, nil
		r.ask("all topics", all)
		none := fetchOffsets("no-such-group")
		none.Topics, none.Groups[0].Topics = nil, nil
		r.ask("all topics, unknown group", none)
	}
	empty := fetchOffsets(r.name, topic)
	empty.Topics, empty.Groups[0].Topics = empty.Topics[:0], empty.Groups[0].Topics[:0]
	r.ask("no topics", empty)
	twice := fetchOffsets(r.name, topic)
	twice.Topics[0].Partitions = []int32{0, 0, -1}
	twice.Groups[0].Topics[0].Partitions = []int32{0, 0, -1}
	r.ask("twice", twice)
	bare := fetchOffsets(r.name, topic)
	bare.Topics[0].Partitions, bare.Groups[0].Topics[0].Partitions = nil, nil
	r.ask("no partitions", bare)
	firm := fetchOffsets(r.name, topic)
	firm.RequireStable = true
	r.ask("stable", firm)
}

func fetchMany(r *run) {
	topic := r.topic("", 2)
	r.commit(r.name, topic)
	req := fetchOffsets(r.name, topic)
	req.Groups = append(req.Groups, fetchOffsets("no-such-group", topic).Groups[0])
	req.Groups = append(req.Groups, fetchOffsets(r.name, "no-such-topic").Groups[0])
	all := fetchOffsets(r.name)
	all.Groups[0].Topics = nil
	req.Groups = append(req.Groups, all.Groups[0])
	r.ask("four", req)
	req.Groups = nil
	r.ask("none", req)
	m := r.stable(".member")
	name := "nobody"
	member := fetchOffsets(m.group, topic)
	member.Groups[0].MemberID, member.Groups[0].MemberEpoch = &m.id, m.generation
	r.ask("a classic member", member)
	member.Groups[0].MemberID = &name
	r.ask("no member of it", member)
	member.Groups[0].MemberID, member.Groups[0].MemberEpoch = &m.id, m.generation+1
	r.ask("another epoch", member)
}

func deleteOffsets(r *run) {
	topic := r.topic("", 2)
	request := func(group, topic string, partitions ...int32) *kmsg.OffsetDeleteRequest {
		asked := kmsg.NewOffsetDeleteRequestTopic()
		asked.Topic = topic
		for _, index := range partitions {
			p := kmsg.NewOffsetDeleteRequestTopicPartition()
			p.Partition = index
			asked.Partitions = append(asked.Partitions, p)
		}
		req := kmsg.NewPtrOffsetDeleteRequest()
		req.Group, req.Topics = group, append(req.Topics, asked)
		return req
	}
	r.commit(r.name, topic)
	r.ask("there, not there, no such", request(r.name, topic, 0, 1, 9))
	r.also("left", fetchOffsets(r.name, topic))
	r.ask("topic", request(r.name, "no-such-topic", 0))
	r.ask("group", request("no-such-group", topic, 0))
	r.ask("no group", request("", topic, 0))
	r.ask("no partitions", request(r.name, topic))
	// A member that reads the topic, as consumers say it: version 0, topics, no user data.
	m := &member{group: r.name + ".reads"}
	join := func() {
		req := r.joinRequest(m)
		req.Protocols[0].Metadata = subscription("", topic)
		m.joined(r.use(req))
	}
	join()
	join()
	r.use(r.syncRequest(m, m))
	r.use(commitRequest(m, topic, 0))
	other := r.topic(".other", 1)
	r.use(commitRequest(m, other, 0))
	r.ask("subscribed", request(m.group, topic, 0))
	r.ask("not subscribed", request(m.group, other, 0))
	r.also("left", fetchOffsets(m.group, topic, other))
	strange := r.stable(".strange")
	r.ask("a member that says nothing", request(strange.group, topic, 0))
}
