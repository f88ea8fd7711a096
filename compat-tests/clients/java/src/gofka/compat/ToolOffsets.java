package gofka.compat;

import static gofka.compat.Data.fields;
import static gofka.compat.ToolScenarios.GROUPS;
import static gofka.compat.ToolScenarios.OFFSETS;
import static gofka.compat.ToolScenarios.create;
import static gofka.compat.ToolScenarios.groups;
import static gofka.compat.ToolScenarios.with;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Offsets by the tools: looked up in every form, and those of a group reset and deleted. */
final class ToolOffsets {
    private static final Instant NOW = Instant.now();
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS").withZone(ZoneOffset.UTC);

    private ToolOffsets() {}

    private static Instant hoursAgo(int hours) {
        return NOW.minus(Duration.ofHours(hours));
    }

    /** Partition 0 has ten records of three hours ago and ten of one, 1 has five, 2 none. */
    private static void fill(Cluster c) throws Exception {
        create(c, 3);
        try (var p = c.producer()) {
            List<Future<?>> sent = new ArrayList<>();
            for (int i = 0; i < 25; i++) {
                long at = hoursAgo(i < 10 ? 3 : 1).toEpochMilli();
                sent.add(p.send(new ProducerRecord<>(c.topic, i < 20 ? 0 : 1, at, Data.key(i),
                        Data.value(i))));
            }
            for (Future<?> f : sent) {
                f.get();
            }
        }
    }

    static Map<String, Object> get(Cluster c) throws Exception {
        fill(c);
        Tool tool = new Tool(c);
        Map<String, Object> out = fields();
        String[] topic = {"--topic", c.topic};
        out.put("default", tool.run(OFFSETS, "", topic));
        for (String time : new String[] {"earliest", "latest", "max-timestamp", "earliest-local",
            "latest-tiered", "-1", "-2", "-3", "-4", "-5", "7", "nonsense", "-9"}) {
            out.put("time_" + time, tool.run(OFFSETS, "", with(topic, "--time", time)));
        }
        for (int hours : new int[] {4, 3, 2, 1, 0}) {
            out.put("hours_" + hours, tool.run(OFFSETS, "", with(topic, "--time",
                    "" + hoursAgo(hours).toEpochMilli())));
        }
        out.put("some", tool.run(OFFSETS, "", with(topic, "--partitions", "0,2")));
        out.put("unknown_partition", tool.run(OFFSETS, "", with(topic, "--partitions", "9")));
        for (String form : new String[] {"", ":0", ":1-", ":-1", ":0-2", ":9", ":5-7"}) {
            out.put("pattern" + form, tool.run(OFFSETS, "", "--topic-partitions", c.topic + form));
        }
        out.put("patterns", tool.run(OFFSETS, "", "--topic-partitions",
                c.topic + ":0," + c.topic + ":2"));
        out.put("bad_pattern", tool.run(OFFSETS, "", "--topic-partitions", c.topic + ":a"));
        out.put("both", tool.refusal(OFFSETS, with(topic, "--topic-partitions", c.topic)));
        out.put("unknown_topic", tool.run(OFFSETS, "", "--topic", c.topic + "-none"));
        out.put("regex", tool.run(OFFSETS, "", "--topic", c.topic.substring(0, 3) + ".*-tools"
                + "|" + c.topic, "--exclude-internal-topics").stream()
                .filter(line -> line.startsWith("TOPIC:")).toList());
        return fields("tools", out);
    }

    private static List<String> reset(Cluster c, String... how) throws Exception {
        String[] about = {"--reset-offsets", "--group", c.topic + "-group"};
        return groups(c, with(about, how));
    }

    static Map<String, Object> reset(Cluster c) throws Exception {
        fill(c);
        Map<String, Object> out = fields();
        String[] topic = {"--topic", c.topic};
        out.put("unknown_group", reset(c, with(topic, "--to-earliest", "--dry-run")));
        out.put("no_action", reset(c, with(topic, "--to-latest")));
        out.put("create", reset(c, with(topic, "--to-earliest", "--execute")));
        out.put("latest", reset(c, with(topic, "--to-latest", "--execute")));
        out.put("offset", reset(c, "--topic", c.topic + ":0,1", "--to-offset", "3", "--execute"));
        out.put("offset_beyond", reset(c, with(topic, "--to-offset", "1000", "--execute")));
        out.put("offset_below", reset(c, with(topic, "--to-offset", "-5", "--execute")));
        out.put("shift", reset(c, with(topic, "--shift-by", "7", "--execute")));
        out.put("shift_back", reset(c, with(topic, "--shift-by", "-2", "--execute")));
        out.put("shift_too_far", reset(c, with(topic, "--shift-by", "-100", "--dry-run")));
        out.put("shift_beyond", reset(c, with(topic, "--shift-by", "100", "--dry-run")));
        out.put("current", reset(c, with(topic, "--to-current", "--execute")));
        for (String duration : new String[] {"P1D", "PT2H", "PT30M", "PT0S", "nonsense"}) {
            out.put("duration_" + duration,
                    reset(c, with(topic, "--by-duration", duration, "--dry-run")));
        }
        for (int hours : new int[] {4, 2, 0}) {
            String at = DATE.format(hoursAgo(hours));
            out.put("date_" + hours, reset(c, with(topic, "--to-datetime", at, "--dry-run")));
            String zoned = at + "+00:00";
            out.put("zoned_" + hours, reset(c, with(topic, "--to-datetime", zoned, "--dry-run")));
        }
        out.put("bad_date", reset(c, with(topic, "--to-datetime", "yesterday", "--dry-run")));
        out.put("all_topics", reset(c, "--all-topics", "--to-earliest", "--dry-run"));
        out.put("unknown_partition",
                reset(c, "--topic", c.topic + ":9", "--to-earliest", "--dry-run"));
        out.put("unknown_topic",
                reset(c, "--topic", c.topic + "-none", "--to-earliest", "--dry-run"));
        String[] wrong = {"--reset-offsets", "--dry-run", "--group", c.topic + "-group",
            "--to-earliest"};
        out.put("two_ways", new Tool(c).refusal(GROUPS, with(wrong, "--to-latest")));
        out.put("no_scope", new Tool(c).refusal(GROUPS, wrong));
        out.put("application_dry", application(c, "--to-datetime", DATE.format(hoursAgo(2)),
                "--dry-run"));
        out.put("application", application(c, "--shift-by", "3"));
        out.put("application_described", groups(c, "--describe", "--group", c.topic + "-app"));
        files(c, out);
        whileActive(c, out);
        return fields("tools", out);
    }

