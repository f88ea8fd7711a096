//! The checkpoints of each directory, and the end of it all: a clean shutdown.

use super::{Dir, LogDirs};
use crate::checkpoint;
use crate::error::StorageError;
use crate::log::Log;
use crate::names;
use gofka_core::ids::{Offset, TopicPartition};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

type Offsets = Vec<(TopicPartition, Offset)>;

impl LogDirs {
    /// Writes the checkpoints of all directories: recovery points, log start offsets, cleaner
    /// offsets, and the high watermarks that `high_watermark` tells. An error of the last
    /// directory that had one.
    pub fn checkpoint(
        &self,
        high_watermark: impl Fn(&TopicPartition) -> Option<Offset>,
    ) -> Result<(), StorageError> {
        self.each_online(|dir| checkpoint_dir(dir, &self.logs_in(dir), &high_watermark))
    }

    /// Writes the log start offsets, so that what DeleteRecords removed stays removed.
    pub fn checkpoint_log_starts(&self) -> Result<(), StorageError> {
        self.each_online(|dir| write(dir, names::LOG_STARTS, log_starts(&self.logs_in(dir))))
    }

    /// Writes something in each directory that works; an error of the last one that had one.
    fn each_online(
        &self,
        work: impl Fn(&Dir) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let mut result = Ok(());
        for dir in self.dirs.iter().filter(|dir| dir.health.offline().is_none()) {
            if let Err(error) = work(dir) {
                result = Err(dir.health.judge_write(error));
            }
        }
        result
    }

    /// High watermarks as they were last checkpointed before this start.
    pub fn checkpointed_high_watermark(&self, partition: &TopicPartition) -> Option<Offset> {
        self.high_watermarks.read().get(partition).copied()
    }

    /// Closes every log, writes the checkpoints and the marker of a clean shutdown.
    pub fn close(
        &self,
        high_watermark: impl Fn(&TopicPartition) -> Option<Offset>,
    ) -> Result<(), StorageError> {
        self.each_online(|dir| {
            let logs = self.logs_in(dir);
            // Looked up while the logs still answer.
            let high_watermarks = known(&logs, &high_watermark);
            self.close_all(dir, &logs)?;
            checkpoint_dir(dir, &logs, &|tp| find(&high_watermarks, tp))?;
            mark_clean(dir)
        })
    }

    /// Closes the logs of one directory: writes what they have in memory, and syncs. With many
    /// files to sync, the whole file system at once.
    fn close_all(&self, dir: &Dir, logs: &[Arc<Log>]) -> Result<(), StorageError> {
        self.for_each(logs, Log::seal)?;
        let files: usize = logs.iter().map(|log| log.unsynced_files()).sum();
        if files <= SYNCED_ONE_BY_ONE {
            return self.for_each(logs, Log::finish_close);
        }
        self.for_each(logs, |log| {
            log.close_files();
            log.store_epochs(false)
        })?;
        dir.health.disk().sync_file_system(dir.health.path())?;
        dir.health.check()?;
        for log in logs {
            log.note_synced();
        }
        Ok(())
    }

    /// Does something to every log, several at a time; the last error.
    fn for_each(
        &self,
        logs: &[Arc<Log>],
        work: impl Fn(&Log) -> Result<(), StorageError> + Sync,
    ) -> Result<(), StorageError> {
        let next = AtomicUsize::new(0);
        let run = || {
            let mut result = Ok(());
            while let Some(log) = logs.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = work(log) {
                    result = Err(error);
                }
            }
            result
        };
        std::thread::scope(|scope| {
            let threads = 1..self.threads.min(logs.len());
            let others: Vec<_> = threads.map(|_| scope.spawn(run)).collect();
            let mut result = run();
            for other in others {
                result = result.and(other.join().unwrap_or_else(|panic| {
                    std::panic::resume_unwind(panic);
                }));
            }
            result
        })
    }
}

/// More files than this are synced by syncing their file system: the other way round, a stop would
/// wait for whatever other processes have written there, seconds at times.
const SYNCED_ONE_BY_ONE: usize = 256;

fn checkpoint_dir(
    dir: &Dir,
    logs: &[Arc<Log>],
    high_watermark: &impl Fn(&TopicPartition) -> Option<Offset>,
) -> Result<(), StorageError> {
    let mut points: Offsets = Vec::with_capacity(logs.len());
    for log in logs {
        // Taken before the epochs are stored: what they say of records below is then on the disk.
        let point = log.safe_offset();
        log.store_epochs(true)?;
        points.push((log.partition().clone(), point));
    }
    write(dir, names::RECOVERY_POINTS, points)?;
    write(dir, names::LOG_STARTS, log_starts(logs))?;
    write(dir, names::HIGH_WATERMARKS, known(logs, high_watermark))?;
    let compacted = logs.iter().filter(|log| log.config().cleanup_policy.compact);
    let cleaner = compacted.map(|log| (log.partition().clone(), log.first_dirty())).collect();
    write(dir, names::CLEANER_OFFSETS, cleaner)
}

fn known(
    logs: &[Arc<Log>],
    high_watermark: &impl Fn(&TopicPartition) -> Option<Offset>,
) -> Offsets {
    let known = |log: &Arc<Log>| Some((log.partition().clone(), high_watermark(log.partition())?));
    logs.iter().filter_map(known).collect()
}

fn find(offsets: &Offsets, partition: &TopicPartition) -> Option<Offset> {
    // Sorted, as the logs are.
    let at = offsets.binary_search_by(|(known, _)| known.cmp(partition)).ok()?;
    Some(offsets[at].1)
}

/// Log start offsets that the first segment's name does not tell.
fn log_starts(logs: &[Arc<Log>]) -> Offsets {
    let raised = logs.iter().filter(|log| log.start_is_inside_a_segment());
    raised.map(|log| (log.partition().clone(), log.log_start_offset())).collect()
}

/// Writes a checkpoint unless it says what it said before.
fn write(dir: &Dir, name: &'static str, offsets: Offsets) -> Result<(), StorageError> {
    let mut written = dir.written.lock();
    if written.get(name) == Some(&offsets) {
        return Ok(());
    }
    let path = dir.health.path().join(name);
    checkpoint::write_offsets(dir.health.disk(), &path, &offsets)?;
    written.insert(name, offsets);
    Ok(())
}

fn mark_clean(dir: &Dir) -> Result<(), StorageError> {
    const TEXT: &[u8] = b"{\"version\":0,\"brokerEpoch\":-1}";
    dir.health.disk().replace(&dir.health.path().join(names::CLEAN_SHUTDOWN), TEXT, true)
}
