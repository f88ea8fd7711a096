package gofka.compat;

import static gofka.compat.Data.fields;
import static gofka.compat.ToolScenarios.create;
import static gofka.compat.ToolScenarios.groups;
import static gofka.compat.ToolScenarios.with;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** The tools that make load and check what comes of it. Their rates and times become words. */
final class ToolLoads {
    private static final String PRODUCER = "ProducerPerformance";
    private static final String CONSUMER = "ConsumerPerformance";
    private static final String LATENCY = "EndToEndLatency";
    private static final Pattern NAME = Pattern.compile("\"name\":\"(\\w+)\"");
    private static final Pattern COUNT =
            Pattern.compile("\"name\":\"records_consumed\",\"count\":(\\d+)");

    private ToolLoads() {}

    static Map<String, Object> performance(Cluster c) throws Exception {
        create(c, 2);
        Map<String, Object> out = fields();
        produce(c, out);
        consume(c, out);
        latency(c, out);
        return fields("tools", out);
    }

    private static List<String> produced(Cluster c, String... args) throws Exception {
        var lines = new Tool(c).run(PRODUCER, "", with(
                new String[] {"--topic", c.topic, "--throughput", "-1"}, args));
        // How often it reports depends on the time that it takes.
        return lines.stream().filter(line -> !line.contains("latency") || line.contains("50th"))
                .map(ToolLoads::withoutRates).toList();
    }

    private static String withoutRates(String line) {
        return line.replaceAll("\\d+(\\.\\d+)? (records|MB)/sec", "RATE")
                .replaceAll("\\d+(\\.\\d+)? ms", "TIME")
                .replaceAll("\\(\\d+\\.\\d+ MB", "(SIZE");
    }

    private static void produce(Cluster c, Map<String, Object> out) throws Exception {
        out.put("sized", produced(c, "--num-records", "1000", "--record-size", "100",
                "--command-property", "acks=all", "linger.ms=5"));
        out.put("warmed", produced(c, "--num-records", "500", "--record-size", "10",
                "--warmup-records", "100", "--command-property", "acks=1"));
        out.put("monotonic", produced(c, "--num-records", "100", "--payload-monotonic",
                "--command-property", "compression.type=zstd"));
        Path file = Files.createTempFile("payload", ".txt");
        try {
            Files.writeString(file, "one;two;three;");
            out.put("file", produced(c, "--num-records", "100", "--payload-file", file.toString(),
                    "--payload-delimiter", ";", "--command-property", "acks=0"));
        } finally {
            Files.delete(file);
        }
        out.put("too_large", produced(c, "--num-records", "1", "--record-size", "1500000",
                "--command-property", "max.request.size=3000000").stream()
                .map(ToolScenarios::withoutWords).toList());
        var metrics = produced(c, "--num-records", "50", "--record-size", "10", "--print-metrics");
        out.put("produced_metrics", metrics.stream().filter(line -> line.startsWith(
                "producer-topic-metrics:record-") && line.contains("-total")).toList());
        Cluster.until("what was not acknowledged has arrived",
                () -> c.read(2, 1750).size() == 1750);
        var values = c.read(2, 1750).stream().map(ConsumerRecord::value)
                .map(String::new).filter(v -> v.equals("one") || v.equals("two")
                || v.equals("three")).count();
        out.put("from_file", values);
    }

    private static List<String> consumed(Cluster c, String group, String... args)
            throws Exception {
        var lines = new Tool(c).run(CONSUMER, "",
                with(new String[] {"--group", c.topic + group}, args));
        return lines.stream().map(ToolLoads::row).toList();
    }

    /** A row of numbers keeps those that are not of time. */
    private static String row(String line) {
        String[] cells = line.split(", ");
        if (cells.length != 10 || !Character.isDigit(line.charAt(0))) {
            return line;
        }
        return cells.length + " columns, " + cells[2] + " MB, " + cells[4] + " records";
    }

