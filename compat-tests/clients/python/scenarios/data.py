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
            Record(b"value-%d-" % i + b"abc" * (i % 50), b"key-%d" % i, partition=i % 3)
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
        "records": [
            [r.offset, shown(r.key), shown(r.value), [[k, shown(v)] for k, v in r.headers]]
            for r in found
        ],
    }


def timestamps(context):
    client, topic = context.client, context.named()
    # Without a limit, or retention would take records that claim to be years old.
    client.arrange_topic(topic, 1, {"retention.ms": "-1"})
    times = [BASE_TIME + i * 1000 for i in range(10)]
    times[6] = BASE_TIME + 99_000
    for index, timestamp in enumerate(times):
        client.produce(topic, [Record(b"%d" % index, timestamp=timestamp)])
    asked = {
        "earliest": "earliest",
        "latest": "latest",
        "max": "max-timestamp",
        "before all": BASE_TIME - 1,
        "exact": BASE_TIME + 3000,
        "between": BASE_TIME + 3500,
        "only the largest": BASE_TIME + 20_000,
        "after all": BASE_TIME + 100_000,
    }
    seen = {name: step(client.offset, topic, 0, spec) for name, spec in asked.items()}
    found = read_all(client, topic, count=10)
    seen["kept"] = [record.timestamp - BASE_TIME for record in found]
    seen["create time"] = all(record.log_append_time is False for record in found)
    return seen


def auto_create(context):
    client, topic = context.client, context.named()
    offsets = client.produce(topic, [Record(b"one"), Record(b"two")])
    found = read_all(client, topic, count=2)
    return {
        "offsets": offsets,
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
        "sha256": digest(found),
        "from the middle": [len(middle), middle[0].offset, in_order(middle)],
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
        "empty": len(read_all(client, empty, extra=1.0)),
        "at the end": len(before),
        "arrives": [shown(record.value) for record in after],
    }


def compression_type(context):
    client = context.client
    seen = {}
    for kind in ("zstd", "gzip", "lz4", "snappy", "uncompressed", "producer"):
        topic = context.named(kind)
        client.arrange_topic(topic, 1, {"compression.type": kind})
        for codec_name in ("gzip", "none"):
            records = [Record(b"%d" % i * 20, b"%d" % i) for i in range(50)]
            client.produce(topic, records, codec=codec_name)
        found = read_all(client, topic, count=100)
        seen[kind] = [len(found), in_order(found), digest(found)]
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
    return {
        "count": len(found),
        "flag": all(record.log_append_time for record in found),
        "now": all(before - 1000 <= record.timestamp <= after + 1000 for record in found),
    }
