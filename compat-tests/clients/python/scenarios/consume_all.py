"""Reads a whole topic as a member of a group, through restarts of the broker, and sums it up.

The sum does not depend on how keys were spread over partitions: records are ordered by key, and
within a key by their offset.
"""

import hashlib
import sys
import time

PATIENCE_S = 120
PROGRESS_EVERY = 5000


class Collection:
    """Everything that was read, once each."""

    def __init__(self):
        self.places = {}
        self.duplicates = 0

    def keep(self, record):
        place = (record.partition, record.offset)
        if place in self.places:
            self.duplicates += 1
            return
        self.places[place] = (record.key, record.value)
        if len(self.places) % PROGRESS_EVERY == 0:
            print("PROGRESS", len(self.places), file=sys.stderr, flush=True)

    def in_order(self):
        """Whether no offset is missing, and each key has one partition."""
        counts, homes = {}, {}
        for (partition, _), (key, _) in self.places.items():
            counts[partition] = counts.get(partition, 0) + 1
            if homes.setdefault(key, partition) != partition:
                return False
        return all(offset < counts[partition] for partition, offset in self.places)

    def checksum(self):
        total = hashlib.sha256()
        for _, (key, value) in sorted(self.places.items(), key=lambda item: (item[1][0], item[0])):
            for part in (key, value):
                total.update(len(part).to_bytes(4, "big") + part)
        return total.hexdigest()


def attempt(call, *arguments):
    """What the broker's death makes fail is tried again with the next poll."""
    try:
        return call(*arguments)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return None


def consume_all(client, group, topic, expect):
    member = client.member(group=group, topic=topic, session_ms=10_000)
    collection = Collection()

    def step():
        records = attempt(member.poll, 1.0) or []
        for record in records:
            collection.keep(record)
        if records:
            attempt(member.commit, {r.partition: r.offset + 1 for r in records})

    last, before = time.monotonic(), 0
    while len(collection.places) < expect and time.monotonic() - last < PATIENCE_S:
        step()
        if len(collection.places) > before:
            last, before = time.monotonic(), len(collection.places)
    # Whatever comes now is too much.
    step()
    attempt(member.close)
    return {
        "client": client.name,
        "count": len(collection.places),
        "duplicates": collection.duplicates,
        "order_ok": collection.in_order(),
        "checksum": collection.checksum(),
    }
