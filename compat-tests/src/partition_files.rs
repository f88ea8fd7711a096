//! The files of partitions in a broker's data directory: listed, judged by Apache Kafka's dump
//! tool, and put into another broker's folders.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker::{Broker, kafka_command};

/// What the dump tool prints about something that does not fit.
const COMPLAINTS: [&str; 6] =
    ["isvalid: false", "mismatch", "Mismatch", "Exception", "out of order", "Error"];
/// What the dump tool knows.
const DUMPED: [&str; 5] = ["log", "index", "timeindex", "snapshot", "txnindex"];
/// Its topic's id is the folder's own.
const METADATA: &str = "partition.metadata";

/// The standard output of a tool that must succeed.
pub fn output(command: &mut Command) -> String {
    let output = command.output().expect("the tool runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}{errors}");
    text
}

/// The files of one partition.
pub fn of(broker: &Broker, partition: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(broker.data_dir().join(partition)).expect("a log's folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// The first offset of the segment that is written to.
pub fn active_base(broker: &Broker, partition: &str) -> i64 {
    let segments = of(broker, partition).into_iter().filter(|path| has_extension(path, "log"));
    let names = segments.filter_map(|path| path.file_stem()?.to_str()?.parse().ok());
    names.max().expect("a segment")
}

/// Whether no key occurs twice before the segment that is written to, by lines of kcat's that
/// begin with offset and key.
pub fn is_compacted(broker: &Broker, partition: &str, lines: &[&str]) -> bool {
    let active = active_base(broker, partition);
    let mut keys = HashSet::new();
    lines.iter().all(|line| {
        let mut words = line.split(' ');
        let offset: i64 = words.next().and_then(|word| word.parse().ok()).expect("an offset");
        offset >= active || keys.insert(words.next())
    })
}

/// Whether a path ends in `.wanted`.
pub fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}

/// What Kafka's dump tool says of all files of a partition, none of which may be wrong.
pub fn dump(broker: &Broker, partitions: &[&str], arguments: &[&str]) -> String {
    let files = partitions.iter().flat_map(|partition| of(broker, partition));
    let known = |path: &PathBuf| DUMPED.iter().any(|extension| has_extension(path, extension));
    let names: Vec<String> = files.filter(known).map(|path| path.display().to_string()).collect();
    let mut tool = kafka_command("org.apache.kafka.tools.DumpLogSegments");
    let text = output(tool.args(["--files", &names.join(",")]).args(arguments));
    for line in text.lines() {
        // What records hold is not the tool's word.
        let said = line.split(" payload: ").next().unwrap_or(line);
        assert!(!COMPLAINTS.iter().any(|complaint| said.contains(complaint)), "{line}");
    }
    text
}

/// Lets `to` have what `from` has stored of a partition; both are stopped.
pub fn copy(from: &Broker, to: &Broker, partition: &str) {
    for old in of(to, partition) {
        if old.file_name().is_some_and(|name| name != METADATA) {
            fs::remove_file(old).expect("a removable file");
        }
    }
    for new in of(from, partition) {
        let name = new.file_name().expect("a file's name");
        if name != METADATA {
            fs::copy(&new, to.data_dir().join(partition).join(name)).expect("a copy");
        }
    }
}

/// Lets `to` have where the logs of `from` start; both are stopped.
pub fn copy_log_starts(from: &Broker, to: &Broker) {
    let name = "log-start-offset-checkpoint";
    fs::copy(from.data_dir().join(name), to.data_dir().join(name)).expect("a copy");
}
