"""Topics, configurations, deleted records, and what the broker refuses."""

from adapters.base import Record

from .tools import eventually, outcome, read, read_all, step


def topic_admin(context):
    client, topic = context.client, context.named()
    seen = {"create": outcome(client.create_topic, topic, 3, {"retention.ms": "7200000"})}
    if seen["create"] == "unsupported":
        client.create_topic(topic)
    eventually(lambda: step(client.describe_topic, topic) == 3, "the topic is not seen")
    seen["again"] = outcome(client.create_topic, topic, 3)
    seen["partitions"] = step(client.describe_topic, topic)
    seen["listed"] = topic in client.list_topics()
    seen["grow"] = outcome(client.create_partitions, topic, 5)
    eventually(lambda: step(client.describe_topic, topic) == 5, "the partitions are not seen")
    seen["grown"] = step(client.describe_topic, topic)
    seen["shrink"] = outcome(client.create_partitions, topic, 2)
    seen["alter"] = outcome(client.alter_config, topic, "max.message.bytes", "54321")
    keys = ["max.message.bytes", "retention.ms", "cleanup.policy"]
    wanted = ["54321", "DYNAMIC_TOPIC_CONFIG"]
    altered = lambda: (found := step(client.describe_config, topic, keys)) and (
        found == "unsupported" or found["max.message.bytes"] == wanted
    )
    eventually(altered, "the altered value is not seen")
    seen["config"] = step(client.describe_config, topic, keys)
    seen["delete"] = outcome(client.delete_topic, topic)
    gone = lambda: not isinstance(step(client.describe_topic, topic), int)
    eventually(gone, "the topic is still seen")
    seen["describe deleted"] = step(client.describe_topic, topic)
    seen["delete deleted"] = outcome(client.delete_topic, topic)
    return seen


def errors(context):
    client, topic = context.client, context.named("small")
    create = client.create_topic
    named = context.named
    client.arrange_topic(topic, 1, {"max.message.bytes": "1000"})
    large = Record(bytes(range(256)) * 20)
    return {
        "too large": outcome(client.produce, topic, [large]),
        "fits": outcome(client.produce, topic, [Record(b"x" * 500)]),
        "unknown topic": step(client.describe_topic, named("missing")),
        "slash in name": outcome(create, named("a/b")),
        "dot": outcome(create, ".."),
        "long name": outcome(create, "n" * 250),
        "longest name": outcome(create, named().ljust(249, "n")),
        "unknown config": outcome(create, named("c1"), 1, {"no.such.config": "1"}),
        "bad value": outcome(create, named("c2"), 1, {"retention.ms": "soon"}),
        "bad choice": outcome(create, named("c3"), 1, {"cleanup.policy": "shred"}),
        "out of range": outcome(create, named("c4"), 1, {"segment.bytes": "1"}),
        "replication": outcome(create, named("c5"), 1, None, 3),
        "no partitions": outcome(create, named("c6"), 0),
        "alter bad value": outcome(client.alter_config, topic, "retention.ms", "soon"),
        "alter unknown key": outcome(client.alter_config, topic, "no.such.config", "1"),
        "alter unknown topic": outcome(client.alter_config, named("gone"), "retention.ms", "1"),
        "grow unknown topic": outcome(client.create_partitions, named("gone"), 5),
        "delete unknown topic": outcome(client.delete_topic, named("gone")),
        "delete unknown group": outcome(client.delete_group, named("gone")),
        "describe unknown group": step(client.describe_group, named("gone")),
        "offsets of unknown group": step(client.committed, named("gone"), topic, 0),
    }


def delete_records(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic)
    client.produce(topic, [Record(b"value-%d" % i) for i in range(50)])
    seen = {"delete": step(client.delete_records, topic, 0, 20)}
    if seen["delete"] == "unsupported":
        client.delete_records(topic, 0, 20)
    seen["earliest"] = step(client.offset, topic, 0, "earliest")
    seen["latest"] = step(client.offset, topic, 0, "latest")
    records = read(client, {(topic, 0): 0}, 30)
    seen["read"] = [len(records), records[0].offset, records[-1].offset]
    seen["beyond the end"] = step(client.delete_records, topic, 0, 51)
    seen["backwards"] = step(client.delete_records, topic, 0, 10)
    seen["everything"] = step(client.delete_records, topic, 0, -1)
    seen["then earliest"] = step(client.offset, topic, 0, "earliest")
    return seen


def list_many(context):
    client = context.client
    topics = [context.named(str(i)) for i in range(100)]
    client.create_topics(topics)
    listed = lambda: set(topics) <= set(client.list_topics())
    eventually(listed, "not all topics are listed")
    for index, topic in enumerate(topics):
        client.produce(topic, [Record(b"%d" % index)])
    records = read(client, {(topic, 0): "earliest" for topic in topics}, 100)
    return {
        "read": len(records),
        "topics": len({r.topic for r in records}),
        "right": all(r.topic == topics[int(r.value)] for r in records),
        "listed": sum(topic.startswith(context.named()) for topic in client.list_topics()),
        "empty": len(read_all(client, topics[0], count=1)),
    }
