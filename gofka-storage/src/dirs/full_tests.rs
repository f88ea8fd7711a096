//! A log directory without room, at start and while it serves: what has to work then does.

use super::tests::{create, load};
use super::*;
use crate::testing::*;
use gofka_core::ids::{ProducerEpoch, ProducerId, Sequence};
use gofka_core::record::{BatchBuilder, Compression, NewRecord, TimestampType};
use gofka_core::time::MonotonicMs;

/// A disk without room: nothing is renamed or written. It remembers what was removed.
#[derive(Debug, Default)]
struct FullDisk {
    removed: Mutex<Vec<PathBuf>>,
}

impl disk::Faults for FullDisk {
    fn check(
        &self,
        what: disk::Operation,
        path: &std::path::Path,
        len: usize,
    ) -> std::io::Result<usize> {
        match what {
            disk::Operation::Rename | disk::Operation::Write => {
                return Err(std::io::Error::from_raw_os_error(28));
            }
            disk::Operation::Remove => self.removed.lock().push(path.to_owned()),
            _ => {}
        }
        Ok(len)
    }
}

fn open_full(root: &std::path::Path) -> (LogDirs, Arc<FullDisk>) {
    let mut dirs = open_dirs(root);
    let faults = Arc::new(FullDisk::default());
    dirs.dirs[0].health =
        DirHealth::new(root.to_owned(), Disk::with_faults(Arc::clone(&faults) as _), 0);
    (dirs, faults)
}

#[test]
fn a_full_disk_keeps_no_log_from_being_deleted() {
    let root = tempfile::tempdir().unwrap();
    append(&create(&open_dirs(root.path()), "a", 0), &batch("x", 1));
    let (dirs, faults) = open_full(root.path());
    assert_eq!(load(&dirs), ["a-0"]);
    faults.removed.lock().clear();
    dirs.delete(&TopicPartition::new("a", 0), MonotonicMs(0)).unwrap();
    let folder = root.path().join("a-0");
    assert!(!folder.exists());
    // What says whose log it is goes last, with the folder.
    let removed = faults.removed.lock();
    assert!(removed.len() > 1 && removed.last() == Some(&folder), "{removed:?}");
    assert!(!removed.contains(&folder.join("partition.metadata")));
}

#[test]
fn a_full_disk_at_start_takes_no_directory_offline() {
    let root = tempfile::tempdir().unwrap();
    let dirs = open_dirs(root.path());
    for topic in ["deleted", "unknown", "unnamed", "wanted"] {
        append(&create(&dirs, topic, 0), &batch("x", 1));
    }
    drop(dirs);
    std::fs::write(root.path().join("unnamed-0/partition.metadata"), b"").unwrap();
    let config = Arc::new(config());
    let told = |name: &TopicPartition, _: TopicId| match name.topic.as_str() {
        "deleted" => Claim::Deleted,
        "unknown" => Claim::Unknown,
        _ => wants(TOPIC_ID, &config),
    };
    let (dirs, _) = open_full(root.path());
    let loaded = dirs.load(told, NOW).unwrap();
    assert!(dirs.describe()[0].offline.is_none());
    assert_eq!(loaded.len(), 2);
    assert!(loaded.iter().all(|(_, log)| log.topic_id() == TOPIC_ID));
    assert!(!root.path().join("deleted-0").exists());
    assert!(root.path().join("unknown-0").exists());
}

/// A segment at `base` with a record of a transaction, and the marker that aborts it.
fn aborted(base: i64) -> Vec<u8> {
    let batch = |offset: i64| {
        let (codec, kind) = (Compression::None, TimestampType::CreateTime);
        BatchBuilder::new(Offset(offset), codec, kind).transactional()
    };
    let mut record = batch(base).producer(ProducerId(7), ProducerEpoch(0), Sequence(0));
    record.push(&NewRecord { timestamp: NOW, ..NewRecord::default() });
    let none = Sequence::NONE;
    let mut marker = batch(base + 1).producer(ProducerId(7), ProducerEpoch(0), none).control();
    let (key, value) = (Some(&[0; 4][..]), Some(&[0; 6][..]));
    marker.push(&NewRecord { timestamp: NOW, key, value, headers: &[] });
    [record.build(), marker.build()].concat()
}

#[test]
fn a_full_disk_at_start_leaves_indexes_in_memory_or_ends_the_start() {
    let home = Home::new(TopicConfig { segment_bytes: 200_000, ..config() });
    let (dirs, log) = home.open();
    let text = "x".repeat(1000);
    (0..400).for_each(|_| {
        append(&log, &batch(&text, 1));
    });
    drop((dirs, log));
    let (dirs, _) = open_full(home.root.path());
    assert_eq!(load(&dirs), ["orders-0"]);
    let log = dirs.get(&partition()).unwrap();
    assert_eq!(read_all(&log, Offset(0), 5000).len(), 400);
    assert!(dirs.describe()[0].offline.is_none());
    drop((dirs, log));
    // With a transaction that was aborted, what is read would not be right.
    std::fs::write(home.log_dir().join("00000000000000000400.log"), aborted(400)).unwrap();
    let (dirs, _) = open_full(home.root.path());
    let refused = dirs.load(claim(&home.config), NOW).unwrap_err();
    assert!(matches!(refused, StorageError::Full { .. }), "{refused}");
    assert!(dirs.describe()[0].offline.is_none());
    drop(dirs);
    let (dirs, log) = home.open();
    assert_eq!(log.log_end_offset(), Offset(402));
    dirs.close(no_watermark).unwrap();
}
