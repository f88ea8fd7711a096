//! A bit that flips on the disk in a sealed segment: the batch that has it is never given to a
//! consumer. What comes before it is, what comes after it is for who asks past it, and nobody
//! else notices.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use compat_tests::batch::{self, Batch};
use compat_tests::broker::{Broker, Kind};
use compat_tests::process::eventually;
use compat_tests::raw::{CORRUPT_MESSAGE, Client, NONE};
use compat_tests::setup::{self, Tool};
use rustix::fs::{Advice, fadvise};

const LIMIT: Duration = Duration::from_secs(60);
const TOPIC: &str = "orders";
const BATCHES: usize = 60;
const RECORDS: usize = 8;
/// So that a segment has some twenty batches.
const VALUE: usize = 6_000;
/// A batch in the middle of the first segment.
const BAD: usize = 9;
/// Of single fetches: one batch, a few, more than the broker reads at once.
const SIZES: [i32; 3] = [1, 200_000, 8 << 20];

/// Where in a batch the bit flips: the offset, which then lies past the end of the log; what leads
/// to the next batch; the checksum and what it covers.
const PLACES: [(&str, usize); 8] = [
    ("base offset", 5),
    ("length", 8),
    ("magic", 16),
    ("checksum", 17),
    ("attributes", 22),
    ("last offset delta", 26),
    ("first record", 70),
    ("last record", 48_000),
];

fn value(partition: i32, number: usize) -> Vec<u8> {
    let mut value = format!("{partition} {number} ").into_bytes();
    value.resize(VALUE, b'x');
    value
}

/// Two partitions with the same number of batches, in segments of 1 MiB.
fn filled() -> Broker {
    let broker = Broker::start(Kind::Gofka, &[]);
    let mut client = Client::connect(broker.address());
    assert_eq!(client.create(TOPIC, 2, &[("segment.bytes", "1048576")]), NONE);
    for number in 0..BATCHES {
        let batches = [0, 1].map(|partition| {
            let values: Vec<_> = (0..RECORDS).map(|at| value(partition, number + at)).collect();
            let records: Vec<_> = values.iter().map(|value| (None, Some(&value[..]))).collect();
            (partition, batch::of(&records, batch::now_ms()))
        });
        let answers = client.produce(TOPIC, &batches);
        assert!(answers.iter().all(|(_, error, _)| *error == NONE), "{answers:?}");
    }
    broker
}

fn first_segment(broker: &Broker) -> PathBuf {
    broker.data_dir().join(format!("{TOPIC}-0/00000000000000000000.log"))
}

/// What partition 0 has before anything flips.
fn all_batches(client: &mut Client, partition: i32) -> Vec<Batch> {
    let (mut from, mut all) = (0, Vec::new());
    loop {
        let fetched = client.fetch(TOPIC, partition, from, 8 << 20);
        assert_eq!(fetched.error, NONE, "partition {partition} at offset {from}");
        if from == fetched.high_watermark {
            return all;
        }
        all.extend(batch::split(&fetched.records));
        from = all.last().expect("records up to the high watermark").next_offset;
    }
}

/// Flips a bit as a disk does: what the kernel has in memory of the file is forgotten.
fn flip(path: &PathBuf, position: usize) {
    let file = File::options().read(true).write(true).open(path).expect("the segment");
    let mut byte = [0];
    file.read_exact_at(&mut byte, position as u64).expect("a byte");
    file.write_all_at(&[byte[0] ^ 0x10], position as u64).expect("a byte");
    file.sync_all().expect("a disk that syncs");
    let forgotten = eventually(LIMIT, || {
        fadvise(&file, 0, None, Advice::DontNeed).expect("a file in a page cache");
        pages_in_memory(path) == 0
    });
    assert!(forgotten, "{} stays in memory: TMPDIR must be on a disk", path.display());
}

/// Looking at them by reading would bring them in.
fn pages_in_memory(path: &PathBuf) -> u64 {
    let mut fincore = Command::new("fincore");
    fincore.args(["--noheadings", "--output", "PAGES"]).arg(path);
    let output = fincore.output().expect("fincore (util-linux) runs");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}

