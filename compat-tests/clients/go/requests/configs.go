package main

import (
	"fmt"
	"reflect"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Settings described and changed, in all the ways that fail. AlterConfigs and
// IncrementalAlterConfigs are asked the same, as far as both can say it.
var configCases = []testCase{
	{kmsg.DescribeConfigs, "describe-configs/resources", describeResources, nil},
	{kmsg.DescribeConfigs, "describe-configs/all-keys", describeAllKeys, atTop()},
	{kmsg.AlterConfigs, "alter-configs/topics", alterTopics, atTop()},
	{kmsg.AlterConfigs, "alter-configs/brokers", alterBrokers, atTop()},
	{kmsg.AlterConfigs, "alter-configs/others", alterOthers, atTop()},
	{kmsg.IncrementalAlterConfigs, "incremental-alter-configs/topics", alterTopics, atTop()},
	{kmsg.IncrementalAlterConfigs, "incremental-alter-configs/brokers", alterBrokers, atTop()},
	{kmsg.IncrementalAlterConfigs, "incremental-alter-configs/others", alterOthers, atTop()},
	{kmsg.IncrementalAlterConfigs, "incremental-alter-configs/ops", incrementalOps, atTop()},
	{kmsg.IncrementalAlterConfigs, "incremental-alter-configs/loggers", alterLoggers, atTop()},
	{kmsg.ListConfigResources, "list-config-resources/types", listResources, nil},
}

// Kinds of resources.
const (
	topics  = kmsg.ConfigResourceTypeTopic
	brokers = kmsg.ConfigResourceTypeBroker
	loggers = kmsg.ConfigResourceTypeBrokerLogger
	metrics = kmsg.ConfigResourceType(16)
	groups  = kmsg.ConfigResourceType(32)
)

// Kinds that no broker knows, and one that cannot be described or altered.
var unknownKinds = []kmsg.ConfigResourceType{0, 1, 3, 64, -1}

// ops are what IncrementalAlterConfigs can do.
const (
	opSet = kmsg.IncrementalAlterConfigOp(iota)
	opDelete
	opAppend
	opSubtract
)

// change is one change of one setting; AlterConfigs knows no operations.
type change struct {
	name  string
	op    kmsg.IncrementalAlterConfigOp
	value *string
}

func set(name, value string) change      { return change{name, opSet, &value} }
func setNull(name string) change         { return change{name, opSet, nil} }
func unset(name string) change           { return change{name, opDelete, nil} }
func add(name, value string) change      { return change{name, opAppend, &value} }
func subtract(name, value string) change { return change{name, opSubtract, &value} }

// resource is what has settings, with the changes to them.
type resource struct {
	kind    kmsg.ConfigResourceType
	name    string
	changes []change
}

func of(kind kmsg.ConfigResourceType, name string, changes ...change) resource {
	return resource{kind, name, changes}
}

func incrementalRequest(resources ...resource) *kmsg.IncrementalAlterConfigsRequest {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	for _, wanted := range resources {
		asked := kmsg.NewIncrementalAlterConfigsRequestResource()
		asked.ResourceType, asked.ResourceName = wanted.kind, wanted.name
		for _, c := range wanted.changes {
			config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			config.Name, config.Op, config.Value = c.name, c.op, c.value
			asked.Configs = append(asked.Configs, config)
		}
		req.Resources = append(req.Resources, asked)
	}
	return req
}

func alterRequest(resources ...resource) *kmsg.AlterConfigsRequest {
	req := kmsg.NewPtrAlterConfigsRequest()
	for _, wanted := range resources {
		asked := kmsg.NewAlterConfigsRequestResource()
		asked.ResourceType, asked.ResourceName = wanted.kind, wanted.name
		for _, c := range wanted.changes {
			config := kmsg.NewAlterConfigsRequestResourceConfig()
			config.Name, config.Value = c.name, c.value
			asked.Configs = append(asked.Configs, config)
		}
		req.Resources = append(req.Resources, asked)
	}
	return req
}

// alter changes settings by the API under test.
func (r *run) alter(label string, resources ...resource) {
	if r.api == kmsg.AlterConfigs.Int16() {
		r.ask(label, alterRequest(resources...))
		return
	}
	r.ask(label, incrementalRequest(resources...))
}

// validate only asks whether settings could be changed.
func (r *run) validate(label string, resources ...resource) {
	if r.api == kmsg.AlterConfigs.Int16() {
		req := alterRequest(resources...)
		req.ValidateOnly = true
		r.ask(label, req)
		return
	}
	req := incrementalRequest(resources...)
	req.ValidateOnly = true
	r.ask(label, req)
}

// settings keeps those of resources of a kind that are no defaults.
func (r *run) settings(kind kmsg.ConfigResourceType, names ...string) {
	described := r.use(describeRequest(kind, names...)).(*kmsg.DescribeConfigsResponse)
	onlyOwn(described)
	for _, one := range described.Resources {
		r.note("settings of "+one.ResourceName, r.seen.value("", reflect.ValueOf(one)))
	}
}

func describeResources(r *run) {
	topic := r.topic("", 1, "retention.ms", "7200000")
	describe := func(label string, kind kmsg.ConfigResourceType, name string, keys ...string) {
		req := describeRequest(kind, name)
		req.Resources[0].ConfigNames = keys
		req.IncludeSynonyms = true
		r.ask(label, req)
	}
	const key = "retention.ms"
	describe("known and unknown key", topics, topic, key, "nope")
	describe("key twice", topics, topic, key, key)
	describe("empty key", topics, topic, "")
	describe("internal key", topics, topic, "internal.segment.bytes")
	describe("key of brokers", topics, topic, "log.retention.ms")
	describe("unknown topic", topics, "no-such-topic", key)
	describe("bad topic", topics, "a/b", key)
	describe("no topic", topics, "", key)
	const threads = "num.io.threads"
	describe("broker", brokers, "0", threads, "nope", "log.retention.hours")
	describe("broker, internal key", brokers, "0", "unstable.api.versions.enable")
	describe("broker, key of topics", brokers, "0", key)
	describe("other broker", brokers, "1", threads)
	describe("broker -1", brokers, "-1", threads)
	describe("broker x", brokers, "x", threads)
	describe("broker 00", brokers, "00", threads)
	describe("all brokers, key not set", brokers, "", threads)
	describe("no logger", loggers, "")
	describe("other logger", loggers, "1")
	describe("logger x", loggers, "x")
	describe("group", groups, "no-such-group", "consumer.session.timeout.ms", "nope")
	describe("no group", groups, "")
	describe("subscription", metrics, "no-such-subscription", "interval.ms", "nope")
	describe("no subscription", metrics, "")
	for _, kind := range unknownKinds {
		describe("unknown kind", kind, topic)
	}
	r.ask("nothing", kmsg.NewPtrDescribeConfigsRequest())
	twice := describeRequest(topics, topic, topic, "no-such-topic")
	for i := range twice.Resources {
		twice.Resources[i].ConfigNames = []string{key}
	}
	r.ask("twice", twice)
	twice.Resources[1].ConfigNames = []string{"segment.ms"}
	r.ask("twice, with other keys", twice)
	documented := describeRequest(topics, topic)
	documented.Resources[0].ConfigNames = []string{"nope"}
	documented.IncludeDocumentation = true
	r.ask("documented", documented)
}

// describeAllKeys notes which settings there are, of what type, and whether they can change.
func describeAllKeys(r *run) {
	topic := r.topic("", 1)
	for _, asked := range []resource{of(topics, topic), of(groups, "g"), of(metrics, "m"), of(brokers, "0")} {
		resp := r.use(describeRequest(asked.kind, asked.name)).(*kmsg.DescribeConfigsResponse)
		for _, c := range resp.Resources[0].Configs {
			// Values of a broker are its own: addresses, folders, and what a small machine has.
			known := []any{c.ConfigType, c.ReadOnly, c.IsSensitive}
			if asked.kind != brokers {
				known = append(known, c.Value, c.Source)
			}
			r.note(fmt.Sprint(asked.kind, " ", c.Name), known)
		}
	}
}

func alterTopics(r *run) {
	topic, other := r.topic("", 1), r.topic(".other", 1, "segment.ms", "7200000")
	const key = "retention.ms"
	for n, pair := range [][2]string{
		{"nope", "5"}, {"", "5"}, {key, "x"}, {key, ""}, {key, "-2"}, {"cleanup.policy", "zz"},
		{"cleanup.policy", ""}, {"segment.bytes", "1"}, {"min.insync.replicas", "0"},
		{"log.retention.ms", "5"}, {"remote.storage.enable", "true"},
	} {
		r.alter(fmt.Sprint("bad value ", n), of(topics, topic, set(pair[0], pair[1])))
	}
	r.alter("null", of(topics, topic, setNull(key)))
	r.alter("two nulls", of(topics, topic, setNull(key), setNull("segment.ms")))
	r.alter("key twice", of(topics, topic, set(key, "1"), set(key, "2")))
	r.alter("same twice", of(topics, topic, set(key, "1"), set(key, "1")))
	r.alter("unknown topic", of(topics, "no-such-topic", set(key, "5")))
	r.alter("bad name", of(topics, "a/b", set(key, "5")))
	r.alter("no name", of(topics, "", set(key, "5")))
	r.alter("unknown topic, bad key", of(topics, "no-such-topic", set("nope", "5")))
	r.alter("nothing")
	r.alter("no changes, unknown topic", of(topics, "no-such-topic"))
	r.alter("lags", of(topics, topic, set("min.compaction.lag.ms", "9"), set("max.compaction.lag.ms", "5")))
	for _, kind := range unknownKinds {
		r.alter("unknown kind", of(kind, topic, set(key, "1")))
	}
	r.validate("validate only", of(topics, topic, set(key, "77")))
	r.validate("validate only, bad", of(topics, topic, set("nope", "1")))
	r.validate("validate only, unknown", of(topics, "no-such-topic", set(key, "1")))
	r.settle()
	r.settings(topics, topic, other)
	r.alter("three, one of them good", of(topics, topic, set(key, "88"), set("nope", "1")),
		of(topics, "no-such-topic", set(key, "1")), of(topics, other, set(key, " 060000 ")))
	r.settle()
	r.settings(topics, topic, other)
	r.alter("several", of(topics, topic, set(key, "88"), set("cleanup.policy", "compact")))
	r.alter("no changes", of(topics, other))
	r.settle()
	r.settings(topics, topic, other)
}

// alone waits until no other case changes settings of brokers, until the case ends.
func (r *run) alone() {
	r.brokers.Lock()
	r.locked = true
}

func alterBrokers(r *run) {
	r.alone()
	// Nothing that the other cases would notice: most is only validated.
	for n, c := range []resource{
		of(brokers, "0", set("nope", "5")), of(brokers, "", set("nope", "5")),
		of(brokers, "0", set("", "5")), of(brokers, "0", set("retention.ms", "5")),
		of(brokers, "0", set("log.dirs", "/x")), of(brokers, "", set("log.dirs", "/x")),
		of(brokers, "0", set("log.dirs", "/x"), set("node.id", "2")),
		of(brokers, "", set("listeners", "PLAINTEXT://:1")),
		of(brokers, "0", set("message.max.bytes", "x")), of(brokers, "", set("message.max.bytes", "-1")),
		of(brokers, "0", setNull("message.max.bytes")), of(brokers, "", set("message.max.bytes", "")),
		of(brokers, "1", set("message.max.bytes", "1000")), of(brokers, "1", set("nope", "1000")),
		of(brokers, "x", set("message.max.bytes", "1000")),
		of(brokers, "-1", set("message.max.bytes", "1000")),
		of(brokers, "", set("log.cleaner.threads", "0")), of(brokers, "", set("num.io.threads", "100000")),
		of(brokers, "", set("num.io.threads", "1")), of(brokers, "", set("num.network.threads", "50")),
		of(brokers, "", set("max.connections", "2147483647")),
		of(brokers, "0", set("max.connections.per.ip.overrides", "x")),
		of(brokers, "0", set("max.connections.per.ip.overrides", "127.0.0.9:100")),
		of(brokers, "", set("log.retention.hours", "1")), of(brokers, "0", set("log.roll.hours", "1")),
		of(brokers, "0", set("group.max.size", "10")), of(brokers, "", set("log.cleanup.policy", "x")),
		of(brokers, "", set("min.insync.replicas", "0")), of(brokers, "", set("num.partitions", "3")),
		of(brokers, "", set("auto.create.topics.enable", "false")),
		of(brokers, "", set("default.replication.factor", "3")),
		of(brokers, "", set("unclean.leader.election.enable", "true")),
		of(brokers, "", set("log.retention.ms", "0")), of(brokers, "", set("log.retention.ms", "-2")),
		of(brokers, "", set("log.segment.bytes", "100")),
		of(brokers, "0", set("listener.name.plaintext.max.connections", "5")),
		of(brokers, "", set("listener.name.plaintext.max.connections", "5")),
		of(brokers, "0", set("leader.replication.throttled.rate", "100")),
		of(brokers, "", set("leader.replication.throttled.rate", "100")),
		of(brokers, "", set("producer.id.expiration.ms", "5000")),
		of(brokers, "0", set("message.max.bytes", "1"), set("message.max.bytes", "2")),
	} {
		r.validate(fmt.Sprint("change ", n, " ", c.changes[0].name), c)
	}
	// Nobody notices these two.
	const copier, buckets = "remote.log.manager.copier.thread.pool.size", "log.cleaner.io.buffer.size"
	r.alter("read-only", of(brokers, "0", set("log.dirs", "/x")))
	r.alter("one of two", of(brokers, "0", set(buckets, "600000"), set("node.id", "2")))
	r.alter("good", of(brokers, "0", set(buckets, "600000")))
	r.alter("for all", of(brokers, "", set(buckets, " 0700000 "), set(copier, "12")))
	r.settle()
	r.settings(brokers, "0", "")
	r.alter("other one", of(brokers, "0", set("log.cleaner.backoff.ms", "14000")))
	r.alter("no changes", of(brokers, ""))
	r.settle()
	r.settings(brokers, "0", "")
	r.use(alterRequest(of(brokers, "0"), of(brokers, "")))
	r.settle()
	r.settings(brokers, "0", "")
}

func alterOthers(r *run) {
	group, subscription := r.name+".group", r.name+".subscription"
	const session, interval = "consumer.session.timeout.ms", "interval.ms"
	for n, c := range []change{
		set(session, "1"), set(session, "100000"), set(session, "x"), set("nope", "1"),
		set("retention.ms", "1"), setNull(session), set("consumer.heartbeat.interval.ms", "15001"),
		set("streams.num.standby.replicas", "3"), set("share.auto.offset.reset", "x"),
		set("share.isolation.level", "x"), set("share.record.lock.duration.ms", "1"),
		set("share.auto.offset.reset", "by_duration:-P1D"), set("share.auto.offset.reset", "by_duration:1h"),
	} {
		r.alter(fmt.Sprint("group ", n, " ", c.name), of(groups, group, c))
	}
	for n, c := range []change{
		set(interval, "1"), set(interval, "3600001"), set(interval, "x"), set("nope", "1"),
		set("match", "zz=1"), set("match", "client_id"), set("match", "client_id=["), setNull(interval),
	} {
		r.alter(fmt.Sprint("subscription ", n, " ", c.name), of(metrics, subscription, c))
	}
	r.alter("no group", of(groups, "", set(session, "50000")))
	r.alter("no subscription", of(metrics, "", set(interval, "60000")))
	r.validate("validate only", of(groups, group, set(session, "50000")))
	r.settle()
	r.settings(groups, group)
	r.settings(metrics, subscription)
	r.alter("good", of(groups, group, set(session, "50000"), set("share.auto.offset.reset", "by_duration:P1D")),
		of(metrics, subscription, set(interval, "60000"), set("metrics", "a, b"), set("match", "client_id=x")))
	r.settle()
	r.settings(groups, group)
	r.settings(metrics, subscription)
	r.alter("others", of(groups, group, set("consumer.heartbeat.interval.ms", "6000")),
		of(metrics, subscription, set("metrics", "c")))
	r.settle()
	r.settings(groups, group)
	r.settings(metrics, subscription)
	r.use(alterRequest(of(groups, group), of(metrics, subscription)))
}
