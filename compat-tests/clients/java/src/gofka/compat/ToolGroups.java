package gofka.compat;

import static gofka.compat.Data.fields;
import static gofka.compat.ToolScenarios.GROUPS;
import static gofka.compat.ToolScenarios.create;
import static gofka.compat.ToolScenarios.groups;
import static gofka.compat.ToolScenarios.with;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;

/** A group described and listed in every form, while it is in use and when it is left. */
final class ToolGroups {
    private static final String KINDS = "GroupsCommand";

    private ToolGroups() {}

    static Map<String, Object> run(Cluster c) throws Exception {
        create(c, 4);
        c.produce(4, 40);
        String group = c.topic + "-group";
        Member plain = new Member(c, group, "client.id", "plain", "group.instance.id", "first");
        Member fixed = new Member(c, group, "client.id", "fixed", "group.instance.id", "second",
                "auto.commit.interval.ms", 100);
        Cluster.until("both own two partitions, and all is read", () -> plain.assigned.size() == 2
                && fixed.assigned.size() == 2 && plain.seen.size() + fixed.seen.size() >= 40);
        Member alone = new Member(c, group + "-2", "client.id", "alone");
        Cluster.until("the other group's member owns all", () -> alone.assigned.size() == 4);
        Cluster.until("all is committed", () -> groups(c, "--describe", "--group", group).stream()
                .filter(line -> line.contains(" 10 10 0 ")).count() == 4);
        Map<String, Object> out = fields();
        describe(c, group, out, "active");
        out.put("two", describe(c, "--group", group, "--group", group + "-2", "--state"));
        list(c, out, "active");
        alone.leave();
        plain.leave();
        fixed.leave();
        out.put("delete_other", groups(c, "--delete", "--group", group + "-2"));
        out.put("delete_both", groups(c, "--delete", "--group", group + "-2", "--group",
                group + "-3"));
        out.put("static_members", describe(c, "--group", group, "--members"));
        c.admin().removeMembersFromConsumerGroup(group,
                new org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions())
                .all().get();
        describe(c, group, out, "empty");
        list(c, out, "empty");
        stored(c, group, out);
        describe(c, group + "-none", out, "unknown");
        out.put("bad_state", new Tool(c).refusal(GROUPS, "--list", "--state", "nonsense"));
        out.put("bad_type", new Tool(c).refusal(GROUPS, "--list", "--type", "nonsense"));
        out.put("validate", groups(c, "--validate-regex", "a.*b"));
        out.put("validate_bad", groups(c, "--validate-regex", "a(b"));
        return fields("tools", out);
    }

    /** The group's own records, read as records and written out by Kafka's formatters. */
    private static void stored(Cluster c, String group, Map<String, Object> out)
            throws Exception {
        List<String> offsets = new ArrayList<>();
        Cluster.until("each partition's offset is read", () -> {
            offsets.clear();
            offsets.addAll(new TreeSet<>(formatted(c, group, "Offsets")));
            return offsets.size() >= 4;
        });
        out.put("stored_offsets", offsets);
        List<String> states = new ArrayList<>();
        Cluster.until("the state without members is read", () -> {
            states.addAll(formatted(c, group, "GroupMetadata"));
            return !states.isEmpty() && last(states).contains("\"members\":[]");
        });
        out.put("stored_state", last(states).replaceAll("\"generation\":\\d+",
                "\"generation\":N"));
    }

    private static String last(List<String> lines) {
        return lines.get(lines.size() - 1);
    }

    /** The reader gives up after a silence, which may come before the first record. */
    private static List<String> formatted(Cluster c, String group, String what) throws Exception {
        String partition = "" + (group.hashCode() & Integer.MAX_VALUE) % 50;
        var lines = new Tool(c).run("consumer.ConsoleConsumer", "", "--topic", "__consumer_offsets",
                "--partition", partition, "--from-beginning", "--timeout-ms", "1500",
                "--formatter", "org.apache.kafka.tools.consumer." + what + "MessageFormatter");
        // They stand side by side.
        return Stream.of(String.join("", lines).split("(?=\\{\"key\":)|(?=Processed a total)"))
                .filter(record -> record.contains("\"group\":\"TOPIC-group\""))
                .map(record -> record.replaceAll("\"topicId\":\"[^\"]*\"", "\"topicId\":ID"))
                .toList();
    }

    private static void describe(Cluster c, String group, Map<String, Object> out, String when)
            throws Exception {
        for (String what : List.of("--offsets", "--members", "--state")) {
            out.put(when + what, describe(c, "--group", group, what));
            out.put(when + what + "_verbose", describe(c, "--group", group, what, "--verbose"));
        }
    }

    private static List<String> describe(Cluster c, String... args) throws Exception {
        return groups(c, with(new String[] {"--describe"}, args));
    }

    private static void list(Cluster c, Map<String, Object> out, String when) throws Exception {
        String[][] forms = {{}, {"--state"}, {"--state", "Stable"}, {"--state", "empty,dead"},
            {"--type"}, {"--type", "classic"}, {"--type", "consumer"}, {"--state", "--type"}};
        for (String[] form : forms) {
            out.put(when + "_list" + String.join("_", form), listed(c, form));
        }
        String[][] kinds = {{}, {"--group-type", "classic"}, {"--consumer"}, {"--share"},
            {"--protocol", "consumer"}, {"--protocol", "other"}};
        for (String[] kind : kinds) {
            var lines = new Tool(c).run(KINDS, "", with(new String[] {"--list"}, kind));
            out.put(when + "_groups" + String.join("_", kind), own(lines));
        }
    }

    private static List<String> listed(Cluster c, String... form) throws Exception {
        return own(groups(c, with(new String[] {"--list"}, form)));
    }

    /** The lines that are not about the groups of others. */
    private static List<String> own(List<String> lines) {
        return lines.stream().filter(line -> line.contains("TOPIC") || line.startsWith("GROUP")
                || line.startsWith("Error") || line.startsWith("exit")).sorted().toList();
    }
}
