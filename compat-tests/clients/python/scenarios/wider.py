"""What a user meets later: many partitions, lost offsets, patterns, pauses, topics made anew."""

import re

from adapters.base import Record, Unsupported

from .tools import digest, eventually, outcome, read, read_all, read_on, step


def records(count, partitions=1):
    """The data that is not looked at: record i in partition i mod `partitions`."""
    return [
        Record(b"value-%d" % i, b"key-%d" % i, partition=i % partitions) for i in range(count)
    ]


def thousand_partitions(context):
    client, own = context.client, context.named().encode()
    # Kafka takes seconds to make as many, so that all clients share them.
    topic = "thousand-partitions"
    made = outcome(client.arrange_topic, topic, 1000)
    if made not in ("NONE", "TOPIC_ALREADY_EXISTS"):
        raise RuntimeError(made)
    client.wait_for_leaders(topic, 1000)
    client.produce(topic, [Record(b"%d" % i, own, partition=i) for i in range(1000)])
    reader = client.reader({(topic, p): "earliest" for p in range(1000)})
    found = []

    def own_came():
        found.extend(record for record in reader.poll(0.2) if record.key == own)
        return len(found) >= 1000

    eventually(own_came, "the records do not come")
    reader.close()
    return {"read": len(found), "partitions": len({r.partition for r in found})}


def read_committed(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic)
    client.produce(topic, records(50))
    reader = client.reader({(topic, 0): "earliest"}, isolation="read_committed")
    try:
        return {"read": len(read_on(reader, 50)), "end": step(reader.end, topic, 0)}
    finally:
        reader.close()


def out_of_range(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic)
    client.produce(topic, records(50))
    client.arrange_no_records(topic, 20)
    first = lambda at: read(client, {(topic, 0): at}, 30, reset="earliest")[0].offset
    seen = {"below": first(5), "beyond": first(1000)}
    reader = client.reader({(topic, 0): 5}, reset="latest")

    def position():
        reader.poll(0.1)
        return step(reader.position, topic, 0)

    eventually(lambda: position() in (50, "unsupported"), "the position is not at the end")
    seen["latest"] = position()
    reader.close()
    reader = client.reader({(topic, 0): 5}, reset="none")
    seen["none"] = outcome(read_on, reader, 30)
    reader.close()
    return seen


def acks(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic, 2)
    ends = []
    for partition, required in enumerate((0, 1)):
        sent = [Record(b"%d" % i, partition=partition) for i in range(100)]
        client.produce(topic, sent, acks=required)
        end = lambda: step(client.offset, topic, partition, "latest")
        eventually(lambda: end() == 100, f"acks={required}: the end is {end()}")
        ends.append(end())
    return {"ends": ends, "read": len(read_all(client, topic, 2, 200))}


def recreate(context):
    if context.client.consumer_makes_topics:
        raise Unsupported("its consumer itself makes a topic that is gone")
    client, topic = context.client, context.named()
    client.arrange_topic(topic)
    client.produce(topic, records(10))
    reader = client.reader({(topic, 0): "earliest"}, refresh_ms=500, reset="earliest")
    before = len(read_on(reader, 10))
    first_id = step(client.topic_id, topic)

    def offsets():
        """What the next poll brings; that the topic is unknown is no surprise."""
        found = step(reader.poll, 0.2)
        return [] if isinstance(found, str) else [record.offset for record in found]

    client.arrange_no_topic(topic)
    gone = lambda: not offsets() and not isinstance(step(client.describe_topic, topic), int)
    eventually(gone, "the topic is still seen")
    client.arrange_topic(topic)
    client.produce(topic, records(3))
    after = []

    def all_came():
        after.extend(offsets())
        return len(after) >= 3

    eventually(all_came, f"of the new records came {after}")
    reader.close()
    same = "unsupported" if first_id == "unsupported" else client.topic_id(topic) == first_id
    return {"before": before, "after": after, "same_id": same}


def large_records(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic)
    large = bytes(i * 7 % 251 for i in range(900_000))
    client.produce(topic, [Record(large, b"key-%d" % i) for i in range(40)])
    found = read_all(client, topic, count=40)
    return {"read": len(found), "sha256": digest(found)}


def pattern(context):
    client, topic = context.client, context.named()
    for name, partitions in ((".a", 1), (".b", 2), ("-other", 1)):
        client.arrange_topic(topic + name, partitions)
    member = client.pattern_member(context.named("group"), re.escape(topic) + r"\.[ab-d]")

    def owned(count):
        member.poll(0.1)
        return len(member.places()) == count

    eventually(lambda: owned(3), "three partitions are not owned")
    seen = {"before": len(member.places())}
    if client.takes_up_new_topics:
        client.arrange_topic(topic + ".d")
        eventually(lambda: owned(4), "the new topic is not owned")
        seen["after"] = len(member.places())
    seen["places"] = [[name.removeprefix(topic), p] for name, p in member.places()]
    member.close()
    return seen


def pause(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic, 2)
    client.produce(topic, records(100, 2))
    reader = client.reader({(topic, 0): "earliest", (topic, 1): "earliest"})

    def counts():
        found = read_on(reader, 50)
        first = sum(record.partition == 0 for record in found)
        return [first, len(found) - first]

    try:
        reader.pause(topic, 0)
        seen = {"paused": counts()}
        reader.resume(topic, 0)
        return {**seen, "resumed": counts()}
    finally:
        reader.close()


def cluster(context):
    client, topic, group = context.client, context.named(), context.named("group")
    client.arrange_topic(topic)
    name, controller, nodes = client.describe_cluster()
    seen = {
        "nodes": len(nodes),
        "controller": controller in nodes,
        "address": nodes == [client.bootstrap],
        "cluster_id": "unsupported" if name is None else bool(name),
    }
    member = client.member(group=group, topic=topic)

    def owned():
        member.poll(0.1)
        return member.assignment() == [0]

    eventually(owned, "the member owns nothing")
    member.commit({0: 0}, "note")
    found = step(client.describe_members, group)
    if found != "unsupported":
        state, assignor, members = found
        own = [[host, places == [[topic, 0]]] for host, places in members]
        seen["group"] = [state, assignor, own]
    committed = step(client.committed, group, topic, 0)
    seen["metadata"] = committed if committed == "unsupported" else committed[1]
    states = step(client.list_group_states)
    seen["listed"] = states if states == "unsupported" else states.get(group)
    member.close()
    return seen
