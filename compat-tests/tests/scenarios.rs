//! Every client runs every scenario on Apache Kafka and on Gofka, and must see the same.
//! One broker of each kind serves the whole file; each client's topics have its own prefix.

use std::sync::OnceLock;
use std::thread;

use compat_tests::broker::{Broker, Kind, kafka_command};
use compat_tests::driver::driver;
use compat_tests::judge::{Outcomes, brokers, chosen, complaints};
use compat_tests::scenario::of_client;
use compat_tests::setup::Tool;

/// Small segments, cleaned as soon as there is anything to clean.
const EAGER_CLEANER: [(&str, &str); 3] = [
    ("log.segment.bytes", "1048576"),
    ("log.cleaner.backoff.ms", "100"),
    ("log.cleaner.min.cleanable.ratio", "0.01"),
];
/// What Kafka's compaction tester writes to each of its two topics.
const COMPACTED_RECORDS: usize = 200_000;

/// The shared broker of a kind; its guard ends it with the test process.
fn broker(kind: Kind) -> &'static Broker {
    static KAFKA: OnceLock<Broker> = OnceLock::new();
    static GOFKA: OnceLock<Broker> = OnceLock::new();
    let start = || Broker::start(kind, &[]);
    match kind {
        Kind::Kafka => KAFKA.get_or_init(start),
        Kind::Gofka => GOFKA.get_or_init(start),
    }
}

fn outcomes_on(kind: Kind, client: &str) -> Outcomes {
    let scenarios = chosen(&of_client(client));
    driver(client).run(&broker(kind).bootstrap(), client, &scenarios)
}

fn check(client: &str) {
    Tool::Kafka.ensure();
    driver(client).tool.ensure();
    let wanted = brokers();
    let on = |kind: Kind| wanted.contains(&kind).then_some(kind);
    let (kafka, gofka) = thread::scope(|scope| {
        let kafka = scope.spawn(|| on(Kind::Kafka).map(|kind| outcomes_on(kind, client)));
        let gofka = on(Kind::Gofka).map(|kind| outcomes_on(kind, client));
        (kafka.join().expect("no panic on Kafka"), gofka)
    });
    let found = complaints(client, kafka.as_ref(), gofka.as_ref());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn confluent_kafka_sees_the_same_on_both() {
    check("confluent-kafka");
}

#[test]
fn aiokafka_sees_the_same_on_both() {
    check("aiokafka");
}

#[test]
fn kafka_python_sees_the_same_on_both() {
    check("kafka-python");
}

#[test]
fn kcat_sees_the_same_on_both() {
    check("kcat");
}

#[test]
fn kafka_clients_sees_the_same_on_both() {
    check("kafka-clients");
}

#[test]
fn franz_go_sees_the_same_on_both() {
    check("franz-go");
}

#[test]
fn sarama_sees_the_same_on_both() {
    check("sarama");
}

#[test]
fn kafka_go_sees_the_same_on_both() {
    check("kafka-go");
}

#[test]
fn kafkajs_sees_the_same_on_both() {
    check("kafkajs");
}

#[test]
fn java_tools_see_the_same_on_both() {
    check("java-tools");
}

/// Runs Kafka's compaction tester, which remembers what it has written, on a broker of its own;
/// the numbers of records that it has written and read.
fn compacts(kind: Kind) -> (usize, usize) {
    let broker = Broker::start(kind, &EAGER_CLEANER);
    let files = tempfile::tempdir().expect("a temporary folder");
    let output = kafka_command("org.apache.kafka.tools.LogCompactionTester")
        .env("JAVA_TOOL_OPTIONS", format!("-Djava.io.tmpdir={}", files.path().display()))
        .args(["--bootstrap-server", &broker.bootstrap(), "--topics", "2"])
        .args(["--messages", &COMPACTED_RECORDS.to_string(), "--duplicates", "20"])
        .args(["--percent-deletes", "10", "--compression-type", "lz4", "--sleep", "4"])
        .output()
        .expect("the tool runs");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = format!("{kind:?}: {printed}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    assert!(printed.contains(" values, 0 mismatches."), "{told}");
    assert!(printed.contains("Data verification is completed"), "{told}");
    let rows = printed.lines().find(|line| line.contains("rows of data produced")).expect(&told);
    let mut numbers = rows.split_whitespace().filter_map(|word| word.parse().ok());
    let [written, read] = [(); 2].map(|()| numbers.next().expect(&told));
    (written, read)
}

#[test]
fn the_compaction_tester_finds_the_last_of_every_key_on_both() {
    Tool::Kafka.ensure();
    thread::scope(|scope| {
        let testers = brokers().into_iter().map(|kind| scope.spawn(move || compacts(kind)));
        for tester in testers.collect::<Vec<_>>() {
            let (written, read) = tester.join().expect("the tester is content");
            assert_eq!(written, 2 * COMPACTED_RECORDS);
            // How much is cleaned by the time that it reads depends on the machine.
            assert!(read < written, "{read} of {written}");
        }
    });
}
