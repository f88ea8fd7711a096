"""kafka-python: pure Python, threads."""

import time
from contextlib import contextmanager

import kafka.errors
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.protocol.consumer import OffsetSpec
from kafka.structs import OffsetAndMetadata

from .base import PYTHON_OPTIONS, Client, Member, Reader, Record, Refused, error_name

LIMIT = 30


@contextmanager
def refusals():
    """Turns the client's broker errors into ours."""
    try:
        yield
    except kafka.errors.BrokerResponseError as error:
        raise Refused(error_name(error.errno)) from error


def check(error_class):
    """For calls that return an error class where others raise it."""
    if error_class is not kafka.errors.NoError:
        raise Refused(error_name(error_class.errno))


def check_text(error):
    """For calls that return an error as a text, `[Error 40] ...`."""
    if error and error != "OK":
        raise Refused(error_name(int(error.removeprefix("[Error ").split("]")[0])))


def to_record(message):
    return Record(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        headers=list(message.headers or []),
        timestamp=message.timestamp,
        log_append_time=message.timestamp_type == 1,
    )


class KafkaPythonReader(Reader):
    def __init__(self, consumer):
        self.consumer = consumer

    def poll(self, seconds):
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            with refusals():
                found = self.consumer.poll(timeout_ms=max(0, int(min(left, 0.1) * 1000)))
            records = [to_record(m) for messages in found.values() for m in messages]
            if records or left <= 0:
                return records

    def position(self, topic, partition):
        return self.consumer.position(TopicPartition(topic, partition))

    def end(self, topic, partition):
        place = TopicPartition(topic, partition)
        return self.consumer.end_offsets([place])[place]

    def pause(self, topic, partition):
        self.consumer.pause(TopicPartition(topic, partition))

    def resume(self, topic, partition):
        self.consumer.resume(TopicPartition(topic, partition))

    def close(self):
        self.consumer.close(autocommit=False)


class KafkaPythonMember(KafkaPythonReader, Member):
    def __init__(self, consumer, topic, pattern=None):
        super().__init__(consumer)
        self.topic = topic
        if pattern:
            consumer.subscribe(pattern=pattern)
            consumer.topics()
            return
        consumer.subscribe([topic])
        # A leader that learns of the topic's partitions after it has joined joins once more, and
        # when that takes longer than one poll, the library forgets it: the member has switched
        # its heartbeats off, waits for nothing, and is thrown out. So it looks before it joins.
        deadline = time.monotonic() + LIMIT
        while topic not in consumer.topics() and time.monotonic() < deadline:
            time.sleep(0.05)

    def assignment(self):
        return sorted(place.partition for place in self.consumer.assignment())

    def places(self):
        return sorted(map(tuple, self.consumer.assignment()))

    def commit(self, offsets, metadata=""):
        own = lambda offset: OffsetAndMetadata(offset, metadata, -1)
        with refusals():
            self.consumer.commit(
                {TopicPartition(self.topic, p): own(o) for p, o in offsets.items()}
            )


