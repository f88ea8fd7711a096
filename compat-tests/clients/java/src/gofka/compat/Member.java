package gofka.compat;

import java.util.Collection;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** A group member on its own thread: polls, commits what it read, and counts its callbacks. */
final class Member extends Thread implements ConsumerRebalanceListener {
    final Set<TopicPartition> assigned = ConcurrentHashMap.newKeySet();
    final Set<String> seen = ConcurrentHashMap.newKeySet();
    final AtomicInteger revoked = new AtomicInteger();
    final AtomicInteger callbacks = new AtomicInteger();
    private final KafkaConsumer<byte[], byte[]> consumer;
    private volatile boolean stop;

    Member(Cluster c, String group, Object... config) {
        super("member");
        Object[] all = new Object[config.length + 6];
        Object[] own = {"group.id", group, "session.timeout.ms", 6000,
            "heartbeat.interval.ms", 500};
        System.arraycopy(own, 0, all, 0, 6);
        System.arraycopy(config, 0, all, 6, config.length);
        consumer = c.consumer(all);
        consumer.subscribe(java.util.List.of(c.topic), this);
        start();
    }

    @Override
    public void run() {
        try (consumer) {
            while (!stop) {
                var records = consumer.poll(Cluster.POLL);
                records.forEach(r -> seen.add(r.partition() + ":" + r.offset()));
                if (!records.isEmpty()) {
                    consumer.commitSync(records.nextOffsets());
                }
            }
        }
    }

    /** Ends the member as its client does: a dynamic member says that it leaves. */
    void leave() throws InterruptedException {
        stop = true;
        join(20_000);
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        callbacks.incrementAndGet();
        assigned.addAll(partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        callbacks.incrementAndGet();
        revoked.addAndGet(partitions.size());
        assigned.removeAll(partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        assigned.removeAll(partitions);
    }
}
