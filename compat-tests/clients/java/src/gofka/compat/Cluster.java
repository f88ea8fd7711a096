package gofka.compat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The broker under test and the topic name of one scenario: makes clients, owns the admin one. */
final class Cluster implements AutoCloseable {
    static final Duration POLL = Duration.ofMillis(200);

    final String bootstrap;
    final String topic;
    private Admin admin;

    Cluster(String bootstrap, String topic) {
        this.bootstrap = bootstrap;
        this.topic = topic;
    }

    Admin admin() {
        if (admin == null) {
            admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
        }
        return admin;
    }

    @Override
    public void close() {
        if (admin != null) {
            admin.close(Duration.ofSeconds(2));
        }
    }

    KafkaProducer<byte[], byte[]> producer(Object... config) {
        Map<String, Object> all = pairs(config);
        all.put("bootstrap.servers", bootstrap);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    KafkaConsumer<byte[], byte[]> consumer(Object... config) {
        Map<String, Object> all = pairs(config);
        all.put("bootstrap.servers", bootstrap);
        all.putIfAbsent("auto.offset.reset", "earliest");
        all.putIfAbsent("enable.auto.commit", "false");
        return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static Map<String, Object> pairs(Object... config) {
        Map<String, Object> all = new HashMap<>();
        for (int i = 0; i < config.length; i += 2) {
            all.put((String) config[i], config[i + 1]);
        }
        return all;
    }

    void create(String name, int partitions, Map<String, String> configs) throws Exception {
        NewTopic spec = new NewTopic(name, partitions, (short) 1).configs(configs);
        admin().createTopics(List.of(spec)).all().get();
        awaitLeaders(name, partitions);
    }

    void awaitLeaders(String name, int partitions) throws Exception {
        // It can be described before its partitions are served; asking for offsets tells.
        until(name + " is visible", () ->
                error(admin().describeTopics(List.of(name)).allTopicNames()).equals("NONE"));
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        for (int p = 0; p < partitions; p++) {
            ends.put(new TopicPartition(name, p), OffsetSpec.latest());
        }
        until(name + " has leaders", () ->
                error(admin().listOffsets(ends).all()).equals("NONE"));
    }

    void create(int partitions) throws Exception {
        create(topic, partitions, Map.of());
    }

    /** Record i of the shared data set: partition i mod partitions, key and value from i. */
    static ProducerRecord<byte[], byte[]> record(String topic, int partitions, int i) {
        return new ProducerRecord<>(topic, i % partitions, Data.key(i), Data.value(i));
    }

    void produce(int partitions, int count, Object... config) throws Exception {
        try (KafkaProducer<byte[], byte[]> p = producer(config)) {
            List<Future<?>> sent = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                sent.add(p.send(record(topic, partitions, i)));
            }
            for (Future<?> f : sent) {
                f.get();
            }
        }
    }

    List<TopicPartition> partitions(int count) {
        List<TopicPartition> all = new ArrayList<>();
        for (int p = 0; p < count; p++) {
            all.add(new TopicPartition(topic, p));
        }
        return all;
    }

    /** Reads until {@code count} records came, then a little longer to see whether more follow. */
    List<ConsumerRecord<byte[], byte[]>> read(int partitions, int count, Object... config) {
        try (KafkaConsumer<byte[], byte[]> c = consumer(config)) {
            c.assign(partitions(partitions));
            c.seekToBeginning(c.assignment());
            return drain(c, count);
        }
    }

    static List<ConsumerRecord<byte[], byte[]>> drain(KafkaConsumer<byte[], byte[]> c, int count) {
        List<ConsumerRecord<byte[], byte[]>> got = new ArrayList<>();
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (got.size() < count && System.nanoTime() < deadline) {
            c.poll(POLL).forEach(got::add);
        }
        c.poll(POLL).forEach(got::add);
        return got;
    }

    static void until(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + 45_000_000_000L;
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("not reached in 45 s: " + what);
            }
            Thread.sleep(20);
        }
    }

    /** The Kafka name of what a call came to, {@code NONE} when it worked. */
    static String error(org.apache.kafka.common.KafkaFuture<?> future) throws Exception {
        return outcome(future::get);
    }

    static String outcome(Callable<?> call) throws Exception {
        try {
            call.call();
            return "NONE";
        } catch (ExecutionException e) {
            return name(e.getCause());
        } catch (KafkaException e) {
            return name(e);
        }
    }

    private static String name(Throwable cause) {
        Errors known = Errors.forException(cause);
        boolean local = cause instanceof TimeoutException || known == Errors.UNKNOWN_SERVER_ERROR;
        return local ? "CLIENT:" + cause.getClass().getSimpleName() : known.name();
    }
}
