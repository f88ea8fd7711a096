//! Deleting logs: out of the way in one step, removed later (`file.delete.delay.ms`).
//!
//! Called by the server's `partition/` when topics go. A folder that a crash leaves behind under
//! its new name is found by the next start, and removed by it.

use super::LogDirs;
use crate::error::StorageError;
use crate::health::DirHealth;
use crate::names;
use gofka_core::ids::TopicPartition;
use gofka_core::time::MonotonicMs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The wait after a folder that could not be removed.
const RETRY: Duration = Duration::from_secs(60);

/// A folder under its new name.
#[derive(Debug)]
pub(super) struct DeletedFolder {
    path: PathBuf,
    health: Arc<DirHealth>,
    due: MonotonicMs,
}

impl LogDirs {
    /// Closes the log and renames its folder, so that a restart does not bring it back.
    pub fn delete(&self, partition: &TopicPartition, now: MonotonicMs) -> Result<(), StorageError> {
        let Some(log) = self.logs.write().remove(partition) else { return Ok(()) };
        // First, so that a compaction that is under way ends soon.
        log.refuse();
        let _alone = log.maintenance.lock();
        let _no_sync = log.syncing.lock();
        let _no_append = log.writer.lock();
        log.close_files();
        let health = &log.health;
        health.check()?;
        let delay = Duration::from_millis(log.config().file_delete_delay_ms);
        match put_out_of_the_way(health, partition, &log.dir) {
            Ok(to) => {
                self.remove_later(to, health, now.after(delay));
                Ok(())
            }
            // The longer name wants room that is not there. What is deleted makes some.
            Err(StorageError::Full { .. }) => {
                health.disk().remove_dir_all(&log.dir).map_err(|error| health.judge_write(error))
            }
            Err(error) => Err(health.judge_write(error)),
        }
    }

    /// Notes a deleted log's folder.
    pub(super) fn remove_later(&self, path: PathBuf, health: &Arc<DirHealth>, due: MonotonicMs) {
        let health = Arc::clone(health);
        self.deleted.lock().push(DeletedFolder { path, health, due });
    }

    /// Removes the folders of deleted logs whose time has come, until `stop` says so. Slow; for a
    /// background thread.
    pub fn purge_deleted(&self, now: MonotonicMs, stop: impl Fn() -> bool) {
        let due: Vec<DeletedFolder> = {
            let mut deleted = self.deleted.lock();
            deleted.extract_if(.., |folder| folder.due <= now).collect()
        };
        for mut folder in due {
            if folder.health.offline().is_some() {
                continue;
            }
            if stop() {
                // The next start finds it.
                return;
            }
            if let Err(error) = folder.health.disk().remove_dir_all(&folder.path) {
                tracing::warn!(path = %folder.path.display(), %error, "cannot be removed");
                folder.due = now.after(RETRY);
                self.deleted.lock().push(folder);
            }
        }
    }
}

/// Renames a log's folder so that no start takes it for a log; its new path.
pub(super) fn put_out_of_the_way(
    health: &DirHealth,
    partition: &TopicPartition,
    folder: &Path,
) -> Result<PathBuf, StorageError> {
    let to = health.path().join(names::renamed_folder(partition, "delete"));
    health.disk().rename(folder, &to)?;
    Ok(to)
}
