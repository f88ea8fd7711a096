"""Phases between which the broker is restarted; topics and groups go from one to the next."""

import sys
import time

from adapters.base import Record

from .tools import eventually, in_order, read_all, step

RECORDS = 1000
READY_AFTER = 300


def consume_in_group(context, start, count):
    """Reads exactly `count` records in the group; where they begin and end."""
    found = context.client.consume_exactly(context.named("group"), context.named(), start, count)
    return [len(found), found[0].offset, found[-1].offset, in_order(found)]


def resume_first(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic)
    client.produce(topic, [Record(b"value-%d" % i) for i in range(100)])
    return {"consumed": consume_in_group(context, 0, 40)}


def resume_second(context):
    committed = step(context.client.committed, context.named("group"), context.named(), 0)
    return {"committed": committed, "consumed": consume_in_group(context, 40, 30)}


def resume_third(context):
    client, topic, group = context.client, context.named(), context.named("group")
    return {
        "committed": step(client.committed, group, topic, 0),
        "consumed": consume_in_group(context, 70, 30),
        "latest": step(client.offset, topic, 0, "latest"),
        "then committed": step(client.committed, group, topic, 0),
    }


def idempotent_produce(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic)

    def paced(index):
        if index == READY_AFTER:
            print("PHASE ready", file=sys.stderr, flush=True)
        # Slowly after that: the broker must go while there is something left to send.
        time.sleep(0.001 if index < READY_AFTER else 0.02)

    values = [b"value-%d" % i for i in range(RECORDS)]
    return {"acknowledged": client.produce_idempotently(topic, values, paced)}


def idempotent_read(context):
    client, topic = context.client, context.named()
    latest = lambda: step(client.offset, topic, 0, "latest") in (RECORDS, "unsupported")
    eventually(latest, "the log's end is not where it should be")
    found = read_all(client, topic, count=RECORDS)
    values = [record.value for record in found]
    return {
        "count": len(values),
        "in order": values == [b"value-%d" % i for i in range(RECORDS)],
        "distinct": len(set(values)),
    }
