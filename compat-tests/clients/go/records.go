package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

const baseTime = 1_700_000_000_000

var scenarios = map[string]func(*runner) fields{
	"codec-none":          func(r *runner) fields { return codec(r, "") },
	"codec-gzip":          func(r *runner) fields { return codec(r, "gzip") },
	"codec-snappy":        func(r *runner) fields { return codec(r, "snappy") },
	"codec-lz4":           func(r *runner) fields { return codec(r, "lz4") },
	"codec-zstd":          func(r *runner) fields { return codec(r, "zstd") },
	"record-shapes":       shapes,
	"timestamps":          timestamps,
	"log-append-time":     logAppendTime,
	"compression-type":    compressionType,
	"segments":            segments,
	"empty-poll":          emptyPoll,
	"auto-create":         autoCreate,
	"idempotent.1":        idempotentWrite,
	"idempotent.2":        idempotentRead,
	"topic-admin":         topicAdmin,
	"delete-records":      deleteRecords,
	"errors":              brokerErrors,
	"list-many":           listMany,
	"group-three":         groupThree,
	"static-members":      staticMembers,
	"cooperative":         cooperative,
	"commit":              commit,
	"thousand-partitions": thousandPartitions,
	"read-committed":      readCommitted,
	"out-of-range":        outOfRange,
	"acks":                acks,
	"recreate":            recreate,
	"large-records":       largeRecords,
	"pattern":             pattern,
	"pause":               pause,
	"cluster":             cluster,
	"resume.1":            func(r *runner) fields { return resume(r, 1) },
	"resume.2":            func(r *runner) fields { return resume(r, 2) },
	"resume.3":            func(r *runner) fields { return resume(r, 3) },
}

func codec(r *runner, name string) fields {
	r.create(3, nil)
	r.produce(3, 200, produceOptions{codec: name, batchBytes: 2000})
	read := r.read(3, earliest, 200, readOptions{})
	return fields{"count": len(read), "sha256": hash(read)}
}

func shapes(r *runner) fields {
	r.create(1, nil)
	headers := []header{{"a", []byte("1")}, {"a", []byte("2")}, {"b", []byte{}}, {"c", nil},
		{"d", []byte{0xff, 0xfe, 0}}}
	records := []record{
		{key: []byte("dup"), value: []byte("headers"), headers: headers},
		{key: []byte("nullvalue")},
		{value: []byte("nullkey")},
		{key: []byte{}, value: []byte{}},
		{key: []byte("one"), value: []byte("1")},
		{key: []byte("large"), value: largeValue()},
		{key: []byte("badkey"), value: []byte("x"), headers: []header{{"\xff", []byte("1")}}},
	}
	for i := range records {
		records[i].topic = r.topic
		must(r.produceAll(produceOptions{maxBytes: 1_000_000}, records[i:i+1]))
	}
	seen := []any{}
	for _, read := range r.read(1, earliest, len(records), readOptions{}) {
		pairs := [][]any{}
		for _, h := range read.headers {
			pairs = append(pairs, []any{render([]byte(h.key)), render(h.value)})
		}
		seen = append(seen, fields{"k": render(read.key), "v": render(read.value), "h": pairs})
	}
	return fields{"records": seen}
}

func timestamps(r *runner) fields {
	r.create(1, nil)
	for i := range 5 {
		each := dataRecord(r.topic, 1, i)
		each.time = time.UnixMilli(baseTime + int64(i)*1000)
		must(r.produceAll(produceOptions{}, []record{each}))
	}
	out := fields{}
	for name, at := range map[string]int64{
		"earliest": earliest, "latest": latest, "max_timestamp": maxTimestamp,
		"before_all": baseTime - 5000, "at_exact": baseTime + 2000,
		"between": baseTime + 2500, "after_all": baseTime + 9000,
	} {
		offset, err := r.OffsetAt(r.topic, at)
		if _, missing := err.(unsupported); missing {
			continue
		}
		must(err)
		out[name] = offset
	}
	times := []int64{}
	for _, read := range r.read(1, earliest, 5, readOptions{}) {
		times = append(times, read.time.UnixMilli()-baseTime)
	}
	out["timestamps"] = times
	return out
}

func logAppendTime(r *runner) fields {
	if r.name == "kafka-go" {
		panic(unsupported{"kafka-go does not look at the batch's timestamp type"})
	}
	r.create(1, map[string]string{"message.timestamp.type": "LogAppendTime"})
	before := time.Now().Add(-time.Second)
	each := dataRecord(r.topic, 1, 0)
	each.time = time.UnixMilli(baseTime)
	must(r.produceAll(produceOptions{codec: "gzip"}, []record{each}))
	read := r.read(1, earliest, 1, readOptions{})[0]
	within := read.time.After(before) && read.time.Before(time.Now().Add(time.Second))
	out := fields{"within": within}
	if read.appendTime != "" {
		out["type"] = read.appendTime
	}
	return out
}

func compressionType(r *runner) fields {
	out := fields{}
	for _, kind := range []string{"zstd", "uncompressed"} {
		own := *r
		own.topic += "-" + kind
		own.create(1, map[string]string{"compression.type": kind})
		own.produce(1, 50, produceOptions{codec: "gzip"})
		out[kind] = len(own.read(1, earliest, 50, readOptions{}))
	}
	return out
}

func segments(r *runner) fields {
	r.create(1, map[string]string{"segment.bytes": "1048576"})
	records := make([]record, 5000)
	for i := range records {
		records[i] = dataRecord(r.topic, 1, i)
		records[i].value = wideValue(i)
	}
	must(r.produceAll(produceOptions{}, records))
	read := r.read(1, earliest, 5000, readOptions{fetchBytes: 65536})
	return fields{"count": len(read), "sha256": hash(read)}
}

func emptyPoll(r *runner) fields {
	r.create(1, nil)
	second := readOptions{patience: time.Second}
	empty := len(r.read(1, earliest, 1, second))
	r.produce(1, 10, produceOptions{})
	return fields{"empty_records": empty, "end_records": len(r.read(1, latest, 1, second))}
}

func autoCreate(r *runner) fields {
	r.produce(1, 10, produceOptions{})
	partitions := got(r.PartitionCount(r.topic))
	return fields{"partitions": partitions, "count": len(r.read(1, earliest, 10, readOptions{}))}
}

func idempotentWrite(r *runner) fields {
	p := got(r.Producer(produceOptions{idempotent: true}))
	r.create(1, nil)
	var acked atomic.Int32
	failed := make(chan error, 1000)
	for i := range 1000 {
		p.send(dataRecord(r.topic, 1, i), func(err error) {
			if err != nil {
				failed <- err
			} else if acked.Add(1) == 200 {
				fmt.Fprintln(os.Stderr, "PHASE ready")
			}
		})
		// Slowly: the broker must be killed while there is something left to send.
		time.Sleep(3 * time.Millisecond)
	}
	must(p.close())
	select {
	case err := <-failed:
		panic(err)
	default:
	}
	return fields{"acked": acked.Load()}
}

func idempotentRead(r *runner) fields {
	if r.name == "kafka-go" {
		panic(unsupported{"kafka-go has no idempotent producer"})
	}
	distinct := map[string]bool{}
	inOrder := true
	read := r.read(1, earliest, 1000, readOptions{})
	for i, each := range read {
		distinct[string(each.key)] = true
		inOrder = inOrder && string(each.key) == fmt.Sprintf("key-%d", i)
	}
	return fields{"count": len(read), "distinct": len(distinct), "in_order": inOrder}
}
