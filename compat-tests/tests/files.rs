//! The files that Gofka writes, judged by Apache Kafka: its dump tool reads every one of them, it
//! serves logs that Gofka has stored, and Gofka serves Kafka's, and hands them back.
//!
//! The logs: every codec with idempotence, one that was compacted, with tombstones, one whose
//! records are deleted up to the middle of a segment, and, as Kafka writes it, one with
//! transactions that were committed and aborted.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use compat_tests::broker::{Broker, Kind, kafka_command};
use compat_tests::partition_files::{self as folder, has_extension, output};
use compat_tests::process::eventually;
use compat_tests::raw::{Client, NONE};
use compat_tests::setup::{self, Tool};

/// Small segments, so that logs roll and every kind of file is written.
const SETTINGS: [(&str, &str); 6] = [
    ("log.segment.bytes", "1048576"),
    ("num.partitions", "1"),
    ("log.cleaner.backoff.ms", "50"),
    ("log.initial.task.delay.ms", "50"),
    ("transaction.state.log.num.partitions", "1"),
    ("offsets.topic.num.partitions", "1"),
];
const RECORDS: usize = 30_000;
const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];
/// So many records of each codec, of a size that fills two segments where they are not compressed.
const EACH: usize = 4_000;
const KEYS: usize = 300;
const KEYED: usize = 12_000;
/// Keys that are deleted half-way.
const DELETED_KEYS: usize = 40;
const DELETED_BEFORE: i64 = 5_321;
const LIMIT: Duration = Duration::from_secs(120);
const MOVED: [&str; 4] = ["java", "codecs", "compacted", "deleted"];
const TRANSACTIONAL: &str = "transactional";

/// Produces with idempotence, as the Java client does unless told otherwise.
fn produce(broker: &Broker, topic: &str, codec: &str) {
    output(
        kafka_command("org.apache.kafka.tools.ProducerPerformance")
            .args(["--topic", topic, "--num-records", &RECORDS.to_string()])
            .args(["--record-size", "300", "--throughput", "-1", "--producer-props"])
            .arg(format!("bootstrap.servers={}", broker.bootstrap()))
            .arg(format!("compression.type={codec}")),
    );
}

/// Produces lines of `key:value` with kcat, of which empty values are tombstones.
fn produce_lines(broker: &Broker, topic: &str, codec: &str, lines: &str) {
    let mut kcat = Command::new("kcat");
    // A log from elsewhere knows producers whose ids are given anew here.
    let idempotence = format!("enable.idempotence={}", lines.len() > 1_000);
    kcat.args(["-P", "-t", topic, "-K", ":", "-Z", "-z", codec, "-X", &idempotence]);
    kcat.args(["-X", "batch.num.messages=100", "-b", &broker.bootstrap()]);
    let mut kcat = kcat.stdin(Stdio::piped()).spawn().expect("kcat runs");
    kcat.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("kcat reads");
    assert!(kcat.wait().expect("kcat ends").success(), "{topic}");
}

/// Every record of a topic with its offset, key, timestamp and value.
fn consume(broker: &Broker, topic: &str) -> String {
    let mut kcat = Command::new("kcat");
    kcat.args(["-C", "-e", "-q", "-t", topic, "-f", "%o %k %T %S %s\n"]);
    // The end comes as soon as there is nothing more.
    kcat.args(["-X", "fetch.wait.max.ms=10", "-b"]);
    output(kcat.arg(broker.bootstrap()))
}

/// The same, also of aborted transactions.
fn consume_uncommitted(broker: &Broker, topic: &str) -> String {
    let mut kcat = Command::new("kcat");
    kcat.args(["-C", "-e", "-q", "-t", topic, "-f", "%o %k %T %S %s\n"]);
    kcat.args(["-X", "fetch.wait.max.ms=10", "-X", "isolation.level=read_uncommitted", "-b"]);
    output(kcat.arg(broker.bootstrap()))
}