/// Reads from `from` on until an error or the end.
fn read_on(client: &mut Client, from: i64, max_bytes: i32) -> (Vec<Batch>, i16) {
    let (mut next, mut got) = (from, Vec::<Batch>::new());
    loop {
        let fetched = client.fetch(TOPIC, 0, next, max_bytes);
        if fetched.error != NONE || fetched.high_watermark == next {
            return (got, fetched.error);
        }
        got.extend(batch::split(&fetched.records));
        let last = got.last().expect("an answer with records");
        assert!(last.next_offset > next, "offset {next} gives nothing new");
        next = last.next_offset;
    }
}

/// What raw fetches of each size get around the changed batch, again and again: what is read once
/// is in memory afterwards.
fn judge_fetches(broker: &Broker, good: &[Batch], case: &str) {
    let mut client = Client::connect(broker.address());
    for round in 0..2 {
        for max_bytes in SIZES {
            let case = format!("{case}, round {round}, {max_bytes} bytes");
            let (before, error) = read_on(&mut client, 0, max_bytes);
            assert_eq!(error, CORRUPT_MESSAGE, "{case}");
            assert!(before == good[..BAD], "{case}: {} batches before it", before.len());
            for inside in [good[BAD].base_offset, good[BAD].next_offset - 1] {
                let fetched = client.fetch(TOPIC, 0, inside, max_bytes);
                assert_eq!(fetched.error, CORRUPT_MESSAGE, "{case}, offset {inside}");
                assert!(fetched.records.is_empty(), "{case}, offset {inside}");
            }
            let (after, error) = read_on(&mut client, good[BAD].next_offset, max_bytes);
            assert_eq!(error, NONE, "{case}");
            assert!(after == good[BAD + 1..], "{case}: {} batches after it", after.len());
        }
    }
}

