package gofka.compat;

import static gofka.compat.Data.fields;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;

/** Reads a whole topic as a group member, through a restart of the broker, and sums it up. */
final class ConsumeAll {
    private final Map<Integer, TreeMap<Long, byte[][]>> byPartition = new TreeMap<>();
    private int distinct;
    private int duplicates;

    private ConsumeAll() {}

    static Map<String, Object> run(Args a) {
        return new ConsumeAll().read(a);
    }

    private Map<String, Object> read(Args a) {
        int expect = Integer.parseInt(a.get("expect"));
        int idle = a.has("idle-s") ? Integer.parseInt(a.get("idle-s")) : 120;
        long idleNanos = idle * 1_000_000_000L;
        Cluster c = new Cluster(a.get("bootstrap"), a.get("topic"));
        try (KafkaConsumer<byte[], byte[]> consumer = c.consumer("group.id", a.get("group"),
                "session.timeout.ms", 10_000, "default.api.timeout.ms", 10_000)) {
            consumer.subscribe(List.of(c.topic));
            long last = System.nanoTime();
            while (distinct < expect && System.nanoTime() - last < idleNanos) {
                if (step(consumer)) {
                    last = System.nanoTime();
                }
            }
            long end = System.nanoTime() + 1_000_000_000L;
            while (System.nanoTime() < end) {
                step(consumer);
            }
        }
        return summary(a.get("client"));
    }

    /** One poll and its commit; whether it brought anything new. */
    private boolean step(KafkaConsumer<byte[], byte[]> consumer) {
        var records = consumer.poll(Cluster.POLL);
        int before = distinct;
        records.forEach(this::keep);
        if (distinct / 5000 != before / 5000) {
            System.err.println("PROGRESS " + distinct);
        }
        if (!records.isEmpty()) {
            try {
                consumer.commitSync();
            } catch (CommitFailedException e) {
                System.err.println("not in the group any more, will read again: " + e);
            } catch (KafkaException e) {
                System.err.println("not committed, will be committed with the next: " + e);
            }
        }
        return distinct > before;
    }

    private void keep(ConsumerRecord<byte[], byte[]> r) {
        var partition = byPartition.computeIfAbsent(r.partition(), p -> new TreeMap<>());
        if (partition.put(r.offset(), new byte[][] {r.key(), r.value()}) == null) {
            distinct++;
        } else {
            duplicates++;
        }
    }

    private Map<String, Object> summary(String client) {
        boolean ordered = true;
        Map<String, Integer> home = new HashMap<>();
        TreeMap<byte[], List<byte[]>> byKey = new TreeMap<>(Arrays::compareUnsigned);
        for (var partition : byPartition.entrySet()) {
            long next = 0;
            for (var record : partition.getValue().entrySet()) {
                // A gap would be a record that was skipped.
                ordered &= record.getKey() == next++;
                byte[] key = record.getValue()[0];
                Integer other = home.putIfAbsent(Data.hex(key), partition.getKey());
                ordered &= other == null || other.equals(partition.getKey());
                byKey.computeIfAbsent(key, k -> new ArrayList<>()).add(record.getValue()[1]);
            }
        }
        MessageDigest sha = Data.sha();
        byKey.forEach((key, values) -> values.forEach(value -> {
            framed(sha, key);
            framed(sha, value);
        }));
        return fields("client", client, "count", distinct, "duplicates", duplicates,
                "order_ok", ordered, "checksum", Data.hex(sha.digest()));
    }

    private static void framed(MessageDigest sha, byte[] b) {
        sha.update(ByteBuffer.allocate(4).putInt(b.length).array());
        sha.update(b);
    }
}