/// Lines with values of 300 bytes that do not compress to nothing.
fn lines(count: usize, key: impl Fn(usize) -> usize) -> String {
    let line = |number: usize| {
        let noise = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("k{}:{number} {}\n", key(number), format!("{noise:016x}").repeat(18))
    };
    (0..count).map(line).collect::<Vec<_>>().concat()
}

fn make_topics(broker: &Broker, more: &[&str]) {
    let mut client = Client::connect(broker.address());
    let compact = [
        ("cleanup.policy", "compact"),
        ("min.cleanable.dirty.ratio", "0.01"),
        ("segment.bytes", "1048576"),
    ];
    for topic in MOVED.iter().chain(more) {
        let configs = if *topic == "compacted" { &compact[..] } else { &[] };
        assert_eq!(client.create(topic, 1, configs), NONE, "{topic}");
    }
}

/// Writes every log but the one with transactions, and waits until the compacted one is.
fn fill(broker: &Broker) {
    produce(broker, "java", "zstd");
    for codec in CODECS {
        produce_lines(broker, "codecs", codec, &lines(EACH, |number| number));
    }
    produce_lines(broker, "compacted", "lz4", &lines(KEYED / 2, |number| number % KEYS));
    let tombstones: Vec<_> = (0..DELETED_KEYS).map(|key| format!("k{key}:\n")).collect();
    produce_lines(broker, "compacted", "none", &tombstones.concat());
    let later = lines(KEYED, |number| DELETED_KEYS + number % (KEYS - DELETED_KEYS));
    produce_lines(broker, "compacted", "none", &later);
    produce_lines(broker, "deleted", "none", &lines(3 * EACH, |number| number));
    let mut client = Client::connect(broker.address());
    assert_eq!(client.delete_records("deleted", 0, DELETED_BEFORE), NONE);
    let compacted = eventually(LIMIT, || {
        let records = consume(broker, "compacted");
        folder::is_compacted(broker, "compacted-0", &records.lines().collect::<Vec<_>>())
    });
    assert!(compacted, "it is not compacted:\n{}", broker.output());
}

/// The dump tool's lines for records.
fn dumped_records(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("| offset: ")).count()
}

/// Everything that readers see of the topics.
fn seen(broker: &Broker, topics: &[&str]) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    for topic in topics {
        seen.insert((*topic).to_owned(), consume(broker, topic));
        let all = consume_uncommitted(broker, topic);
        seen.insert(format!("{topic}, not committed either"), all);
        let mut client = Client::connect(broker.address());
        let [first, end] = [-2, -1].map(|time| client.offset(topic, 0, time));
        seen.insert(format!("{topic}, its range"), format!("{first} {end}"));
    }
    seen
}

/// Copies all logs, and starts `to` again, which must show what was seen before, and take more.
fn hand_over(from: &mut Broker, to: &mut Broker, topics: &[&str]) {
    let before = seen(from, topics);
    from.stop();
    to.stop();
    for topic in topics {
        folder::copy(from, to, &format!("{topic}-0"));
    }
    folder::copy_log_starts(from, to);
    to.resume();
    let after = seen(to, topics);
    for (what, text) in &before {
        let lines = |text: &str| text.lines().count();
        let (from, to) = (from.kind(), to.kind());
        let both = (lines(text), lines(&after[what]));
        assert!(after[what] == *text, "{what}: {both:?} lines on {from:?} and {to:?}");
    }
    for topic in topics {
        produce_lines(to, topic, "none", "k:appended\n");
        let end = consume(to, topic);
        assert!(end.ends_with("appended\n"), "{topic} on {:?}", to.kind());
    }
}

/// confluent-kafka: transactions of ten records, each third one aborted.
const TRANSACTIONS: &str = r#"
import sys, confluent_kafka as ck
producer = ck.Producer({"bootstrap.servers": sys.argv[1], "transactional.id": "t"})
producer.init_transactions(60)
for number in range(30):
    producer.begin_transaction()
    for at in range(10):
        producer.produce(sys.argv[2], key=f"{at}", value=f"{number} {at} " + "x" * 9000)
    producer.flush(60)
    if number % 3 == 1:
        producer.abort_transaction(60)
    else:
        producer.commit_transaction(60)
