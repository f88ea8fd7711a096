//! Any bytes as the files of one partition: segments, indexes, producer snapshots, epochs, names.
//! Opening either works, and then everything can be read and appended to, or fails.
//!
//! The input is a list of files: a byte for the name, three bytes of length, contents.

use std::path::Path;
use std::sync::Arc;

use gofka_core::config::TopicConfig;
use gofka_core::ids::{LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName, TopicPartition};
use gofka_core::record::{BatchBuilder, Compression, NewRecord, TimestampType, split};
use gofka_core::time::TimestampMs;
use gofka_storage::{Log, LogOptions};

const NAMES: [&str; 12] = [
    "00000000000000000000.log",
    "00000000000000000000.index",
    "00000000000000000000.timeindex",
    "00000000000000000000.txnindex",
    "00000000000000000004.log",
    "00000000000000000004.index",
    "00000000000000000004.timeindex",
    "00000000000000000004.snapshot",
    "00000000000000000004.txnindex",
    "leader-epoch-checkpoint",
    "partition.metadata",
    "00000000000000000008.snapshot",
];

fn open(dir: &Path) -> Result<Log, gofka_storage::StorageError> {
    Log::open(LogOptions {
        dir: dir.to_owned(),
        partition: TopicPartition { topic: TopicName::new("t"), partition: PartitionIndex(0) },
        topic_id: TopicId::NONE,
        config: Arc::new(TopicConfig { segment_bytes: 400, ..TopicConfig::default() }),
    })
}

fn append(log: &Log) {
    let mut batch = BatchBuilder::new(Offset::ZERO, Compression::None, TimestampType::CreateTime);
    for index in 0..4 {
        batch.push(&NewRecord {
            timestamp: TimestampMs(1_700_000_000_000 + index),
            key: Some(b"key"),
            value: Some(&[b'v'; 30]),
            headers: &[],
        });
    }
    let batches = split(batch.build()).expect("it was just built");
    // The end of the log may be the last offset that there is.
    let _ = log.append_as_leader(&batches, LeaderEpoch(1), TimestampMs(1_700_000_000_000));
}

/// The files of a real log.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let dir = tempfile::tempdir().expect("a folder");
    let log = open(dir.path()).expect("a new log");
    (0..2).for_each(|_| append(&log));
    let mut seed = Vec::new();
    for (which, name) in (0u8..).zip(NAMES) {
        let Ok(contents) = std::fs::read(dir.path().join(name)) else { continue };
        let contents = &contents[..contents.len().min(2000)];
        seed.push(which);
        seed.extend(&(contents.len() as u32).to_be_bytes()[1..]);
        seed.extend(contents);
    }
    vec![seed]
}

/// One input.
pub(crate) fn run(dir: &Path, data: &[u8]) {
    let dir = dir.join("t-0");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir(&dir).expect("a folder");
    let mut rest = data;
    while let [which, a, b, c, after @ ..] = rest {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let (contents, after) = after.split_at(length.min(after.len()));
        let name = NAMES[*which as usize % NAMES.len()];
        std::fs::write(dir.join(name), contents).expect("the folder takes files");
        rest = after;
    }
    let Ok(log) = open(&dir) else { return };
    append(&log);
    let end = log.log_end_offset();
    let mut from = log.log_start_offset();
    while from < end {
        let Ok(read) = log.read(from, 1 << 20, end, true) else { return };
        let records = read.records.load().expect("every batch was checked");
        let Ok(batches) = split(records) else { panic!("what is read is whole batches") };
        let Some(last) = batches.last() else { break };
        assert!(last.header.next_offset() > from, "reading moves on");
        from = last.header.next_offset();
    }
}
