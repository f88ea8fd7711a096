package gofka.compat;

import java.util.Map;

/** One scenario: drives the broker and returns what it saw, in fields that never vary by run. */
interface Scenario {
    Map<String, Object> run(Cluster cluster) throws Exception;
}
