package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
)

// observe keeps what a client can tell, and leaves out what it has no call for.
func (f fields) observe(name string, value any, err error) {
	if _, missing := err.(unsupported); missing {
		return
	}
	must(err)
	f[name] = value
}

func thousandPartitions(r *runner) fields {
	if r.name == "kafka-go" {
		panic(unsupported{"kafka-go has a connection and a fetch for each partition"})
	}
	// Kafka takes seconds to make as many, so that all clients share them.
	shared := *r
	shared.topic = "thousand-partitions"
	if err := shared.CreateTopic(shared.topic, 1000, 1, nil); !isCode(err, kerr.TopicAlreadyExists) {
		must(err)
	}
	shared.awaitLeader(shared.topic, 1000)
	records := make([]record, 1000)
	for p := range records {
		records[p] = record{topic: shared.topic, partition: int32(p), key: []byte(r.topic)}
	}
	must(r.produceAll(produceOptions{}, records))
	all := got(r.Reader(map[string]int32{shared.topic: 1000}, earliest, readOptions{}))
	defer all.close()
	read, from := 0, map[int32]bool{}
	until("the records are read", func() bool {
		for _, each := range got(soon(all)) {
			if string(each.key) == r.topic {
				read++
				from[each.partition] = true
			}
		}
		return read >= 1000
	})
	return fields{"read": read, "partitions": len(from)}
}

func readCommitted(r *runner) fields {
	r.create(1, nil)
	r.produce(1, 50, produceOptions{})
	out := fields{"read": len(r.read(1, earliest, 50, readOptions{committed: true}))}
	end, err := r.CommittedEnd(r.topic)
	out.observe("end", end, err)
	return out
}

func outOfRange(r *runner) fields {
	r.create(1, nil)
	r.produce(1, 50, produceOptions{})
	before := func(c client) error { return c.DeleteRecords(r.topic, 20) }
	r.arranged(before(r.client), before)
	out := fields{"below": r.read(1, 5, 30, readOptions{})[0].offset}
	// kafka-go waits for the log to grow up to such an offset.
	if r.name != "kafka-go" {
		out["beyond"] = r.read(1, 1000, 30, readOptions{})[0].offset
	}
	topic := map[string]int32{r.topic: 1}
	_, err := r.readAll(topic, 5, 30, readOptions{reset: "none"})
	if _, missing := err.(unsupported); !missing {
		out["none"] = errorName(err)
	}
	all, err := r.Reader(topic, 5, readOptions{reset: "latest"})
	if err == nil {
		defer all.close()
		out["latest"] = r.goesOnAt(all, 50)
	}
	return out
}

// goesOnAt writes until the reader that has lost its place brings something. What was there
// before, up to the end, must not come; how much was written before it found its place is open.
func (r *runner) goesOnAt(all reader, end int64) int64 {
	first := int64(-1)
	until("something comes", func() bool {
		r.produce(1, 1, produceOptions{})
		for _, each := range got(soon(all)) {
			if first < 0 {
				first = each.offset
			}
		}
		return first >= 0
	})
	return min(first, end)
}

func acks(r *runner) fields {
	r.create(2, nil)
	ends := []int64{}
	for partition, required := range []string{"0", "1"} {
		records := make([]record, 100)
		for i := range records {
			records[i] = record{topic: r.topic, partition: int32(partition),
				key: fmt.Appendf(nil, "key-%d", i)}
		}
		must(r.produceAll(produceOptions{acks: required}, records))
	}
	read := r.read(2, earliest, 200, readOptions{})
	for partition := range int32(2) {
		last := int64(0)
		for _, each := range read {
			if each.partition == partition {
				last = max(last, each.offset+1)
			}
		}
		ends = append(ends, last)
	}
	return fields{"ends": ends, "read": len(read)}
}

