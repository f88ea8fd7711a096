"""Topics, configurations, deleted records, and what the broker refuses."""

from adapters.base import Record

from .tools import committed_offset, eventually, outcome, read, read_all, step


def topic_admin(context):
    client, topic = context.client, context.named()
    seen = {"create": outcome(client.create_topic, topic, 3, {"retention.ms": "7200000"})}
    if seen["create"] == "unsupported":
        client.create_topic(topic)
    eventually(lambda: step(client.describe_topic, topic) == 3, "the topic is not seen")
    seen["create_again"] = outcome(client.create_topic, topic, 3)
    seen["partitions"] = step(client.describe_topic, topic)
    seen["listed"] = topic in client.list_topics()
    seen["create_partitions"] = outcome(client.create_partitions, topic, 5)
    eventually(lambda: step(client.describe_topic, topic) == 5, "the partitions are not seen")
    seen["partitions_after"] = step(client.describe_topic, topic)
    seen["shrink"] = outcome(client.create_partitions, topic, 2)
    seen["alter"] = outcome(client.alter_config, topic, "max.message.bytes", "123456")
    keys = ["max.message.bytes", "retention.ms"]
    wanted = ["123456", "DYNAMIC_TOPIC_CONFIG"]
    configs = lambda: step(client.describe_config, topic, keys)
    eventually(lambda: configs()["max.message.bytes"] == wanted, "the new value is not seen")
    seen["configs" if client.alters_incrementally else "configs_replaced"] = configs()
    seen["default"] = client.describe_config(topic, ["cleanup.policy"])
    seen["delete"] = outcome(client.delete_topic, topic)
    gone = lambda: not isinstance(step(client.describe_topic, topic), int)
    eventually(gone, "the topic is still seen")
    seen["describe_deleted"] = step(client.describe_topic, topic)
    seen["delete_deleted"] = outcome(client.delete_topic, topic)
    return seen


def errors(context):
    client, topic = context.client, context.named("small")
    create = client.create_topic
    named = context.named
    client.arrange_topic(topic, 1, {"max.message.bytes": "10000"})
    large = Record(bytes(range(256)) * 200)
    return {
        "too_large": outcome(client.produce, topic, [large]),
        "fits": outcome(client.produce, topic, [Record(b"x" * 5000)]),
        "unknown_topic_metadata": step(client.describe_topic, named("missing")),
        "bad_name": outcome(create, named("a/b")),
        "dots": outcome(create, ".."),
        "long_name": outcome(create, "n" * 250),
        "longest_name": outcome(create, named().ljust(249, "n")),
        "bad_config_name": outcome(create, named("c1"), 1, {"no.such.config": "1"}),
        "bad_config_value": outcome(create, named("c2"), 1, {"retention.ms": "soon"}),
        "bad_choice": outcome(create, named("c3"), 1, {"cleanup.policy": "shred"}),
        "out_of_range": outcome(create, named("c4"), 1, {"segment.bytes": "1"}),
        "replication": outcome(create, named("c5"), 1, None, 3),
        "partitions_zero": outcome(create, named("c6"), 0),
        "alter_bad_value": outcome(client.alter_config, topic, "retention.ms", "soon"),
        "alter_unknown_key": outcome(client.alter_config, topic, "no.such.config", "1"),
        "alter_unknown_topic": outcome(client.alter_config, named("gone"), "retention.ms", "1"),
        "grow_unknown_topic": outcome(client.create_partitions, named("gone"), 5),
        "delete_unknown_topic": outcome(client.delete_topic, named("gone")),
        "delete_unknown_group": outcome(client.delete_group, named("gone")),
        "describe_unknown_group": step(client.describe_group, named("gone")),
        "unknown_group": committed_offset(client, named("gone"), topic, 0),
    }


def delete_records(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic)
    client.produce(topic, [Record(b"value-%d" % i) for i in range(50)])
    seen = {"low_watermark": step(client.delete_records, topic, 0, 20)}
    if seen["low_watermark"] == "unsupported":
        client.delete_records(topic, 0, 20)
    seen["earliest"] = step(client.offset, topic, 0, "earliest")
    seen["latest"] = step(client.offset, topic, 0, "latest")
    records = read(client, {(topic, 0): 0}, 30)
    seen["read"] = len(records)
    seen["first"] = records[0].offset
    seen["beyond"] = step(client.delete_records, topic, 0, 51)
    seen["backwards"] = step(client.delete_records, topic, 0, 10)
    seen["everything"] = step(client.delete_records, topic, 0, -1)
    seen["then_earliest"] = step(client.offset, topic, 0, "earliest")
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
        "created": len(topics),
        "read": len(records),
        "topics": len({r.topic for r in records}),
        "right": all(r.topic == topics[int(r.value)] for r in records),
        "listed": sum(topic.startswith(context.named()) for topic in client.list_topics()),
        "empty": len(read_all(client, topics[0], count=1)),
    }
