"""As much of the protocol as a load on a plain socket needs."""

import struct
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


def call(sock, request):
    sock.sendall(request)
    return answer(sock)


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def one_record_batch():
    record = bytes([0, 0, 0, 1, 2]) + b"x" + bytes([0])
    record = bytes([len(record) * 2]) + record
    now = int(time.time() * 1000)
    tail = struct.pack(">hiqqqhii", 0, 0, now, now, -1, -1, -1, 1) + record
    head = struct.pack(">ib", -1, 2) + struct.pack(">I", crc32c(tail))
    return struct.pack(">qi", 0, len(head) + len(tail)) + head + tail


def create_topics(topics, partitions):
    """CreateTopics 3: each on one broker, without settings."""
    each = b"".join(text(topic) + struct.pack(">ihii", partitions, 1, 0, 0) for topic in topics)
    return frame(19, 3, struct.pack(">i", len(topics)) + each + struct.pack(">ib", 60000, 0))


def produce_to(topic, partitions, batch):
    """Produce 3: the batch to each of the partitions."""
    each = b"".join(struct.pack(">ii", index, len(batch)) + batch for index in partitions)
    return frame(0, 3, struct.pack(">hhii", -1, -1, 60000, 1) + text(topic)
                 + struct.pack(">i", len(partitions)) + each)


def refused(topic, data):
    """The partitions to which the answer to `produce_to` gives an error."""
    # correlation id, one topic, its name; then for each partition its index, error, offset, time
    at = 4 + 4 + 2 + len(topic)
    count, = struct.unpack_from(">i", data, at)
    seen = (struct.unpack_from(">ihqq", data, at + 4 + 22 * index) for index in range(count))
    return [index for index, error, _, _ in seen if error != 0]
