//! Any bytes as the files of a log directory: `meta.properties`, the checkpoints, the marker of a
//! clean stop, and one partition with its `partition.metadata`, log, indexes and snapshots.
//!
//! Opening refuses or works, and then what is there can be read and closed; a start after that
//! finds the same. The input is a list of files: a byte for the name, three bytes of length,
//! contents.

use std::path::Path;
use std::sync::Arc;

use gofka_core::config::TopicConfig;
use gofka_core::ids::{LeaderEpoch, NodeId, Offset, TopicId, TopicPartition, Uuid};
use gofka_core::record::{BatchBuilder, Compression, NewRecord, TimestampType, split};
use gofka_core::time::TimestampMs;
use gofka_storage::{Claim, DirOptions, Log, LogDirs};

const NOW: TimestampMs = TimestampMs(1_700_000_000_000);
const NAMES: [&str; 16] = [
    "meta.properties",
    "recovery-point-offset-checkpoint",
    "log-start-offset-checkpoint",
    "replication-offset-checkpoint",
    "cleaner-offset-checkpoint",
    ".kafka_cleanshutdown",
    "t-0/partition.metadata",
    "t-0/leader-epoch-checkpoint",
    "t-0/00000000000000000000.log",
    "t-0/00000000000000000000.index",
    "t-0/00000000000000000000.timeindex",
    "t-0/00000000000000000000.txnindex",
    "t-0/00000000000000000004.log",
    "t-0/00000000000000000004.snapshot",
    "t-0/00000000000000000004.log.swap",
    "t-0/00000000000000000008.snapshot",
];

fn open(dir: &Path) -> Option<(LogDirs, Option<Arc<Log>>)> {
    let options = DirOptions {
        node_id: NodeId(0),
        cluster_id: None,
        max_open_files: 16,
        recovery_threads: 1,
        min_free_bytes: 0,
    };
    let dirs = LogDirs::open(&[dir.to_owned()], &options).ok()?;
    let config = Arc::new(config());
    let wanted = |_: &TopicPartition, topic_id| Claim::Wanted {
        topic_id: if topic_id == TopicId::NONE { TopicId(Uuid::from_u128(7)) } else { topic_id },
        config: Arc::clone(&config),
        leader_epoch: None,
    };
    let log = dirs.load(wanted, NOW).ok()?.pop().map(|(_, log)| log);
    Some((dirs, log))
}

fn config() -> TopicConfig {
    TopicConfig { segment_bytes: 400, ..TopicConfig::default() }
}

fn append(log: &Log) {
    let mut batch = BatchBuilder::new(Offset::ZERO, Compression::None, TimestampType::CreateTime);
    for index in 0..4 {
        let timestamp = TimestampMs(NOW.0 + index);
        batch.push(&NewRecord { timestamp, value: Some(&[b'v'; 30]), ..NewRecord::default() });
    }
    let batches = split(batch.build()).expect("it was just built");
    // The end of the log may be the last offset that there is.
    let _ = log.append_as_leader(&batches, LeaderEpoch(1), NOW);
}

/// The files of a real directory, after a clean stop and without one.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let (dirs, _) = open(folder.path()).expect("a new directory");
    let partition = TopicPartition::new("t", 0);
    let id = TopicId(Uuid::from_u128(7));
    let log = dirs.create(&partition, id, Arc::new(config())).expect("a new log");
    (0..3).for_each(|_| append(&log));
    log.sync().expect("a sound disk");
    dirs.checkpoint(0, |_| Some(Offset(8))).expect("a sound disk");
    let killed = pack(folder.path());
    dirs.close(|_| None).expect("a sound disk");
    vec![killed, pack(folder.path())]
}

fn pack(dir: &Path) -> Vec<u8> {
    let mut seed = Vec::new();
    for (which, name) in (0u8..).zip(NAMES) {
        let Ok(contents) = std::fs::read(dir.join(name)) else { continue };
        seed.push(which);
        seed.extend(&(contents.len() as u32).to_be_bytes()[1..]);
        seed.extend(contents);
    }
    seed
}

/// One input.
pub(crate) fn run(dir: &Path, data: &[u8]) {
    let dir = dir.join("data");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(dir.join("t-0")).expect("a folder");
    let mut rest = data;
    while let [which, a, b, c, after @ ..] = rest {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let (contents, after) = after.split_at(length.min(after.len()));
        let name = NAMES[*which as usize % NAMES.len()];
        std::fs::write(dir.join(name), contents).expect("the folder takes files");
        rest = after;
    }
    let Some((dirs, Some(log))) = open(&dir) else { return };
    append(&log);
    let found = (log.log_start_offset(), log.log_end_offset());
    let whole = read(&log);
    if log.sync().is_err() || dirs.close(|_| None).is_err() {
        return;
    }
    drop((dirs, log));
    let (_dirs, log) = open(&dir).expect("it was closed");
    let log = log.expect("it was there");
    assert_eq!((log.log_start_offset(), log.log_end_offset()), found);
    assert_eq!(read(&log), whole);
}

/// The bytes of all batches, or nothing where one is damaged.
fn read(log: &Log) -> Option<Vec<u8>> {
    let end = log.log_end_offset();
    let mut from = log.log_start_offset();
    let mut whole = Vec::new();
    while from < end {
        let records = log.read(from, 1 << 20, end, true).ok()?.records.load().ok()?;
        whole.extend_from_slice(&records);
        let batches = split(records).expect("what is read is whole batches");
        let last = batches.last()?;
        assert!(last.header.next_offset() > from, "reading moves on");
        from = last.header.next_offset();
    }
    Some(whole)
}
