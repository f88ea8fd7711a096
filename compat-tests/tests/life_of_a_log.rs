//! What becomes of records as the settings of their topic change while clients use it: retention
//! by time and size, rolling, compaction, its lags and its tombstones. Each step is done on Apache
//! Kafka and on Gofka; what remains is compared where the clock has no part in it.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use compat_tests::batch::{self, now_ms};
use compat_tests::broker::{Broker, Kind};
use compat_tests::partition_files;
use compat_tests::process::eventually;
use compat_tests::raw::{Client, INVALID_RECORD, NONE};
use compat_tests::setup::Tool;

/// Background work does not wait for its usual time.
const SETTINGS: [(&str, &str); 5] = [
    ("log.retention.check.interval.ms", "100"),
    ("log.segment.delete.delay.ms", "100"),
    ("log.cleaner.backoff.ms", "50"),
    ("log.initial.task.delay.ms", "50"),
    ("log.retention.ms", "-1"),
];
const LIMIT: Duration = Duration::from_secs(120);
const HOUR_MS: i64 = 3_600_000;
/// Ten batches of ten records are a little less than one segment.
const VALUE: usize = 10_000;
const PER_BATCH: usize = 10;
const KEYS: usize = 25;
const SEGMENT: (&str, &str) = ("segment.bytes", "1048576");
const COMPACT: [(&str, &str); 3] =
    [("cleanup.policy", "compact"), ("min.cleanable.dirty.ratio", "0.01"), SEGMENT];

/// A broker and what was seen on it that must be the same on both.
struct Life {
    broker: Broker,
    client: Client,
    seen: BTreeMap<String, String>,
}

impl Life {
    fn of(kind: Kind) -> Self {
        let broker = Broker::start(kind, &SETTINGS);
        let client = Client::connect(broker.address());
        Self { broker, client, seen: BTreeMap::new() }
    }

    fn create(&mut self, topic: &str, configs: &[(&str, &str)]) {
        assert_eq!(self.client.create(topic, 1, configs), NONE, "{topic}");
    }

    fn alter(&mut self, topic: &str, configs: &[(&str, &str)]) {
        assert_eq!(self.client.alter(topic, configs), NONE, "{topic}: {configs:?}");
    }

    fn note(&mut self, what: &str, seen: String) {
        self.seen.insert(what.to_owned(), seen);
    }

    /// Produces records of the keys in turn.
    fn fill(&mut self, topic: &str, batches: usize, timestamp_ms: i64) {
        let value = vec![b'v'; VALUE];
        for number in 0..batches {
            let first = number * PER_BATCH;
            let keys: Vec<_> =
                (first..first + PER_BATCH).map(|at| format!("k{}", at % KEYS)).collect();
            let records: Vec<_> =
                keys.iter().map(|key| (Some(key.as_bytes()), Some(&value[..]))).collect();
            self.append(topic, batch::of(&records, timestamp_ms));
        }
    }

    fn append(&mut self, topic: &str, batch: Vec<u8>) {
        // Whoever made the topic may be told of it before its leader is.
        let batches = [(0, batch)];
        let mut answer = Vec::new();
        let done = eventually(LIMIT, || {
            answer = self.client.produce(topic, &batches);
            answer[0].1 == NONE
        });
        assert!(done, "{topic}: {answer:?}");
    }

    /// Its first offset and its end.
    fn range(&mut self, topic: &str) -> (i64, i64) {
        (self.client.offset(topic, 0, -2), self.client.offset(topic, 0, -1))
    }

    /// What kcat reads: offset, key and size of each record.
    fn records(&self, topic: &str) -> Vec<String> {
        let mut kcat = Command::new("kcat");
        kcat.args(["-C", "-e", "-q", "-t", topic, "-f", "%o %k %S\n"]);
        kcat.args(["-X", "fetch.wait.max.ms=10", "-b", &self.broker.bootstrap()]);
        let output = kcat.stdin(Stdio::null()).output().expect("kcat runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{topic}: {errors}");
        String::from_utf8(output.stdout).expect("utf-8").lines().map(str::to_owned).collect()
    }

