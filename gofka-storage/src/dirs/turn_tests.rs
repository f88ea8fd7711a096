//! Two who write a directory's recovery points at the same time.

use super::*;
use crate::disk::{Faults, Operation};
use crate::testing::*;
use parking_lot::Condvar;
use std::io;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Keeps the sync of leader epochs waiting, and notes what is done.
#[derive(Debug, Default)]
struct Slow {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    hangs: bool,
    waiting: bool,
    done: Vec<(Operation, String)>,
}

impl Faults for Slow {
    fn check(&self, what: Operation, path: &Path, len: usize) -> io::Result<usize> {
        let mut state = self.state.lock();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if state.hangs && what == Operation::Sync && name.starts_with(names::LEADER_EPOCHS) {
            state.waiting = true;
            self.changed.notify_all();
            self.changed.wait_while(&mut state, |state| state.hangs);
        }
        state.done.push((what, name));
        Ok(len)
    }
}

#[test]
fn a_recovery_point_waits_for_epochs_that_another_one_is_writing() {
    let root = tempfile::tempdir().unwrap();
    let mut dirs = LogDirs::open(&[root.path().to_owned()], &dir_options()).unwrap();
    let disk = Arc::new(Slow::default());
    let faults = Arc::clone(&disk) as _;
    dirs.dirs[0].health = DirHealth::new(root.path().to_owned(), Disk::with_faults(faults), 0);
    let dirs = Arc::new(dirs);
    let log = dirs.create(&partition(), TOPIC_ID, Arc::new(config())).unwrap();
    append(&log, &batch("x", 1));
    log.sync().unwrap();
    disk.state.lock().hangs = true;
    let one = {
        let dirs = Arc::clone(&dirs);
        std::thread::spawn(move || dirs.checkpoint_recovery_points(0))
    };
    let mut state = disk.state.lock();
    disk.changed.wait_while_for(&mut state, |state| !state.waiting, PATIENCE);
    assert!(state.waiting);
    drop(state);
    // It has to wait, or the point would be on the disk before the epochs.
    assert!(dirs.dirs[0].recovery_points.is_locked());
    let other = {
        let dirs = Arc::clone(&dirs);
        std::thread::spawn(move || dirs.checkpoint(0, no_watermark))
    };
    disk.state.lock().hangs = false;
    disk.changed.notify_all();
    one.join().unwrap().unwrap();
    other.join().unwrap().unwrap();
    let state = disk.state.lock();
    let first = |what, name: &str| {
        let is_it = |(op, on): &(Operation, String)| *op == what && on.starts_with(name);
        state.done.iter().position(is_it).unwrap()
    };
    let epochs = first(Operation::Rename, names::LEADER_EPOCHS);
    let point = first(Operation::Rename, names::RECOVERY_POINTS);
    assert!(epochs < point, "{:?}", state.done);
}
