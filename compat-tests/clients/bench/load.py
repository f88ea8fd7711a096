"""Loads for `cargo xtask bench`: one load a run, one JSON line with what the client saw.

produce / consume use librdkafka; connections / first-ack use plain sockets, so that the time
measured is the broker's and not a client's start.
"""

import argparse
import json
import os
import resource
import socket
import struct
import sys
import time


def crc32c(data):
    """CRC-32C, bit by bit: it covers one small batch."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 & -(crc & 1))
    return crc ^ 0xFFFFFFFF


def frame(key, version, body):
    header = struct.pack(">hhih", key, version, 1, 5) + b"bench"
    return struct.pack(">i", len(header) + len(body)) + header + body


def answer(sock):
    size = struct.unpack(">i", exactly(sock, 4))[0]
    return exactly(sock, size)


def exactly(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise ConnectionError("closed")
        data += part
    return data


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def one_record_batch():
    record = bytes([0, 0, 0, 1, 2]) + b"x" + bytes([0])
    record = bytes([len(record) * 2]) + record
    now = int(time.time() * 1000)
    tail = struct.pack(">hiqqqhii", 0, 0, now, now, -1, -1, -1, 1) + record
    head = struct.pack(">ib", -1, 2) + struct.pack(">I", crc32c(tail))
    return struct.pack(">qi", 0, len(head) + len(tail)) + head + tail


def first_ack(args, host, port):
    """Says READY, then tries until a record is acknowledged."""
    batch = one_record_batch()
    metadata = frame(3, 4, struct.pack(">i", 1) + text(args.topic) + b"\x01")
    produce = frame(0, 3, struct.pack(">hhii", -1, -1, 5000, 1) + text(args.topic)
                    + struct.pack(">iii", 1, 0, len(batch)) + batch)
    print("READY", flush=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((host, port), timeout=5) as sock:
                while time.monotonic() < deadline:
                    sock.sendall(metadata)
                    answer(sock)
                    sock.sendall(produce)
                    data = answer(sock)
                    # correlation id, one topic, its name, one partition, its index: the error
                    at = 4 + 4 + 2 + len(args.topic) + 4 + 4
                    if struct.unpack_from(">h", data, at)[0] == 0:
                        return {"acknowledged_at": time.clock_gettime(time.CLOCK_MONOTONIC)}
                    time.sleep(0.001)
        except OSError:
            time.sleep(0.001)
    raise SystemExit("no record was acknowledged within 60 s")


def connections(args, host, port):
    """Opens connections one after the other, each with one request, and holds them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, args.count + 100), hard))
    request = frame(18, 0, b"")
    begin, held = time.monotonic(), []
    for _ in range(args.count):
        sock = socket.create_connection((host, port), timeout=30)
        sock.sendall(request)
        answer(sock)
        held.append(sock)
    seconds = time.monotonic() - begin
    print(json.dumps({"seconds": seconds, "count": len(held)}), flush=True)
    sys.stdin.readline()
    return None


def produce(args, _host, _port):
    from confluent_kafka import Producer
    config = {"bootstrap.servers": args.bootstrap, "acks": "all", "linger.ms": 5,
              "batch.size": 131072, "batch.num.messages": 100000,
              "queue.buffering.max.kbytes": 262144, "queue.buffering.max.messages": 1000000}
    failed = []

    def delivered(error, _message):
        if error is not None:
            failed.append(str(error))

    producer = Producer({**config, "on_delivery": delivered})
    payloads = [os.urandom(args.size // 2).hex().encode() for _ in range(64)]
    begin = time.monotonic()
    for index in range(args.count):
        while True:
            try:
                producer.produce(args.topic, payloads[index & 63])
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("load", choices=["produce", "consume", "connections", "first-ack"])
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", default="bench")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--size", type=int, default=1000)
    args = parser.parse_args()
    host, port = args.bootstrap.rsplit(":", 1)
    loads = {"produce": produce, "consume": consume, "connections": connections,
             "first-ack": first_ack}
    seen = loads[args.load](args, host, int(port))
    if seen is not None:
        times = os.times()
        print(json.dumps({**seen, "client_cpu_seconds": times.user + times.system}))


if __name__ == "__main__":
    main()
