package gofka.compat;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Apache Kafka's command-line tools inside this JVM, which saves a start for each, and keeps
 * what they print. What differs from run to run or from broker to broker is replaced by a word.
 */
final class Tool {
    private static final String TOOLS = "org.apache.kafka.tools.";
    private static final String TEMPORARY =
            Pattern.quote(System.getProperty("java.io.tmpdir") + "/");
    private final Cluster cluster;
    private Consumer<String> listener = line -> { };
    private Callable<Boolean> finished = () -> true;

    Tool(Cluster cluster) {
        this.cluster = cluster;
    }

    /** Unwinds a tool that wants to end the JVM. Some catch it, print it and try again. */
    private static final class Ended extends Error {
        Ended() {
            super(null, null, false, false);
        }
    }

    /** Is called with each line that the next tools print, when they print it. */
    Tool onLine(Consumer<String> listener) {
        this.listener = listener;
        return this;
    }

    /** Says when the next tools are done, for those that go on after their main function. */
    Tool finishedWhen(Callable<Boolean> finished) {
        this.finished = finished;
        return this;
    }

    /** Runs a tool on the broker; {@code input} is its standard input. */
    List<String> run(String name, String input, String... args) throws Exception {
        List<String> all = new ArrayList<>(List.of("--bootstrap-server", cluster.bootstrap));
        all.addAll(List.of(args));
        return exec(name, input, all.toArray(String[]::new));
    }

    List<String> exec(String name, String input, String... args) throws Exception {
        String type = name.startsWith("kafka.") ? name : TOOLS + name;
        var main = Class.forName(type).getMethod("main", String[].class);
        PrintStream out = System.out;
        PrintStream err = System.err;
        InputStream in = System.in;
        Lines lines = new Lines();
        List<Runnable> hooks = new ArrayList<>();
        try (PrintStream capture = new PrintStream(lines, true, StandardCharsets.UTF_8)) {
            System.setOut(capture);
            System.setErr(capture);
            System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
            Exit.Procedure end = (status, message) -> {
                lines.end(status);
                throw new Ended();
            };
            Exit.setShutdownHookAdder((hook, runnable) -> hooks.add(runnable));
            Exit.setExitProcedure(end);
            Exit.setHaltProcedure(end);
            try {
                main.invoke(null, (Object) args);
            } catch (java.lang.reflect.InvocationTargetException e) {
                if (!(e.getCause() instanceof Ended)) {
                    throw e;
                }
            }
            // A tool closes its clients when the JVM would end.
            hooks.forEach(Runnable::run);
            Cluster.until("the tool is done", finished);
        } finally {
            System.setOut(out);
            System.setErr(err);
            System.setIn(in);
        }
        return lines.plain();
    }

    /**
     * Runs a tool in a JVM of its own, for one that only the end of a JVM ends well. A line that
     * contains {@code enough}, if one is given, ends it.
     */
    List<String> apart(String name, String enough, String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"), "-Xmx128m",
                "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
                TOOLS + name));
        command.addAll(List.of(args));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        List<String> lines = new ArrayList<>();
        boolean stopped = false;
        try (BufferedReader reader = process.inputReader()) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (!stopped) {
                    lines.add(line);
                }
                if (enough != null && line.contains(enough)) {
                    stopped = true;
                    // The process itself would close the stream that is being read.
                    process.toHandle().destroy();
                }
            }
        } finally {
            process.destroyForcibly();
        }
        int code = process.waitFor();
        return plain(lines, stopped ? 0 : code);
    }

    /**
     * What a tool says when it is used wrongly: the first line, before its long help, and the last.
     * What it lists after a colon comes in any order.
     */
    List<String> refusal(String name, String... args) throws Exception {
        var lines = run(name, "", args);
        return List.of(lines.get(0).replaceAll(": .*", ""), lines.get(lines.size() - 1));
    }

    /** Collects what is printed, line by line. */
    private final class Lines extends OutputStream {
        private final List<String> all = new ArrayList<>();
        private final ByteArrayOutputStream line = new ByteArrayOutputStream();
        private Integer code;

        /** What is printed after the first wish to end is not the tool's own. */
        synchronized void end(int status) {
            code = code == null ? Integer.valueOf(status) : code;
        }

        @Override
        public synchronized void write(int b) {
            if (b != '\n') {
                line.write(b);
                return;
            }
            String text = line.toString(StandardCharsets.UTF_8);
            line.reset();
            if (code == null) {
                all.add(text);
                listener.accept(text);
            }
        }

        synchronized List<String> plain() {
            return Tool.this.plain(all, code == null ? 0 : code);
        }
    }

    /** What was printed, in words that do not vary. */
    private List<String> plain(List<String> printed, int code) {
        List<String> seen = new ArrayList<>();
        for (String text : printed) {
            String word = text.replace(cluster.topic, "TOPIC").replace(cluster.bootstrap, "BROKER")
                    .replaceAll("TopicId: \\S+", "TopicId: ID")
                    .replaceAll("\"logDir\":\"[^\"]*\"", "\"logDir\":\"DIR\"")
                    .replaceAll("\"size\":\\d+", "\"size\":SIZE")
                    .replaceAll("\"(\\w*[tT]imestamp)\":\\d+", "\"$1\":TIME")
                    .replaceAll("Time:\\d+", "Time:TIME")
                    .replaceAll("\\p{XDigit}{8}(-\\p{XDigit}{4}){3}-\\p{XDigit}{12}", "ID")
                    .replaceAll(TEMPORARY + "[^ ,'\"]+", "FILE")
                    .replaceAll("\\s+", " ").strip();
            // Advice of the client library, and the tools' stack traces.
            boolean noise = word.isEmpty() || word.contains("KIP-848") || word.startsWith("at ")
                    || word.startsWith("[") || word.startsWith("SLF4J")
                    || word.startsWith("... ");
            if (!noise) {
                seen.add(word);
            }
        }
        if (code != 0) {
            seen.add("exit " + code);
        }
        return seen;
    }
}