func recreate(r *runner) fields {
	if r.name == "kafka-go" {
		panic(unsupported{"kafka-go's reader itself makes a topic that is gone"})
	}
	r.create(1, nil)
	r.produce(1, 10, produceOptions{})
	all := got(r.Reader(map[string]int32{r.topic: 1}, earliest, readOptions{}))
	defer all.close()
	out := fields{"before": len(got(collect(all, 10, 0)))}
	id, missing := r.TopicID(r.topic)
	must(r.DeleteTopic(r.topic))
	until("the topic is gone", func() bool {
		soon(all)
		_, err := r.PartitionCount(r.topic)
		return err != nil
	})
	r.create(1, nil)
	r.produce(1, 3, produceOptions{})
	must(all.renew())
	offsets := []int64{}
	until("the new records are read", func() bool {
		// Until the library has seen the new topic, it may go on telling that the old is gone.
		found, err := soon(all)
		if err != nil && !isCode(err, kerr.UnknownTopicID) {
			must(err)
		}
		for _, each := range found {
			offsets = append(offsets, each.offset)
		}
		return len(offsets) >= 3
	})
	out["after"] = offsets
	again := ""
	if missing == nil {
		again = got(r.TopicID(r.topic))
	}
	out.observe("same_id", id == again, missing)
	return out
}

func largeRecords(r *runner) fields {
	r.create(1, nil)
	records := make([]record, 40)
	for i := range records {
		records[i] = record{topic: r.topic, key: fmt.Appendf(nil, "key-%d", i), value: largeValue()}
	}
	must(r.produceAll(produceOptions{maxBytes: 1_000_000}, records))
	read := r.read(1, earliest, 40, readOptions{})
	return fields{"read": len(read), "sha256": hash(read)}
}

func pattern(r *runner) fields {
	m, err := r.PatternMember(r.group(), "^"+regexp.QuoteMeta(r.topic)+`\.[ab-d]$`)
	must(err)
	defer m.leave()
	for name, partitions := range map[string]int32{".a": 1, ".b": 2, "-other": 1} {
		r.createNamed(r.topic+name, partitions, nil)
	}
	until("three partitions are owned", func() bool { return len(m.places()) == 3 })
	before := len(m.places())
	r.createNamed(r.topic+".d", 1, nil)
	until("the new topic is owned", func() bool { return len(m.places()) == 4 })
	places := []string{}
	for _, place := range m.places() {
		places = append(places, strings.TrimPrefix(place, r.topic))
	}
	return fields{"before": before, "after": len(places), "places": places}
}

// pause: a fetch may be on its way when a partition is paused, so something comes from the other
// partition before there is anything to read in the paused one.
func pause(r *runner) fields {
	r.create(2, nil)
	all := got(r.Reader(map[string]int32{r.topic: 2}, earliest, readOptions{}))
	defer all.close()
	must(all.pause(r.topic, 0))
	must(r.produceAll(produceOptions{}, []record{dataRecord(r.topic, 2, 1)}))
	until("the first record comes", func() bool { return len(got(soon(all))) == 1 })
	r.produce(2, 100, produceOptions{})
	counts := func() []int {
		found := got(collect(all, 50, 0))
		other := len(slices.DeleteFunc(slices.Clone(found), func(each record) bool {
			return each.partition == 0
		}))
		return []int{len(found) - other, other}
	}
	out := fields{"paused": counts()}
	must(all.resume(r.topic, 0))
	out["resumed"] = counts()
	return out
}

func cluster(r *runner) fields {
	r.create(1, nil)
	found := got(r.Cluster())
	out := fields{"nodes": len(found.nodes),
		"controller": slices.Contains(found.nodes, found.controller),
		"address":    slices.Equal(found.nodes, []string{r.bootstrap})}
	if found.id != nil {
		out["cluster_id"] = *found.id != ""
	}
	m := got(r.Member(r.group(), r.topic, memberOptions{passive: true}))
	defer m.leave()
	until("the member owns the partition", func() bool { return len(m.assigned()) == 1 })
	must(m.commit(0, 0, "note"))
	info := got(r.GroupMembers(r.group(), r.topic))
	out["group"] = []any{info.state, info.assignor, info.members}
	_, metadata, err := r.Committed(r.group(), r.topic, 1)
	must(err)
	out["metadata"] = metadata
	states, err := r.GroupStates()
	out.observe("listed", states[r.group()], err)
	return out
}
