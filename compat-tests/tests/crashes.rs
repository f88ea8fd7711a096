//! kill -9 again and again while Apache Kafka's verifiable producer writes with idempotence and
//! acks=all, in both durability modes: what was acknowledged is there, at the offset that was
//! said, and nothing is there twice.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use compat_tests::broker::{Broker, Kind, kafka_command};
use compat_tests::process::{Process, eventually};
use compat_tests::setup::Tool;

const LIMIT: Duration = Duration::from_secs(60);
const KILLS: usize = 6;
/// How many sends are acknowledged between two kills.
const BETWEEN: usize = 2_500;
const SPEED: usize = 3_000;

/// Value to partition and offset, of every send that was acknowledged.
fn acknowledged(output: &Path) -> BTreeMap<usize, (i32, i64)> {
    let text = fs::read_to_string(output).expect("the producer's output");
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| line.contains("\"producer_send_success\"")) {
        // The last line may be half written.
        let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let value = line["value"].as_str().and_then(|text| text.parse().ok()).expect("a number");
        let partition = line["partition"].as_i64().expect("a partition") as i32;
        found.insert(value, (partition, line["offset"].as_i64().expect("an offset")));
    }
    found
}

/// How many sends the producer says were acknowledged, in the summary that it ends with.
fn counted(output: &Path) -> usize {
    let text = fs::read_to_string(output).expect("the producer's output");
    let summary = text.lines().find(|line| line.contains("\"tool_data\"")).expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(summary).expect("whole lines");
    summary["acked"].as_u64().expect("a number") as usize
}

/// Value to the places where it is stored.
fn stored(broker: &Broker) -> HashMap<usize, Vec<(i32, i64)>> {
    let mut kcat = Command::new("kcat");
    kcat.args(["-C", "-e", "-q", "-t", "t", "-o", "beginning", "-f", "%s %p %o\n", "-b"]);
    let output = kcat.arg(broker.bootstrap()).output().expect("kcat runs");
    let mut found: HashMap<usize, Vec<(i32, i64)>> = HashMap::new();
    for line in String::from_utf8(output.stdout).expect("utf-8").lines() {
        let numbers: Vec<i64> = line.split(' ').map(|n| n.parse().expect("a number")).collect();
        found.entry(numbers[0] as usize).or_default().push((numbers[1] as i32, numbers[2]));
    }
    found
}

fn kill_while_producing(durability: &str) {
    let settings = [("durability", durability), ("num.partitions", "3")];
    let mut broker = Broker::start(Kind::Gofka, &settings);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let (config, output) = (dir.path().join("producer.properties"), dir.path().join("output"));
    fs::write(&config, "enable.idempotence=true\nretries=2147483647\nlinger.ms=1\n")
        .expect("a new file");
    let mut command = kafka_command("org.apache.kafka.tools.VerifiableProducer");
    command
        .args(["--topic", "t", "--acks", "-1", "--bootstrap-server", &broker.bootstrap()])
        .args(["--throughput", &SPEED.to_string()])
        .arg("--command-config")
        .arg(&config)
        .stdout(File::create(&output).expect("a new file"))
        .stderr(Stdio::null());
    let mut producer = Process::spawn(&mut command, None).expect("java runs");
    for kill in 1..=KILLS {
        let before = acknowledged(&output).len();
        let went_on = eventually(LIMIT, || acknowledged(&output).len() >= before + BETWEEN);
        assert!(went_on, "{durability}: nothing acknowledged before kill {kill}");
        broker.kill();
        broker.resume();
    }
    // It sends what it still holds before it ends.
    producer.terminate();
    assert!(producer.wait(LIMIT).is_some(), "{durability}: the producer does not end");
    let (acknowledged, stored) = (acknowledged(&output), stored(&broker));
    assert_eq!(acknowledged.len(), counted(&output), "{durability}: its own count differs");
    for (value, place) in &acknowledged {
        assert_eq!(stored.get(value), Some(&vec![*place]), "{durability}: value {value}");
    }
    for (value, places) in &stored {
        assert_eq!(places.len(), 1, "{durability}: value {value} at {places:?}");
    }
    broker.stop();
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_stored_twice() {
    Tool::Kafka.ensure();
    let modes = ["fsync", "page-cache"];
    let runs = modes.map(|mode| thread::spawn(move || kill_while_producing(mode)));
    for run in runs {
        run.join().expect("the run does not panic");
    }
}
