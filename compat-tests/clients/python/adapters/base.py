"""What a scenario may ask of a client. Each client has a subclass that overrides what it can."""

import time
from dataclasses import dataclass, field


class Unsupported(Exception):
    """The client has no such call."""


class Refused(Exception):
    """The broker answered with an error; `name` is Kafka's name for it."""

    def __init__(self, name):
        super().__init__(name)
        self.name = name


@dataclass
class Record:
    value: bytes | None
    key: bytes | None = None
    partition: int = 0
    headers: list = field(default_factory=list)
    timestamp: int | None = None
    # Known only for records that were read.
    topic: str | None = None
    offset: int | None = None
    log_append_time: bool | None = None


class Reader:
    """Reads assigned partitions, outside of any group."""

    def poll(self, seconds):
        """The records that arrive within `seconds`, perhaps none."""
        raise NotImplementedError

    def position(self, topic, partition):
        """The offset that it would read next, once it knows."""
        raise Unsupported("no position")

    def end(self, topic, partition):
        """The end of the partition, as far as the reader's isolation lets it see."""
        raise Unsupported("no end offset of a consumer")

    def pause(self, topic, partition):
        raise Unsupported("no pause")

    def resume(self, topic, partition):
        raise Unsupported("no resume")

    def close(self):
        raise NotImplementedError


class Member:
    """One member of a group, subscribed, without automatic commits."""

    def poll(self, seconds):
        raise NotImplementedError

    def assignment(self):
        """The sorted partitions it owns, of its one topic."""
        raise NotImplementedError

    def places(self):
        """The `(topic, partition)`s that it owns, for a member that has several topics."""
        raise NotImplementedError

    def commit(self, offsets, metadata=""):
        """Commits `{partition: offset}` and waits for the answer."""
        raise NotImplementedError

    def close(self):
        """Leaves the group."""
        raise NotImplementedError


