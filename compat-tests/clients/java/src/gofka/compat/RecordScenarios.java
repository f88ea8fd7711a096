package gofka.compat;

import static gofka.compat.Data.fields;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;

/** Producing and reading back: codecs, shapes, timestamps, segments, idempotence. */
final class RecordScenarios {
    private static final long BASE = 1_700_000_000_000L;

    private RecordScenarios() {}

    static Map<String, Object> codec(Cluster c, String codec) throws Exception {
        c.create(3);
        // Small batches, so that the topic holds several of them.
        c.produce(3, 200, "compression.type", codec, "batch.size", 2000, "linger.ms", 5);
        var got = c.read(3, 200);
        return fields("count", got.size(), "sha256", Data.hash(got));
    }

    static Map<String, Object> shapes(Cluster c) throws Exception {
        c.create(1);
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        records.add(plain(c, "dup", Data.bytes("headers")));
        records.get(0).headers().add("a", Data.bytes("1")).add("a", Data.bytes("2"))
                .add("b", new byte[0]).add("c", null)
                .add("d", new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        records.add(plain(c, "nullvalue", null));
        records.add(plain(c, null, Data.bytes("nullkey")));
        records.add(plain(c, "", new byte[0]));
        records.add(plain(c, "one", Data.bytes("1")));
        records.add(plain(c, "large", Data.large()));
        try (KafkaProducer<byte[], byte[]> p = c.producer("max.request.size", 2_000_000)) {
            for (var record : records) {
                p.send(record).get();
            }
        }
        List<Object> seen = new ArrayList<>();
        for (var r : c.read(1, records.size())) {
            List<Object> headers = new ArrayList<>();
            for (Header h : r.headers()) {
                List<Object> pair = new ArrayList<>();
                pair.add(Data.render(Data.bytes(h.key())));
                pair.add(Data.render(h.value()));
                headers.add(pair);
            }
            seen.add(fields("k", Data.render(r.key()), "v", Data.render(r.value()), "h", headers));
        }
        return fields("records", seen);
    }

    private static ProducerRecord<byte[], byte[]> plain(Cluster c, String key, byte[] value) {
        return new ProducerRecord<>(c.topic, 0, key == null ? null : Data.bytes(key), value);
    }

    static Map<String, Object> timestamps(Cluster c) throws Exception {
        c.create(1);
        try (KafkaProducer<byte[], byte[]> p = c.producer()) {
            for (int i = 0; i < 5; i++) {
                long at = BASE + i * 1000L;
                p.send(new ProducerRecord<>(c.topic, 0, at, Data.key(i), Data.value(i))).get();
            }
        }
        TopicPartition tp = new TopicPartition(c.topic, 0);
        Map<String, Object> out = fields();
        try (KafkaConsumer<byte[], byte[]> consumer = c.consumer()) {
            out.put("earliest", consumer.beginningOffsets(List.of(tp)).get(tp));
            out.put("latest", consumer.endOffsets(List.of(tp)).get(tp));
            out.put("before_all", at(consumer, tp, BASE - 5000));
            out.put("at_exact", at(consumer, tp, BASE + 2000));
            out.put("between", at(consumer, tp, BASE + 2500));
            out.put("after_all", at(consumer, tp, BASE + 9000));
        }
        out.put("max_timestamp", c.admin().listOffsets(Map.of(tp, OffsetSpec.maxTimestamp()))
                .partitionResult(tp).get().offset());
        out.put("timestamps", c.read(1, 5).stream().map(r -> r.timestamp() - BASE).toList());
        return out;
    }

    private static long at(KafkaConsumer<?, ?> consumer, TopicPartition tp, long time) {
        OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(tp, time)).get(tp);
        return found == null ? -1 : found.offset();
    }

