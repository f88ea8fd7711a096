"""Producing and consuming: codecs, shapes of records, timestamps, segments, empty topics."""

import time

from adapters.base import Record

from .tools import digest, eventually, in_order, outcome, read, read_all, shown, step

BASE_TIME = 1_700_000_000_000


def codec(name):
    def scenario(context):
        client, topic = context.client, context.named()
        client.arrange_topic(topic, 3)
        records = [
            Record(b"value-%d-" % i + b"x" * 100, b"key-%d" % i, partition=i % 3)
            for i in range(200)
        ]
        for start in range(0, 200, 50):
            client.produce(topic, records[start : start + 50], codec=name)
        found = read_all(client, topic, 3, 200)
        return {"count": len(found), "sha256": digest(found), "ordered": in_order(found)}

    return scenario


def record_shapes(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic)
    large = bytes(i * 7 % 251 for i in range(900_000))
    records = [
        Record(b"plain", b"key"),
        Record(None, b"tombstone"),
        Record(b"no key", None),
        Record(b"", b"empty value"),
        Record(b"empty key", b""),
        Record(b"1", b"2"),
        Record(b"duplicates", b"h", headers=[("a", b"1"), ("a", b"2"), ("b", b"3")]),
        Record(b"odd values", b"h", headers=[("empty", b""), ("raw", b"\xff\xfe\x00")]),
        Record(b"odd keys", b"h", headers=[("", b"empty"), ("clé", b"utf-8")]),
        Record(b"null header", b"h", headers=[("null", None)]),
        Record(b"\xff\x00\xfe", b"\x80\x81"),
        Record(large, b"large"),
    ]
    sent = []
    for record in records:
        try:
            client.produce(topic, [record])
            sent.append(record)
        except (TypeError, ValueError, AssertionError):
            # The client itself has no such record.
            pass
    found = read_all(client, topic, count=len(sent))
    return {
        "sent": len(sent),
        "same": [[r.key, r.value, list(map(tuple, r.headers))] for r in found]
        == [[r.key, r.value, list(map(tuple, r.headers))] for r in sent],
        "shapes": [
            [r.offset, shown(r.key), shown(r.value), [[k, shown(v)] for k, v in r.headers]]
            for r in found
        ],
    }


def timestamps(context):
    client, topic, skewed = context.client, context.named(), context.named("skewed")
    # Without a limit, or retention would take records that claim to be years old.
    keep = {"retention.ms": "-1"}
    client.arrange_topic(topic, 1, keep)
    client.arrange_topic(skewed, 1, keep)
    for index in range(5):
        client.produce(topic, [Record(b"%d" % index, timestamp=BASE_TIME + index * 1000)])
    # The largest timestamp lies in the middle.
    for index, seconds in enumerate([0, 1, 2, 99, 4, 5]):
        client.produce(skewed, [Record(b"%d" % index, timestamp=BASE_TIME + seconds * 1000)])
    asked = {
        "earliest": "earliest",
        "latest": "latest",
        "max_timestamp": "max-timestamp",
        "before_all": BASE_TIME - 1,
        "at_exact": BASE_TIME + 2000,
        "between": BASE_TIME + 2500,
        "after_all": BASE_TIME + 100_000,
    }
    at = lambda place, spec: -1 if (found := step(client.offset, place, 0, spec)) is None else found
    seen = {name: at(topic, spec) for name, spec in asked.items()}
    seen["skewed_max"] = at(skewed, "max-timestamp")
    seen["skewed_between"] = at(skewed, BASE_TIME + 20_000)
    seen["skewed_after_all"] = at(skewed, BASE_TIME + 100_000)
    found = read_all(client, topic, count=5)
    seen["timestamps"] = [record.timestamp - BASE_TIME for record in found]
    seen["create_time"] = all(record.log_append_time is False for record in found)
    return seen


def auto_create(context):
    client, topic = context.client, context.named()
    offsets = client.produce(topic, [Record(b"%d" % i) for i in range(10)])
    found = read_all(client, topic, count=10)
    return {
        "offsets": offsets,
        "count": len(found),
        "values": [shown(record.value) for record in found],
        "partitions": step(client.describe_topic, topic),
    }


def segments(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic, 1, {"segment.bytes": "1048576"})
    records = [Record((b"%05d-" % i) * 170, b"%d" % i) for i in range(5000)]
    for start in range(0, 5000, 500):
        client.produce(topic, records[start : start + 500])
    found = read_all(client, topic, count=5000, fetch_bytes=65536)
    middle = read(client, {(topic, 0): 3333}, 1667, fetch_bytes=65536, extra=0)
    return {
        "count": len(found),
        "ordered": in_order(found),
        "digest": digest(found),
        "from_the_middle": [len(middle), middle[0].offset, in_order(middle)],
    }


def empty_poll(context):
    client, empty, full = context.client, context.named("empty"), context.named("full")
    client.arrange_topic(empty)
    client.arrange_topic(full)
    client.produce(full, [Record(b"x")] * 10)
    at_end = client.reader({(full, 0): "latest"})
    before = at_end.poll(1.0)
    client.produce(full, [Record(b"later")])
    after = []
    deadline = time.monotonic() + 20
    while not after and time.monotonic() < deadline:
        after = at_end.poll(1.0)
    at_end.close()
    return {
        "empty_records": len(read_all(client, empty, extra=1.0)),
        "end_records": len(before),
        "arrives": [shown(record.value) for record in after],
    }


def compression_type(context):
    client = context.client
    seen = {}
    for kind in ("zstd", "gzip", "lz4", "snappy", "uncompressed", "producer"):
        topic = context.named(kind)
        client.arrange_topic(topic, 1, {"compression.type": kind})
        for codec_name in ("gzip", "none"):
            records = [Record(b"%d" % i * 20, b"%d" % i) for i in range(25)]
            client.produce(topic, records, codec=codec_name)
        found = read_all(client, topic, count=50)
        seen[kind] = len(found)
        seen[f"{kind}_read"] = [in_order(found), digest(found)]
    return seen


def log_append_time(context):
    client, topic = context.client, context.named()
    client.arrange_topic(topic, 1, {"message.timestamp.type": "LogAppendTime"})
    before = time.time() * 1000
    produce = lambda codec: client.produce(
        topic, [Record(b"%d" % i, timestamp=BASE_TIME) for i in range(10)], codec=codec
    )
    produce("none")
    produce("gzip")
    after = time.time() * 1000
    found = read_all(client, topic, count=20)
    flagged = all(record.log_append_time for record in found)
    return {
        "count": len(found),
        "type": "LogAppendTime" if flagged else "CreateTime",
        "within": all(before - 1000 <= record.timestamp <= after + 1000 for record in found),
    }
