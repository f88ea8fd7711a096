"""confluent-kafka: librdkafka 2.16 through its C binding."""

import time

from confluent_kafka import (
    Consumer,
    KafkaError,
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
# What a reader may be asked for, by librdkafka's names.
OPTIONS = {
    "fetch_bytes": "fetch.message.max.bytes",
    "reset": "auto.offset.reset",
    "isolation": "isolation.level",
    "refresh_ms": "topic.metadata.refresh.interval.ms",
}


def refuse(error):
    """Turns a client's error into a broker's, or raises it as it is."""
    if error.code() == KafkaError._AUTO_OFFSET_RESET:
        raise Refused("OFFSET_OUT_OF_RANGE") from None
    if error.code() > 0:
        raise Refused(error_name(error.code())) from None
    raise KafkaException(error)


def state_name(state):
    """Kafka's spelling of a group's state."""
    return "".join(word.capitalize() for word in state.name.split("_"))


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


class ConfluentReader(Reader):
    def __init__(self, consumer):
        self.consumer = consumer
        # Where it has met the end of a partition.
        self.ends = {}

    def poll(self, seconds):
        records = []
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            for message in self.consumer.consume(1000, max(0, min(left, 0.1))):
                if message.error() is None:
                    records.append(to_record(message))
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    self.ends[message.topic(), message.partition()] = message.offset()
                else:
                    refuse(message.error())
            if records or left <= 0:
                return records

    def position(self, topic, partition):
        # Its own position is known only after a record; the end that it has met is one too.
        return self.ends.get((topic, partition))

    def end(self, topic, partition):
        return self.consumer.get_watermark_offsets(TopicPartition(topic, partition), LIMIT)[1]

    def pause(self, topic, partition):
        self.consumer.pause([TopicPartition(topic, partition)])

    def resume(self, topic, partition):
        self.consumer.resume([TopicPartition(topic, partition)])

    def close(self):
        self.consumer.close()


class ConfluentMember(ConfluentReader, Member):
    def __init__(self, consumer, topic):
        super().__init__(consumer)
        self.topic = topic
        consumer.subscribe([topic])

    def assignment(self):
        return sorted(p.partition for p in self.consumer.assignment())

    def places(self):
        return sorted((p.topic, p.partition) for p in self.consumer.assignment())

    def commit(self, offsets, metadata=""):
        parts = [TopicPartition(self.topic, p, o, metadata) for p, o in offsets.items()]
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

    def topic_id(self, topic):
        return str(wait(self.admin.describe_topics(TopicCollection([topic]))).topic_id)

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

    def produce(self, topic, records, codec="none", acks="all"):
        # One request at a time, or one that is sent again comes after its successor.
        config = {"compression.type": codec, "max.in.flight": 1, "acks": acks}
        producer = self.producer(**config)
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
            # With acks=0 there are no offsets.
            if isinstance(result, KafkaError):
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

    def reader(self, starts, **options):
        config = {OPTIONS[name]: value for name, value in options.items()}
        if options.get("reset") == "none":
            config["auto.offset.reset"] = "error"
        consumer = self.consumer(**config, **{"enable.partition.eof": True})
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

    def pattern_member(self, group, pattern):
        often = {"topic.metadata.refresh.interval.ms": 500, "heartbeat.interval.ms": 500}
        return ConfluentMember(self.consumer(**{"group.id": group}, **often), f"^{pattern}$")

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

    def list_group_states(self):
        found = self.admin.list_consumer_groups().result(LIMIT)
        return {group.group_id: state_name(group.state) for group in found.valid}

    def describe_group(self, group):
        return state_name(wait(self.admin.describe_consumer_groups([group])).state)

    def describe_members(self, group):
        found = wait(self.admin.describe_consumer_groups([group]))
        members = [
            [m.host, [[p.topic, p.partition] for p in m.assignment.topic_partitions]]
            for m in found.members
        ]
        return [state_name(found.state), found.partition_assignor, members]

    def describe_cluster(self):
        found = self.admin.describe_cluster().result(LIMIT)
        address = lambda node: f"{node.host}:{node.port}"
        return [found.cluster_id, address(found.controller), list(map(address, found.nodes))]

    def delete_group(self, group):
        wait(self.admin.delete_consumer_groups([group]))
