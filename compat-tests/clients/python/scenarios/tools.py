"""What the scenarios share: names, reading to the end, digests, steps that may be refused."""

import hashlib
import time

from adapters.base import Refused, Unsupported

LIMIT = 40


class Context:
    """One scenario at work: its client and its own names for topics and groups."""

    def __init__(self, client, prefix, scenario):
        self.client = client
        # Phases of one scenario share their names.
        self.base = f"{prefix}-{scenario.split('.')[0]}"

    def named(self, suffix=""):
        return f"{self.base}-{suffix}" if suffix else self.base


def step(call, *arguments):
    """The result of a call, or the name of the error that the broker answered with."""
    try:
        return call(*arguments)
    except Refused as refusal:
        return refusal.name
    except Unsupported:
        return "unsupported"


def outcome(call, *arguments):
    """"NONE" where a call succeeds, else the name of the error."""
    result = step(lambda: call(*arguments) and None)
    return "NONE" if result is None else result


def eventually(ready, what, limit=LIMIT):
    """Waits for the first true result of `ready`."""
    deadline = time.monotonic() + limit
    while not (result := ready()):
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)
    return result


def read(client, starts, count, extra=0.3, **options):
    """Reads `count` records; waits `extra` seconds more for records that should not be."""
    reader = client.reader(starts, **options)
    try:
        return read_on(reader, count, extra)
    finally:
        reader.close()


def read_on(reader, count, extra=0.3):
    """As `read`, with a reader that lives on."""
    found = []
    deadline = time.monotonic() + LIMIT
    while len(found) < count and time.monotonic() < deadline:
        found += reader.poll(1.0)
    return found + (reader.poll(extra) if extra else [])


def read_all(client, topic, partitions=1, count=0, **options):
    """Reads a whole topic, which is known to hold `count` records."""
    return read(client, {(topic, p): "earliest" for p in range(partitions)}, count, **options)


def committed_offset(client, group, topic, partition):
    """The committed offset alone, -1 where there is none."""
    found = step(client.committed, group, topic, partition)
    return found[0] if isinstance(found, list) else -1 if found is None else found


def digest(records):
    """A hash of what was read, whatever order the partitions came in."""
    total = hashlib.sha256()
    for record in sorted(records, key=lambda r: (r.topic, r.partition, r.offset)):
        total.update(b"%d:%d:%s:%s\n" % (record.partition, record.offset, record.key, record.value))
    return total.hexdigest()


def in_order(records):
    """Whether each partition's records came with offsets that rise by one."""
    last = {}
    for record in records:
        place = (record.topic, record.partition)
        if place in last and record.offset != last[place] + 1:
            return False
        last[place] = record.offset
    return True


def shown(data):
    """Bytes as an observation: short ones in full, long ones as length and hash."""
    if data is None or len(data) <= 64:
        return None if data is None else data.decode("latin-1")
    return f"{len(data)} bytes {hashlib.sha256(data).hexdigest()[:16]}"
