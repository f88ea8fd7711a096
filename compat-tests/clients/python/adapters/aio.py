"""aiokafka: asyncio. Its calls run on an event loop in a thread of their own."""

import asyncio
import threading
from contextlib import contextmanager

import aiokafka.errors
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.structs import OffsetAndMetadata

from .base import (
    PYTHON_OPTIONS,
    Client,
    Member,
    Reader,
    Record,
    Refused,
    Unsupported,
    error_name,
)

LIMIT = 30
SOURCES = {
    1: "DYNAMIC_TOPIC_CONFIG",
    2: "DYNAMIC_BROKER_CONFIG",
    3: "DYNAMIC_DEFAULT_BROKER_CONFIG",
    4: "STATIC_BROKER_CONFIG",
    5: "DEFAULT_CONFIG",
}


@contextmanager
def refusals():
    """Turns the client's broker errors into ours."""
    try:
        yield
    except aiokafka.errors.BrokerResponseError as error:
        raise Refused(error_name(error.errno)) from error
    except aiokafka.errors.CommitFailedError as error:
        # It does not tell which of the three codes for a lost membership it got.
        raise Refused("not a member") from error


def check(code):
    if code:
        raise Refused(error_name(code))


class Loop:
    """An event loop in a thread: `loop(coroutine)` waits for its result."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def __call__(self, coroutine, limit=LIMIT):
        with refusals():
            return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(limit)

    def call(self, function, *arguments, **options):
        """For functions that must run on the loop without being coroutines."""

        async def called():
            return function(*arguments, **options)

        return self(called())


def to_record(message):
    return Record(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        headers=list(message.headers),
        timestamp=message.timestamp,
        log_append_time=message.timestamp_type == 1,
    )


class AiokafkaReader(Reader):
    def __init__(self, run, consumer):
        self.run = run
        self.consumer = consumer

    def poll(self, seconds):
        found = self.run(self.consumer.getmany(timeout_ms=int(seconds * 1000)))
        return [to_record(m) for messages in found.values() for m in messages]

    def position(self, topic, partition):
        return self.run(self.consumer.position(TopicPartition(topic, partition)))

    def end(self, topic, partition):
        place = TopicPartition(topic, partition)
        return self.run(self.consumer.end_offsets([place]))[place]

    def pause(self, topic, partition):
        self.run.call(self.consumer.pause, TopicPartition(topic, partition))

    def resume(self, topic, partition):
        self.run.call(self.consumer.resume, TopicPartition(topic, partition))

    def close(self):
        self.run(self.consumer.stop())


class AiokafkaMember(AiokafkaReader, Member):
    def __init__(self, run, consumer, topic):
        super().__init__(run, consumer)
        self.topic = topic

    def assignment(self):
        return sorted(place.partition for place in self.consumer.assignment())

    def places(self):
        return sorted(map(tuple, self.consumer.assignment()))

    def commit(self, offsets, metadata=""):
        places = {TopicPartition(self.topic, p): (o, metadata) for p, o in offsets.items()}
        self.run(self.consumer.commit(places))


class Aiokafka(Client):
    name = "aiokafka"
    cooperates = False
    consumer_makes_topics = True
    alters_incrementally = False

    def __init__(self, bootstrap):
        super().__init__(bootstrap)
        self.run = Loop()
        self.producers = {}
        self.admin = self.run(self.start(AIOKafkaAdminClient))

    def close(self):
        for producer in self.producers.values():
            self.run(producer.stop())
        self.run(self.admin.close())

    async def start(self, kind, *arguments, **config):
        client = kind(*arguments, bootstrap_servers=self.bootstrap, **config)
        await client.start()
        return client

    def create_topic(self, topic, partitions=1, config=None, replication=1):
        new = NewTopic(topic, partitions, replication, topic_configs=config or {})
        self.created(self.run(self.admin.create_topics([new])))

    def create_topics(self, topics):
        self.created(self.run(self.admin.create_topics([NewTopic(t, 1, 1) for t in topics])))

    @staticmethod
    def created(response):
        for _, code, *_ in response.topic_errors:
            check(code)

    def delete_topic(self, topic):
        for _, code, *_ in self.run(self.admin.delete_topics([topic])).topic_error_codes:
            check(code)

    def describe_topic(self, topic):
        # Its metadata request always asks for the creation of what is missing.
        found = {t["topic"]: t for t in self.run(self.admin.describe_topics())}.get(topic)
        if found is None:
            raise Refused("UNKNOWN_TOPIC_OR_PARTITION")
        check(found["error_code"])
        return len(found["partitions"])

    def list_topics(self):
        return self.run(self.admin.list_topics())

    def create_partitions(self, topic, total):
        self.run(self.admin.create_partitions({topic: NewPartitions(total)}))

    def alter_config(self, topic, key, value):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {key: value})
        for response in self.run(self.admin.alter_configs([resource])):
            for code, *_ in response.resources:
                check(code)

    def describe_config(self, topic, keys):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        response = self.run(self.admin.describe_configs([resource]))[0]
        code, _, _, _, entries = response.resources[0]
        check(code)
        found = {name: (value, source) for name, value, _, source, *_ in entries}
        return {key: [found[key][0], SOURCES[found[key][1]]] for key in keys}

    def producer(self, codec="none", acks="all", **config):
        key = (codec, acks, *sorted(config.items()))
        if key not in self.producers:
            kind = None if codec == "none" else codec
            starting = self.start(
                AIOKafkaProducer, compression_type=kind, acks=acks, linger_ms=5, **config
            )
            self.producers[key] = self.run(starting)
        return self.producers[key]

    def produce(self, topic, records, codec="none", acks="all"):
        producer = self.producer(codec, acks)

        async def send_all():
            sent = []
            for record in records:
                sent.append(
                    await producer.send(
                        topic,
                        record.value,
                        record.key,
                        partition=record.partition,
                        timestamp_ms=record.timestamp,
                        headers=record.headers,
                    )
                )
            # With acks=0 there are no offsets.
            return [(found := await future) and found.offset for future in sent]

        return self.run(send_all())

    def produce_idempotently(self, topic, values, paced):
        producer = self.producer(enable_idempotence=True)

        futures = []
        for index, value in enumerate(values):
            paced(index)
            futures.append(self.run(producer.send(topic, value, partition=0), 60))

        async def acknowledged():
            results = await asyncio.gather(*futures, return_exceptions=True)
            return sum(not isinstance(result, Exception) for result in results)

        return self.run(acknowledged())

    def consumer(self, *topics, **config):
        base = {"enable_auto_commit": False, "fetch_max_wait_ms": 100}
        base |= {"auto_offset_reset": "earliest"}
        return self.run(self.start(AIOKafkaConsumer, *topics, **{**base, **config}))

    def reader(self, starts, **options):
        consumer = self.consumer(**{PYTHON_OPTIONS[k]: v for k, v in options.items()})
        places = {TopicPartition(*place): at for place, at in starts.items()}

        async def assign():
            consumer.assign(list(places))
            for place, at in places.items():
                if at == "earliest":
                    await consumer.seek_to_beginning(place)
                elif at == "latest":
                    await consumer.seek_to_end(place)
                else:
                    consumer.seek(place, at)

        self.run(assign())
        return AiokafkaReader(self.run, consumer)

    def offset(self, topic, partition, spec):
        if spec == "max-timestamp":
            raise Unsupported("only earliest, latest and by timestamp")
        place = TopicPartition(topic, partition)
        consumer = self.consumer()
        try:
            if spec == "earliest":
                return self.run(consumer.beginning_offsets([place]))[place]
            if spec == "latest":
                return self.run(consumer.end_offsets([place]))[place]
            found = self.run(consumer.offsets_for_times({place: spec}))[place]
            return found and found.offset
        finally:
            self.run(consumer.stop())

    def delete_records(self, topic, partition, before):
        place = TopicPartition(topic, partition)
        return self.run(self.admin.delete_records({place: RecordsToDelete(before)}))[place]

    def member(self, group, topic, session_ms=6000, instance=None, cooperative=False):
        consumer = self.consumer(
            topic,
            group_id=group,
            group_instance_id=instance,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=500,
            partition_assignment_strategy=(RangePartitionAssignor,),
        )
        return AiokafkaMember(self.run, consumer, topic)

    def pattern_member(self, group, pattern):
        often = {"metadata_max_age_ms": 500, "heartbeat_interval_ms": 500}
        consumer = self.consumer(group_id=group, **often)
        self.run.call(consumer.subscribe, pattern=f"^{pattern}$")
        return AiokafkaMember(self.run, consumer, None)

    def commit(self, group, topic, partition, offset, metadata):
        place = TopicPartition(topic, partition)
        consumer = self.consumer(group_id=group)

        async def commit():
            consumer.assign([place])
            await consumer.commit({place: OffsetAndMetadata(offset, metadata)})

        try:
            self.run(commit())
        finally:
            self.run(consumer.stop())

    def committed(self, group, topic, partition):
        place = TopicPartition(topic, partition)
        offsets = self.run(self.admin.list_consumer_group_offsets(group, partitions=[place]))
        found = offsets.get(place)
        return None if found is None or found.offset < 0 else [found.offset, found.metadata]

    def list_groups(self):
        return [group[0] for group in self.run(self.admin.list_consumer_groups())]

    def describe_cluster(self):
        found = self.run(self.admin.describe_cluster())
        nodes = {n["node_id"]: f"{n['host']}:{n['port']}" for n in found["brokers"]}
        return [found["cluster_id"], nodes.get(found["controller_id"]), list(nodes.values())]

    def describe_members(self, group):
        response = self.run(self.admin.describe_consumer_groups([group]))[0]
        code, _, state, _, assignor, members, *_ = response.groups[0]
        check(code)
        seen = []
        for _, _, host, _, assignment in members:
            owned = ConsumerProtocolMemberAssignment.decode(assignment).assignment
            seen.append([host, [[topic, p] for topic, parts in owned for p in parts]])
        return [state, assignor, seen]

    def describe_group(self, group):
        response = self.run(self.admin.describe_consumer_groups([group]))[0]
        code, _, state, *_ = response.groups[0]
        check(code)
        return state
