//! Raw requests of every announced API at every version, good and bad, on Apache Kafka and on
//! Gofka: the decoded answers must be equal, but for what `stated.rs` names.
//!
//! `clients/go/requests` sends and decodes. `REQUESTS=produce/` runs the cases with that in their
//! names, and `REQUESTS_DUMP=FOLDER` leaves both brokers' answers there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::{env, fs, thread};

use compat_tests::broker::{Broker, Kind};
use compat_tests::compare::differences;
use compat_tests::setup::{self, Tool};
use compat_tests::stated::{STATED, is_wording};
use compat_tests::wire;
use serde::Deserialize;
use serde_json::Value;

/// Old timestamps make the records the same in every run; nothing may expire by them.
const SETTINGS: [(&str, &str); 2] =
    [("log.retention.ms", "-1"), ("offsets.topic.num.partitions", "4")];

/// With these the brokers are started again, for the cases that are about them.
const RESTRICTED: [(&str, &str); 2] =
    [("delete.topic.enable", "false"), ("auto.create.topics.enable", "false")];

/// What one case came to at one version.
#[derive(Debug, Deserialize)]
struct Line {
    case: String,
    api: i16,
    version: i16,
    steps: Value,
    #[serde(default)]
    error: String,
}

/// All lines of one broker, by case and version.
type Lines = BTreeMap<(String, i16), Line>;

fn part() -> String {
    env::var("REQUESTS").unwrap_or_default()
}

/// Runs every case against `broker`, for the versions that `table` announces.
fn ask(broker: &Broker, table: &Broker, more: &[&str]) -> String {
    let output = Command::new(setup::go_requests())
        .args(["--bootstrap", &broker.bootstrap(), "--table", &table.bootstrap()])
        .args(["--cases", &part()])
        .args(more)
        .output()
        .expect("the program is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {errors}", broker.kind());
    String::from_utf8(output.stdout).expect("JSON is UTF-8")
}

/// The answers of both brokers, Kafka's first.
fn ask_both(kafka: &Broker, gofka: &Broker, more: &[&str]) -> [String; 2] {
    thread::scope(|scope| {
        let kafka = scope.spawn(|| ask(kafka, gofka, more));
        let gofka = ask(gofka, gofka, more);
        [kafka.join().expect("it ends"), gofka]
    })
}

fn restart_restricted(broker: &mut Broker) {
    broker.stop();
    for (name, value) in RESTRICTED {
        broker.set(name, value);
    }
    broker.resume();
}

fn lines(kind: Kind, text: &str) -> Lines {
    if let Ok(folder) = env::var("REQUESTS_DUMP") {
        let path = Path::new(&folder).join(format!("{kind:?}.jsonl"));
        fs::write(path, text.as_bytes()).expect("the folder takes files");
    }
    let mut lines = Lines::new();
    for line in text.lines() {
        let line: Line = serde_json::from_str(line).expect("a line of the program");
        lines.insert((line.case.clone(), line.version), line);
    }
    lines
}

/// Everything that differs and is not stated, and everything stated that does not differ.
fn complaints(kafka: &Lines, gofka: &Lines) -> Vec<String> {
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for ((case, version), line) in kafka {
        let other = &gofka[&(case.clone(), *version)];
        for (kind, line) in [("Kafka", line), ("Gofka", other)] {
            if !line.error.is_empty() {
                found.push(format!("{case} v{version} on {kind}: {}", line.error));
            }
        }
        for difference in differences(("Kafka", &line.steps), ("Gofka", &other.steps)) {
            let mut meant = is_wording(&difference);
            for (index, stated) in STATED.iter().enumerate() {
                if stated.covers(case, *version, &difference) {
                    meant = true;
                    used.insert((index, *version));
                }
            }
            if !meant {
                found.push(format!("{case} v{version}: {difference}"));
            }
        }
    }
    for (index, stated) in STATED.iter().enumerate() {
        for version in stated.versions.clone() {
            let ran = kafka.contains_key(&(stated.case.to_owned(), version));
            if !used.contains(&(index, version)) && (ran || part().is_empty()) {
                let (case, path) = (stated.case, stated.path);
                found.push(format!("{case} v{version}: stated but equal: {path}"));
            }
        }
    }
    found
}

/// Announced APIs and versions that no case asks.
fn unasked(gofka: &Broker, lines: &Lines) -> Vec<String> {
    let asked: BTreeSet<(i16, i16)> = lines.values().map(|l| (l.api, l.version)).collect();
    let mut found = Vec::new();
    for (key, lowest, highest) in wire::announced(gofka.address()).expect("it answers") {
        // Announced for older clients, and refused.
        let lowest = if key == 0 { 3 } else { lowest };
        for version in lowest..=highest {
            if !asked.contains(&(key, version)) {
                found.push(format!("no case asks API {key} at version {version}"));
            }
        }
    }
    found
}

#[test]
fn raw_requests_are_answered_as_kafka_answers() {
    Tool::Kafka.ensure();
    Tool::Go.ensure();
    let (mut kafka, mut gofka) = thread::scope(|scope| {
        let kafka = scope.spawn(|| Broker::start(Kind::Kafka, &SETTINGS));
        let gofka = Broker::start(Kind::Gofka, &SETTINGS);
        (kafka.join().expect("Kafka starts"), gofka)
    });
    let mut said = ask_both(&kafka, &gofka, &[]);
    thread::scope(|scope| {
        scope.spawn(|| restart_restricted(&mut kafka));
        restart_restricted(&mut gofka);
    });
    for (first, then) in said.iter_mut().zip(ask_both(&kafka, &gofka, &["--restricted"])) {
        first.push_str(&then);
    }
    let kafka_lines = lines(Kind::Kafka, &said[0]);
    let gofka_lines = lines(Kind::Gofka, &said[1]);
    let mut found = complaints(&kafka_lines, &gofka_lines);
    if part().is_empty() {
        found.extend(unasked(&gofka, &gofka_lines));
    }
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}