"#;

/// Stops `gofka` and lets Kafka's dump tool read every file.
fn judge_files(gofka: &mut Broker) {
    let counts: BTreeMap<_, _> =
        MOVED.map(|topic| (topic, consume(gofka, topic).lines().count())).into();
    gofka.stop();
    for topic in MOVED {
        let files = folder::of(gofka, &format!("{topic}-0"));
        for extension in ["log", "index", "timeindex", "snapshot"] {
            assert!(files.iter().any(|path| has_extension(path, extension)), "{files:?}");
        }
    }
    let dump = |topics: &[&str], arguments: &[&str]| folder::dump(gofka, topics, arguments);
    let text = dump(&["codecs-0"], &["--deep-iteration", "--print-data-log"]);
    assert_eq!(dumped_records(&text), CODECS.len() * EACH);
    for codec in CODECS {
        let says = |line: &str| line.contains(&format!("compresscodec: {codec}"));
        assert!(text.lines().any(says), "no batch of {codec}");
    }
    assert!(text.contains("producerId: ") && text.contains("producerEpoch: 0"), "no snapshot");
    let text = dump(&["java-0", "compacted-0"], &["--deep-iteration"]);
    assert_eq!(dumped_records(&text), counts["java"] + counts["compacted"]);
    // Its first segment has records before the log's start.
    let text = dump(&["deleted-0"], &["--deep-iteration"]);
    assert!(dumped_records(&text) > counts["deleted"], "{} in all", counts["deleted"]);
    assert_eq!(counts["deleted"], 3 * EACH - DELETED_BEFORE as usize);
    let all = MOVED.map(|topic| format!("{topic}-0"));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let text = dump(&all, &["--index-sanity-check"]);
    assert!(text.contains("passed sanity check"), "{text}");
}

#[test]
fn kafka_dumps_and_serves_what_gofka_stored() {
    Tool::Kafka.ensure();
    let mut gofka = Broker::start(Kind::Gofka, &SETTINGS);
    make_topics(&gofka, &[]);
    fill(&gofka);
    // After a kill, the active segment's derived files are made anew by the next start.
    gofka.kill();
    gofka.resume();
    judge_files(&mut gofka);
    gofka.resume();
    let mut kafka = Broker::start(Kind::Kafka, &SETTINGS);
    make_topics(&kafka, &[]);
    hand_over(&mut gofka, &mut kafka, &MOVED);
}

#[test]
fn gofka_serves_what_kafka_stored_and_hands_it_back() {
    Tool::Kafka.ensure();
    Tool::Python.ensure();
    let mut kafka = Broker::start(Kind::Kafka, &SETTINGS);
    make_topics(&kafka, &[TRANSACTIONAL]);
    fill(&kafka);
    let mut python = Command::new(setup::python());
    output(python.args(["-c", TRANSACTIONS, &kafka.bootstrap(), TRANSACTIONAL]));
    let mut gofka = Broker::start(Kind::Gofka, &SETTINGS);
    make_topics(&gofka, &[TRANSACTIONAL]);
    let topics = [&MOVED[..], &[TRANSACTIONAL]].concat();
    hand_over(&mut kafka, &mut gofka, &topics);
    let all = consume_uncommitted(&gofka, TRANSACTIONAL).lines().count();
    let committed = consume(&gofka, TRANSACTIONAL).lines().count();
    assert_eq!((all, committed), (301, 201));
    kafka.resume();
    hand_over(&mut gofka, &mut kafka, &topics);
    // What Gofka has served and appended to, with its transaction index.
    gofka.resume();
    gofka.stop();
    let text = folder::dump(&gofka, &["transactional-0"], &["--deep-iteration"]);
    assert!(text.contains("endTxnMarker: ABORT"), "{text}");
}