    private static void consume(Cluster c, Map<String, Object> out) throws Exception {
        String[] topic = {"--topic", c.topic};
        out.put("consumed", consumed(c, "-a", with(topic, "--num-records", "1750")));
        out.put("hidden", consumed(c, "-b", with(topic, "--num-records", "1750",
                "--hide-header", "--fetch-size", "2000")));
        out.put("include", consumed(c, "-c", "--include", c.topic + "$", "--num-records",
                "1750", "--command-property", "isolation.level=read_committed"));
        out.put("from_latest", consumed(c, "-d", with(topic, "--num-records", "10",
                "--from-latest", "--timeout", "1000")));
        var detailed = consumed(c, "-e", with(topic, "--num-records", "1750",
                "--show-detailed-stats", "--reporting-interval", "1"));
        out.put("detailed", detailed.get(0));
        out.put("detailed_rows", detailed.stream().anyMatch(row -> row.startsWith("10 columns")));
        var metrics = new Tool(c).run(CONSUMER, "", with(topic, "--num-records", "1750",
                "--group", c.topic + "-f", "--print-metrics"));
        out.put("consumed_metrics", metrics.stream().filter(line -> line.startsWith(
                "consumer-fetch-manager-metrics:records-consumed-total")).toList());
        out.put("read_again", consumed(c, "-a", with(topic, "--num-records", "1",
                "--timeout", "1000")));
        out.put("no_topic", new Tool(c).refusal(CONSUMER, "--num-records", "1"));
    }

    private static List<String> latencies(Cluster c, String topic, String... args)
            throws Exception {
        return new Tool(c).run(LATENCY, "", with(new String[] {"--topic", topic}, args)).stream()
                .map(line -> line.replaceAll("\\d+\\.\\d{2,}", "TIME")
                        .replaceAll("th = \\d+", "th = TIME")).toList();
    }

    private static void latency(Cluster c, Map<String, Object> out) throws Exception {
        String[] few = {"--num-records", "200"};
        out.put("latency", latencies(c, c.topic + "-latency", with(few, "--producer-acks", "all",
                "--record-size", "100")));
        out.put("latency_headers", latencies(c, c.topic + "-latency", with(few, "--producer-acks",
                "1", "--record-size", "20", "--record-key-size", "8", "--num-headers", "3",
                "--record-header-key-size", "5", "--record-header-size", "7")));
        out.put("latency_acks_0", new Tool(c).refusal(LATENCY, with(few, "--topic", c.topic,
                "--producer-acks", "0", "--record-size", "20")));
        var positional = new Tool(c).exec(LATENCY, "", c.bootstrap, c.topic + "-latency", "10",
                "1", "10");
        out.put("latency_positional", positional.size());
        out.put("latency_end", new Tool(c).run(ToolScenarios.OFFSETS, "", "--topic",
                c.topic + "-latency"));
    }

    static Map<String, Object> verifiable(Cluster c) throws Exception {
        create(c, 1, "retention.ms=-1");
        Tool tool = new Tool(c);
        String[] broker = {"--bootstrap-server", c.bootstrap, "--topic", c.topic};
        var sent = tool.apart("VerifiableProducer", null, with(broker, "--max-messages", "60",
                "--acks", "-1", "--repeating-keys", "3", "--value-prefix", "7",
                "--message-create-time", "1000"));
        Map<String, Object> out = fields();
        out.put("sent", sent.stream().map(line -> line.replaceAll(
                "\"avg_throughput\":[\\d.E]+", "\"avg_throughput\":RATE")).sorted().toList());
        String[] from = {"--topic", c.topic, "--group-id", c.topic + "-group"};
        out.put("half", events(tool.run("VerifiableConsumer", "", with(from,
                "--max-messages", "30"))));
        out.put("rest", events(tool.run("VerifiableConsumer", "", with(from,
                "--max-messages", "30", "--verbose", "--enable-autocommit"))));
        out.put("none", tool.run("VerifiableConsumer", "", with(from, "--max-messages",
                "0", "--reset-policy", "latest")));
        out.put("describe", groups(c, "--describe", "--group", c.topic + "-group"));
        return fields("tools", out);
    }

    /** The kinds of events in their order, how much was read, and each record if it is told. */
    private static Map<String, Object> events(List<String> lines) {
        int records = 0;
        List<String> names = new ArrayList<>();
        List<String> told = new ArrayList<>();
        for (String line : lines) {
            Matcher name = NAME.matcher(line);
            String kind = name.find() ? name.group(1) : line;
            Matcher count = COUNT.matcher(line);
            if (kind.equals("records_consumed") && count.find()) {
                records += Integer.parseInt(count.group(1));
            } else if (kind.equals("record_data")) {
                told.add(line);
            }
            // How many answers the records come in is no matter.
            if (!names.contains(kind)) {
                names.add(kind);
            }
        }
        return fields("events", names, "records", records, "told", told.stream().sorted().toList());
    }
}
