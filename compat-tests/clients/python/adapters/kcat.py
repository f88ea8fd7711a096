"""kcat, Debian's: a command-line client on librdkafka 2.0.2.

It has no requests for topics and configurations. What a scenario needs of those before it
starts is arranged by confluent-kafka; what is observed is kcat's alone.
"""

import ctypes
import json
import queue
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections import defaultdict

from .base import Client, Member, Reader, Record, Refused, Unsupported
from .confluent import Confluent

LIMIT = 40
KEY_END, RECORD_END = b"\x1f", b"\x1e"
PLACES = {"earliest": "-2", "latest": "-1"}
# What a reader may be asked for, by librdkafka's names.
OPTIONS = {
    "fetch_bytes": "fetch.message.max.bytes",
    "reset": "auto.offset.reset",
    "isolation": "isolation.level",
    "refresh_ms": "topic.metadata.refresh.interval.ms",
}
# What librdkafka says, and Kafka's name for it.
REFUSALS = {
    b"Broker: Offset out of range": "OFFSET_OUT_OF_RANGE",
    b"Broker: Message size too large": "MESSAGE_TOO_LARGE",
    b"Broker: Unknown topic or partition": "UNKNOWN_TOPIC_OR_PARTITION",
}


def die_with_parent():
    """A killed member takes its kcat along (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def to_record(line):
    """A line of `-J`. kcat leaves bytes above 127 as they are, so that they can be had back."""
    found = json.loads(line.decode("latin-1"))
    raw = lambda text: None if text is None else text.encode("latin-1")
    flat = found.get("headers", [])
    pairs = zip(flat[::2], flat[1::2])
    headers = [(key.encode("latin-1").decode(), raw(value)) for key, value in pairs]
    return Record(
        topic=found["topic"],
        partition=found["partition"],
        offset=found["offset"],
        key=raw(found["key"]),
        value=raw(found["payload"]),
        headers=headers,
        timestamp=found["ts"],
        log_append_time=found["tstype"] == "logappend",
    )


class KcatReader(Reader):
    """Each poll runs `kcat -C -e` from where the last one ended, until something is there."""

    def __init__(self, client, starts, options):
        self.client = client
        self.options = [text for k, v in options.items() for text in ("-X", f"{OPTIONS[k]}={v}")]
        resolve = lambda place, at: client.offset(*place, at) if at == "latest" else at
        self.next = {place: resolve(place, at) for place, at in starts.items()}
        # Where it has met the end of a partition.
        self.ends = {}

    def poll(self, seconds):
        deadline = time.monotonic() + seconds
        found = []
        while not found:
            for (topic, partition), at in self.next.items():
                begin = "beginning" if at == "earliest" else str(at)
                found += self.run("-t", topic, "-p", str(partition), "-o", begin)
            if time.monotonic() >= deadline:
                break
            time.sleep(0.02)
        for record in found:
            self.next[record.topic, record.partition] = record.offset + 1
        return found

    def run(self, *where):
        output, said = self.client.run_and_listen("-C", *where, "-e", "-J", *self.options)
        ends = re.findall(rb"end of topic (\S+) \[(\d+)\] at offset (\d+)", said)
        for topic, partition, at in ends:
            self.ends[topic.decode(), int(partition)] = int(at)
        return [to_record(line) for line in output.splitlines()]

    def position(self, topic, partition):
        return self.ends.get((topic, partition))

    def close(self):
        pass


class KcatWholeTopic(KcatReader):
    """One kcat for all partitions of a topic, from their beginnings, once."""

    def poll(self, seconds):
        (topic,) = {topic for topic, _ in self.next}
        return self.run("-t", topic, "-o", "beginning")


class KcatMember(Member):
    """`kcat -G`. It commits by itself, in short intervals and when it leaves."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        self.records = queue.Queue()
        self.owned = set()
        for target in (self._read_records, self._read_rebalances):
            threading.Thread(target=target, daemon=True).start()

    def _read_records(self):
        for line in self.process.stdout:
            self.records.put(to_record(line))

    def _read_rebalances(self):
        for line in self.process.stderr:
            # "assigned: t [0], t [1]", or "incremental assignment of 1 partition(s) ...: t [0]".
            found = re.search(rb"rebalanced.*(assign|revo)", line)
            if found:
                named = re.findall(rb"([^\s,]+) \[(\d+)\]", line)
                places = {(topic.decode(), int(p)) for topic, p in named}
                # Replaced, not changed in place: `assignment` reads it from another thread.
                added = found[1] == b"assign"
                self.owned = self.owned | places if added else self.owned - places

    def poll(self, seconds):
        found = []
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not found:
            try:
                found.append(self.records.get(timeout=left))
                while True:
                    found.append(self.records.get_nowait())
            except queue.Empty:
                pass
        return found

    def assignment(self):
        return sorted(partition for _, partition in self.owned)

    def places(self):
        return sorted(self.owned)

    def commit(self, offsets, metadata=""):
        pass

    def close(self):
        self.process.terminate()
        self.process.wait(30)


