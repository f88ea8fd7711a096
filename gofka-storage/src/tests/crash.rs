//! The process ends at every call that changes the disk, one after the other; what was written
//! until then stays, as after a kill. Every start after that finds all that was appended, once.

use crate::disk::{Disk, Faults, Operation};
use crate::error::StorageError;
use crate::group_commit::sync_together;
use crate::health::DirHealth;
use crate::log::{Log, LogPlace};
use crate::recovery::{Before, recover};
use crate::testing::*;
use gofka_core::config::{CleanupPolicy, TopicConfig};
use gofka_core::ids::Offset;
use gofka_core::time::TimestampMs;
use parking_lot::Mutex;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Lets `allowed` calls through, tears the next one if it is a write, and fails all after it.
#[derive(Debug)]
struct EndAfter {
    allowed: usize,
    calls: AtomicUsize,
}

impl Faults for EndAfter {
    fn check(&self, operation: Operation, _path: &Path, len: usize) -> io::Result<usize> {
        match self.calls.fetch_add(1, Ordering::Relaxed) {
            call if call < self.allowed => Ok(len),
            call if call == self.allowed && operation == Operation::Write => Ok(len / 2),
            _ => Err(io::Error::other("the process has ended")),
        }
    }
}

fn open(dir: &Path, disk: Arc<Disk>, config: &TopicConfig) -> Result<Log, StorageError> {
    open_from(dir, disk, config, Offset::ZERO)
}

/// Opens the log as a start does that knows that everything below `synced` was on the disk.
fn open_from(
    dir: &Path,
    disk: Arc<Disk>,
    config: &TopicConfig,
    synced: Offset,
) -> Result<Log, StorageError> {
    open_in(DirHealth::new(dir.to_owned(), disk, 0), dir, config, synced)
}

fn open_in(
    health: Arc<DirHealth>,
    dir: &Path,
    config: &TopicConfig,
    synced: Offset,
) -> Result<Log, StorageError> {
    let place = LogPlace {
        partition: partition(),
        topic_id: TOPIC_ID,
        dir: dir.to_owned(),
        health,
        config: Arc::new(config.clone()),
    };
    let (start, compacted) = (Offset::ZERO, false);
    let before = Before { recovery_point: synced, start, compacted, now: NOW, ..Before::NOTHING };
    recover(place, before)
}

/// Runs `work` on fresh logs, ending it after 0, 1, 2 ... calls until it gets through, and
/// `check`s what a start finds afterwards; that start is ended at every call as well.
fn at_every_call(
    config: &TopicConfig,
    work: impl Fn(&Log, &mut i64) -> Result<(), StorageError>,
    check: impl Fn(&Log, i64),
) {
    for allowed in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let faults = Arc::new(EndAfter { allowed, calls: AtomicUsize::new(0) });
        let (mut acknowledged, mut synced) = (0, Offset::ZERO);
        let ended = open(dir.path(), Disk::with_faults(faults), config).and_then(|log| {
            let worked = work(&log, &mut acknowledged);
            // Written down, or not any more.
            synced = if allowed % 2 == 0 { log.safe_offset() } else { Offset::ZERO };
            worked
        });
        for recovery_calls in (0..).step_by(1 + allowed % 3) {
            let faults = Arc::new(EndAfter { allowed: recovery_calls, calls: AtomicUsize::new(0) });
            if open_from(dir.path(), Disk::with_faults(faults), config, synced).is_ok() {
                break;
            }
        }
        let log = open_from(dir.path(), Disk::new(8), config, synced).unwrap();
        check(&log, acknowledged);
        let next = append(&log, &batch("next", 1));
        assert_eq!(next.last_offset, log.log_end_offset().plus(-1));
        if ended.is_ok() {
            assert!(allowed > 10, "the work made only {allowed} calls");
            return;
        }
    }
}

