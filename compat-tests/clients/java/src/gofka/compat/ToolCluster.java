package gofka.compat;

import static gofka.compat.Data.fields;
import static gofka.compat.ToolScenarios.create;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The tools that look at the cluster: its APIs, features, endpoints and log directories. */
final class ToolCluster {
    private static final String APIS = "BrokerApiVersionsCommand";
    private static final String FEATURES = "FeatureCommand";
    private static final String DIRS = "LogDirsCommand";
    private static final String METRICS = "ClientMetricsCommand";

    /** What Gofka serves; of the others Kafka says more. */
    private static final Set<String> SERVED = Set.of("Produce", "Fetch", "ListOffsets", "Metadata",
            "OffsetCommit", "OffsetFetch", "FindCoordinator", "JoinGroup", "Heartbeat",
            "LeaveGroup", "SyncGroup", "DescribeGroups", "ListGroups", "ApiVersions",
            "CreateTopics", "DeleteTopics", "DeleteRecords", "InitProducerId",
            "OffsetForLeaderEpoch", "DescribeConfigs", "AlterConfigs", "DescribeLogDirs",
            "CreatePartitions", "DeleteGroups", "IncrementalAlterConfigs", "OffsetDelete",
            "DescribeCluster", "DescribeProducers", "ListConfigResources",
            "DescribeTopicPartitions");
    /** Gofka ends one version below. */
    private static final Set<String> SHORT =
            Set.of("ListOffsets", "OffsetCommit", "OffsetFetch", "DescribeLogDirs");

    private ToolCluster() {}

    static Map<String, Object> run(Cluster c) throws Exception {
        create(c, 3);
        c.produce(3, 30);
        Tool tool = new Tool(c);
        Map<String, Object> out = fields();
        var apis = tool.run(APIS, "");
        out.put("apis", served(apis));
        out.put("api_lines", apis.size());
        out.put("features", features(tool.run(FEATURES, "", "describe")));
        out.put("endpoints", endpoints(c));
        out.put("endpoints_fenced", endpoints(c, "--include-fenced-brokers"));
        String[] topic = {"--describe", "--topic-list", c.topic};
        out.put("dirs", dirs(tool.run(DIRS, "", topic)));
        out.put("dirs_of_broker", dirs(tool.run(DIRS, "",
                ToolScenarios.with(topic, "--broker-list", "0"))));
        out.put("dirs_of_unknown_broker", dirs(tool.run(DIRS, "",
                ToolScenarios.with(topic, "--broker-list", "0,7"))));
        out.put("dirs_of_unknown_topic", dirs(tool.run(DIRS, "", "--describe", "--topic-list",
                c.topic + "-none")));
        out.put("dirs_of_two", dirs(tool.run(DIRS, "", "--describe", "--topic-list",
                c.topic + "," + c.topic + "-none")));
        var all = String.join("", dirs(tool.run(DIRS, "", "--describe")));
        out.put("dirs_of_all", all.contains("\"partition\":\"TOPIC-2\""));
        out.put("dirs_without_action", tool.refusal(DIRS));
        out.put("verified", verified(c));
        out.put("producers", tool.run("TransactionsCommand", "", "describe-producers", "--topic",
                c.topic, "--partition", "0").stream().map(line -> line.replaceAll("^\\d+ ", "ID ")
                .replaceAll("\\d{10,}", "TIME")).toList());
        out.put("compatible", tool.run("ClientCompatibilityTest", "", compatible(c, apis)));
        c.admin().deleteTopics(List.of("newtopic")).all().get();
        metrics(c, out);
        return fields("tools", out);
    }

    private static List<String> endpoints(Cluster c, String... args) throws Exception {
        String port = c.bootstrap.substring(c.bootstrap.indexOf(':') + 1);
        return new Tool(c).exec("ClusterTool", "", ToolScenarios.with(new String[] {
            "list-endpoints", "--bootstrap-server", c.bootstrap}, args)).stream()
                .map(line -> line.replace(" " + port + " ", " PORT ")).toList();
    }

