//! One of two log directories hangs in a sync: the other one is made safe, checkpointed, compacted
//! and given new logs as ever.

use super::*;
use crate::compaction::CompactionRun;
use crate::disk::{Faults, Operation};
use crate::testing::*;
use gofka_core::time::MonotonicMs;
use parking_lot::Condvar;
use std::io;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// A disk on which no sync ends before it is let go.
#[derive(Debug, Default)]
struct Hanging {
    state: Mutex<Hang>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Hang {
    hangs: bool,
    waiting: usize,
}

impl Faults for Hanging {
    fn check(&self, what: Operation, _: &Path, len: usize) -> io::Result<usize> {
        let mut state = self.state.lock();
        if matches!(what, Operation::Sync | Operation::SyncDir) && state.hangs {
            state.waiting += 1;
            self.changed.notify_all();
            self.changed.wait_while(&mut state, |state| state.hangs);
        }
        Ok(len)
    }
}

impl Hanging {
    fn set(&self, hangs: bool) {
        self.state.lock().hangs = hangs;
        self.changed.notify_all();
    }

    fn wait_for(&self, waiting: usize) {
        let mut state = self.state.lock();
        let few = |state: &mut Hang| state.waiting < waiting;
        let waited = self.changed.wait_while_for(&mut state, few, PATIENCE);
        assert!(!waited.timed_out(), "{} wait for the disk", state.waiting);
    }
}

#[test]
fn a_directory_that_hangs_keeps_no_other_one_waiting() {
    let root = tempfile::tempdir().unwrap();
    let paths = [root.path().join("slow"), root.path().join("quick")];
    let mut dirs = LogDirs::open(&paths, &dir_options()).unwrap();
    let disk = Arc::new(Hanging::default());
    let faults = Arc::clone(&disk) as _;
    dirs.dirs[0].health = DirHealth::new(paths[0].clone(), Disk::with_faults(faults), 0);
    let dirs = Arc::new(dirs);
    let config = Arc::new(compacted());
    let logs = [0, 1].map(|index| {
        let log = dirs.create(&TopicPartition::new("a", index), TOPIC_ID, Arc::clone(&config));
        let log = log.unwrap();
        (0..40).for_each(|n| {
            append(&log, &batch(&n.to_string(), 1));
        });
        log.sync().unwrap();
        log
    });
    assert_eq!([0, 1], [dirs.number_of(&logs[0]), dirs.number_of(&logs[1])]);
    disk.set(true);
    let slow: Vec<_> = [LogDirs::checkpoint_recovery_points, LogDirs::checkpoint_log_starts]
        .into_iter()
        .map(|checkpoint| {
            logs[0].set_log_start_offset(Offset(30)).unwrap();
            let dirs = Arc::clone(&dirs);
            std::thread::spawn(move || checkpoint(&dirs, 0))
        })
        .collect();
    disk.wait_for(1);

    let (done, finished) = std::sync::mpsc::sync_channel(1);
    let other = {
        let (dirs, log) = (Arc::clone(&dirs), Arc::clone(&logs[1]));
        let config = Arc::clone(&config);
        std::thread::spawn(move || {
            dirs.checkpoint_recovery_points(1).unwrap();
            log.set_log_start_offset(Offset(33)).unwrap();
            dirs.checkpoint_log_starts(1).unwrap();
            dirs.checkpoint(1, |_| Some(Offset(40))).unwrap();
            let (now, up_to) = (NOW, log.log_end_offset());
            let run = CompactionRun { now, up_to, map_bytes: 1 << 20, pace: &|_, _| true };
            dirs.compact(&log, &run).unwrap();
            // The one with fewer logs takes it.
            dirs.delete(log.partition(), MonotonicMs(0)).unwrap();
            let made = dirs.create(&TopicPartition::new("b", 0), TOPIC_ID, config).unwrap();
            assert_eq!(dirs.number_of(&made), 1);
            done.send(()).unwrap();
        })
    };
    let in_time = finished.recv_timeout(PATIENCE);
    disk.set(false);
    in_time.expect("it waits for no other directory's disk");
    other.join().unwrap();
    for checkpoint in slow {
        checkpoint.join().unwrap().unwrap();
    }
    let text = |path: &Path, name: &str| std::fs::read_to_string(path.join(name)).unwrap();
    assert_eq!(text(&paths[1], names::RECOVERY_POINTS), "0\n1\na 1 40\n");
    assert_eq!(text(&paths[1], names::LOG_STARTS), "0\n1\na 1 33\n");
    assert_eq!(text(&paths[1], names::HIGH_WATERMARKS), "0\n1\na 1 40\n");
    assert_eq!(text(&paths[0], names::RECOVERY_POINTS), "0\n1\na 0 40\n");
    assert_eq!(text(&paths[0], names::LOG_STARTS), "0\n1\na 0 30\n");
}