    static Map<String, Object> logAppendTime(Cluster c) throws Exception {
        c.create(c.topic, 1, Map.of("message.timestamp.type", "LogAppendTime"));
        long before = System.currentTimeMillis();
        try (KafkaProducer<byte[], byte[]> p = c.producer("compression.type", "gzip")) {
            p.send(new ProducerRecord<>(c.topic, 0, BASE, Data.key(0), Data.value(0))).get();
        }
        ConsumerRecord<byte[], byte[]> r = c.read(1, 1).get(0);
        boolean within = r.timestamp() >= before - 1000
                && r.timestamp() <= System.currentTimeMillis() + 1000;
        return fields("within", within, "type", r.timestampType().name);
    }

    static Map<String, Object> compressionType(Cluster c) throws Exception {
        Map<String, Object> out = fields();
        for (String type : new String[] {"zstd", "uncompressed"}) {
            Cluster own = new Cluster(c.bootstrap, c.topic + "-" + type);
            try (own) {
                own.create(own.topic, 1, Map.of("compression.type", type));
                own.produce(1, 50, "compression.type", "gzip");
                out.put(type, own.read(1, 50).size());
            }
        }
        return out;
    }

    static Map<String, Object> segments(Cluster c) throws Exception {
        c.create(c.topic, 1, Map.of("segment.bytes", "1048576"));
        try (KafkaProducer<byte[], byte[]> p = c.producer()) {
            List<Future<?>> sent = new ArrayList<>();
            for (int i = 0; i < 5000; i++) {
                sent.add(p.send(new ProducerRecord<>(c.topic, 0, Data.key(i), Data.wideValue(i))));
            }
            for (Future<?> f : sent) {
                f.get();
            }
        }
        var got = c.read(1, 5000, "max.partition.fetch.bytes", 65536, "fetch.max.bytes", 65536);
        return fields("count", got.size(), "sha256", Data.hash(got));
    }

    static Map<String, Object> emptyPoll(Cluster c) throws Exception {
        c.create(1);
        Map<String, Object> out = fields();
        try (KafkaConsumer<byte[], byte[]> consumer = c.consumer()) {
            consumer.assign(c.partitions(1));
            out.put("empty_records", pollFor(consumer, 1000));
            c.produce(1, 10);
            consumer.seekToEnd(consumer.assignment());
            out.put("end_records", pollFor(consumer, 1000));
        }
        return out;
    }

    private static int pollFor(KafkaConsumer<?, ?> consumer, long millis) {
        int seen = 0;
        long end = System.nanoTime() + millis * 1_000_000;
        while (System.nanoTime() < end) {
            seen += consumer.poll(Cluster.POLL).count();
        }
        return seen;
    }

    static Map<String, Object> autoCreate(Cluster c) throws Exception {
        c.produce(1, 10);
        int partitions = c.admin().describeTopics(List.of(c.topic)).allTopicNames().get()
                .get(c.topic).partitions().size();
        return fields("partitions", partitions, "count", c.read(1, 10).size());
    }

    static Map<String, Object> idempotentWrite(Cluster c) throws Exception {
        c.create(1);
        AtomicInteger acked = new AtomicInteger();
        try (KafkaProducer<byte[], byte[]> p = c.producer("enable.idempotence", true,
                "delivery.timeout.ms", 50_000, "request.timeout.ms", 5_000)) {
            List<Future<?>> sent = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                sent.add(p.send(Cluster.record(c.topic, 1, i), (meta, error) -> {
                    if (error == null && acked.incrementAndGet() == 200) {
                        System.err.println("PHASE ready");
                    }
                }));
                // Slowly: the broker must be killed while there is something left to send.
                Thread.sleep(3);
            }
            for (Future<?> f : sent) {
                f.get();
            }
        }
        return fields("acked", acked.get());
    }

    static Map<String, Object> idempotentRead(Cluster c) {
        Set<String> distinct = new HashSet<>();
        boolean inOrder = true;
        var got = c.read(1, 1000);
        for (int i = 0; i < got.size(); i++) {
            String key = new String(got.get(i).key());
            distinct.add(key);
            inOrder &= key.equals("key-" + i);
        }
        return fields("count", got.size(), "distinct", distinct.size(), "in_order", inOrder);
    }
}
