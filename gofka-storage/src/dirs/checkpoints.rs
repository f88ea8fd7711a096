//! The checkpoints of each directory, and what may not be done before one is written.
//!
//! Called by the server's housekeeping, one directory at a time, by who removes records, and by
//! `load` and `close`.

use super::{Dir, LogDirs};
use crate::checkpoint;
use crate::compaction::{CompactionOutcome, CompactionRun};
use crate::error::StorageError;
use crate::log::Log;
use crate::names;
use gofka_core::ids::{Offset, TopicPartition};
use gofka_core::time::TimestampMs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(super) type Offsets = Vec<(TopicPartition, Offset)>;

impl LogDirs {
    /// Writes the checkpoints of a directory, counted from zero: recovery points, log start
    /// offsets, cleaner offsets, and the high watermarks that `high_watermark` tells. Whoever does
    /// it for each of them at a time of its own has none wait for a slow one.
    pub fn checkpoint(
        &self,
        number: usize,
        high_watermark: impl Fn(&TopicPartition) -> Option<Offset>,
    ) -> Result<(), StorageError> {
        if_online(&self.dirs[number], |dir| {
            checkpoint_dir(dir, &self.logs_in(dir), &high_watermark, is_open)
        })
    }

    /// Writes the recovery points of a directory in which one has moved, for what lies above is
    /// what a start after a crash has to read. Costs next to nothing where nothing was synced.
    pub fn checkpoint_recovery_points(&self, number: usize) -> Result<(), StorageError> {
        if_online(&self.dirs[number], |dir| {
            let sum = self.sum_of_safe_offsets(dir);
            if dir.checkpointed_sum.swap(sum, Ordering::Relaxed) == sum {
                return Ok(());
            }
            let written = write_recovery_points(dir, &self.logs_in(dir), is_open);
            written.inspect_err(|_| dir.checkpointed_sum.store(0, Ordering::Relaxed))
        })
    }

    /// Cuts a log back so that it ends at `offset`, or before it where that is inside a batch. Its
    /// recovery point is lowered before, for what is appended from there on is not on the disk yet.
    pub fn truncate(
        &self,
        log: &Log,
        offset: Offset,
        now: TimestampMs,
    ) -> Result<(), StorageError> {
        let dir = self.dir_of(log);
        let _alone = dir.recovery_points.lock();
        // Until the log is cut, nobody writes where it was safe before.
        let mut written = dir.written.lock();
        if let Some(points) = written.get_mut(names::RECOVERY_POINTS) {
            let mut lowered = points.clone();
            for (_, point) in lowered.iter_mut().filter(|(known, _)| *known == log.partition) {
                *point = offset.min(*point);
            }
            let stored = store_lowered(dir, points, lowered);
            stored.map_err(|error| dir.health.judge_write(error))?;
        }
        log.truncate_to(offset, now)
    }

    /// Compacts a log of one of the directories; see [`Log::compact`]. Recovery must not take a
    /// hole for a loss, also where the log is not to be compacted any more, so that there are two
    /// that tell it: before the first hole, the cleaner's checkpoint says that there may be some,
    /// and all of them are below the recovery point.
    pub fn compact(
        &self,
        log: &Log,
        run: &CompactionRun<'_>,
    ) -> Result<Option<CompactionOutcome>, StorageError> {
        if !log.config().cleanup_policy.compact {
            return Ok(None);
        }
        let dir = self.dir_of(log);
        let noted = self.note_compacted(dir, log).and_then(|()| {
            // As much as could be compacted, the active segment aside.
            let sealed_end = log.sealed_end(run.up_to);
            self.raise_recovery_point(dir, log, sealed_end)
        });
        let point = noted.map_err(|error| dir.health.judge_write(error))?;
        log.compact(&CompactionRun { up_to: run.up_to.min(point), ..*run })
    }

    fn note_compacted(&self, dir: &Dir, log: &Log) -> Result<(), StorageError> {
        if log.was_compacted() {
            return Ok(());
        }
        log.note_compacted();
        let logs = self.logs_in(dir);
        let written = write(dir, names::CLEANER_OFFSETS, || first_dirty(&logs, is_open));
        written.inspect_err(|_| log.published.compacted.store(false, Ordering::Release))
    }

    /// Sees to it that the log's recovery point on the disk is `wanted` or more; what it is then.
    fn raise_recovery_point(
        &self,
        dir: &Dir,
        log: &Log,
        wanted: Offset,
    ) -> Result<Offset, StorageError> {
        let point = || {
            let written = dir.written.lock();
            let points = written.get(names::RECOVERY_POINTS);
            points.and_then(|points| find(points, &log.partition)).unwrap_or(Offset::ZERO)
        };
        if point() < wanted {
            log.sync()?;
            write_recovery_points(dir, &self.logs_in(dir), is_open)?;
        }
        Ok(point())
    }

