"""Loads for `cargo xtask bench` and `compare`: one a run, one JSON line with what the client saw.

produce / consume / configure use librdkafka; the others use plain sockets, so that the time
measured is the broker's and not a client's start.
"""

import argparse
import json
import os
import random
import resource
import socket
import struct
import sys
import time

import wire


def topics_of(args):
    """Topics whose partitions are all wanted: one has the name, more have numbers."""
    if args.topics == 1:
        return [args.topic]
    return [f"{args.topic}{index}" for index in range(args.topics)]


def acknowledged(sock, left, batch):
    """Sends to every partition in `left`, and takes out those that acknowledge."""
    for topic in list(left):
        still = wire.refused(topic, wire.call(sock, wire.produce_to(topic, left[topic], batch)))
        if still:
            left[topic] = still
        else:
            del left[topic]
    return not left


def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def first_ack(args, host, port):
    """Says READY, then tries until one record is acknowledged, then one on every partition."""
    batch = wire.one_record_batch()
    topics = topics_of(args)
    metadata = wire.frame(3, 4, struct.pack(">i", 1) + wire.text(topics[0]) + b"\x01")
    first = None
    left = {topic: list(range(args.partitions)) for topic in topics}
    print("READY", flush=True)
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((host, port), timeout=120) as sock:
                while first is None and time.monotonic() < deadline:
                    wire.call(sock, metadata)
                    if acknowledged(sock, {topics[0]: [0]}, batch):
                        first = now()
                    else:
                        time.sleep(0.001)
                while not acknowledged(sock, left, batch) and time.monotonic() < deadline:
                    time.sleep(0.001)
                return {"acknowledged_at": first, "all_acknowledged_at": now()}
        except OSError:
            time.sleep(0.001)
    raise SystemExit("no record was acknowledged within 600 s")


def partitions(args, host, port):
    """Creates topics, then writes until each of their partitions has acknowledged a record."""
    batch = wire.one_record_batch()
    left = {topic: list(range(args.partitions)) for topic in topics_of(args)}
    with socket.create_connection((host, port), timeout=600) as sock:
        begin = now()
        wire.call(sock, wire.create_topics(list(left), args.partitions))
        created = now()
        while not acknowledged(sock, left, batch):
            time.sleep(0.001)
        return {"seconds": now() - begin, "created_seconds": created - begin}


def connections(args, host, port):
    """Opens connections one after the other, each with one request, and holds them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, args.count + 100), hard))
    request = wire.frame(18, 0, b"")
    begin, held = time.monotonic(), []
    for _ in range(args.count):
        sock = socket.create_connection((host, port), timeout=30)
        wire.call(sock, request)
        held.append(sock)
    seconds = time.monotonic() - begin
    print(json.dumps({"seconds": seconds, "count": len(held)}), flush=True)
    sys.stdin.readline()
    return None


def payloads_for(args):
    """Values that do not compress, or with a codec, words that do."""
    if args.codec == "none":
        return [os.urandom(args.size // 2).hex().encode() for _ in range(64)]
    dice = random.Random(1)
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randint(2, 12)))
             for _ in range(2000)]
    return [" ".join(dice.choices(words, k=args.size // 3))[:args.size].encode()
            for _ in range(4096)]


def key_of(args, index):
    """Each key of a block comes twice, so that of every batch one half is out of date."""
    return b"%d" % (index // 100 * 50 + index % 50) if args.keyed else None


def produce(args, _host, _port):
    from confluent_kafka import Producer
    config = {"bootstrap.servers": args.bootstrap, "acks": "all", "linger.ms": 5,
              "compression.type": args.codec, "batch.size": 131072, "batch.num.messages": 100000,
              "queue.buffering.max.kbytes": 262144, "queue.buffering.max.messages": 1000000}
    failed = []

    def delivered(error, _message):
        if error is not None:
            failed.append(str(error))

    producer = Producer({**config, "on_delivery": delivered})
    payloads = payloads_for(args)
    mask = len(payloads) - 1
    begin = time.monotonic()
    for index in range(args.count):
        while True:
            try:
                producer.produce(args.topic, payloads[index & mask], key_of(args, index))
                break
            except BufferError:
                producer.poll(0.05)
        if index & 1023 == 0:
            producer.poll(0)
    producer.flush(120)
    if failed:
        raise SystemExit(f"{len(failed)} records failed: {failed[0]}")
    return {"seconds": time.monotonic() - begin, "count": args.count}


def consume(args, _host, _port):
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
    consumer = Consumer({"bootstrap.servers": args.bootstrap, "group.id": "bench",
                         "enable.auto.commit": False, "fetch.max.bytes": 52428800,
                         "queued.max.messages.kbytes": 131072,
                         # A full queue makes librdkafka rest for a second: its own time.
                         "queued.min.messages": 1000000, "fetch.queue.backoff.ms": 1})
    parts = consumer.list_topics(args.topic, 10).topics[args.topic].partitions
    consumer.assign([TopicPartition(args.topic, part, OFFSET_BEGINNING) for part in parts])
    begin, count = time.monotonic(), 0
    while count < args.count:
        messages = consumer.consume(10000, 10)
        if not messages:
            raise SystemExit(f"only {count} of {args.count} records came")
        count += sum(1 for message in messages if message.error() is None)
    seconds = time.monotonic() - begin
    consumer.close()
    return {"seconds": seconds, "count": count}


def configure(args, _host, _port):
    """Changes settings of the topic."""
    from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry,
                                       ConfigResource, ResourceType)
    pairs = [pair.split("=", 1) for pair in args.set]
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
               for name, value in pairs]
    resource_of = ConfigResource(ResourceType.TOPIC, args.topic, incremental_configs=entries)
    client = AdminClient({"bootstrap.servers": args.bootstrap})
    for future in client.incremental_alter_configs([resource_of]).values():
        future.result(60)
    return {}


LOADS = {"produce": produce, "consume": consume, "connections": connections, "configure": configure,
         "first-ack": first_ack, "partitions": partitions}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("load", choices=sorted(LOADS))
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", default="bench")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--codec", default="none")
    parser.add_argument("--keyed", action="store_true")
    parser.add_argument("--topics", type=int, default=1)
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--core", default="any", help="the only one to run on")
    args = parser.parse_args()
    if args.core != "any":
        os.sched_setaffinity(0, {int(args.core)})
    host, port = args.bootstrap.rsplit(":", 1)
    seen = LOADS[args.load](args, host, int(port))
    if seen is not None:
        times = os.times()
        print(json.dumps({**seen, "client_cpu_seconds": times.user + times.system}))


if __name__ == "__main__":
    main()
