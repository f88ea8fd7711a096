package gofka.compat;

import static gofka.compat.Data.fields;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** The wider scenarios, as far as Apache Kafka's command-line tools can show them. */
final class ToolWider {
    private static final String OFFSETS = "GetOffsetShell";

    private ToolWider() {}

    static Map<String, Object> readCommitted(Cluster c) throws Exception {
        ToolScenarios.create(c, 1);
        ToolScenarios.produce(c, ToolScenarios.lines(0, 50));
        var read = ToolScenarios.consume(c, "--from-beginning", "--max-messages", "50",
                "--isolation-level", "read_committed");
        return fields("read", read.size() - 1, "tools", fields("last", read.get(50)));
    }

    static Map<String, Object> outOfRange(Cluster c) throws Exception {
        ToolScenarios.create(c, 1);
        ToolScenarios.produce(c, ToolScenarios.lines(0, 50));
        Path file = Files.createTempFile("offsets", ".json");
        try {
            Files.writeString(file, String.format("{\"version\":1,\"partitions\":[{\"topic\":"
                    + "\"%s\",\"partition\":0,\"offset\":20}]}", c.topic));
            new Tool(c).run("DeleteRecordsCommand", "", "--offset-json-file", file.toString());
        } finally {
            Files.delete(file);
        }
        // The tool does not print the error, but ends without a record.
        return ToolScenarios.printed("below", from(c, 5, "earliest").get(0),
                "beyond", from(c, 1000, "earliest").get(0), "none", from(c, 5, "none"));
    }

    private static List<String> from(Cluster c, int offset, String reset) throws Exception {
        return ToolScenarios.consume(c, "--partition", "0", "--offset", "" + offset,
                "--max-messages", "30", "--command-property", "auto.offset.reset=" + reset,
                "--formatter-property", "print.offset=true");
    }

    static Map<String, Object> acks(Cluster c) throws Exception {
        ToolScenarios.create(c, 1);
        for (int acks : new int[] {0, 1}) {
            int from = 100 * acks;
            ToolScenarios.produce(c, ToolScenarios.lines(from, from + 100),
                    "--request-required-acks", "" + acks);
            String end = "TOPIC:0:" + (from + 100);
            Cluster.until("all has arrived", () ->
                    new Tool(c).run(OFFSETS, "", "--topic", c.topic).contains(end));
        }
        var read = ToolScenarios.consume(c, "--from-beginning", "--max-messages", "200");
        return fields("read", read.size() - 1, "tools", fields("last", read.get(200)));
    }

    /** Fewer than elsewhere: all that is typed into a tool is held in memory. */
    static Map<String, Object> large(Cluster c) throws Exception {
        ToolScenarios.create(c, 1);
        StringBuilder input = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            input.append("key-" + i + "\t" + "x".repeat(900_000) + "\n");
        }
        ToolScenarios.produce(c, input.toString(), "--reader-property", "parse.key=true");
        return ToolScenarios.printed("read", ToolScenarios.consume(c, "--from-beginning",
                "--max-messages", "8", "--formatter-property", "print.key=true",
                "--formatter-property", "print.value=false"));
    }

    static Map<String, Object> pattern(Cluster c) throws Exception {
        for (String name : new String[] {".a", ".b", "-other"}) {
            try (Cluster own = new Cluster(c.bootstrap, c.topic + name)) {
                ToolScenarios.create(own, 1);
                ToolScenarios.produce(own, name + "\n");
            }
        }
        var read = new Tool(c).run("consumer.ConsoleConsumer", "", "--include",
                Pattern.quote(c.topic + ".") + "[ab-d]", "--from-beginning", "--max-messages", "2",
                "--timeout-ms", "15000");
        return ToolScenarios.printed("read", read.stream().sorted().toList());
    }

    static Map<String, Object> cluster(Cluster c) throws Exception {
        ToolScenarios.create(c, 1);
        ToolScenarios.produce(c, ToolScenarios.lines(0, 1));
        String address = c.bootstrap.replace(':', ' ');
        var endpoints = new Tool(c).exec("ClusterTool", "", "list-endpoints",
                "--bootstrap-server", c.bootstrap);
        String group = c.topic + "-group";
        ToolProcess member = new ToolProcess(c, group);
        Cluster.until("the member has read all", () -> member.seen.size() == 1);
        // Member ids differ from run to run; the host and the number of partitions do not.
        var members = ToolScenarios.groups(c, "--describe", "--group", group, "--members");
        var shown = members.stream().map(line -> line.replaceAll("(\\S+)-[0-9a-f-]{36}", "$1-ID"));
        var out = fields("endpoints", endpoints.stream().map(line ->
                line.replace(address, "ADDRESS")).toList(), "members", shown.toList());
        member.leave();
        return fields("tools", out);
    }
}
