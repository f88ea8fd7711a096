"""confluent-kafka: librdkafka 2.16 through its C binding."""

import time

from confluent_kafka import (
    Consumer,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

from .base import Client, Member, Reader, Record, Refused, error_name

LIMIT = 30
SPECIAL = {"earliest": -2, "latest": -1}


def refuse(error):
    """Turns a client's error into a broker's, or raises it as it is."""
    if error.code() > 0:
        raise Refused(error_name(error.code())) from None
    raise KafkaException(error)


def wait(futures):
    """The result of the one future in a dictionary."""
    try:
        return next(iter(futures.values())).result(LIMIT)
    except KafkaException as exception:
        refuse(exception.args[0])


def to_record(message):
    kind, timestamp = message.timestamp()
    return Record(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        key=message.key(),
        value=message.value(),
        headers=message.headers() or [],
        timestamp=timestamp,
        log_append_time=kind == 2,
    )


def drain(consumer, seconds):
    records = []
    deadline = time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        for message in consumer.consume(1000, max(0, min(left, 0.1))):
            if message.error():
                refuse(message.error())
            records.append(to_record(message))
        if records or left <= 0:
            return records


class ConfluentReader(Reader):
    def __init__(self, consumer):
        self.consumer = consumer

    def poll(self, seconds):
        return drain(self.consumer, seconds)

    def close(self):
        self.consumer.close()


class ConfluentMember(ConfluentReader, Member):
    def __init__(self, consumer, topic):
        super().__init__(consumer)
        self.topic = topic
        consumer.subscribe([topic])

    def assignment(self):
        return sorted(p.partition for p in self.consumer.assignment())

    def commit(self, offsets):
        parts = [TopicPartition(self.topic, p, offset) for p, offset in offsets.items()]
        self.consumer.commit(offsets=parts, asynchronous=False)


class Confluent(Client):
    name = "confluent-kafka"

    def __init__(self, bootstrap):
        super().__init__(bootstrap)
        self.common = {"bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": 500}
        self.admin = AdminClient(self.common)
        self.producers = {}

    def create_topic(self, topic, partitions=1, config=None, replication=1):
        new = NewTopic(topic, partitions, replication, config=config or {})
        wait(self.admin.create_topics([new]))

    def create_topics(self, topics):
        for future in self.admin.create_topics([NewTopic(t, 1, 1) for t in topics]).values():
            future.result(LIMIT)

    def wait_for_leaders(self, topic, partitions):
        """Its list of offsets goes on failing for a topic that it has once seen without leaders;
        its producer waits by itself, and keeps the order with one request at a time."""

    def delete_topic(self, topic):
        wait(self.admin.delete_topics([topic]))

    def describe_topic(self, topic):
        return len(wait(self.admin.describe_topics(TopicCollection([topic]))).partitions)

    def list_topics(self):
        return list(self.admin.list_topics(timeout=LIMIT).topics)

    def create_partitions(self, topic, total):
        wait(self.admin.create_partitions([NewPartitions(topic, total)]))

    def alter_config(self, topic, key, value):
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource("topic", topic, incremental_configs=[entry])
        wait(self.admin.incremental_alter_configs([resource]))

    def describe_config(self, topic, keys):
        found = wait(self.admin.describe_configs([ConfigResource("topic", topic)]))
        return {key: [found[key].value, ConfigSource(found[key].source).name] for key in keys}

    def producer(self, **config):
        key = tuple(sorted(config.items()))
        if key not in self.producers:
            self.producers[key] = Producer({**self.common, **config})
        return self.producers[key]

    def produce(self, topic, records, codec="none"):
        # One request at a time, or one that is sent again comes after its successor.
        producer = self.producer(**{"compression.type": codec, "max.in.flight": 1})
        results = [None] * len(records)

        def keep(index):
            return lambda error, message: results.__setitem__(index, error or message.offset())

        for index, record in enumerate(records):
            options = {} if record.timestamp is None else {"timestamp": record.timestamp}
            producer.produce(
                topic,
                record.value,
                record.key,
                partition=record.partition,
                headers=record.headers,
                on_delivery=keep(index),
                **options,
            )
        if producer.flush(LIMIT):
            raise TimeoutError("not all records were acknowledged")
        for result in results:
            if not isinstance(result, int):
                refuse(result)
        return results

    def produce_idempotently(self, topic, values, paced):
        producer = self.producer(**{"enable.idempotence": True, "linger.ms": 5})
        acknowledged = []

        def done(error, message):
            if error is None:
                acknowledged.append(message.offset())

        for index, value in enumerate(values):
            paced(index)
            producer.produce(topic, value, partition=0, on_delivery=done)
            producer.poll(0)
        producer.flush(LIMIT)
        return len(acknowledged)

    def consumer(self, **config):
        base = {"group.id": "unused", "enable.auto.commit": False, "fetch.wait.max.ms": 100}
        return Consumer({**self.common, **base, "auto.offset.reset": "earliest", **config})

    def reader(self, starts, fetch_bytes=None):
        limits = {"fetch.message.max.bytes": fetch_bytes} if fetch_bytes else {}
        consumer = self.consumer(**limits)
        consumer.assign(
            [TopicPartition(t, p, SPECIAL.get(at, at)) for (t, p), at in starts.items()]
        )
        return ConfluentReader(consumer)

    def offset(self, topic, partition, spec):
        special = {
            "earliest": OffsetSpec.earliest,
            "latest": OffsetSpec.latest,
            "max-timestamp": OffsetSpec.max_timestamp,
        }
        asked = special[spec]() if spec in special else OffsetSpec.for_timestamp(spec)
        found = wait(self.admin.list_offsets({TopicPartition(topic, partition): asked}))
        return None if found.offset < 0 else found.offset

    def delete_records(self, topic, partition, before):
        place = TopicPartition(topic, partition, before)
        return wait(self.admin.delete_records([place])).low_watermark

    def member(self, group, topic, session_ms=6000, instance=None, cooperative=False):
        config = {
            "group.id": group,
            "session.timeout.ms": session_ms,
            "heartbeat.interval.ms": 500,
            "partition.assignment.strategy": "cooperative-sticky" if cooperative else "range",
        }
        if instance:
            config["group.instance.id"] = instance
        return ConfluentMember(self.consumer(**config), topic)

    def commit(self, group, topic, partition, offset, metadata):
        consumer = self.consumer(**{"group.id": group})
        try:
            place = TopicPartition(topic, partition, offset, metadata)
            consumer.commit(offsets=[place], asynchronous=False)
        except KafkaException as exception:
            refuse(exception.args[0])
        finally:
            consumer.close()

    def committed(self, group, topic, partition):
        # Not by the admin client, which crashes when the group's coordinator is still loading.
        consumer = self.consumer(**{"group.id": group})
        try:
            found = consumer.committed([TopicPartition(topic, partition)], LIMIT)[0]
        except KafkaException as exception:
            refuse(exception.args[0])
        finally:
            consumer.close()
        return None if found.offset < 0 else [found.offset, found.metadata or ""]

    def list_groups(self):
        found = self.admin.list_consumer_groups().result(LIMIT)
        return [group.group_id for group in found.valid]

    def describe_group(self, group):
        found = wait(self.admin.describe_consumer_groups([group]))
        return "".join(word.capitalize() for word in found.state.name.split("_"))

    def delete_group(self, group):
        wait(self.admin.delete_consumer_groups([group]))
