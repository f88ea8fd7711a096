package main

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// incrementalOps are operations that AlterConfigs does not have.
func incrementalOps(r *run) {
	topic := r.topic("", 1, "segment.ms", "7200000")
	const key, policy = "retention.ms", "cleanup.policy"
	for n, op := range []kmsg.IncrementalAlterConfigOp{9, -1} {
		value := "5"
		r.ask("unknown op", incrementalRequest(of(topics, topic, change{key, op, &value})))
		r.ask("unknown op, broker", incrementalRequest(of(brokers, "0", change{"message.max.bytes", op, &value})))
		_ = n
	}
	ask := func(label string, changes ...change) {
		r.ask(label, incrementalRequest(of(topics, topic, changes...)))
	}
	then := func(label string, changes ...change) {
		ask(label, changes...)
		r.settle()
		r.settings(topics, topic)
	}
	then("append", add(policy, "compact"))
	then("append what is there", add(policy, "compact"))
	then("append two", add(policy, "delete,compact"))
	then("subtract", subtract(policy, "compact"))
	then("subtract what is not there", subtract(policy, "compact"))
	then("subtract the last", subtract(policy, "delete"))
	for _, op := range []kmsg.IncrementalAlterConfigOp{opAppend, opSubtract} {
		text := func(name, value string) change { return change{name, op, &value} }
		ask(op.String()+" no list", text(key, "1"))
		ask(op.String()+" null", change{policy, op, nil})
		ask(op.String()+" bad", text(policy, "zz"))
		ask(op.String()+" unknown", text("nope", "zz"))
		ask(op.String()+" empty", text(policy, ""))
		group := of(groups, r.name, text("consumer.session.timeout.ms", "5"))
		r.ask(op.String()+" group", incrementalRequest(group))
		broker := of(brokers, "", text("message.max.bytes", "1"))
		r.ask(op.String()+" broker, no list", incrementalRequest(broker))
		unknown := of(brokers, "", text("nope", "1"))
		r.ask(op.String()+" broker, unknown", incrementalRequest(unknown))
	}
	ask("delete what is not set", unset("flush.messages"))
	ask("delete unknown", unset("nope"))
	ask("set and delete", set(key, "5"), unset(key))
	value := "5"
	then("delete with a value", change{"segment.ms", opDelete, &value})
	r.ask("delete read-only", incrementalRequest(of(brokers, "0", unset("log.dirs"))))
	r.ask("delete unknown of a broker", incrementalRequest(of(brokers, "0", unset("nope"))))
	r.ask("delete unset of a broker", incrementalRequest(of(brokers, "0", unset("log.cleaner.threads"))))
	other := r.topic(".other", 1)
	r.ask("resource twice", incrementalRequest(of(topics, topic, set(key, "1")),
		of(topics, topic, set("segment.ms", "2"))))
	r.ask("resource twice, and another", incrementalRequest(of(topics, topic, set(key, "1")),
		of(topics, other, set(key, "60000")), of(topics, topic, set("segment.ms", "2"))))
	r.ask("key twice, and another", incrementalRequest(of(topics, topic, set(key, "1"), set(key, "1")),
		of(topics, other, set(key, "70000"))))
	r.settle()
	r.settings(topics, topic, other)
}

func alterLoggers(r *run) {
	r.alone()
	for _, c := range []resource{
		of(loggers, "0", set("root", "LOUD")), of(loggers, "0", set("root", "debug")),
		of(loggers, "0", set("root", "OFF")), of(loggers, "0", add("root", "INFO")),
		of(loggers, "0", unset("root")), of(loggers, "0", setNull("root")),
		of(loggers, "0", set("no-such-logger", "INFO")), of(loggers, "0", unset("no-such-logger")),
		of(loggers, "0", set("root", "INFO"), set("root", "WARN")), of(loggers, "", set("root", "INFO")),
		of(loggers, "1", set("root", "INFO")), of(loggers, "x", set("root", "INFO")),
		of(loggers, "0", set("root", "INFO")), of(loggers, "0"),
	} {
		label := "logger " + c.name
		for _, one := range c.changes {
			label += " " + one.op.String() + " " + one.name
			if one.value != nil {
				label += " " + *one.value
			}
		}
		r.validate(label, c)
	}
	r.use(incrementalRequest(of(loggers, "0", set("root", "INFO"))))
}

func listResources(r *run) {
	name := r.name
	r.use(incrementalRequest(of(groups, name, set("consumer.session.timeout.ms", "50000")),
		of(metrics, name, set("interval.ms", "50000"))))
	r.topic("", 1)
	r.settle()
	r.trim = func(resp kmsg.Response) {
		answer := resp.(*kmsg.ListConfigResourcesResponse)
		// Other cases come and go; brokers stay.
		answer.ConfigResources = kept(answer.ConfigResources, func(one kmsg.ListConfigResourcesResponseConfigResource) bool {
			return one.Name == "0" || strings.HasPrefix(one.Name, name) && !strings.Contains(one.Name, "fence")
		})
	}
	if r.version == 0 {
		r.ask("subscriptions", kmsg.NewPtrListConfigResourcesRequest())
		return
	}
	for _, kinds := range [][]int8{
		{}, {2}, {4}, {8}, {16}, {32}, {0}, {1}, {99}, {-1}, {2, 4}, {2, 2}, {2, 99}, {16, 32},
	} {
		req := kmsg.NewPtrListConfigResourcesRequest()
		req.ResourceTypes = kinds
		r.ask("kinds", req)
	}
}
