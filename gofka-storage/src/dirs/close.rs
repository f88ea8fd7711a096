//! A clean shutdown: every log closed, several at a time, and the marker that says so.
//!
//! Called once, by the server when it stops, after everything else has ended.

use super::checkpoints::{SYNCED_ONE_BY_ONE, checkpoint_dir, find, known};
use super::{Dir, LogDirs};
use crate::error::StorageError;
use crate::log::Log;
use crate::names;
use gofka_core::ids::{Offset, TopicPartition};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

impl LogDirs {
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
            checkpoint_dir(dir, &logs, &|tp| find(&high_watermarks, tp), |_| true)?;
            mark_clean(dir)
        })
    }

    /// Closes the logs of one directory: writes what they have in memory, and syncs. With many
    /// files to sync, the whole file system at once.
    fn close_all(&self, dir: &Dir, logs: &[Arc<Log>]) -> Result<(), StorageError> {
        self.for_each(logs, Log::seal)?;
        let files: usize = logs.iter().map(|log| log.unsynced_files()).sum();
        let Some(file_system) = dir.health.file_system().filter(|_| files > SYNCED_ONE_BY_ONE)
        else {
            return self.for_each(logs, Log::finish_close);
        };
        self.for_each(logs, |log| {
            log.close_files();
            log.store_epochs(false)
        })?;
        dir.health.sync_file_system(file_system)?;
        for log in logs {
            log.note_synced();
        }
        Ok(())
    }

    /// Does something to every log, several at a time; the last error.
    pub(super) fn for_each(
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

fn mark_clean(dir: &Dir) -> Result<(), StorageError> {
    const TEXT: &[u8] = b"{\"version\":0,\"brokerEpoch\":-1}";
    dir.health.disk().replace(&dir.health.path().join(names::CLEAN_SHUTDOWN), TEXT, true)
}
