"""Members of groups as processes of their own, so that one can be killed.

A member prints one JSON line for each event (`assignment`, `records`) and takes `close` on its
standard input. It commits after every poll, before it tells what it read.
"""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from .tools import eventually


def serve_member(client, options):
    """The life of a member process."""
    say = lambda **event: print(json.dumps(event), flush=True)
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
    member = client.member(**options)
    assignment = None
    while not stop.is_set():
        records = member.poll(0.1)
        if assignment != (now := member.assignment()):
            assignment = now
            say(event="assignment", partitions=assignment)
        if records:
            latest = {r.partition: r.offset + 1 for r in records}
            member.commit(latest)
            say(event="records", places=[[r.partition, r.offset] for r in records])
    member.close()
    say(event="closed")


class MemberProcess:
    """A member as the scenario sees it."""

    def __init__(self, client, **options):
        driver = Path(__file__).resolve().parent.parent / "driver.py"
        command = [sys.executable, "-B", driver, "--client", client.name]
        command += ["--bootstrap", client.bootstrap, "--member", json.dumps(options)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.assignments = []
        self.places = []
        self.closed = False
        self.reader = threading.Thread(target=self._listen, daemon=True)
        self.reader.start()

    def _listen(self):
        for line in self.process.stdout:
            event = json.loads(line)
            if event["event"] == "assignment":
                self.assignments.append(event["partitions"])
            elif event["event"] == "records":
                self.places += [tuple(place) for place in event["places"]]
            elif event["event"] == "closed":
                self.closed = True

    @property
    def assignment(self):
        return self.assignments[-1] if self.assignments else []

    def close(self):
        """Has it leave the group."""
        self.process.stdin.write("close\n")
        self.process.stdin.flush()
        self.process.wait(30)
        self.reader.join(5)
        if not self.closed:
            raise RuntimeError(f"a member ended with {self.process.returncode}")

    def kill(self):
        """kill -9, as a crash would."""
        self.process.kill()
        self.process.wait(30)


def wait_for_shares(members, partitions, what):
    """Waits until the members share all partitions and each has some; the sorted counts."""

    def shared():
        owned = [p for member in members for p in member.assignment]
        return sorted(owned) == list(range(partitions)) and all(m.assignment for m in members)

    for member in members:
        if member.process.poll() is not None:
            raise RuntimeError(f"a member ended with {member.process.returncode}")
    eventually(shared, f"{what}: {[m.assignment for m in members]}")
    return sorted(len(member.assignment) for member in members)


def settle(seconds):
    """Time for something that should not happen to happen; nothing tells that it will not."""
    time.sleep(seconds)
