package gofka.compat;

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
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Apache Kafka's command-line tools inside this JVM, which saves a start for each, and keeps
 * what they print. What differs from run to run or from broker to broker is replaced by a word.
 */
final class Tool {
    private static final String TOOLS = "org.apache.kafka.tools.";
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
            List<String> seen = new ArrayList<>();
            for (String text : all) {
                String word = text.replace(cluster.topic, "TOPIC").replace(cluster.bootstrap, "BROKER")
                        .replaceAll("TopicId: \\S+", "TopicId: ID")
                        .replaceAll("\"logDir\":\"[^\"]*\"", "\"logDir\":\"DIR\"")
                        .replaceAll("\"size\":\\d+", "\"size\":SIZE")
                        .replaceAll("Time:\\d+", "Time:TIME")
                        .replaceAll("\\s+", " ").strip();
                // Advice of the client library, and the tools' stack traces.
                boolean noise = word.isEmpty() || word.contains("KIP-848") || word.startsWith("at ")
                        || word.startsWith("[") || word.startsWith("SLF4J");
                if (!noise) {
                    seen.add(word);
                }
            }
            if (code != null && code != 0) {
                seen.add("exit " + code);
            }
            return seen;
        }
    }
}
