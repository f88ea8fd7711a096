package gofka.compat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Exit;

/**
 * Entry point of the Java driver: runs the named scenarios one after the other in this JVM and
 * prints one JSON line for each. Also the entry point of a group member that is to be killed
 * ({@code --member}), of the end-to-end reader ({@code --consume-all}), and of the one that makes
 * topics for a suite ({@code --create-topics}).
 */
public final class Main {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Main() {}

    public static void main(String[] args) throws Exception {
        Args a = Args.parse(args);
        if (a.has("member")) {
            ChildMember.run(a);
            return;
        }
        if (a.has("consume-all")) {
            Map<String, Object> line = ConsumeAll.run(a);
            System.out.println(JSON.writeValueAsString(line));
            System.exit(line.get("count").equals(Integer.parseInt(a.get("expect"))) ? 0 : 1);
        }
        if (a.has("create-topics")) {
            try (Cluster cluster = new Cluster(a.get("bootstrap"), "")) {
                for (String topic : a.get("create-topics").split(",")) {
                    cluster.create(topic, 1, Map.of());
                }
            }
            return;
        }
        PrintStream out = System.out;
        // What the tools print is read by their scenarios; anything else is for people.
        System.setOut(System.err);
        for (String scenario : a.get("scenarios").split(",")) {
            out.println(JSON.writeValueAsString(one(a, scenario)));
            out.flush();
        }
        Exit.resetExitProcedure();
        System.exit(0);
    }

    private static Map<String, Object> one(Args a, String scenario) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("client", a.get("client"));
        line.put("scenario", scenario);
        // A phase (`resume.2`) goes on with the topic of its scenario.
        String topic = a.get("prefix") + "-" + scenario.split("\\.")[0];
        Cluster cluster = new Cluster(a.get("bootstrap"), topic);
        long start = System.nanoTime();
        try (cluster) {
            Scenario body = a.get("client").equals("java-tools")
                    ? ToolScenarios.find(scenario) : ClientScenarios.find(scenario);
            if (body == null) {
                line.put("unsupported", "no such scenario for this client");
            } else {
                line.put("observed", body.run(cluster));
            }
        } catch (Throwable t) {
            line.put("error", describe(t));
            t.printStackTrace();
        }
        System.err.printf("%s %s: %d ms%n", a.get("client"), scenario,
                (System.nanoTime() - start) / 1_000_000);
        return line;
    }

    private static String describe(Throwable t) {
        List<String> causes = new ArrayList<>();
        for (Throwable c = t; c != null; c = c.getCause()) {
            causes.add(c.toString());
        }
        return String.join(" <- ", causes);
    }
}