    /** The tool that resets a streams application, which is a group like others. */
    private static List<String> application(Cluster c, String... how) throws Exception {
        String[] about = {"--application-id", c.topic + "-app", "--input-topics", c.topic};
        return new Tool(c).run("StreamsResetter", "", with(about, how)).stream().sorted().toList();
    }

    /** What one reset has exported, another reads. */
    private static void files(Cluster c, Map<String, Object> out) throws Exception {
        String[] topic = {"--topic", c.topic};
        var plan = reset(c, with(topic, "--to-offset", "2", "--export", "--dry-run"));
        out.put("export", plan);
        Path file = Files.createTempFile("plan", ".csv");
        String[] from = {"--from-file", file.toString()};
        try {
            Files.writeString(file, String.join("\n", plan).replace("TOPIC", c.topic) + "\n");
            out.put("file_dry", reset(c, with(from, "--dry-run")));
            out.put("file", reset(c, with(from, "--execute")));
            Files.writeString(file, c.topic + ",0,1000\n" + c.topic + ",1,4\n");
            out.put("file_beyond", reset(c, with(from, "--execute", "--export")));
            Files.writeString(file, "not a plan\n");
            out.put("file_bad", reset(c, with(from, "--execute")));
            String group = c.topic + "-group";
            var two = new Tool(c).run(GROUPS, "", "--reset-offsets", "--group", group,
                    "--group", group + "-2", "--topic", c.topic, "--to-offset", "1", "--export",
                    "--execute");
            out.put("two_groups", two.stream().sorted().toList());
            String lines = group + "," + c.topic + ",0,5\n" + group + "-2," + c.topic + ",1,2\n";
            Files.writeString(file, lines);
            out.put("file_of_two", groups(c, "--reset-offsets", "--group", group, "--group",
                    group + "-2", "--from-file", file.toString(), "--execute"));
        } finally {
            Files.delete(file);
        }
        out.put("missing_file", reset(c, "--from-file", file.toString(), "--execute"));
        out.put("describe", groups(c, "--describe", "--group", c.topic + "-group"));
        out.put("describe_2", groups(c, "--describe", "--group", c.topic + "-group-2"));
    }

    private static void whileActive(Cluster c, Map<String, Object> out) throws Exception {
        Member member = new Member(c, c.topic + "-group");
        Cluster.until("the member owns all", () -> member.assigned.size() == 3);
        out.put("active", reset(c, "--topic", c.topic, "--to-earliest", "--execute"));
        out.put("active_dry", reset(c, "--topic", c.topic, "--to-earliest", "--dry-run"));
        member.leave();
    }

    private static void commit(Cluster c, String topic, String group, long offset) {
        try (var consumer = c.consumer("group.id", group)) {
            Map<TopicPartition, OffsetAndMetadata> all = new HashMap<>();
            for (int p = 0; p < 3; p++) {
                all.put(new TopicPartition(topic, p), new OffsetAndMetadata(offset));
            }
            consumer.commitSync(all);
        }
    }

    static Map<String, Object> delete(Cluster c) throws Exception {
        create(c, 3);
        c.produce(3, 30);
        String other = c.topic + "-other";
        c.create(other, 3, Map.of());
        String group = c.topic + "-group";
        commit(c, c.topic, group, 4);
        commit(c, other, group, 0);
        String[] about = {"--delete-offsets", "--group", group};
        Map<String, Object> out = fields();
        out.put("one", groups(c, with(about, "--topic", c.topic + ":0")));
        out.put("after_one", groups(c, "--describe", "--group", group));
        out.put("again", groups(c, with(about, "--topic", c.topic + ":0")));
        out.put("two_topics", groups(c, with(about, "--topic", c.topic + ":1",
                "--topic", other + ":0,2")));
        out.put("after_two", groups(c, "--describe", "--group", group));
        out.put("unknown_partition", groups(c, with(about, "--topic", c.topic + ":9")));
        out.put("unknown_topic", groups(c, with(about, "--topic", c.topic + "-none")));
        out.put("unknown_group", groups(c, "--delete-offsets", "--group", group + "-none",
                "--topic", c.topic));
        out.put("no_topic", new Tool(c).refusal(GROUPS, about));
        Member member = new Member(c, group);
        Cluster.until("the member owns all", () -> member.assigned.size() == 3);
        out.put("subscribed", groups(c, with(about, "--topic", c.topic)));
        out.put("not_subscribed", groups(c, with(about, "--topic", other)));
        member.leave();
        out.put("whole_topic", groups(c, with(about, "--topic", c.topic)));
        out.put("after_all", groups(c, "--describe", "--group", group));
        out.put("offsets_of_none", groups(c, "--describe", "--group", group, "--offsets"));
        return fields("tools", out);
    }
}