    /// Changes when a safe offset rises.
    fn sum_of_safe_offsets(&self, dir: &Dir) -> i64 {
        let logs = self.logs.read();
        let inside = logs.values().filter(|log| Arc::ptr_eq(&log.health, &dir.health));
        inside.fold(0, |sum: i64, log| sum.wrapping_add(log.safe_offset().0))
    }

    /// Writes the log start offsets of a directory, so that what DeleteRecords removed stays
    /// removed.
    pub fn checkpoint_log_starts(&self, number: usize) -> Result<(), StorageError> {
        if_online(&self.dirs[number], |dir| {
            write(dir, names::LOG_STARTS, || log_starts(&self.logs_in(dir), is_open))
        })
    }

    /// Sees to it that no checkpoint there says anything about a log that is about to be made: what
    /// an earlier one of its name had synced, or where that began, is not true of it.
    pub(super) fn forget(&self, dir: &Dir, partition: &TopicPartition) -> Result<(), StorageError> {
        if_online(dir, |dir| {
            for name in CHECKPOINTS {
                let mut written = dir.written.lock();
                let Some(offsets) = written.get_mut(name) else { continue };
                if find(offsets, partition).is_none() {
                    continue;
                }
                // All that are gone at once, for they may come back together.
                let logs = self.logs.read();
                let mut still = offsets.clone();
                still.retain(|(known, _)| known != partition && logs.contains_key(known));
                drop(logs);
                store(dir, name, &still)?;
                *offsets = still;
            }
            Ok(())
        })
    }

    /// Lowers the recovery points of logs that turned out to end before: what is appended from
    /// here on is not on the disk yet.
    pub(super) fn lower_recovery_points(&self) -> Result<(), StorageError> {
        self.each_online(|dir| {
            let mut written = dir.written.lock();
            let Some(points) = written.get_mut(names::RECOVERY_POINTS) else { return Ok(()) };
            let logs = self.logs.read();
            let mut lowered = points.clone();
            for (partition, point) in &mut lowered {
                let end = logs.get(partition).map(|log| log.log_end_offset());
                *point = end.map_or(*point, |end| end.min(*point));
            }
            drop(logs);
            store_lowered(dir, points, lowered)
        })
    }

    /// Tells logs that reach further than they did when they were closed: their segments were put
    /// there since, by somebody's hand, and may be those of a compacted log. That, and where they
    /// end, is on the disk before anything is appended: a crash would cut them at the first hole.
    pub(super) fn note_moved(&self) -> Result<(), StorageError> {
        self.each_online(|dir| {
            let points = dir.written.lock().get(names::RECOVERY_POINTS).cloned();
            let Some(points) = points else { return Ok(()) };
            let logs = self.logs_in(dir);
            let is_moved = |log: &&Arc<Log>| {
                find(&points, &log.partition).unwrap_or(Offset::ZERO) < log.safe_offset()
            };
            let moved: Vec<_> = logs.iter().filter(is_moved).collect();
            if moved.is_empty() {
                return Ok(());
            }
            for log in moved {
                log.note_compacted();
            }
            write(dir, names::CLEANER_OFFSETS, || first_dirty(&logs, is_open))?;
            write_recovery_points(dir, &logs, is_open)
        })
    }

    /// Writes something in each directory that works; an error of the last one that had one.
    pub(super) fn each_online(
        &self,
        work: impl Fn(&Dir) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut result = Ok(());
        for dir in &self.dirs {
            if let Err(error) = if_online(dir, &work) {
                result = Err(error);
            }
        }
        result
    }

    /// High watermarks as they were last checkpointed before this start.
    pub fn checkpointed_high_watermark(&self, partition: &TopicPartition) -> Option<Offset> {
        self.high_watermarks.read().get(partition).copied()
    }
}

/// More files than this are synced by syncing their file system: the other way round, a stop would
/// wait for whatever other processes have written there, seconds at times.
pub(super) const SYNCED_ONE_BY_ONE: usize = 256;

const CHECKPOINTS: [&str; 4] =
    [names::RECOVERY_POINTS, names::LOG_STARTS, names::HIGH_WATERMARKS, names::CLEANER_OFFSETS];

/// Writes something in a directory, if it works.
fn if_online(
    dir: &Dir,
    work: impl FnOnce(&Dir) -> Result<(), StorageError>,
) -> Result<(), StorageError> {
    if dir.health.offline().is_some() {
        return Ok(());
    }
    work(dir).map_err(|error| dir.health.judge_write(error))
}

/// Logs are looked up before a checkpoint is written; one that was deleted meanwhile must not get
/// into it, or a new log of its name would find what the old one said.
fn is_open(log: &Log) -> bool {
    !matches!(log.check_usable(), Err(StorageError::Closed))
}