class Kcat(Client):
    name = "kcat"

    def __init__(self, bootstrap):
        super().__init__(bootstrap)
        self.helper = Confluent(bootstrap)

    def command(self, *arguments):
        quick = ["-X", "reconnect.backoff.max.ms=500"]
        return ["kcat", "-b", self.bootstrap, *quick, *arguments]

    def run(self, *arguments, data=None):
        """kcat's output; an error that it reports is raised."""
        return self.run_and_listen(*arguments, data=data)[0]

    def run_and_listen(self, *arguments, data=None):
        """kcat's output, and what it says of its work."""
        if arguments[0] == "-C":
            arguments = (*arguments, "-X", "fetch.wait.max.ms=50")
        result = subprocess.run(
            self.command(*arguments), input=data, capture_output=True, timeout=LIMIT
        )
        # Not from librdkafka's log, which names errors that it has mended.
        said = [line for line in result.stderr.splitlines() if not re.match(rb"%\d\|", line)]
        for text, name in REFUSALS.items():
            if any(text in line for line in said):
                raise Refused(name)
        if result.returncode:
            raise RuntimeError(result.stderr.decode(errors="replace"))
        return result.stdout, result.stderr

    def arrange_topic(self, topic, partitions=1, config=None):
        self.helper.arrange_topic(topic, partitions, config)

    def arrange_no_topic(self, topic):
        self.helper.arrange_no_topic(topic)

    def arrange_no_records(self, topic, before):
        self.helper.arrange_no_records(topic, before)

    def create_topics(self, topics):
        self.helper.create_topics(topics)

    def describe_cluster(self):
        found = json.loads(self.run("-L", "-J", "-t", "none"))
        nodes = {node["id"]: node["name"] for node in found["brokers"]}
        return [None, nodes.get(found["controllerid"]), list(nodes.values())]

    def metadata(self):
        found = json.loads(self.run("-L", "-J"))
        return {topic["topic"]: len(topic["partitions"]) for topic in found["topics"]}

    def list_topics(self):
        return list(self.metadata())

    def describe_topic(self, topic):
        found = self.metadata()
        if topic not in found:
            raise Refused("UNKNOWN_TOPIC_OR_PARTITION")
        return found[topic]

    def produce(self, topic, records, codec="none", acks="all"):
        if any(record.timestamp is not None for record in records):
            # kcat cannot set one.
            return self.helper.produce(topic, records, codec)
        if len({record.partition for record in records}) > 100:
            # That would be a process for each.
            return self.helper.produce(topic, records, codec)
        runs = defaultdict(list)
        for record in records:
            same = (record.partition, tuple(record.headers), record.key is None)
            runs[*same, record.value is None].append(record)
        for (partition, headers, no_key, no_value), part in runs.items():
            options = ["-t", topic, "-p", str(partition), "-z", codec]
            # One request at a time, or one that is sent again comes after its successor.
            options += ["-X", "max.in.flight=1", "-X", f"acks={acks}"]
            for key, value in headers:
                shown = key.encode() if value is None else key.encode() + b"=" + value
                if b"\0" in shown or not key:
                    raise ValueError("an argument cannot hold this header")
                options += ["-H", shown]
            self.send(options, part, no_key, no_value)
        return [None] * len(records)

    def send(self, options, records, no_key, no_value):
        """One run of kcat, which takes records from its input, or one record from a file."""
        parts = [(record.key or b"", record.value or b"") for record in records]
        if any(mark in text for part in parts for text in part for mark in (KEY_END, RECORD_END)):
            for key, value in parts:
                with tempfile.NamedTemporaryFile() as file:
                    file.write(value)
                    file.flush()
                    self.run("-P", *options, *([] if no_key else ["-k", key]), file.name)
            return
        marks = ["-D", RECORD_END] if no_key else ["-D", RECORD_END, "-K", KEY_END]
        line = lambda key, value: value if no_key else key + KEY_END + value
        data = b"".join(line(*part) + RECORD_END for part in parts)
        self.run("-P", *options, *marks, *(["-Z"] if no_value else []), data=data)

    def produce_idempotently(self, topic, values, paced):
        # -E: the broker may go away for a while.
        options = ["-P", "-E", "-t", topic, "-p", "0", "-X", "enable.idempotence=true"]
        command = self.command(*options, "-X", "linger.ms=5")
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for index, value in enumerate(values):
            paced(index)
            process.stdin.write(value + b"\n")
            process.stdin.flush()
        _, said = process.communicate(timeout=LIMIT)
        # It ends well only when everything was delivered.
        return len(values) if process.returncode == 0 else len(values) - said.count(b"failed")

    def reader(self, starts, **options):
        if options.get("reset") == "none":
            options["reset"] = "error"
        kind = KcatWholeTopic if len(starts) > 100 else KcatReader
        return kind(self, starts, options)

    def offset(self, topic, partition, spec):
        if spec == "max-timestamp":
            raise Unsupported("only earliest, latest and by timestamp")
        output = self.run("-Q", "-t", f"{topic}:{partition}:{PLACES.get(spec, spec)}")
        found = int(output.split()[-1])
        return None if found < 0 else found

    def group_command(self, group, topic, *options):
        quick = {"fetch.wait.max.ms": 100, "heartbeat.interval.ms": 500}
        quick |= {"auto.commit.interval.ms": 100, "auto.offset.reset": "earliest"}
        settings = [text for k, v in quick.items() for text in ("-X", f"{k}={v}")]
        return self.command("-E", "-G", group, *settings, "-J", "-u", *options, topic)

    def member(self, group, topic, session_ms=6000, instance=None, cooperative=False):
        options = ["-X", f"session.timeout.ms={session_ms}"]
        strategy = "cooperative-sticky" if cooperative else "range"
        options += ["-X", f"partition.assignment.strategy={strategy}"]
        if instance:
            options += ["-X", f"group.instance.id={instance}"]
        return KcatMember(self.group_command(group, topic, *options))

    def pattern_member(self, group, pattern):
        often = "topic.metadata.refresh.interval.ms=500"
        return KcatMember(self.group_command(group, f"^{pattern}$", "-X", often))

    def consume_exactly(self, group, topic, start, count):
        command = self.group_command(group, topic, "-q", "-c", str(count))
        output = subprocess.run(command, capture_output=True, timeout=LIMIT, check=True).stdout
        return [to_record(line) for line in output.splitlines()]
