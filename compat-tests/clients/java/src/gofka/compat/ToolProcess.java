package gofka.compat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Apache Kafka's VerifiableConsumer in a process of its own: a member that can be killed. */
final class ToolProcess {
    private static final Pattern PARTITION = Pattern.compile("\"partition\":(\\d+)");
    private static final Pattern CONSUMED = Pattern.compile(
            "\"partition\":(\\d+),\"count\":\\d+,\"minOffset\":(\\d+),\"maxOffset\":(\\d+)");

    final Set<String> seen = ConcurrentHashMap.newKeySet();
    volatile int assigned;
    private final Process process;

    ToolProcess(Cluster c, String group) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"), "-Xmx128m",
                "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
                "org.apache.kafka.tools.VerifiableConsumer", "--bootstrap-server", c.bootstrap,
                "--topic", c.topic, "--group-id", group, "--session-timeout", "6000",
                "--reset-policy", "earliest"));
        process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        Thread reader = new Thread(this::follow, "tool-output");
        reader.setDaemon(true);
        reader.start();
    }

    private void follow() {
        try (var lines = new BufferedReader(new InputStreamReader(process.getInputStream()))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.contains("\"name\":\"partitions_assigned\"")) {
                    assigned = (int) PARTITION.matcher(line).results().count();
                } else if (line.contains("\"name\":\"partitions_revoked\"")) {
                    assigned = 0;
                } else if (line.contains("\"name\":\"records_consumed\"")) {
                    consumed(line);
                }
            }
        } catch (IOException e) {
            System.err.println("tool output ended: " + e);
        }
    }

    private void consumed(String line) {
        Matcher m = CONSUMED.matcher(line);
        while (m.find()) {
            for (long o = Long.parseLong(m.group(2)); o <= Long.parseLong(m.group(3)); o++) {
                seen.add(m.group(1) + ":" + o);
            }
        }
    }

    /** SIGTERM: the tool closes its consumer, which leaves the group. */
    void leave() throws InterruptedException {
        process.destroy();
        process.waitFor();
    }

    void kill() {
        process.destroyForcibly();
    }
}