fn one(log: &Log, n: i64, key: &str) -> Result<(), StorageError> {
    let batch = batch_of(&[(key, Some(&n.to_string()), n)]);
    match log.append_as_leader(&[batch], EPOCH, TimestampMs(n)) {
        Ok(_) => Ok(()),
        Err(crate::error::AppendError::Storage(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn appending_rolling_and_closing() {
    let config = TopicConfig { segment_bytes: 300, index_interval_bytes: 60, ..config() };
    let work = |log: &Log, acknowledged: &mut i64| {
        for n in 0..12 {
            one(log, n, "k")?;
            *acknowledged = n + 1;
            if n % 5 == 4 {
                log.sync()?;
            }
        }
        log.close()
    };
    at_every_call(&config, work, |log, acknowledged| {
        let found = texts(&read_all(log, Offset(0), 150));
        // The append that was ended may have got through as well.
        assert!(found.len() as i64 == acknowledged || found.len() as i64 == acknowledged + 1);
        for (n, (offset, text)) in found.iter().enumerate() {
            assert_eq!((*offset, text.as_str()), (n as i64, n.to_string().as_str()));
        }
    });
}

#[test]
fn retention() {
    let config = TopicConfig { segment_bytes: 150, retention_ms: Some(4), ..config() };
    let work = |log: &Log, acknowledged: &mut i64| {
        for n in 0..10 {
            one(log, n, "k")?;
            *acknowledged = n + 1;
        }
        log.apply_retention(TimestampMs(10), Offset(10))?;
        Ok(())
    };
    at_every_call(&config, work, |log, acknowledged| {
        let found = texts(&read_all(log, log.log_start_offset(), 150));
        let end = log.log_end_offset().0;
        assert!(end == acknowledged || end == acknowledged + 1);
        let start = log.log_start_offset().0;
        assert!(start <= 6);
        assert_eq!(found.len() as i64, end - start);
    });
}

#[test]
fn compaction() {
    let config = TopicConfig {
        cleanup_policy: CleanupPolicy { delete: false, compact: true },
        ..TopicConfig { segment_bytes: 300, min_cleanable_dirty_ratio: 0.0, ..config() }
    };
    let work = |log: &Log, acknowledged: &mut i64| {
        for n in 0..16 {
            one(log, n, &format!("k{}", n % 3))?;
            *acknowledged = n + 1;
        }
        log.roll()?;
        compact_log(log, TimestampMs(16), Offset(16), 1 << 20)?;
        for n in 16..20 {
            one(log, n, &format!("k{}", n % 3))?;
            *acknowledged = n + 1;
        }
        log.roll()?;
        compact_log(log, TimestampMs(16), Offset(20), 1 << 20)?;
        Ok(())
    };
    at_every_call(&config, work, |log, acknowledged| {
        let end = log.log_end_offset().0;
        assert!(end == acknowledged || end == acknowledged + 1, "{end} after {acknowledged}");
        let found = texts(&read_all(log, Offset(0), 150));
        for key in 0..3 {
            let of_key = found.iter().filter(|(offset, _)| offset % 3 == key);
            let last = of_key.map(|(offset, _)| *offset).max();
            assert_eq!(last, (0..end).filter(|n| n % 3 == key).max());
        }
        let rises = |pair: &[(i64, String)]| pair[0].0 < pair[1].0;
        assert!(found.windows(2).all(rises), "{found:?}");
    });
}

#[test]
fn what_replaces_a_record_is_synced_before_the_record_goes() {
    #[derive(Debug, Default)]
    struct Seen(Mutex<Vec<(Operation, String)>>);
    impl Faults for Seen {
        fn check(&self, operation: Operation, path: &Path, len: usize) -> io::Result<usize> {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            self.0.lock().push((operation, name.unwrap_or_default()));
            Ok(len)
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let seen = Arc::new(Seen::default());
    let disk = Disk::with_faults(Arc::clone(&seen) as Arc<dyn Faults>);
    // The two segments are too large for one, and of the second nothing goes.
    let log = open(dir.path(), disk, &TopicConfig { segment_bytes: 300, ..compacted() }).unwrap();
    for (n, key) in (0..).zip(["a", "b", "c"]) {
        one(&log, n, key).unwrap();
    }
    log.roll().unwrap();
    log.sync().unwrap();
    seen.0.lock().clear();
    for (n, key) in (3..).zip(["a", "d", "e"]) {
        one(&log, n, key).unwrap();
    }
    log.roll().unwrap();
    compact_log(&log, NOW, Offset(6), 1 << 20).unwrap().unwrap();
    assert_eq!(read_all(&log, Offset(0), 1000).len(), 5);
    let seen = seen.0.lock();
    let first = |operation, name: &str| {
        let found = |(did, to): &(Operation, String)| *did == operation && to.starts_with(name);
        seen.iter().position(found).unwrap_or_else(|| panic!("{operation:?} {name}: {seen:?}"))
    };
    let synced = first(Operation::Sync, "00000000000000000003.log");
    assert!(synced < first(Operation::Rename, "00000000000000000000."), "{seen:?}");
}

#[test]
fn a_failed_sync_takes_the_directory_offline_for_good() {
    #[derive(Debug)]
    struct FailOneSync(AtomicUsize);
    impl Faults for FailOneSync {
        fn check(&self, operation: Operation, _: &Path, len: usize) -> io::Result<usize> {
            if operation == Operation::Sync && self.0.fetch_add(1, Ordering::Relaxed) == 0 {
                return Err(io::Error::from_raw_os_error(5));
            }
            Ok(len)
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::with_faults(Arc::new(FailOneSync(AtomicUsize::new(0))));
    let log = open(dir.path(), disk, &config()).unwrap();
    one(&log, 0, "k").unwrap();
    assert!(matches!(log.sync(), Err(StorageError::Offline { .. })));
    assert!(matches!(log.sync(), Err(StorageError::Offline { .. })));
    assert!(matches!(one(&log, 1, "k"), Err(StorageError::Offline { .. })));
    assert!(log.read(Offset(0), 100, Offset(1), true).is_err());
    assert_eq!(log.safe_offset(), Offset(0));
}

#[test]
fn a_sync_under_way_when_the_directory_fails_makes_nothing_safe() {
    #[derive(Debug, Default)]
    struct AnotherFails(OnceLock<Arc<DirHealth>>);
    impl Faults for AnotherFails {
        fn check(&self, operation: Operation, path: &Path, len: usize) -> io::Result<usize> {
            if let (Operation::Sync, Some(health)) = (operation, self.0.get()) {
                health.fail(&StorageError::io(path, io::Error::from_raw_os_error(5)));
            }
            Ok(len)
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let faults = Arc::new(AnotherFails::default());
    let disk = Disk::with_faults(Arc::clone(&faults) as Arc<dyn Faults>);
    let health = DirHealth::new(dir.path().to_owned(), disk, 0);
    let log = open_in(Arc::clone(&health), health.path(), &config(), Offset::ZERO).unwrap();
    one(&log, 0, "k").unwrap();
    faults.0.set(health).unwrap();
    assert!(matches!(log.sync(), Err(StorageError::Offline { .. })));
    assert_eq!(log.safe_offset(), Offset(0));
}

#[test]
fn a_full_disk_refuses_appends_and_nothing_else_until_there_is_room() {
    #[derive(Debug)]
    struct Room(AtomicUsize);
    impl Faults for Room {
        fn check(&self, operation: Operation, _: &Path, len: usize) -> io::Result<usize> {
            let grows = matches!(operation, Operation::Write | Operation::Create);
            if grows && self.0.load(Ordering::Relaxed) == 0 {
                return Err(io::Error::from_raw_os_error(28));
            }
            Ok(len)
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let room = Arc::new(Room(AtomicUsize::new(1)));
    let config = TopicConfig { segment_bytes: 300, ..config() };
    let disk = Disk::with_faults(Arc::clone(&room) as Arc<dyn Faults>);
    let log = open(dir.path(), disk, &config).unwrap();
    for n in 0..4 {
        one(&log, n, "k").unwrap();
    }
    room.0.store(0, Ordering::Relaxed);
    for _ in 0..3 {
        assert!(matches!(one(&log, 4, "k"), Err(StorageError::Full { .. })));
        assert!(matches!(log.roll(), Err(StorageError::Full { .. })));
    }
    assert_eq!(read_all(&log, Offset(0), 1000).len(), 4);
    assert_eq!(log.sync().unwrap(), Offset(4));
    room.0.store(1, Ordering::Relaxed);
    for n in 4..12 {
        one(&log, n, "k").unwrap();
    }
    drop(log);
    let log = open(dir.path(), Disk::new(8), &config).unwrap();
    assert_eq!(read_all(&log, Offset(0), 1000).len(), 12);
}

/// Has the next so many syncs fail with an error.
#[derive(Debug)]
struct FailSyncs {
    left: AtomicUsize,
    errno: i32,
}

impl FailSyncs {
    fn new(errno: i32) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(0), errno })
    }
}

impl Faults for FailSyncs {
    fn check(&self, operation: Operation, _: &Path, len: usize) -> io::Result<usize> {
        let syncs = matches!(operation, Operation::Sync | Operation::SyncDir);
        let fewer = |left: usize| left.checked_sub(1);
        let relaxed = Ordering::Relaxed;
        if syncs && self.left.fetch_update(relaxed, relaxed, fewer).is_ok() {
            return Err(io::Error::from_raw_os_error(self.errno));
        }
        Ok(len)
    }
}

const TOO_MANY_OPEN_FILES: i32 = 24;
const IO_ERROR: i32 = 5;

#[test]
fn a_file_that_cannot_be_opened_is_synced_later() {
    let dir = tempfile::tempdir().unwrap();
    let faults = FailSyncs::new(TOO_MANY_OPEN_FILES);
    let log = open(dir.path(), Disk::with_faults(Arc::clone(&faults) as _), &config()).unwrap();
    for n in 0..6 {
        one(&log, n, "k").unwrap();
        log.roll().unwrap();
        faults.left.store(1, Ordering::Relaxed);
        let refused = log.sync().unwrap_err();
        assert!(refused.is_transient(), "{refused}");
        assert_eq!(log.safe_offset(), Offset(n));
        let files = log.unsynced_files();
        assert!(files > 2, "{files} files are still to be synced");
        assert_eq!(log.sync().unwrap(), Offset(n + 1));
        assert_eq!(log.unsynced_files(), 0);
    }
}

#[test]
fn logs_that_are_synced_together_share_the_result() {
    for (errno, transient) in [(TOO_MANY_OPEN_FILES, true), (IO_ERROR, false)] {
        let dir = tempfile::tempdir().unwrap();
        let faults = FailSyncs::new(errno);
        let disk = Disk::with_faults(Arc::clone(&faults) as _);
        let health = DirHealth::new(dir.path().to_owned(), disk, 0);
        health.open_any_file_system();
        let logs = ["a", "b", "c"].map(|name| {
            let folder = dir.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            open_in(Arc::clone(&health), &folder, &config(), Offset::ZERO).unwrap()
        });
        let [a, b, c] = &logs;
        one(a, 0, "k").unwrap();
        one(b, 0, "k").unwrap();
        one(b, 1, "k").unwrap();
        let safe = || logs.each_ref().map(|log| log.safe_offset().0);
        assert!(sync_together(&[a, b, c]).iter().all(Result::is_ok));
        assert_eq!(safe(), [1, 2, 0]);
        one(b, 2, "k").unwrap();
        faults.left.store(1, Ordering::Relaxed);
        for result in sync_together(&[a, b, c]) {
            assert_eq!(result.unwrap_err().is_transient(), transient);
        }
        assert_eq!(safe(), [1, 2, 0]);
        c.refuse();
        let results = sync_together(&[a, b, c]);
        assert!(results[2].is_err());
        assert_eq!(results[1].is_ok(), transient);
        assert_eq!(safe(), if transient { [1, 3, 0] } else { [1, 2, 0] });
    }
}
