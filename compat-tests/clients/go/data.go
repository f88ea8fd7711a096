package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
)

// dataRecord is record i of the data set that all drivers produce.
func dataRecord(topic string, partitions int32, i int) record {
	return record{
		topic:     topic,
		partition: int32(i) % partitions,
		key:       fmt.Appendf(nil, "key-%d", i),
		value:     []byte(fmt.Sprintf("value-%d-", i) + strings.Repeat("x", 100)),
	}
}

func wideValue(i int) []byte {
	head := fmt.Sprintf("value-%d-", i)
	return []byte(head + strings.Repeat("x", 1000-len(head)))
}

func largeValue() []byte {
	all := make([]byte, 900_000)
	for j := range all {
		all[j] = byte(j % 251)
	}
	return all
}

// render shows short bytes as hex, long ones as length and hash, none as nil.
func render(b []byte) any {
	switch {
	case b == nil:
		return nil
	case len(b) <= 64:
		return hex.EncodeToString(b)
	}
	sum := sha256.Sum256(b)
	return fmt.Sprintf("%d:%x", len(b), sum)
}

func hash(records []record) string {
	sort.Slice(records, func(i, j int) bool {
		a, b := records[i], records[j]
		if a.partition != b.partition {
			return a.partition < b.partition
		}
		return a.offset < b.offset
	})
	sum := sha256.New()
	for _, r := range records {
		fmt.Fprintf(sum, "%d:%d:%s:%s\n", r.partition, r.offset, r.key, r.value)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// produceAll sends all records and fails with the first error.
func (r *runner) produceAll(o produceOptions, records []record) error {
	p, err := r.Producer(o)
	if err != nil {
		return err
	}
	failures := make(chan error, len(records))
	for _, each := range records {
		p.send(each, func(err error) { failures <- err })
	}
	closed := p.close()
	for range records {
		if err := <-failures; err != nil {
			return err
		}
	}
	return closed
}

func (r *runner) produce(partitions int32, count int, o produceOptions) {
	records := make([]record, 0, count)
	for i := range count {
		records = append(records, dataRecord(r.topic, partitions, i))
	}
	must(r.produceAll(o, records))
}

func (r *runner) create(partitions int32, configs map[string]string) {
	r.createNamed(r.topic, partitions, configs)
}

func (r *runner) createNamed(topic string, partitions int32, configs map[string]string) {
	must(r.CreateTopic(topic, partitions, 1, configs))
	r.awaitLeader(topic, partitions)
}

func (r *runner) awaitLeader(topic string, partitions int32) {
	until(topic+" is visible", func() bool {
		n, err := r.PartitionCount(topic)
		return err == nil && n == int(partitions)
	})
	// It can be described before its partitions are served; asking for an offset tells.
	until(topic+" has a leader", func() bool {
		_, err := r.OffsetAt(topic, latest)
		return err == nil
	})
}

func (r *runner) read(partitions int32, from int64, count int, o readOptions) []record {
	return got(r.readAll(map[string]int32{r.topic: partitions}, from, count, o))
}
