package gofka.compat;

import static gofka.compat.Data.fields;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/** What an administrator does to topics and configurations, and the errors it meets. */
final class AdminScenarios {
    private AdminScenarios() {}

    static Map<String, Object> topicAdmin(Cluster c) throws Exception {
        Admin admin = c.admin();
        List<String> topic = List.of(c.topic);
        Map<String, Object> out = fields();
        var spec = new NewTopic(c.topic, 3, (short) 1).configs(Map.of("retention.ms", "7200000"));
        out.put("create", Cluster.error(admin.createTopics(List.of(spec)).all()));
        out.put("create_again", Cluster.error(admin.createTopics(List.of(spec)).all()));
        Cluster.until("topic is visible", () -> admin.listTopics().names().get().contains(c.topic));
        out.put("listed", true);
        out.put("partitions", count(c));
        out.put("create_partitions", Cluster.error(
                admin.createPartitions(Map.of(c.topic, NewPartitions.increaseTo(5))).all()));
        Cluster.until("partitions are added", () -> count(c) == 5);
        out.put("partitions_after", 5);

        var resource = new ConfigResource(ConfigResource.Type.TOPIC, c.topic);
        Collection<AlterConfigOp> set = List.of(new AlterConfigOp(
                new ConfigEntry("max.message.bytes", "123456"), AlterConfigOp.OpType.SET));
        out.put("alter", Cluster.error(
                admin.incrementalAlterConfigs(Map.of(resource, set)).all()));
        Cluster.until("config is visible", () ->
                config(admin, resource).get("max.message.bytes").value().equals("123456"));
        out.put("configs", fields(
                "max.message.bytes", entry(admin, resource, "max.message.bytes"),
                "retention.ms", entry(admin, resource, "retention.ms")));

        out.put("delete", Cluster.error(admin.deleteTopics(topic).all()));
        Cluster.until("topic is gone", () ->
                !Cluster.error(admin.describeTopics(topic).allTopicNames()).equals("NONE"));
        out.put("describe_deleted", Cluster.error(admin.describeTopics(topic).allTopicNames()));
        return out;
    }

    private static int count(Cluster c) throws Exception {
        return c.admin().describeTopics(List.of(c.topic)).allTopicNames().get()
                .get(c.topic).partitions().size();
    }

    private static Config config(Admin admin, ConfigResource resource) throws Exception {
        return admin.describeConfigs(List.of(resource)).all().get().get(resource);
    }

    private static List<String> entry(Admin admin, ConfigResource r, String key) throws Exception {
        ConfigEntry e = config(admin, r).get(key);
        return List.of(e.value(), e.source().name());
    }

    static Map<String, Object> deleteRecords(Cluster c) throws Exception {
        c.create(1);
        c.produce(1, 50);
        TopicPartition tp = new TopicPartition(c.topic, 0);
        Map<String, Object> out = fields();
        out.put("low_watermark", delete(c, tp, 20).get().lowWatermark());
        out.put("earliest", offset(c, tp, OffsetSpec.earliest()));
        out.put("latest", offset(c, tp, OffsetSpec.latest()));
        try (KafkaConsumer<byte[], byte[]> consumer = c.consumer()) {
            consumer.assign(List.of(tp));
            consumer.seek(tp, 0);
            var got = Cluster.drain(consumer, 30);
            out.put("read", got.size());
            out.put("first", got.get(0).offset());
        }
        out.put("beyond", Cluster.error(delete(c, tp, 1000)));
        return out;
    }

    private static org.apache.kafka.common.KafkaFuture<org.apache.kafka.clients.admin.DeletedRecords>
            delete(Cluster c, TopicPartition tp, long before) {
        return c.admin().deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(before)))
                .lowWatermarks().get(tp);
    }

    private static long offset(Cluster c, TopicPartition tp, OffsetSpec spec) throws Exception {
        return c.admin().listOffsets(Map.of(tp, spec)).partitionResult(tp).get().offset();
    }

    static Map<String, Object> errors(Cluster c) throws Exception {
        c.create(c.topic, 1, Map.of("max.message.bytes", "10000"));
        Map<String, Object> out = fields();
        try (KafkaProducer<byte[], byte[]> p = c.producer("batch.size", 0)) {
            out.put("too_large", Cluster.outcome(
                    () -> p.send(new ProducerRecord<>(c.topic, 0, null, new byte[20_000])).get()));
        }
        String missing = c.topic + "-missing";
        out.put("unknown_topic_metadata", Cluster.error(
                c.admin().describeTopics(List.of(missing)).allTopicNames()));
        try (KafkaConsumer<byte[], byte[]> consumer = c.consumer(
                "allow.auto.create.topics", false, "group.id", c.topic + "-nobody")) {
            out.put("unknown_topic_partitions", consumer.partitionsFor(missing).size());
            var tp = new TopicPartition(c.topic, 0);
            var committed = consumer.committed(java.util.Set.of(tp)).get(tp);
            out.put("unknown_group", committed == null ? -1 : committed.offset());
        }
        out.put("bad_name", create(c, c.topic + " bad/name!", 1, 1, Map.of()));
        out.put("bad_config_name", create(c, missing, 1, 1, Map.of("no.such.config", "1")));
        out.put("bad_config_value", create(c, missing, 1, 1, Map.of("retention.ms", "abc")));
        out.put("replication", create(c, missing, 1, 3, Map.of()));
        out.put("partitions_zero", create(c, missing, 0, 1, Map.of()));
        return out;
    }

    private static String create(Cluster c, String name, int partitions, int replication,
            Map<String, String> configs) throws Exception {
        var spec = new NewTopic(name, Optional.of(partitions), Optional.of((short) replication));
        return Cluster.error(c.admin().createTopics(List.of(spec.configs(configs))).all());
    }

    static Map<String, Object> listMany(Cluster c) throws Exception {
        List<NewTopic> specs = new ArrayList<>();
        List<TopicPartition> all = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            String name = String.format("%s-%03d", c.topic, i);
            specs.add(new NewTopic(name, 1, (short) 1));
            all.add(new TopicPartition(name, 0));
        }
        var created = c.admin().createTopics(specs);
        created.all().get();
        Cluster.until("all topics are listed", () -> listed(c) == 100);
        try (KafkaProducer<byte[], byte[]> p = c.producer()) {
            List<Future<?>> sent = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                sent.add(p.send(new ProducerRecord<>(all.get(i).topic(), Data.key(i), null)));
            }
            for (Future<?> f : sent) {
                f.get();
            }
        }
        try (KafkaConsumer<byte[], byte[]> consumer = c.consumer()) {
            consumer.assign(all);
            int read = Cluster.drain(consumer, 100).size();
            return fields("created", created.values().size(), "listed", listed(c), "read", read);
        }
    }

    private static long listed(Cluster c) throws Exception {
        return c.admin().listTopics().names().get().stream()
                .filter(name -> name.startsWith(c.topic + "-")).count();
    }
}
