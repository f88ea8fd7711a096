package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Offsets with a meaning, as on the wire.
const (
	latest       = -1
	earliest     = -2
	maxTimestamp = -3
)

type header struct {
	key   string
	value []byte
}

type record struct {
	topic      string
	partition  int32
	offset     int64
	key, value []byte
	headers    []header
	time       time.Time
	appendTime string // the timestamp's type, where the client shows it
}

type produceOptions struct {
	codec      string // "" is none
	batchBytes int    // small ones make several batches
	maxBytes   int    // the largest record that the client lets through
	idempotent bool
	acks       string // "0" or "1"; "" is all
}

// producer sends records; done gets the broker's answer. close waits for all answers.
type producer interface {
	send(r record, done func(error))
	close() error
}

type readOptions struct {
	fetchBytes int32         // how much one fetch may bring
	patience   time.Duration // how long to wait for the first record
	reset      string        // for an offset that is not there: "latest", "none"; "" is earliest
	committed  bool          // reads what is committed only
}

// reader reads assigned partitions, outside of any group.
type reader interface {
	// poll returns what has come, or nothing when the context ends before.
	poll(ctx context.Context) ([]record, error)
	pause(topic string, partition int32) error
	resume(topic string, partition int32) error
	// renew goes on at the start of a topic that was made anew, in the library's way.
	renew() error
	close()
}

type memberOptions struct {
	instance    string // the static member's id
	cooperative bool
	passive     bool // reads nothing and commits nothing by itself
}

// member takes part in a group and commits what it reads.
type member interface {
	assigned() []int32
	seen() []string // "partition:offset"
	revoked() int
	callbacks() int
	commit(partition int32, offset int64, metadata string) error
	leave()
}

// patternMember takes part in a group for all topics that match.
type patternMember interface {
	places() []string // "topic:partition"
	leave()
}

// clusterInfo has the nodes as "host:port", and no id where the library shows none.
type clusterInfo struct {
	id         *string
	controller string
	nodes      []string
}

// groupInfo has the members as host and partitions of one topic.
type groupInfo struct {
	state, assignor string
	members         [][]any
}

type config struct {
	value, source string
}

// client is what the scenarios need of a Kafka library. Errors keep the broker's code.
type client interface {
	CreateTopic(topic string, partitions int32, replication int16, configs map[string]string) error
	DeleteTopic(topic string) error
	CreatePartitions(topic string, total int32) error
	// PartitionCount asks for metadata without creating the topic.
	PartitionCount(topic string) (int, error)
	Topics() ([]string, error)
	SetTopicConfig(topic, key, value string) error
	TopicConfig(topic, key string) (config, error)
	DeleteRecords(topic string, before int64) error
	// OffsetAt is the offset of partition 0 at a time in ms, or one of the constants above.
	OffsetAt(topic string, at int64) (int64, error)

	Committed(group, topic string, partitions int) (offsets []int64, metadata string, err error)
	// CommittedEnd is the end of partition 0 as a read_committed consumer may see it.
	CommittedEnd(topic string) (int64, error)
	TopicID(topic string) (string, error)
	Cluster() (clusterInfo, error)

	Groups() ([]string, error)
	GroupStates() (map[string]string, error)
	GroupMembers(group, topic string) (groupInfo, error)
	GroupState(group string) (string, error)
	DeleteGroup(group string) error
	DeleteOffset(group, topic string) error

	Producer(o produceOptions) (producer, error)
	// Reader reads so many partitions of each topic, from an offset or one of the constants.
	Reader(topics map[string]int32, from int64, o readOptions) (reader, error)
	Member(group, topic string, o memberOptions) (member, error)
	// PatternMember looks for new topics twice a second.
	PatternMember(group, pattern string) (patternMember, error)
	// Take reads count records as the only member and commits the position after them.
	Take(group, topic string, count int) (first int64, taken int, err error)
	Close()
}

// errorName is Kafka's name for what a call came to.
func errorName(err error) string {
	if err == nil {
		return "NONE"
	}
	var missing unsupported
	if errors.As(err, &missing) {
		panic(err)
	}
	if code, found := errorCode(err); found {
		if known := kerr.ErrorForCode(code); known != nil {
			var e *kerr.Error
			errors.As(known, &e)
			return e.Message
		}
	}
	return "CLIENT:" + strings.TrimSpace(err.Error())
}

// errorCode finds the broker's code in the error of any of the libraries.
func errorCode(err error) (int16, bool) {
	var franz *kerr.Error
	if errors.As(err, &franz) {
		return franz.Code, true
	}
	var code sarama.KError
	if errors.As(err, &code) {
		return int16(code), true
	}
	var topic *sarama.TopicError
	if errors.As(err, &topic) {
		return int16(topic.Err), true
	}
	var partition *sarama.TopicPartitionError
	if errors.As(err, &partition) {
		return int16(partition.Err), true
	}
	var written kafka.WriteErrors
	if errors.As(err, &written) {
		for _, each := range written {
			if each != nil {
				return errorCode(each)
			}
		}
	}
	var segment kafka.Error
	if errors.As(err, &segment) {
		return int16(segment), true
	}
	return 0, false
}

func isCode(err error, want *kerr.Error) bool {
	code, found := errorCode(err)
	return found && code == want.Code
}

// until polls a condition; a scenario that waits longer than this has failed.
func until(what string, condition func() bool) {
	deadline := time.Now().Add(45 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			panic(fmt.Errorf("not reached in 45 s: %s", what))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// brief bounds one call to the broker.
func brief() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 20*time.Second)
}
