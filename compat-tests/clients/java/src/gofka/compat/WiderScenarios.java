package gofka.compat;

import static gofka.compat.Data.fields;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** What a user meets later: many partitions, lost offsets, patterns, pauses, topics made anew. */
final class WiderScenarios {
    private WiderScenarios() {}

    static Map<String, Object> thousandPartitions(Cluster c) throws Exception {
        // Kafka takes seconds to make as many, so that all clients share them.
        try (Cluster shared = new Cluster(c.bootstrap, "thousand-partitions")) {
            var spec = new NewTopic(shared.topic, 1000, (short) 1);
            String made = Cluster.error(shared.admin().createTopics(List.of(spec)).all());
            if (!made.equals("NONE") && !made.equals("TOPIC_ALREADY_EXISTS")) {
                throw new IllegalStateException(made);
            }
            shared.awaitLeaders(shared.topic, 1000);
            byte[] own = Data.bytes(c.topic);
            try (var producer = c.producer("linger.ms", 100)) {
                List<Future<?>> sent = new ArrayList<>();
                for (int p = 0; p < 1000; p++) {
                    sent.add(producer.send(new ProducerRecord<>(shared.topic, p, own, own)));
                }
                for (Future<?> f : sent) {
                    f.get();
                }
            }
            List<Integer> from = new ArrayList<>();
            try (var consumer = c.consumer()) {
                consumer.assign(shared.partitions(1000));
                Cluster.until("the records are read", () -> {
                    consumer.poll(Cluster.POLL).forEach(r -> {
                        if (Arrays.equals(r.key(), own)) {
                            from.add(r.partition());
                        }
                    });
                    return from.size() >= 1000;
                });
            }
            return fields("read", from.size(), "partitions", new HashSet<>(from).size());
        }
    }

    static Map<String, Object> readCommitted(Cluster c) throws Exception {
        c.create(1);
        c.produce(1, 50);
        var tp = new TopicPartition(c.topic, 0);
        try (var consumer = c.consumer("isolation.level", "read_committed")) {
            consumer.assign(List.of(tp));
            int read = Cluster.drain(consumer, 50).size();
            return fields("read", read, "end", consumer.endOffsets(List.of(tp)).get(tp));
        }
    }

