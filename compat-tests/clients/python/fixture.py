"""Fills a broker with what a data directory can hold, or reads all of it back.

`fixture.py fill HOST:PORT` once, to make a fixture; `fixture.py read HOST:PORT` prints one JSON
object with what is there, as confluent-kafka sees it, which must never change.
"""

import hashlib
import json
import sys
import time

from confluent_kafka import (Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition,
                             OFFSET_BEGINNING)
from confluent_kafka.admin import AdminClient, NewTopic

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
COMPACTED, TRUNCATED, GROUP = "compacted", "truncated", "readers"
TOPICS = [*CODECS, COMPACTED, TRUNCATED]
TIMESTAMP = 1_700_000_000_000
LIMIT = 60


def wait_until(what, ready):
    deadline = time.monotonic() + LIMIT
    while not ready():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} took too long")
        time.sleep(0.05)


def produce(bootstrap, topic, records, codec="none", start=TIMESTAMP):
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True,
                         "compression.type": codec, "batch.num.messages": 20, "linger.ms": 5})
    for number, (key, value) in enumerate(records):
        producer.produce(topic, key=key, value=value, partition=0, timestamp=start + number,
                         headers=[("number", str(number))])
    if producer.flush(LIMIT):
        raise SystemExit(f"{topic}: not everything was acknowledged")


def records_of(bootstrap, topics):
    """The records of each topic's one partition, all topics by one consumer."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "none",
                         "enable.auto.commit": False, "enable.partition.eof": True,
                         "auto.offset.reset": "earliest", "check.crcs": True})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in topics])
    found, ended = {topic: [] for topic in topics}, set()
    deadline = time.monotonic() + LIMIT
    while len(ended) < len(topics):
        if time.monotonic() > deadline:
            raise SystemExit(f"no end of {set(topics) - ended}")
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error():
            if message.error().name() != "_PARTITION_EOF":
                raise SystemExit(f"{message.topic()}: {message.error()}")
            ended.add(message.topic())
            continue
        found[message.topic()].append(
            [message.offset(), message.timestamp()[1], (message.key() or b"").decode(),
             (message.value() or b"").decode(), str(message.headers())])
    consumer.close()
    return found


def fill(bootstrap):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    kept = {"retention.ms": "-1"}
    topics = [NewTopic(topic, 1, 1, config=kept) for topic in TOPICS if topic != COMPACTED]
    topics.append(NewTopic(COMPACTED, 1, 1, config={
        "cleanup.policy": "compact", "segment.ms": "500", "min.cleanable.dirty.ratio": "0"}))
    for created in admin.create_topics(topics).values():
        created.result(LIMIT)
    for codec in [*CODECS]:
        produce(bootstrap, codec, [(f"key-{n % 7}", f"{codec} {n} " + "abc" * (n % 9))
                                   for n in range(200)], codec)
    produce(bootstrap, TRUNCATED, [(f"{n}", f"value {n}") for n in range(100)])
    deleted = admin.delete_records([TopicPartition(TRUNCATED, 0, 41)])
    for low in deleted.values():
        assert low.result(LIMIT).low_watermark == 41
    for turn in range(4):
        produce(bootstrap, COMPACTED, [(f"key-{n % 10}", None if n % 10 == 3 else f"{turn} {n}")
                                       for n in range(100)], start=TIMESTAMP + 1000 * turn)
    wait_until("compaction", lambda: len(records_of(bootstrap, [COMPACTED])[COMPACTED]) < 130)
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": GROUP})
    consumer.commit(offsets=[TopicPartition("none", 0, 37), TopicPartition("zstd", 0, 200)],
                    asynchronous=False)
    consumer.close()


def read(bootstrap):
    seen = {}
    for topic, records in records_of(bootstrap, TOPICS).items():
        digest = hashlib.sha256(json.dumps(records).encode()).hexdigest()
        seen[topic] = {"records": len(records), "first": records[0][0], "last": records[-1][0],
                       "sha256": digest}
    admin = AdminClient({"bootstrap.servers": bootstrap})
    asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(GROUP)])
    offsets = asked[GROUP].result(LIMIT).topic_partitions
    seen["committed"] = {p.topic: p.offset for p in sorted(offsets, key=lambda p: p.topic)}
    print(json.dumps(seen, indent=1, sort_keys=True))


if __name__ == "__main__":
    {"fill": fill, "read": read}[sys.argv[1]](sys.argv[2])