class Client:
    """Every call raises `Refused` for a broker's error. `topic` is always a full name."""

    name = None
    # Whether it has a cooperative assignor.
    cooperates = True
    # Whether a consumer's request for metadata makes a topic that is gone.
    consumer_makes_topics = False
    # Whether a member that is subscribed to a pattern takes up a new topic for certain.
    takes_up_new_topics = True
    # Whether altering one setting leaves the others alone (IncrementalAlterConfigs).
    alters_incrementally = True

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        # Why a partition was not served when it was last asked.
        self.refusal = None

    def close(self):
        pass

    # Topics.

    def create_topic(self, topic, partitions=1, config=None, replication=1):
        raise Unsupported("no CreateTopics")

    def create_topics(self, topics):
        """Many topics of one partition, for a scenario that is not about creating them."""
        for topic in topics:
            self.arrange_topic(topic)

    def arrange_topic(self, topic, partitions=1, config=None):
        """A topic for a scenario that is not about creating it, ready to be written to."""
        self.create_topic(topic, partitions, config)
        self.wait_for_leaders(topic, partitions)

    def wait_for_leaders(self, topic, partitions):
        """A topic can be described before its partitions are served; asking for an offset tells.
        Records that come too early are refused, and sent again they are late. Of hundreds of
        partitions only the last is asked."""
        deadline = time.monotonic() + 30
        for partition in range(partitions) if partitions < 100 else [partitions - 1]:
            while not self.serves(topic, partition):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{topic}-{partition} has no leader: {self.refusal}")
                time.sleep(0.02)

    def serves(self, topic, partition):
        try:
            self.offset(topic, partition, "latest")
            return True
        except Refused as refusal:
            self.refusal = refusal.name
            return False

    def arrange_no_topic(self, topic):
        """Deletes a topic, for a scenario that is not about deleting it."""
        self.delete_topic(topic)

    def arrange_no_records(self, topic, before):
        """Deletes records of partition 0, for a scenario that is not about deleting them."""
        self.delete_records(topic, 0, before)

    def delete_topic(self, topic):
        raise Unsupported("no DeleteTopics")

    def describe_topic(self, topic):
        """The number of its partitions. Does not create it."""
        raise Unsupported("no way to describe one topic")

    def topic_id(self, topic):
        raise Unsupported("no topic ids")

    def list_topics(self):
        raise Unsupported("no list of topics")

    def create_partitions(self, topic, total):
        raise Unsupported("no CreatePartitions")

    def alter_config(self, topic, key, value):
        raise Unsupported("no way to alter a configuration")

    def describe_config(self, topic, keys):
        """`{key: [value, source]}`, the source in Kafka's spelling."""
        raise Unsupported("no DescribeConfigs")

    # Records.

    def produce(self, topic, records, codec="none", acks="all"):
        """Sends the records in their order, waits for all; the offsets that they got."""
        raise Unsupported("cannot produce")

    def produce_idempotently(self, topic, values, paced):
        """Sends to partition 0 with idempotence, calling `paced(index)` before each value.
        Returns how many were acknowledged."""
        raise Unsupported("no idempotent producer")

    def reader(self, starts, **options):
        """A `Reader` of `{(topic, partition): offset or "earliest" or "latest"}`. The options:
        `fetch_bytes` of a partition, `reset` for an offset that is not there ("earliest",
        "latest" or "none"), `isolation` ("read_committed"), `refresh_ms` of its metadata."""
        raise Unsupported("cannot consume")

    def offset(self, topic, partition, spec):
        """For "earliest", "latest", "max-timestamp" or a timestamp; None where there is none."""
        raise Unsupported("no ListOffsets")

    def delete_records(self, topic, partition, before):
        """The new first offset."""
        raise Unsupported("no DeleteRecords")

    # Groups.

    def member(self, group, topic, session_ms=6000, instance=None, cooperative=False):
        raise Unsupported("no groups")

    def pattern_member(self, group, pattern):
        """A `Member` of all topics that match, which looks for new ones twice a second."""
        raise Unsupported("no subscription to a pattern")

    def consume_exactly(self, group, topic, start, count):
        """Joins, reads `count` records of partition 0, commits behind them and leaves."""
        member = self.member(group=group, topic=topic)
        found = []
        deadline = time.monotonic() + 40
        while len(found) < count and time.monotonic() < deadline:
            found += member.poll(0.5)
        member.commit({0: start + count})
        member.close()
        return found[:count]

    def commit(self, group, topic, partition, offset, metadata):
        raise Unsupported("no commit with metadata outside of a group")

    def committed(self, group, topic, partition):
        """`[offset, metadata]`, or None."""
        raise Unsupported("no OffsetFetch")

    def list_groups(self):
        raise Unsupported("no ListGroups")

    def describe_group(self, group):
        """Its state, in Kafka's spelling."""
        raise Unsupported("no DescribeGroups")

    def describe_members(self, group):
        """`[state, assignor, [[host, places], ...]]`, for each member what it owns."""
        raise Unsupported("no DescribeGroups with members")

    def list_group_states(self):
        """`{group: state}`, in Kafka's spelling."""
        raise Unsupported("no ListGroups with states")

    def describe_cluster(self):
        """`[id, controller, nodes]`, the nodes as `host:port`; no id where none is shown."""
        raise Unsupported("no way to describe the cluster")

    def delete_group(self, group):
        raise Unsupported("no DeleteGroups")

    def delete_offset(self, group, topic, partition):
        raise Unsupported("no OffsetDelete")


# What a reader may be asked for, by the names that both pure Python clients use.
PYTHON_OPTIONS = {
    "fetch_bytes": "max_partition_fetch_bytes",
    "reset": "auto_offset_reset",
    "isolation": "isolation_level",
    "refresh_ms": "metadata_max_age_ms",
}

# Codes whose names in kafka-python's table are not Kafka's.
NAMES = {0: "NONE", 10: "MESSAGE_TOO_LARGE", 17: "INVALID_TOPIC_EXCEPTION"}


def error_name(code):
    """Kafka's name of an error code, whichever client saw it."""
    from kafka.errors import for_code

    return NAMES.get(code) or for_code(code).message
