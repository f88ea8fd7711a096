"""Phases between which the broker is restarted; topics and groups go from one to the next."""

import sys
import time

from adapters.base import Record

from .tools import committed_offset, eventually, in_order, read_all, step

RECORDS = 1000
READY_AFTER = 300


def consume_in_group(context, start, count):
    """Reads exactly `count` records in the group, from where it was; commits behind them."""
    client, topic, group = context.client, context.named(), context.named("group")
    found = client.consume_exactly(group, topic, start, count)
    return {
        "first_offset": found[0].offset,
        "consumed": len(found),
        "ordered": in_order(found),
        "committed": committed_offset(client, group, topic, 0),
    }


def committed_before(context):
    """What is committed, once the coordinator has the group again after a restart."""
    client, topic, group = context.client, context.named(), context.named("group")
    found = []

    def loaded():
        found.append(committed_offset(client, group, topic, 0))
        return found[-1] == "unsupported" or isinstance(found[-1], int) and found[-1] >= 0

    eventually(loaded, "no committed offset after the restart")
    return found[-1]


def resume_first(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic)
    client.produce(topic, [Record(b"value-%d" % i) for i in range(100)])
    return consume_in_group(context, 0, 40)


def resume_second(context):
    return {"committed_before": committed_before(context), **consume_in_group(context, 40, 30)}


def resume_third(context):
    return {
        "committed_before": committed_before(context),
        **consume_in_group(context, 70, 30),
        "log_end": step(context.client.offset, context.named(), 0, "latest"),
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
    return {"acked": client.produce_idempotently(topic, values, paced)}


def idempotent_read(context):
    client, topic = context.client, context.named()
    latest = lambda: step(client.offset, topic, 0, "latest") in (RECORDS, "unsupported")
    eventually(latest, "the log's end is not where it should be")
    found = read_all(client, topic, count=RECORDS)
    values = [record.value for record in found]
    return {
        "count": len(values),
        "in_order": values == [b"value-%d" % i for i in range(RECORDS)],
        "distinct": len(set(values)),
    }