/// The offsets that kcat prints; it ends by itself, or where it meets an error.
fn kcat_offsets(broker: &Broker, partition: i32, arguments: &[&str]) -> (Vec<i64>, String) {
    let mut kcat = Command::new("kcat");
    kcat.args(["-C", "-q", "-t", TOPIC, "-p", &partition.to_string(), "-f", "%o\n"]);
    kcat.args(arguments).args(["-b", &broker.bootstrap()]);
    let output = kcat.stdin(Stdio::null()).output().expect("kcat runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let offsets = said.lines().map(|line| line.parse().expect("an offset")).collect();
    (offsets, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// confluent-kafka, with a handler of errors, from an offset on: `[offsets, error codes]`.
const PYTHON: &str = r#"
import json, sys, confluent_kafka as ck
bootstrap, start, end = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
consumer = ck.Consumer({"bootstrap.servers": bootstrap, "group.id": "g", "check.crcs": True,
    "enable.auto.commit": False, "auto.offset.reset": "error"})
consumer.assign([ck.TopicPartition("orders", 0, start)])
offsets, errors, idle = [], [], 0
while idle < 30 and (not offsets or offsets[-1] < end):
    message = consumer.poll(1)
    idle += message is None
    if message is None:
        continue
    if message.error():
        errors.append(message.error().code())
        break
    offsets.append(message.offset())
consumer.close()
print(json.dumps([offsets, errors]))
"#;

fn confluent(broker: &Broker, from: i64, to: i64) -> (Vec<i64>, Vec<i64>) {
    let mut python = Command::new(setup::python());
    python.args(["-c", PYTHON, &broker.bootstrap(), &from.to_string(), &to.to_string()]);
    let output = python.stderr(Stdio::inherit()).output().expect("python runs");
    assert!(output.status.success(), "confluent-kafka ends with {}", output.status);
    serde_json::from_slice(&output.stdout).expect("what it was asked to print")
}

fn judge_clients(broker: &Broker, good: &[Batch], case: &str) {
    let (bad, next) = (good[BAD].base_offset, good[BAD].next_offset);
    let end = good.last().expect("batches").next_offset;
    let (offsets, errors) = confluent(broker, 0, end - 1);
    assert_eq!(offsets, (0..bad).collect::<Vec<_>>(), "{case}: {errors:?}");
    assert_eq!(errors, [i64::from(CORRUPT_MESSAGE)], "{case}");
    assert_eq!(confluent(broker, next, end - 1), ((next..end).collect(), vec![]), "{case}");
    let (offsets, said) = kcat_offsets(broker, 0, &["-e", "-o", "beginning"]);
    assert_eq!(offsets, (0..bad).collect::<Vec<_>>(), "{case}: {said}");
    let (offsets, said) = kcat_offsets(broker, 0, &["-e", "-o", &next.to_string()]);
    assert_eq!(offsets, (next..end).collect::<Vec<_>>(), "{case}: {said}");
}

/// The other partition reads and writes, and this one takes records.
fn judge_others(broker: &Broker, case: &str) {
    let (offsets, said) = kcat_offsets(broker, 1, &["-e", "-o", "beginning"]);
    assert!(offsets.len() >= BATCHES * RECORDS, "{case}: {said}");
    let mut client = Client::connect(broker.address());
    for partition in [0, 1] {
        let (error, offset) = client.send(TOPIC, partition, &[b"late"]);
        assert_eq!(error, NONE, "{case}");
        let fetched = client.fetch(TOPIC, partition, offset, 1 << 20);
        assert_eq!((fetched.error, batch::split(&fetched.records).len()), (NONE, 1), "{case}");
    }
}

fn judge_log(broker: &Broker, position: usize, case: &str) {
    let path = first_segment(broker).display().to_string();
    let at = format!("position {position}");
    let says = |line: &str| line.contains(&path) && line.contains(&at);
    let said = eventually(LIMIT, || broker.output().lines().any(says));
    assert!(said, "{case}: {path} at {position} is not in\n{}", broker.output());
    let counted = metrics(broker);
    let is_counted = counted.lines().any(|line| line.starts_with(COUNTER));
    assert!(is_counted, "{case}: {COUNTER} is not in\n{counted}");
}

/// What counts the answers that a fetch gets at a changed batch.
const COUNTER: &str =
    "gofka_request_errors_total{api_key=\"Fetch\",error_code=\"CORRUPT_MESSAGE\"} ";

fn metrics(broker: &Broker) -> String {
    let mut stream = TcpStream::connect(broker.http_address()).expect("HTTP is served");
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").expect("a request");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("text");
    text
}

fn position_of(good: &[Batch], number: usize) -> usize {
    good[..number].iter().map(|batch| batch.bytes.len()).sum()
}

#[test]
fn a_bit_that_flipped_while_it_was_stopped_is_found() {
    Tool::Python.ensure();
    let mut broker = filled();
    let good = all_batches(&mut Client::connect(broker.address()), 0);
    assert_eq!(good.len(), BATCHES);
    broker.stop();
    let position = position_of(&good, BAD);
    for (index, (place, at)) in PLACES.into_iter().enumerate() {
        flip(&first_segment(&broker), position + at);
        broker.resume();
        judge_fetches(&broker, &good, place);
        judge_log(&broker, position, place);
        if index == 0 {
            judge_clients(&broker, &good, place);
        }
        if index + 1 == PLACES.len() {
            judge_others(&broker, place);
        }
        broker.stop();
        flip(&first_segment(&broker), position + at);
    }
}

#[test]
fn a_bit_that_flips_while_it_runs_is_found() {
    Tool::Python.ensure();
    let broker = filled();
    let good = all_batches(&mut Client::connect(broker.address()), 0);
    let position = position_of(&good, BAD);
    for (place, at) in PLACES {
        flip(&first_segment(&broker), position + at);
        judge_fetches(&broker, &good, place);
        judge_log(&broker, position, place);
        flip(&first_segment(&broker), position + at);
        // What is as it was can be read again.
        assert!(all_batches(&mut Client::connect(broker.address()), 0) == good, "{place}");
    }
    flip(&first_segment(&broker), position + PLACES[0].1);
    judge_clients(&broker, &good, "while it runs");
    judge_others(&broker, "while it runs");
}
