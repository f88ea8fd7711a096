package gofka.compat;

import java.util.HashMap;
import java.util.Map;

/** The table of scenarios that the client library runs. */
final class ClientScenarios {
    private static final Map<String, Scenario> ALL = new HashMap<>();

    static {
        for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            ALL.put("codec-" + codec, c -> RecordScenarios.codec(c, codec));
        }
        ALL.put("record-shapes", RecordScenarios::shapes);
        ALL.put("timestamps", RecordScenarios::timestamps);
        ALL.put("log-append-time", RecordScenarios::logAppendTime);
        ALL.put("compression-type", RecordScenarios::compressionType);
        ALL.put("segments", RecordScenarios::segments);
        ALL.put("empty-poll", RecordScenarios::emptyPoll);
        ALL.put("auto-create", RecordScenarios::autoCreate);
        ALL.put("idempotent.1", RecordScenarios::idempotentWrite);
        ALL.put("idempotent.2", RecordScenarios::idempotentRead);
        ALL.put("topic-admin", AdminScenarios::topicAdmin);
        ALL.put("delete-records", AdminScenarios::deleteRecords);
        ALL.put("errors", AdminScenarios::errors);
        ALL.put("list-many", AdminScenarios::listMany);
        ALL.put("group-three", GroupScenarios::three);
        ALL.put("static-members", GroupScenarios::staticMembers);
        ALL.put("cooperative", GroupScenarios::cooperative);
        ALL.put("commit", GroupScenarios::commit);
        ALL.put("thousand-partitions", WiderScenarios::thousandPartitions);
        ALL.put("read-committed", WiderScenarios::readCommitted);
        ALL.put("out-of-range", WiderScenarios::outOfRange);
        ALL.put("acks", WiderScenarios::acks);
        ALL.put("recreate", WiderScenarios::recreate);
        ALL.put("large-records", WiderScenarios::large);
        ALL.put("pattern", WiderScenarios::pattern);
        ALL.put("pause", WiderScenarios::pause);
        ALL.put("cluster", WiderScenarios::cluster);
        ALL.put("resume.1", c -> GroupScenarios.resume(c, 1));
        ALL.put("resume.2", c -> GroupScenarios.resume(c, 2));
        ALL.put("resume.3", c -> GroupScenarios.resume(c, 3));
    }

    private ClientScenarios() {}

    static Scenario find(String name) {
        return ALL.get(name);
    }
}