class KafkaPython(Client):
    name = "kafka-python"
    # In spite of allow_auto_create_topics=False.
    consumer_makes_topics = True
    # It joins once more for it, and may forget that: see its member.
    takes_up_new_topics = False

    def __init__(self, bootstrap):
        super().__init__(bootstrap)
        self.common = {"bootstrap_servers": bootstrap, "reconnect_backoff_max_ms": 500}
        self.admin = KafkaAdminClient(**self.common)
        self.producers = {}

    def close(self):
        for producer in self.producers.values():
            producer.close(timeout=5)
        self.admin.close()

    def create_topic(self, topic, partitions=1, config=None, replication=1):
        wanted = {"num_partitions": partitions, "replication_factor": replication}
        with refusals():
            self.admin.create_topics({topic: {**wanted, "configs": config or {}}})

    def create_topics(self, topics):
        with refusals():
            self.admin.create_topics({topic: {"num_partitions": 1} for topic in topics})

    def delete_topic(self, topic):
        with refusals():
            self.admin.delete_topics([topic])

    def topic(self, topic):
        with refusals():
            found = self.admin.describe_topics([topic])[0]
        check(kafka.errors.for_code(found["error_code"]))
        return found

    def describe_topic(self, topic):
        return len(self.topic(topic)["partitions"])

    def topic_id(self, topic):
        return str(self.topic(topic)["topic_id"])

    def list_topics(self):
        return self.admin.list_topics()

    def create_partitions(self, topic, total):
        with refusals():
            self.admin.create_partitions({topic: total})

    def alter_config(self, topic, key, value):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {key: value})
        with refusals():
            result = self.admin.alter_configs([resource], raise_on_unknown=False)
        check_text(result["topic"][topic])

    def describe_config(self, topic, keys):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        with refusals():
            found = self.admin.describe_configs([resource], config_filter="all")
        entries = found["topic"][topic]
        return {key: [entries[key]["value"], entries[key]["config_source"]] for key in keys}

    def producer(self, codec="none", acks="all", **config):
        key = (codec, acks, *sorted(config.items()))
        if key not in self.producers:
            self.producers[key] = KafkaProducer(
                **self.common,
                compression_type=None if codec == "none" else codec,
                acks=acks,
                linger_ms=5,
                **config,
            )
        return self.producers[key]

    def produce(self, topic, records, codec="none", acks="all"):
        producer = self.producer(codec, acks)
        futures = []
        for record in records:
            options = {} if record.timestamp is None else {"timestamp_ms": record.timestamp}
            futures.append(
                producer.send(
                    topic,
                    record.value,
                    record.key,
                    headers=record.headers,
                    partition=record.partition,
                    **options,
                )
            )
        producer.flush(LIMIT)
        try:
            with refusals():
                return [future.get(LIMIT).offset for future in futures]
        except Refused:
            # It is idempotent by default, and of no more use after an error.
            self.producers.pop((codec, acks)).close(timeout=0)
            raise

    def produce_idempotently(self, topic, values, paced):
        producer = self.producer(enable_idempotence=True)
        futures = []
        for index, value in enumerate(values):
            paced(index)
            futures.append(producer.send(topic, value, partition=0))
        producer.flush(LIMIT)
        return sum(future.succeeded() for future in futures)

    def consumer(self, **config):
        base = {"enable_auto_commit": False, "fetch_max_wait_ms": 100}
        return KafkaConsumer(
            **{**self.common, **base, "auto_offset_reset": "earliest", **config}
        )

    def reader(self, starts, **options):
        consumer = self.consumer(**{PYTHON_OPTIONS[k]: v for k, v in options.items()})
        places = {TopicPartition(*place): at for place, at in starts.items()}
        consumer.assign(list(places))
        for place, at in places.items():
            if at == "earliest":
                consumer.seek_to_beginning(place)
            elif at == "latest":
                consumer.seek_to_end(place)
                consumer.position(place)
            else:
                consumer.seek(place, at)
        return KafkaPythonReader(consumer)

    def offset(self, topic, partition, spec):
        special = {
            "earliest": OffsetSpec.EARLIEST,
            "latest": OffsetSpec.LATEST,
            "max-timestamp": OffsetSpec.MAX_TIMESTAMP,
        }
        place = TopicPartition(topic, partition)
        with refusals():
            found = self.admin.list_partition_offsets({place: special.get(spec, spec)})[place]
        return None if found is None or found.offset < 0 else found.offset

    def delete_records(self, topic, partition, before):
        place = TopicPartition(topic, partition)
        with refusals():
            found = self.admin.delete_records({place: before})[place]
        check(kafka.errors.for_code(found.get("error_code", 0)))
        return found["low_watermark"]

    def member(self, group, topic, session_ms=6000, instance=None, cooperative=False):
        assignor = CooperativeStickyAssignor if cooperative else RangePartitionAssignor
        consumer = self.consumer(
            group_id=group,
            group_instance_id=instance,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=500,
            partition_assignment_strategy=(assignor,),
        )
        return KafkaPythonMember(consumer, topic)

    def pattern_member(self, group, pattern):
        often = {"metadata_max_age_ms": 500, "heartbeat_interval_ms": 500}
        consumer = self.consumer(group_id=group, **often)
        return KafkaPythonMember(consumer, None, pattern=f"^{pattern}$")

    def commit(self, group, topic, partition, offset, metadata):
        offsets = {TopicPartition(topic, partition): OffsetAndMetadata(offset, metadata, -1)}
        with refusals():
            for error in self.admin.alter_group_offsets(group, offsets).values():
                check(error)

    def committed(self, group, topic, partition):
        place = TopicPartition(topic, partition)
        with refusals():
            found = self.admin.list_group_offsets({group: [place]})[group].get(place)
        return None if found is None or found.offset < 0 else [found.offset, found.metadata]

    def list_groups(self):
        return [group["group_id"] for group in self.admin.list_groups()]

    def list_group_states(self):
        return {group["group_id"]: group["group_state"] for group in self.admin.list_groups()}

    def group(self, group):
        with refusals():
            found = self.admin.describe_groups([group])[group]
        check_text(found["error"])
        return found

    def describe_group(self, group):
        return self.group(group)["group_state"]

    def describe_members(self, group):
        found = self.group(group)
        seen = []
        for member in found["members"]:
            owned = member["member_assignment"]["assigned_partitions"]
            places = [[each["topic"], p] for each in owned for p in each["partitions"]]
            seen.append([member["client_host"], places])
        return [found["group_state"], found["protocol_data"], seen]

    def describe_cluster(self):
        found = self.admin.describe_cluster()
        nodes = {n["broker_id"]: f"{n['host']}:{n['port']}" for n in found["brokers"]}
        return [found["cluster_id"], nodes.get(found["controller_id"]), list(nodes.values())]

    def delete_group(self, group):
        with refusals():
            result = self.admin.delete_groups([group])[group]
        if result != "OK":
            check(getattr(kafka.errors, result))

    def delete_offset(self, group, topic, partition):
        with refusals():
            found = self.admin.delete_group_offsets(group, [TopicPartition(topic, partition)])
        for error in found.values():
            check(error)