pub(super) fn checkpoint_dir(
    dir: &Dir,
    logs: &[Arc<Log>],
    high_watermark: &impl Fn(&TopicPartition) -> Option<Offset>,
    which: fn(&Log) -> bool,
) -> Result<(), StorageError> {
    write_recovery_points(dir, logs, which)?;
    write(dir, names::LOG_STARTS, || log_starts(logs, which))?;
    write(dir, names::HIGH_WATERMARKS, || {
        let mut known = known(logs, high_watermark);
        known.retain(|(partition, _)| {
            let at = logs.binary_search_by(|log| log.partition().cmp(partition));
            at.is_ok_and(|at| which(&logs[at]))
        });
        known
    })?;
    write(dir, names::CLEANER_OFFSETS, || first_dirty(logs, which))
}

/// How far logs are compacted, also those that are not any more: they keep their holes.
fn first_dirty(logs: &[Arc<Log>], which: fn(&Log) -> bool) -> Offsets {
    let compacted = |log: &&Arc<Log>| log.was_compacted() && which(log);
    let first_dirty = |log: &Arc<Log>| (log.partition().clone(), log.first_dirty());
    logs.iter().filter(compacted).map(first_dirty).collect()
}

fn write_recovery_points(
    dir: &Dir,
    logs: &[Arc<Log>],
    which: fn(&Log) -> bool,
) -> Result<(), StorageError> {
    let _alone = dir.recovery_points.lock();
    // Taken before the epochs are stored: what they say of records below is then on the disk.
    let points: Vec<Offset> = logs.iter().map(|log| log.safe_offset()).collect();
    store_epochs(dir, logs)?;
    write(dir, names::RECOVERY_POINTS, || {
        let all = logs.iter().zip(points).filter(|(log, _)| which(log));
        // One may have been cut since.
        all.map(|(log, point)| (log.partition().clone(), point.min(log.safe_offset()))).collect()
    })
}

/// Puts every leader epoch on the disk; after a start, those of every log that is written to.
fn store_epochs(dir: &Dir, logs: &[Arc<Log>]) -> Result<(), StorageError> {
    let changed: Vec<&Arc<Log>> = logs.iter().filter(|log| log.epochs.read().dirty).collect();
    let many = changed.len() > SYNCED_ONE_BY_ONE;
    let file_system = dir.health.file_system().filter(|_| many);
    for log in &changed {
        // Keeps the folder where it is.
        let _not_deleted = log.syncing.lock();
        if is_open(log) {
            log.store_epochs(file_system.is_none())?;
        }
    }
    match file_system {
        Some(file_system) => dir.health.sync_file_system(file_system),
        None => Ok(()),
    }
}

pub(super) fn known(
    logs: &[Arc<Log>],
    high_watermark: &impl Fn(&TopicPartition) -> Option<Offset>,
) -> Offsets {
    let known = |log: &Arc<Log>| Some((log.partition().clone(), high_watermark(log.partition())?));
    logs.iter().filter_map(known).collect()
}

pub(super) fn find(offsets: &Offsets, partition: &TopicPartition) -> Option<Offset> {
    // Sorted, as the logs are.
    let at = offsets.binary_search_by(|(known, _)| known.cmp(partition)).ok()?;
    Some(offsets[at].1)
}

/// Writes recovery points that are lower than those that are written.
fn store_lowered(dir: &Dir, points: &mut Offsets, lowered: Offsets) -> Result<(), StorageError> {
    if lowered == *points {
        return Ok(());
    }
    match store(dir, names::RECOVERY_POINTS, &lowered) {
        // Without the file, all of each log is read.
        Err(StorageError::Full { .. }) => {
            let disk = dir.health.disk();
            disk.remove(&dir.health.path().join(names::RECOVERY_POINTS))?;
            disk.sync_dir(dir.health.path())?;
            points.clear();
        }
        stored => {
            stored?;
            *points = lowered;
        }
    }
    Ok(())
}

/// Log start offsets that the first segment's name does not tell.
fn log_starts(logs: &[Arc<Log>], which: fn(&Log) -> bool) -> Offsets {
    let raised = logs.iter().filter(|log| log.start_is_inside_a_segment() && which(log));
    raised.map(|log| (log.partition().clone(), log.log_start_offset())).collect()
}

/// Writes a checkpoint unless it says what it said before.
fn write(
    dir: &Dir,
    name: &'static str,
    offsets: impl FnOnce() -> Offsets,
) -> Result<(), StorageError> {
    let mut written = dir.written.lock();
    let offsets = offsets();
    if written.get(name) == Some(&offsets) {
        return Ok(());
    }
    store(dir, name, &offsets)?;
    written.insert(name, offsets);
    Ok(())
}

fn store(dir: &Dir, name: &str, offsets: &Offsets) -> Result<(), StorageError> {
    checkpoint::write_offsets(dir.health.disk(), &dir.health.path().join(name), offsets)
}
