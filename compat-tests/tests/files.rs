//! The files that Gofka writes, judged by Apache Kafka: its dump tool reads every one of them, it
//! serves a log that Gofka has stored, and Gofka serves one of Kafka's.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io::Write};

use compat_tests::broker::{Broker, Kind, kafka_command};
use compat_tests::setup::Tool;

/// Small segments, so that logs roll and every kind of file is written.
const SETTINGS: [(&str, &str); 2] = [("log.segment.bytes", "1048576"), ("num.partitions", "1")];
const RECORDS: usize = 30_000;
/// What the dump tool prints about something that does not fit.
const COMPLAINTS: [&str; 6] =
    ["isvalid: false", "mismatch", "Mismatch", "Exception", "out of order", "Error"];

fn output(command: &mut Command) -> String {
    let output = command.output().expect("the tool runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}{errors}");
    text
}

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

/// Every record of a topic with its offset, key and timestamp.
fn consume(broker: &Broker, topic: &str) -> String {
    let mut kcat = Command::new("kcat");
    kcat.args(["-C", "-e", "-q", "-t", topic, "-f", "%o %k %T %S %s\n", "-b"]);
    output(kcat.arg(broker.bootstrap()))
}

/// The files of one partition.
fn files(broker: &Broker, partition: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(broker.data_dir().join(partition)).expect("a log's folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}

/// Reads the files of one partition with Kafka's dump tool; the number of records it has seen.
fn dump(broker: &Broker, partition: &str) -> usize {
    let known = ["log", "index", "timeindex", "snapshot"];
    let is_known = |path: &&PathBuf| known.iter().any(|extension| has_extension(path, extension));
    let files = files(broker, partition);
    for extension in known {
        assert!(files.iter().any(|path| has_extension(path, extension)), "{files:?}");
    }
    let names: Vec<String> =
        files.iter().filter(is_known).map(|path| path.display().to_string()).collect();
    let text = output(kafka_command("org.apache.kafka.tools.DumpLogSegments").args([
        "--deep-iteration",
        "--files",
        &names.join(","),
    ]));
    for line in text.lines() {
        assert!(!COMPLAINTS.iter().any(|complaint| line.contains(complaint)), "{line}");
    }
    text.lines().filter(|line| line.starts_with("| offset: ")).count()
}

#[test]
fn kafkas_dump_tool_reads_every_file() {
    Tool::Kafka.ensure();
    let mut gofka = Broker::start(Kind::Gofka, &SETTINGS);
    for codec in ["none", "lz4"] {
        produce(&gofka, codec, codec);
    }
    // After a kill, the active segment's derived files are made anew by the next start.
    gofka.kill();
    gofka.resume();
    gofka.stop();
    for codec in ["none", "lz4"] {
        assert_eq!(dump(&gofka, &format!("{codec}-0")), RECORDS, "{codec}");
    }
}

/// Lets `to` have what `from` has stored of a topic; both are stopped.
fn move_log(from: &Broker, to: &Broker, partition: &str) {
    for old in files(to, partition) {
        // The topic's id is another one.
        if old.file_name().is_some_and(|name| name != "partition.metadata") {
            fs::remove_file(old).expect("a removable file");
        }
    }
    for new in files(from, partition) {
        let name = new.file_name().expect("a file's name");
        if name != "partition.metadata" {
            fs::copy(&new, to.data_dir().join(partition).join(name)).expect("a copy");
        }
    }
}

fn make_topic(broker: &Broker, topic: &str) {
    let mut kcat = Command::new("kcat");
    kcat.args(["-P", "-t", topic, "-b", &broker.bootstrap()]).stdin(Stdio::piped());
    let mut kcat = kcat.spawn().expect("kcat runs");
    kcat.stdin.take().expect("a pipe").write_all(b"replaced\n").expect("kcat reads");
    assert!(kcat.wait().expect("kcat ends").success());
}

fn moves(writer: Kind, reader: Kind) {
    Tool::Kafka.ensure();
    let mut writer = Broker::start(writer, &SETTINGS);
    let mut reader = Broker::start(reader, &SETTINGS);
    produce(&writer, "moved", "zstd");
    let written = consume(&writer, "moved");
    assert_eq!(written.lines().count(), RECORDS);
    make_topic(&reader, "moved");
    writer.stop();
    reader.stop();
    move_log(&writer, &reader, "moved-0");
    reader.resume();
    assert_eq!(consume(&reader, "moved"), written);
    make_topic(&reader, "moved");
    assert_eq!(consume(&reader, "moved").lines().count(), RECORDS + 1);
}

#[test]
fn kafka_serves_what_gofka_stored() {
    moves(Kind::Gofka, Kind::Kafka);
}

#[test]
fn gofka_serves_what_kafka_stored() {
    moves(Kind::Kafka, Kind::Gofka);
}