    /// How many segments its folder has.
    fn segments(&self, topic: &str) -> usize {
        let dir = self.broker.data_dir().join(format!("{topic}-0"));
        let names = fs::read_dir(dir).expect("a folder").flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().ends_with(".log")).count()
    }

    fn wait(&mut self, what: &str, mut ready: impl FnMut(&mut Self) -> bool) {
        let kind = self.broker.kind();
        let done = eventually(LIMIT, || ready(self));
        assert!(done, "{what} does not come on {kind:?}:\n{}", self.broker.output());
    }

    fn wait_compacted(&mut self, topic: &str) {
        let partition = format!("{topic}-0");
        self.wait(&format!("compaction of {topic}"), |life| {
            let records = life.records(topic);
            let lines: Vec<&str> = records.iter().map(String::as_str).collect();
            partition_files::is_compacted(&life.broker, &partition, &lines)
        });
    }
}

fn retention_bytes(life: &mut Life) {
    life.create("by-size", &[SEGMENT]);
    life.fill("by-size", 60, now_ms());
    assert_eq!(life.range("by-size").0, 0, "nothing goes before it is told to");
    life.alter("by-size", &[("retention.bytes", "2500000")]);
    life.wait("retention by size", |life| life.range("by-size").0 > 0);
    // Everything that is too much goes at once, and then no more.
    let (first, end) = life.range("by-size");
    life.note("by size", format!("{first} {end}"));
    life.alter("by-size", &[("retention.bytes", "1500000")]);
    life.wait("retention by a smaller size", |life| life.range("by-size").0 > first);
    let range = life.range("by-size");
    life.note("by a smaller size", format!("{range:?}, {} left", life.records("by-size").len()));
}

fn retention_ms(life: &mut Life) {
    life.create("by-time", &[SEGMENT]);
    life.fill("by-time", 25, now_ms() - HOUR_MS);
    life.alter("by-time", &[("retention.ms", &(2 * HOUR_MS).to_string())]);
    life.alter("by-size", &[("retention.bytes", "1")]);
    // Retention has looked at everything once more.
    life.wait("retention beside it", |life| life.segments("by-size") == 1);
    assert_eq!(life.range("by-time"), (0, 250));
    life.alter("by-time", &[("retention.ms", "60000")]);
    life.wait("retention by time", |life| life.range("by-time") == (250, 250));
    life.fill("by-time", 1, now_ms());
    let range = life.range("by-time");
    life.note("by time", format!("{range:?}"));
    assert_eq!(life.records("by-time").len(), PER_BATCH);
}

fn segment_ms(life: &mut Life) {
    let start = now_ms() - HOUR_MS;
    life.create("rolling", &[]);
    life.fill("rolling", 1, start);
    life.fill("rolling", 1, start + 10_000);
    assert_eq!(life.segments("rolling"), 1);
    life.alter("rolling", &[("segment.ms", "5000")]);
    let mut appended = 2;
    // The settings reach the log a moment after they are acknowledged.
    life.wait("a roll by time", |life| {
        appended += 1;
        life.fill("rolling", 1, start + 10_000 * appended);
        life.segments("rolling") > 1
    });
    assert_eq!(life.range("rolling"), (0, 10 * appended));
}

fn cleanup_policy(life: &mut Life) {
    let start = now_ms() - HOUR_MS;
    life.create("changing", &[SEGMENT]);
    life.fill("changing", 45, start);
    assert_eq!(life.records("changing").len(), 450);
    life.append("changing", batch::of(&[(None, Some(b"no key"))], start));
    life.alter("changing", &COMPACT);
    // A record without a key goes too.
    life.fill("changing", 12, start);
    life.wait_compacted("changing");
    let left = life.records("changing");
    life.note("compacted", left.join(","));
    assert_eq!(life.client.send("changing", 0, &[b"no key"]).0, INVALID_RECORD);
    assert_eq!(life.range("changing").1, 571, "what is refused takes no offset");
    // A segment that lost all of its records is as old as its file.
    let policy = [("cleanup.policy", "compact,delete"), ("retention.ms", "500")];
    life.alter("changing", &policy);
    life.wait("retention of a compacted log", |life| life.range("changing") == (571, 571));
    assert_eq!(life.client.send("changing", 0, &[b"no key"]).0, INVALID_RECORD);
    life.alter("changing", &[("cleanup.policy", "delete")]);
    life.wait("records without keys", |life| life.client.send("changing", 0, &[b"x"]).0 == NONE);
}

