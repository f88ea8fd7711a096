//! Which leader epoch wrote which part of the log (KIP-101), and its file
//! `leader-epoch-checkpoint`.
//!
//! Owned by `log`, which serializes changes. The file is written before the recovery point
//! passes what it speaks of; what is after that is found again in the batch headers
//! (`recovery/epochs`).

use crate::checkpoint;
use crate::disk::Disk;
use crate::error::StorageError;
use gofka_core::ids::{LeaderEpoch, Offset};
use std::path::Path;

/// Where an epoch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    epoch: LeaderEpoch,
    start: Offset,
}

/// The epochs of one log, both numbers strictly rising.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EpochCache {
    entries: Vec<Entry>,
    /// Changed since the file was written.
    pub(crate) dirty: bool,
}

impl EpochCache {
    /// Reads the file; `None` when it is missing or damaged.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, StorageError> {
        let lines = checkpoint::read_lines(path, |line| {
            let (epoch, start) = line.split_once(' ')?;
            Some(Entry {
                epoch: LeaderEpoch(epoch.parse().ok()?),
                start: Offset(start.parse().ok()?),
            })
        })?;
        Ok(lines
            .filter(|entries| {
                let rises = |a: &Entry, b: &Entry| a.epoch < b.epoch && a.start < b.start;
                entries.windows(2).all(|pair| rises(&pair[0], &pair[1]))
            })
            .map(|entries| Self { entries, dirty: false }))
    }

    /// Writes the file, and with `sync` waits until it is on the disk.
    pub(crate) fn store(&self, disk: &Disk, path: &Path, sync: bool) -> Result<(), StorageError> {
        let lines = self.entries.iter().map(|entry| format!("{} {}", entry.epoch, entry.start));
        checkpoint::write_lines(disk, path, lines, sync)
    }

    /// Notes that records from `start` on are of `epoch`. Older epochs and known ones are
    /// ignored; entries that would begin later are dropped.
    pub(crate) fn assign(&mut self, epoch: LeaderEpoch, start: Offset) {
        if epoch < LeaderEpoch(0) || self.latest() >= epoch {
            return;
        }
        self.entries.retain(|entry| entry.start < start);
        self.entries.push(Entry { epoch, start });
        self.dirty = true;
    }

    /// Forgets epochs that are newer than the newest that there ever was; whether there were any.
    pub(crate) fn disown_above(&mut self, newest: LeaderEpoch) -> bool {
        let believed = self.entries.partition_point(|entry| entry.epoch <= newest);
        let disowned = believed < self.entries.len();
        self.entries.truncate(believed);
        self.dirty |= disowned;
        disowned
    }

    /// The newest epoch, or -1.
    pub(crate) fn latest(&self) -> LeaderEpoch {
        self.entries.last().map_or(LeaderEpoch::NONE, |entry| entry.epoch)
    }

    /// The epoch that wrote the record at `offset`, or -1.
    pub(crate) fn epoch_of(&self, offset: Offset) -> LeaderEpoch {
        let after = self.entries.partition_point(|entry| entry.start <= offset);
        after.checked_sub(1).map_or(LeaderEpoch::NONE, |at| self.entries[at].epoch)
    }

    /// The largest known epoch that is not above `epoch`, and the offset at which it ends.
    pub(crate) fn end_of(&self, epoch: LeaderEpoch, log_end: Offset) -> (LeaderEpoch, Offset) {
        const UNKNOWN: (LeaderEpoch, Offset) = (LeaderEpoch::NONE, Offset::NONE);
        if epoch == LeaderEpoch::NONE {
            return UNKNOWN;
        }
        if epoch == self.latest() {
            return (epoch, log_end);
        }
        let after = self.entries.partition_point(|entry| entry.epoch <= epoch);
        let Some(next) = self.entries.get(after) else { return UNKNOWN };
        // Before the first known epoch, the log holds nothing of it: it ends where that begins.
        let floor = after.checked_sub(1).map_or(epoch, |at| self.entries[at].epoch);
        (floor, next.start)
    }

    /// Forgets what begins at `end` or later.
    pub(crate) fn truncate_from_end(&mut self, end: Offset) {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.start < end);
        self.dirty |= self.entries.len() != before;
    }

    /// Forgets epochs that are wholly before `start`; the one that spans it begins there.
    pub(crate) fn truncate_from_start(&mut self, start: Offset) {
        let after = self.entries.partition_point(|entry| entry.start <= start);
        let Some(spanning) = after.checked_sub(1) else { return };
        if spanning > 0 || self.entries[spanning].start < start {
            self.entries.drain(..spanning);
            self.entries[0].start = start;
            self.dirty = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(i32, i64)]) -> EpochCache {
        let mut cache = EpochCache::default();
        for (epoch, start) in entries {
            cache.assign(LeaderEpoch(*epoch), Offset(*start));
        }
        cache
    }

    #[test]
    fn ends_of_epochs_are_kafkas() {
        let cache = cache(&[(2, 10), (4, 20), (5, 30)]);
        let check = |asked: i32, epoch: i32, end: i64| {
            let found = cache.end_of(LeaderEpoch(asked), Offset(40));
            assert_eq!(found, (LeaderEpoch(epoch), Offset(end)), "asked for {asked}");
        };
        check(-1, -1, -1);
        check(0, 0, 10);
        check(1, 1, 10);
        check(2, 2, 20);
        check(3, 2, 20);
        check(4, 4, 30);
        check(5, 5, 40);
        check(6, -1, -1);
    }

    #[test]
    fn epochs_are_only_raised() {
        let mut cache = cache(&[(2, 10)]);
        cache.assign(LeaderEpoch(2), Offset(15));
        cache.assign(LeaderEpoch(1), Offset(16));
        assert_eq!(cache.epoch_of(Offset(16)), LeaderEpoch(2));
        cache.assign(LeaderEpoch(3), Offset(10));
        assert_eq!(cache.entries, [Entry { epoch: LeaderEpoch(3), start: Offset(10) }]);
    }

    #[test]
    fn epochs_that_never_were_are_forgotten() {
        let mut cache = cache(&[(2, 10), (4, 20), (9, 30)]);
        cache.dirty = false;
        assert!(!cache.disown_above(LeaderEpoch(9)) && !cache.dirty);
        assert!(cache.disown_above(LeaderEpoch(3)) && cache.dirty);
        assert_eq!(cache.entries, [Entry { epoch: LeaderEpoch(2), start: Offset(10) }]);
    }

    #[test]
    fn both_ends_are_cut() {
        let mut cut = cache(&[(2, 10), (4, 20), (5, 30)]);
        cut.truncate_from_end(Offset(30));
        assert_eq!(cut.latest(), LeaderEpoch(4));
        cut.truncate_from_start(Offset(25));
        assert_eq!(cut.entries, [Entry { epoch: LeaderEpoch(4), start: Offset(25) }]);
        let mut untouched = cache(&[(2, 10)]);
        untouched.truncate_from_start(Offset(5));
        assert_eq!(untouched, cache(&[(2, 10)]));
    }

    #[test]
    fn the_file_comes_back_and_nonsense_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("leader-epoch-checkpoint");
        assert!(EpochCache::load(&path).unwrap().is_none());
        let mut written = cache(&[(2, 10), (4, 20)]);
        written.store(&Disk::new(2), &path, true).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "0\n2\n2 10\n4 20\n");
        written.dirty = false;
        assert_eq!(EpochCache::load(&path).unwrap(), Some(written));
        std::fs::write(&path, "0\n2\n4 20\n2 30\n").unwrap();
        assert!(EpochCache::load(&path).unwrap().is_none());
    }
}