    static Map<String, Object> outOfRange(Cluster c) throws Exception {
        c.create(1);
        c.produce(1, 50);
        var tp = new TopicPartition(c.topic, 0);
        c.admin().deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(20))).all().get();
        Map<String, Object> out = fields();
        out.put("below", firstFrom(c, tp, 5, "earliest"));
        out.put("beyond", firstFrom(c, tp, 1000, "earliest"));
        try (var consumer = c.consumer("auto.offset.reset", "latest")) {
            consumer.assign(List.of(tp));
            consumer.seek(tp, 5);
            Cluster.until("the position is at the end", () -> {
                consumer.poll(Cluster.POLL);
                return consumer.position(tp) == 50;
            });
            out.put("latest", consumer.position(tp));
        }
        try (var consumer = c.consumer("auto.offset.reset", "none")) {
            consumer.assign(List.of(tp));
            consumer.seek(tp, 5);
            try {
                Cluster.drain(consumer, 30);
                out.put("none", "NONE");
            } catch (OffsetOutOfRangeException e) {
                out.put("none", "OFFSET_OUT_OF_RANGE");
            }
        }
        return out;
    }

    private static long firstFrom(Cluster c, TopicPartition tp, long offset, String reset) {
        try (var consumer = c.consumer("auto.offset.reset", reset)) {
            consumer.assign(List.of(tp));
            consumer.seek(tp, offset);
            return Cluster.drain(consumer, 30).get(0).offset();
        }
    }

    static Map<String, Object> acks(Cluster c) throws Exception {
        c.create(2);
        int partition = 0;
        var ends = new ArrayList<Long>();
        for (String acks : new String[] {"0", "1"}) {
            try (var p = c.producer("acks", acks, "enable.idempotence", false)) {
                List<Future<?>> sent = new ArrayList<>();
                for (int i = 0; i < 100; i++) {
                    sent.add(p.send(new ProducerRecord<>(c.topic, partition, null, Data.key(i))));
                }
                for (Future<?> f : sent) {
                    f.get();
                }
            }
            var tp = new TopicPartition(c.topic, partition++);
            Cluster.until("all has arrived", () -> end(c, tp) == 100);
            ends.add(end(c, tp));
        }
        return fields("ends", ends, "read", c.read(2, 200).size());
    }

    private static long end(Cluster c, TopicPartition tp) throws Exception {
        return c.admin().listOffsets(Map.of(tp, OffsetSpec.latest())).partitionResult(tp).get()
                .offset();
    }

    static Map<String, Object> recreate(Cluster c) throws Exception {
        c.create(1);
        c.produce(1, 10);
        try (var consumer = c.consumer("metadata.max.age.ms", 500,
                "allow.auto.create.topics", false)) {
            consumer.assign(c.partitions(1));
            int before = Cluster.drain(consumer, 10).size();
            var first = id(c);
            c.admin().deleteTopics(List.of(c.topic)).all().get();
            Cluster.until("topic is gone", () -> {
                consumer.poll(Cluster.POLL);
                return !Cluster.error(c.admin().describeTopics(List.of(c.topic))
                        .allTopicNames()).equals("NONE");
            });
            c.create(1);
            c.produce(1, 3);
            Set<Long> offsets = new HashSet<>();
            Cluster.until("the new records are read", () -> {
                consumer.poll(Cluster.POLL).forEach(r -> offsets.add(r.offset()));
                return offsets.size() == 3;
            });
            return fields("before", before, "after", offsets.stream().sorted().toList(),
                    "same_id", first.equals(id(c)));
        }
    }

    private static Object id(Cluster c) throws Exception {
        return c.admin().describeTopics(List.of(c.topic)).allTopicNames().get()
                .get(c.topic).topicId();
    }

    static Map<String, Object> large(Cluster c) throws Exception {
        c.create(1);
        try (KafkaProducer<byte[], byte[]> p = c.producer("batch.size", 1_000_000)) {
            List<Future<?>> sent = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                sent.add(p.send(new ProducerRecord<>(c.topic, 0, Data.key(i), Data.large())));
            }
            for (Future<?> f : sent) {
                f.get();
            }
        }
        var got = c.read(1, 40);
        return fields("read", got.size(), "sha256", Data.hash(got));
    }

    static Map<String, Object> pattern(Cluster c) throws Exception {
        c.create(c.topic + ".a", 1, Map.of());
        c.create(c.topic + ".b", 2, Map.of());
        c.create(c.topic + "-other", 1, Map.of());
        try (var consumer = c.consumer("group.id", c.topic + "-group",
                "metadata.max.age.ms", 500)) {
            consumer.subscribe(Pattern.compile(Pattern.quote(c.topic + ".") + "[ab-d]"));
            assigned(consumer, 3);
            int before = consumer.assignment().size();
            c.create(c.topic + ".d", 1, Map.of());
            assigned(consumer, 4);
            return fields("before", before, "after", consumer.assignment().size());
        }
    }

    private static void assigned(KafkaConsumer<byte[], byte[]> consumer, int count)
            throws Exception {
        Cluster.until(count + " partitions are assigned", () -> {
            consumer.poll(Cluster.POLL);
            return consumer.assignment().size() == count;
        });
    }

    static Map<String, Object> pause(Cluster c) throws Exception {
        c.create(2);
        c.produce(2, 100);
        try (var consumer = c.consumer()) {
            var both = c.partitions(2);
            consumer.assign(both);
            consumer.pause(both.subList(0, 1));
            var paused = count(Cluster.drain(consumer, 50));
            consumer.resume(both.subList(0, 1));
            return fields("paused", paused, "resumed", count(Cluster.drain(consumer, 50)));
        }
    }

    private static List<Integer> count(List<ConsumerRecord<byte[], byte[]>> records) {
        int first = (int) records.stream().filter(r -> r.partition() == 0).count();
        return List.of(first, records.size() - first);
    }

    static Map<String, Object> cluster(Cluster c) throws Exception {
        c.create(1);
        var found = c.admin().describeCluster();
        var node = found.controller().get();
        Map<String, Object> out = fields("nodes", found.nodes().get().size(),
                "controller", found.nodes().get().contains(node),
                "address", (node.host() + ":" + node.port()).equals(c.bootstrap),
                "cluster_id", found.clusterId().get().isEmpty());
        String group = c.topic + "-group";
        var tp = new TopicPartition(c.topic, 0);
        try (var consumer = c.consumer("group.id", group)) {
            consumer.subscribe(List.of(c.topic));
            assigned(consumer, 1);
            consumer.commitSync(Map.of(tp, new OffsetAndMetadata(0, "note")));
            var g = c.admin().describeConsumerGroups(List.of(group)).all().get().get(group);
            var member = g.members().iterator().next();
            out.put("group", List.of(g.groupState().toString(), g.partitionAssignor(),
                    g.members().size(), member.host(),
                    member.assignment().topicPartitions().equals(Set.of(tp))));
            out.put("metadata", consumer.committed(Set.of(tp)).get(tp).metadata());
        }
        Map<String, String> states = new HashMap<>();
        c.admin().listGroups().all().get().forEach(
                g -> states.put(g.groupId(), g.groupState().map(Object::toString).orElse("none")));
        out.put("listed", states.get(group));
        return out;
    }
}