fn compaction_lags(life: &mut Life) {
    let old = now_ms() - HOUR_MS;
    let day = (24 * HOUR_MS).to_string();
    life.create("waiting", &[&COMPACT[..], &[("min.compaction.lag.ms", &day)]].concat());
    life.create("lazy", &[COMPACT[0], SEGMENT, ("min.cleanable.dirty.ratio", "1.0")]);
    life.create("eager", &COMPACT);
    for topic in ["waiting", "lazy", "eager"] {
        life.fill(topic, 35, old);
    }
    // The cleaner has been at work beside them.
    life.wait_compacted("eager");
    life.fill("eager", 20, old);
    life.wait_compacted("eager");
    for topic in ["waiting", "lazy"] {
        assert_eq!(life.records(topic).len(), 350, "{topic} on {:?}", life.broker.kind());
    }
    life.alter("waiting", &[("min.compaction.lag.ms", "0")]);
    life.alter("lazy", &[("max.compaction.lag.ms", "60000")]);
    for topic in ["waiting", "lazy"] {
        life.wait_compacted(topic);
        let left = life.records(topic);
        life.note(topic, left.join(","));
    }
}

/// Deletes one key, and appends what makes the cleaner look at it.
fn delete_key(life: &mut Life, topic: &str, key: &str) {
    life.append(topic, batch::of(&[(Some(key.as_bytes()), None)], now_ms()));
    life.fill(topic, 12, now_ms());
}

fn has_key(life: &Life, topic: &str, key: &str) -> bool {
    life.records(topic).iter().any(|line| line.split(' ').nth(1) == Some(key))
}

fn tombstones(life: &mut Life) {
    let day = (24 * HOUR_MS).to_string();
    life.create("deleting", &[&COMPACT[..], &[("delete.retention.ms", &day)]].concat());
    life.append("deleting", batch::of(&[(Some(b"kept"), Some(b"v"))], now_ms()));
    delete_key(life, "deleting", "kept");
    life.wait_compacted("deleting");
    let kept = |life: &Life| {
        let found = life.records("deleting");
        found.into_iter().filter(|line| line.contains(" kept ")).collect::<Vec<_>>()
    };
    life.wait("the older value to go", |life| kept(life) == ["1 kept -1"]);
    life.alter("deleting", &[("delete.retention.ms", "1")]);
    life.append("deleting", batch::of(&[(Some(b"gone"), Some(b"v"))], now_ms()));
    delete_key(life, "deleting", "gone");
    // The first run says how long it stays, a later one removes it.
    life.wait("the end of a tombstone", |life| {
        life.fill("deleting", 12, now_ms());
        !has_key(life, "deleting", "gone")
    });
    life.note("tombstones", kept(life).join(","));
}

fn live(kind: Kind) -> BTreeMap<String, String> {
    let mut life = Life::of(kind);
    retention_bytes(&mut life);
    retention_ms(&mut life);
    segment_ms(&mut life);
    cleanup_policy(&mut life);
    compaction_lags(&mut life);
    tombstones(&mut life);
    life.broker.stop();
    life.seen
}

#[test]
fn settings_that_change_act_at_once() {
    Tool::Kafka.ensure();
    let (kafka, gofka) = thread::scope(|scope| {
        let kafka = scope.spawn(|| live(Kind::Kafka));
        let gofka = live(Kind::Gofka);
        (kafka.join().expect("Kafka does it"), gofka)
    });
    for (what, seen) in &kafka {
        assert_eq!(gofka.get(what), Some(seen), "{what}: Gofka's first, Kafka's second");
    }
}