    /** Reads all replicas, of which there is one, until it has found no lag. */
    private static List<String> verified(Cluster c) throws Exception {
        var lines = new Tool(c).apart("ReplicaVerificationTool", "max lag", "--broker-list",
                c.bootstrap, "--topics-include", c.topic, "--time", "-2",
                "--report-interval-ms", "500");
        return lines.stream().map(line -> line.replaceAll("^\\S+ \\S+ ", "")
                .replaceAll("partition TOPIC-\\d", "partition TOPIC-N")).toList();
    }

    /** What a client library must find; access control is known from the list of APIs. */
    private static String[] compatible(Cluster c, List<String> apis) throws Exception {
        c.create(c.topic + "-new", 1, Map.of());
        boolean acls = apis.stream().anyMatch(
                line -> line.startsWith("DescribeAcls") && line.contains("usable"));
        return new String[] {"--topic", c.topic + "-new", "--offsets-for-times-supported", "True",
            "--cluster-id-supported", "True", "--expect-record-too-large-exception", "False",
            "--num-cluster-nodes", "1", "--create-topics-supported", "True",
            "--describe-acls-supported", acls ? "True" : "False",
            "--describe-configs-supported", "True", "--idempotent-producer-supported", "True"};
    }

    /** What clients would be asked to measure; nobody else has such a resource. */
    private static void metrics(Cluster c, Map<String, Object> out) throws Exception {
        Tool tool = new Tool(c);
        String[] name = {"--name", c.topic};
        out.put("metrics_alter", tool.run(METRICS, "", ToolScenarios.with(name, "--alter",
                "--metrics", "org.apache.kafka.producer.", "--interval", "10000",
                "--match", "client_id=a.*")));
        Cluster.until("the resource is listed",
                () -> tool.run(METRICS, "", "--list").contains("TOPIC"));
        out.put("metrics_describe", tool.run(METRICS, "", ToolScenarios.with(name, "--describe")));
        for (String bad : new String[] {"--interval 99", "--interval 3600001", "--match foo=bar",
            "--match client_id", "--match client_id=[a", "--match client_id=a=b"}) {
            String[] wrong = ToolScenarios.with(name, bad.split(" "));
            out.put("metrics" + bad, tool.run(METRICS, "", ToolScenarios.with(wrong, "--alter")));
        }
        out.put("metrics_delete", tool.run(METRICS, "", ToolScenarios.with(name, "--delete")));
        Cluster.until("the resource is gone",
                () -> !tool.run(METRICS, "", "--list").contains("TOPIC"));
    }

    private static List<String> served(List<String> printed) {
        List<String> seen = new ArrayList<>();
        for (String line : printed) {
            int end = line.indexOf('(');
            String name = end < 0 ? line : line.substring(0, end);
            if (SHORT.contains(name)) {
                seen.add(line.substring(0, line.indexOf(" to ")));
            } else if (SERVED.contains(name) || !line.contains("usable")
                    && !line.contains("UNSUPPORTED")) {
                // The last API has no comma, and it is not the same one.
                seen.add(line.replaceAll(",$", ""));
            }
        }
        return seen;
    }

    /** The features that Gofka has; the epoch is a number of the metadata's. */
    private static List<String> features(List<String> printed) {
        return printed.stream().filter(line -> line.contains("metadata.version"))
                .map(line -> line.replaceAll("Epoch: \\d+", "Epoch: N")).toList();
    }

    /** One line for each element of the answer, in an order of their own. */
    private static List<String> dirs(List<String> printed) {
        List<String> seen = new ArrayList<>();
        for (String line : printed) {
            List<String> parts = new ArrayList<>(List.of(line.split("(?<=\\[)|(?<=\\},)")));
            parts.replaceAll(part -> part.replaceAll("\\},?$", "}").replaceAll("\\}\\]\\}.*", "}"));
            seen.addAll(parts.stream().sorted().toList());
        }
        return seen;
    }
}
