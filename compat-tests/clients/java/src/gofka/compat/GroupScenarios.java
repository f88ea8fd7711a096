package gofka.compat;

import static gofka.compat.Data.fields;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Consumer groups: members that come, leave and die; commits; going on after a restart. */
final class GroupScenarios {
    private GroupScenarios() {}

    static Map<String, Object> three(Cluster c) throws Exception {
        c.create(6);
        c.produce(6, 60);
        String group = c.topic + "-group";
        Map<String, Object> out = fields();
        ChildMember killed = new ChildMember(c, group);
        Member first = new Member(c, group);
        Member second = new Member(c, group);
        Cluster.until("three members own two partitions each", () -> killed.assigned == 2
                && first.assigned.size() == 2 && second.assigned.size() == 2);
        out.put("assigned_three", List.of(2, 2, 2));
        second.leave();
        Cluster.until("two members own three partitions each",
                () -> killed.assigned == 3 && first.assigned.size() == 3);
        out.put("after_leave", List.of(3, 3));
        // The one that is killed must have told what it has read and committed.
        Cluster.until("all is read", () -> seen(first, second, killed).size() == 60);
        killed.kill();
        Cluster.until("the last member owns all", () -> first.assigned.size() == 6);
        out.put("after_kill", List.of(6));
        Cluster.until("all is committed", () -> committed(c, group) == 60);
        first.leave();
        out.put("committed_total", committed(c, group));
        out.put("records_seen", seen(first, second, killed).size());
        return out;
    }

    private static Set<String> seen(Member first, Member second, ChildMember killed) {
        Set<String> seen = new HashSet<>(first.seen);
        seen.addAll(second.seen);
        seen.addAll(killed.seen);
        return seen;
    }

    private static long committed(Cluster c, String group) throws Exception {
        return c.admin().listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()
                .values().stream().mapToLong(OffsetAndMetadata::offset).sum();
    }

    static Map<String, Object> staticMembers(Cluster c) throws Exception {
        c.create(6);
        String group = c.topic + "-group";
        Member one = new Member(c, group, "group.instance.id", "one", "session.timeout.ms", 20_000);
        Member two = new Member(c, group, "group.instance.id", "two", "session.timeout.ms", 20_000);
        Cluster.until("both own three",
                () -> one.assigned.size() == 3 && two.assigned.size() == 3);
        Set<TopicPartition> owned = Set.copyOf(two.assigned);
        int before = one.callbacks.get();
        two.leave();
        Member again = new Member(c, group,
                "group.instance.id", "two", "session.timeout.ms", 20_000);
        Cluster.until("the restarted member owns three", () -> again.assigned.size() == 3);
        // A rebalance would have called the other member before the group is stable again.
        Cluster.until("the group is stable", () -> state(c, group).equals("Stable"));
        Map<String, Object> out = fields("assigned", List.of(3, 3),
                "same_assignment", owned.equals(Set.copyOf(again.assigned)),
                "other_disturbed", one.callbacks.get() != before);
        one.leave();
        again.leave();
        return out;
    }

    static Map<String, Object> cooperative(Cluster c) throws Exception {
        c.create(6);
        String group = c.topic + "-group";
        Object[] sticky = {"partition.assignment.strategy",
            CooperativeStickyAssignor.class.getName()};
        Member first = new Member(c, group, sticky);
        Cluster.until("the first owns all", () -> first.assigned.size() == 6);
        Member second = new Member(c, group, sticky);
        Cluster.until("both own three",
                () -> first.assigned.size() == 3 && second.assigned.size() == 3);
        int revoked = first.revoked.get();
        second.leave();
        first.leave();
        return fields("first_alone", 6, "first_after", 3, "second_after", 3,
                "revoked_from_first", revoked);
    }

    static Map<String, Object> commit(Cluster c) throws Exception {
        c.create(1);
        c.produce(1, 10);
        String group = c.topic + "-group";
        TopicPartition tp = new TopicPartition(c.topic, 0);
        Admin admin = c.admin();
        Map<String, Object> out = fields();
        try (KafkaConsumer<byte[], byte[]> consumer = c.consumer("group.id", group)) {
            consumer.subscribe(List.of(c.topic));
            while (consumer.assignment().isEmpty()) {
                consumer.poll(Cluster.POLL);
            }
            consumer.commitSync(Map.of(tp, new OffsetAndMetadata(7, "meta")));
            OffsetAndMetadata found = consumer.committed(Set.of(tp)).get(tp);
            out.put("committed", found.offset());
            out.put("metadata", found.metadata());
            out.put("listed", listed(c, group));
            out.put("state_active", state(c, group));
            out.put("delete_active",
                    Cluster.error(admin.deleteConsumerGroups(List.of(group)).all()));
        }
        Cluster.until("group is empty", () -> state(c, group).equals("Empty"));
        out.put("state_empty", state(c, group));
        out.put("delete_offsets", Cluster.error(
                admin.deleteConsumerGroupOffsets(group, Set.of(tp)).all()));
        var left = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        out.put("after_delete_offsets", left.get(tp) == null ? -1 : left.get(tp).offset());
        // The group had nothing but this offset: with it gone, a broker may drop the group.
        String deleted = Cluster.error(admin.deleteConsumerGroups(List.of(group)).all());
        out.put("delete_group", deleted);
        out.put("listed_after", listed(c, group));
        return out;
    }

    private static boolean listed(Cluster c, String group) throws Exception {
        return c.admin().listGroups().all().get().stream().anyMatch(g -> g.groupId().equals(group));
    }

    private static String state(Cluster c, String group) throws Exception {
        return c.admin().describeConsumerGroups(List.of(group)).all().get().get(group)
                .groupState().toString();
    }

    /** Phase 1 fills the topic and reads 40; the later ones must go on exactly there. */
    static Map<String, Object> resume(Cluster c, int phase) throws Exception {
        String group = c.topic + "-group";
        int take = phase == 1 ? 40 : 30;
        if (phase == 1) {
            c.create(1);
            c.produce(1, 100);
        }
        TopicPartition tp = new TopicPartition(c.topic, 0);
        try (KafkaConsumer<byte[], byte[]> consumer = c.consumer("group.id", group,
                "max.poll.records", 10, "session.timeout.ms", 6000)) {
            consumer.subscribe(List.of(c.topic));
            long first = -1;
            int count = 0;
            while (count < take) {
                for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Cluster.POLL)) {
                    first = first < 0 ? r.offset() : first;
                    count++;
                }
            }
            consumer.commitSync();
            long committed = consumer.committed(Set.of(tp)).get(tp).offset();
            return switch (phase) {
                case 1 -> fields("consumed", count, "committed", committed);
                case 2 -> fields("first_offset", first, "consumed", count, "committed", committed);
                default -> fields("first_offset", first, "consumed", count,
                        "log_end", consumer.endOffsets(List.of(tp)).get(tp));
            };
        }
    }
}
