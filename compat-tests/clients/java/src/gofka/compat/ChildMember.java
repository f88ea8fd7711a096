package gofka.compat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A group member in a JVM of its own, so that it can be killed without saying good-bye. */
final class ChildMember {
    final Set<String> seen = ConcurrentHashMap.newKeySet();
    volatile int assigned;
    private final Process process;

    ChildMember(Cluster c, String group) throws IOException {
        process = new ProcessBuilder(List.of(
                ProcessHandle.current().info().command().orElse("java"), "-Xmx128m",
                "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
                Main.class.getName(), "--member", "--bootstrap", c.bootstrap,
                "--topic", c.topic, "--group", group))
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        Thread reader = new Thread(this::follow, "child-output");
        reader.setDaemon(true);
        reader.start();
    }

    private void follow() {
        try (var lines = new BufferedReader(new InputStreamReader(process.getInputStream()))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ");
                if (words[0].equals("ASSIGNED")) {
                    assigned = Integer.parseInt(words[1]);
                } else if (words[0].equals("RECORD")) {
                    seen.add(words[1]);
                }
            }
        } catch (IOException e) {
            System.err.println("child output ended: " + e);
        }
    }

    void kill() {
        process.destroyForcibly();
    }

    /** The child's side: tells on stdout what it owns and what it has read and committed. */
    static void run(Args a) throws Exception {
        Member member = new Member(new Cluster(a.get("bootstrap"), a.get("topic")), a.get("group"));
        int last = -1;
        Set<String> told = new java.util.HashSet<>();
        while (System.in.available() == 0 && parentLives()) {
            for (String record : member.seen) {
                if (told.add(record)) {
                    System.out.println("RECORD " + record);
                }
            }
            if (member.assigned.size() != last) {
                last = member.assigned.size();
                System.out.println("ASSIGNED " + last);
            }
            Thread.sleep(20);
        }
        System.exit(0);
    }

    private static boolean parentLives() {
        return ProcessHandle.current().parent().filter(p -> p.isAlive() && p.pid() != 1).isPresent();
    }
}
