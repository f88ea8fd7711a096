package gofka.compat;

import static gofka.compat.Data.fields;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** The scenarios by Apache Kafka's command-line tools: what is compared is what they print. */
final class ToolScenarios {
    private static final String TOPICS = "TopicCommand";
    private static final String CONFIGS = "kafka.admin.ConfigCommand";
    static final String OFFSETS = "GetOffsetShell";
    private static final String PRODUCER = "ConsoleProducer";
    private static final String CONSUMER = "consumer.ConsoleConsumer";
    static final String GROUPS = "consumer.group.ConsumerGroupCommand";
    private static final Map<String, Scenario> ALL = new HashMap<>();

    static {
        for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            ALL.put("codec-" + codec, c -> codec(c, codec));
        }
        ALL.put("topic-admin", ToolScenarios::topicAdmin);
        ALL.put("record-shapes", ToolScenarios::shapes);
        ALL.put("log-append-time", ToolScenarios::logAppendTime);
        ALL.put("compression-type", ToolScenarios::compressionType);
        ALL.put("segments", ToolScenarios::segments);
        ALL.put("empty-poll", ToolScenarios::emptyPoll);
        ALL.put("auto-create", ToolScenarios::autoCreate);
        ALL.put("delete-records", ToolScenarios::deleteRecords);
        ALL.put("errors", ToolScenarios::errors);
        ALL.put("group-three", ToolScenarios::three);
        ALL.put("commit", ToolScenarios::commit);
        ALL.put("cluster-tools", ToolCluster::run);
        ALL.put("offset-tools", ToolOffsets::get);
        ALL.put("reset-offsets", ToolOffsets::reset);
        ALL.put("delete-offsets", ToolOffsets::delete);
        ALL.put("group-tools", ToolGroups::run);
        ALL.put("performance-tools", ToolLoads::performance);
        ALL.put("verifiable-tools", ToolLoads::verifiable);
        ALL.put("idempotent.1", ToolScenarios::idempotentWrite);
        ALL.put("idempotent.2", ToolScenarios::idempotentRead);
        ALL.put("read-committed", ToolWider::readCommitted);
        ALL.put("out-of-range", ToolWider::outOfRange);
        ALL.put("acks", ToolWider::acks);
        ALL.put("large-records", ToolWider::large);
        ALL.put("pattern", ToolWider::pattern);
        ALL.put("cluster", ToolWider::cluster);
        ALL.put("resume.1", c -> resume(c, 1));
        ALL.put("resume.2", c -> resume(c, 2));
        ALL.put("resume.3", c -> resume(c, 3));
    }

    private ToolScenarios() {}

    static Scenario find(String name) {
        return ALL.get(name);
    }

    static Map<String, Object> printed(Object... stepsAndLines) {
        return fields("tools", fields(stepsAndLines));
    }

    static List<String> create(Cluster c, int partitions, String... configs)
            throws Exception {
        List<String> args = new ArrayList<>(List.of("--create", "--topic", c.topic,
                "--partitions", "" + partitions, "--replication-factor", "1"));
        for (String config : configs) {
            args.addAll(List.of("--config", config));
        }
        var printed = new Tool(c).run(TOPICS, "", args.toArray(String[]::new));
        Cluster.until("topic is visible", () -> Cluster.error(
                c.admin().describeTopics(List.of(c.topic)).allTopicNames()).equals("NONE"));
        return printed;
    }

    static List<String> produce(Cluster c, String input, String... args) throws Exception {
        List<String> all = new ArrayList<>(List.of("--topic", c.topic));
        all.addAll(List.of(args));
        return new Tool(c).run(PRODUCER, input, all.toArray(String[]::new));
    }

    static List<String> consume(Cluster c, String... args) throws Exception {
        List<String> all = new ArrayList<>(List.of("--topic", c.topic, "--timeout-ms", "15000"));
        all.addAll(List.of(args));
        return new Tool(c).run(CONSUMER, "", all.toArray(String[]::new));
    }

    static String lines(int from, int to) {
        StringBuilder all = new StringBuilder();
        for (int i = from; i < to; i++) {
            all.append("key-").append(i).append('\t').append("value-").append(i).append('\n');
        }
        return all.toString();
    }

    private static Map<String, Object> topicAdmin(Cluster c) throws Exception {
        Tool tool = new Tool(c);
        Map<String, Object> out = fields();
        out.put("create", create(c, 3, "retention.ms=7200000"));
        out.put("create_again", tool.run(TOPICS, "", "--create", "--topic", c.topic));
        out.put("if_not_exists", tool.run(TOPICS, "", "--create", "--if-not-exists",
                "--topic", c.topic));
        out.put("describe", tool.run(TOPICS, "", "--describe", "--topic", c.topic));
        out.put("listed", tool.run(TOPICS, "", "--list").contains("TOPIC"));
        out.put("more", tool.run(TOPICS, "", "--alter", "--topic", c.topic, "--partitions", "5"));
        Cluster.until("partitions are added", () -> new Tool(c).run(TOPICS, "", "--describe",
                "--topic", c.topic).size() == 6);
        out.put("fewer", tool.run(TOPICS, "", "--alter", "--topic", c.topic, "--partitions", "2"));
        String[] entity = {"--entity-type", "topics", "--entity-name", c.topic};
        out.put("alter", tool.run(CONFIGS, "", with(entity, "--alter",
                "--add-config", "max.message.bytes=123456,cleanup.policy=[compact,delete]")));
        out.put("configs", tool.run(CONFIGS, "", with(entity, "--describe")));
        out.put("reset", tool.run(CONFIGS, "", with(entity, "--alter",
                "--delete-config", "max.message.bytes")));
        out.put("configs_after", tool.run(CONFIGS, "", with(entity, "--describe")));
        out.put("bad_config", tool.run(CONFIGS, "", with(entity, "--alter",
                "--add-config", "no.such.config=1")));
        out.put("log_dirs", tool.run("LogDirsCommand", "", "--describe",
                "--topic-list", c.topic).stream().map(line -> line.replaceAll(
                "\"partition\":\"TOPIC-\\d\"", "PARTITION")).toList());
        out.put("cluster_id", tool.exec("ClusterTool", "", "cluster-id",
                "--bootstrap-server", c.bootstrap).size());
        out.put("delete", tool.run(TOPICS, "", "--delete", "--topic", c.topic));
        Cluster.until("topic is gone", () -> !Cluster.error(
                c.admin().describeTopics(List.of(c.topic)).allTopicNames()).equals("NONE"));
        out.put("describe_deleted", tool.run(TOPICS, "", "--describe", "--topic", c.topic));
        return fields("tools", out);
    }

    /** An error's name alone: its words are the broker's own. */
    static String withoutWords(String line) {
        return line.replaceAll("(\\w+Exception: ).*", "$1WORDS");
    }

    static String[] with(String[] some, String... more) {
        List<String> all = new ArrayList<>(List.of(some));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    private static Map<String, Object> codec(Cluster c, String codec) throws Exception {
        create(c, 1);
        produce(c, lines(0, 200), "--compression-codec", codec, "--reader-property",
                "parse.key=true", "--batch-size", "1000");
        var read = consume(c, "--from-beginning", "--max-messages", "200",
                "--formatter-property", "print.key=true",
                "--formatter-property", "print.offset=true");
        String all = Data.hex(Data.sha().digest(Data.bytes(String.join("\n", read))));
        return fields("count", read.size() - 1, "tools", fields("printed", all));
    }

    private static Map<String, Object> shapes(Cluster c) throws Exception {
        create(c, 1);
        String input = "a:1,a:2,b:\tdup\theaders\nNULL\tnullvalue\tNULL\nNULL\tNULL\tnullkey\n";
        produce(c, input, "--reader-property", "parse.key=true", "--reader-property",
                "parse.headers=true", "--reader-property", "null.marker=NULL");
        var read = consume(c, "--from-beginning", "--max-messages", "3",
                "--formatter-property", "print.key=true",
                "--formatter-property", "print.headers=true");
        return printed("read", read);
    }

    private static Map<String, Object> logAppendTime(Cluster c) throws Exception {
        create(c, 1, "message.timestamp.type=LogAppendTime");
        produce(c, "one\ntwo\n", "--compression-codec", "gzip");
        return printed("read", consume(c, "--from-beginning", "--max-messages", "2",
                "--formatter-property", "print.timestamp=true"),
                "max_timestamp", new Tool(c).run(OFFSETS, "", "--topic", c.topic, "--time", "-3"));
    }

    private static Map<String, Object> compressionType(Cluster c) throws Exception {
        create(c, 1, "compression.type=zstd");
        produce(c, lines(0, 50), "--compression-codec", "gzip");
        var read = consume(c, "--from-beginning", "--max-messages", "50");
        return printed("read", processed(read));
    }

    private static Map<String, Object> segments(Cluster c) throws Exception {
        create(c, 1, "segment.bytes=1048576");
        var sent = new Tool(c).exec("ProducerPerformance", "", "--topic", c.topic,
                "--num-records", "5000", "--record-size", "1000", "--throughput", "-1",
                "--bootstrap-server", c.bootstrap);
        String last = sent.get(sent.size() - 1);
        var read = consume(c, "--from-beginning", "--max-messages", "5000",
                "--command-property", "max.partition.fetch.bytes=65536");
        return fields("count", read.size() - 1, "tools",
                fields("sent", last.substring(0, last.indexOf(','))));
    }

    private static Map<String, Object> emptyPoll(Cluster c) throws Exception {
        create(c, 1);
        Tool tool = new Tool(c);
        String[] wait = {"--topic", c.topic, "--timeout-ms", "1000"};
        var empty = tool.run(CONSUMER, "", with(wait, "--from-beginning"));
        produce(c, lines(0, 10));
        return printed("empty", processed(empty),
                "end", processed(tool.run(CONSUMER, "", wait)));
    }

    /** The summary, without the time-out that a console consumer reports as an error. */
    private static String processed(List<String> printed) {
        return printed.stream().filter(line -> line.startsWith("Processed")).toList().toString();
    }

    private static Map<String, Object> autoCreate(Cluster c) throws Exception {
        produce(c, lines(0, 10));
        return printed("read", processed(consume(c, "--from-beginning", "--max-messages", "10")),
                "describe", new Tool(c).run(TOPICS, "", "--describe", "--topic", c.topic));
    }

    private static Map<String, Object> deleteRecords(Cluster c) throws Exception {
        create(c, 1);
        produce(c, lines(0, 50));
        Map<String, Object> out = fields();
        Path file = Files.createTempFile("offsets", ".json");
        try {
            for (int before : new int[] {20, 1000}) {
                Files.writeString(file, String.format("{\"version\":1,\"partitions\":[{\"topic\":"
                        + "\"%s\",\"partition\":0,\"offset\":%d}]}", c.topic, before));
                out.put("before_" + before, new Tool(c).run("DeleteRecordsCommand", "",
                        "--offset-json-file", file.toString()));
            }
        } finally {
            Files.delete(file);
        }
        out.put("earliest", new Tool(c).run(OFFSETS, "", "--topic", c.topic, "--time", "-2"));
        out.put("latest", new Tool(c).run(OFFSETS, "", "--topic", c.topic, "--time", "-1"));
        out.put("read", consume(c, "--from-beginning", "--max-messages", "30",
                "--formatter-property", "print.offset=true"));
        return fields("tools", out);
    }

    private static Map<String, Object> errors(Cluster c) throws Exception {
        Tool tool = new Tool(c);
        String[] make = {"--create", "--topic", c.topic};
        return printed(
                "unknown_topic", tool.run(TOPICS, "", "--describe", "--topic", c.topic),
                "delete_unknown", tool.run(TOPICS, "", "--delete", "--topic", c.topic),
                "unknown_group", tool.run(GROUPS, "", "--describe", "--group", c.topic),
                "delete_unknown_group", tool.run(GROUPS, "", "--delete", "--group", c.topic),
                "bad_name", tool.run(TOPICS, "", "--create", "--topic", "bad/name!"),
                "bad_value", tool.run(TOPICS, "", with(make, "--config", "retention.ms=abc")),
                "bad_config", tool.run(TOPICS, "", with(make, "--config", "no.such.config=1")),
                "replication", tool.run(TOPICS, "", with(make, "--replication-factor", "3")),
                "no_partitions", tool.run(TOPICS, "", with(make, "--partitions", "0")));
    }

    private static Map<String, Object> three(Cluster c) throws Exception {
        create(c, 6);
        c.produce(6, 60);
        String group = c.topic + "-group";
        ToolProcess first = new ToolProcess(c, group);
        ToolProcess second = new ToolProcess(c, group);
        ToolProcess killed = new ToolProcess(c, group);
        Cluster.until("three members own two partitions each", () ->
                first.assigned == 2 && second.assigned == 2 && killed.assigned == 2);
        second.leave();
        Cluster.until("two members own three partitions each",
                () -> first.assigned == 3 && killed.assigned == 3);
        killed.kill();
        Cluster.until("the last member owns all", () -> first.assigned == 6);
        Set<String> seen = new HashSet<>();
        Cluster.until("all is read", () -> {
            seen.addAll(first.seen);
            seen.addAll(second.seen);
            seen.addAll(killed.seen);
            return seen.size() == 60;
        });
        first.leave();
        return fields("assigned_three", List.of(2, 2, 2), "after_leave", List.of(3, 3),
                "after_kill", List.of(6), "records_seen", seen.size(), "tools",
                fields("describe", groups(c, "--describe", "--group", group)));
    }

    /** The group tool, its table in the order of the partitions. */
    static List<String> groups(Cluster c, String... args) throws Exception {
        return new Tool(c).run(GROUPS, "", args).stream().sorted().toList();
    }

    private static Map<String, Object> commit(Cluster c) throws Exception {
        create(c, 1);
        produce(c, lines(0, 10));
        String group = c.topic + "-group";
        String[] about = {"--group", group};
        Map<String, Object> out = fields();
        ToolProcess member = new ToolProcess(c, group);
        Cluster.until("the member has read all", () -> member.seen.size() == 10);
        out.put("listed", groups(c, "--list").contains("TOPIC-group"));
        out.put("state", groups(c, with(about, "--describe", "--state")));
        out.put("delete_active", groups(c, with(about, "--delete")));
        member.leave();
        String[] topic = with(about, "--topic", c.topic);
        out.put("describe", groups(c, with(about, "--describe")));
        out.put("state_empty", groups(c, with(about, "--describe", "--state")));
        out.put("reset", groups(c, with(topic, "--reset-offsets", "--to-offset", "7",
                "--execute")));
        out.put("read", consume(c, "--group", group, "--max-messages", "3",
                "--formatter-property", "print.offset=true"));
        out.put("reset_earliest", groups(c, with(topic, "--reset-offsets", "--to-earliest",
                "--execute")));
        out.put("describe_reset", groups(c, with(about, "--describe")));
        out.put("delete_offsets", groups(c, with(topic, "--delete-offsets")));
        out.put("delete", groups(c, with(about, "--delete")));
        out.put("listed_after", groups(c, "--list").contains("TOPIC-group"));
        return fields("tools", out);
    }

    private static Map<String, Object> resume(Cluster c, int phase) throws Exception {
        String group = c.topic + "-group";
        if (phase == 1) {
            create(c, 1);
            produce(c, lines(0, 100));
        }
        var read = consume(c, "--group", group, "--from-beginning", "--max-messages",
                phase == 1 ? "40" : "30", "--formatter-property", "print.offset=true");
        return printed("first", read.get(0), "last", read.get(read.size() - 2),
                "processed", processed(read),
                "describe", groups(c, "--describe", "--group", group));
    }

    private static Map<String, Object> idempotentWrite(Cluster c) throws Exception {
        create(c, 1);
        var err = System.err;
        AtomicInteger acked = new AtomicInteger();
        Path file = Files.createTempFile("producer", ".properties");
        try {
            Files.writeString(file, "enable.idempotence=true\nretries=2147483647\n"
                    + "delivery.timeout.ms=50000\nrequest.timeout.ms=5000\n");
            new Tool(c).onLine(line -> {
                boolean success = line.contains("producer_send_success");
                if (success && acked.incrementAndGet() == 200) {
                    err.println("PHASE ready");
                }
            }).finishedWhen(() -> acked.get() == 1000).run("VerifiableProducer", "", "--topic", c.topic, "--max-messages", "1000",
                    "--throughput", "300", "--acks", "-1", "--command-config", file.toString());
        } finally {
            Files.delete(file);
        }
        return fields("acked", acked.get());
    }

    private static Map<String, Object> idempotentRead(Cluster c) throws Exception {
        var read = consume(c, "--from-beginning", "--max-messages", "1000");
        boolean inOrder = true;
        for (int i = 0; i < read.size() - 1; i++) {
            inOrder &= read.get(i).equals("" + i);
        }
        return fields("count", read.size() - 1,
                "distinct", new HashSet<>(read).size() - 1, "in_order", inOrder);
    }
}
