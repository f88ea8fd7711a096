//! Deleting logs: out of the way in one step, removed later (`file.delete.delay.ms`).
//!
//! Called by the server's `partition/` when topics go. A folder that a crash leaves behind under
//! its new name is found by the next start, and removed by it.

use super::LogDirs;
use crate::disk::{self, Disk};
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
        // A reader that is late must not find a new log's file under an old one's name.
        log.segments.read().iter().for_each(|segment| segment.retire());
        let health = &log.health;
        health.check()?;
        let delay = Duration::from_millis(log.config().file_delete_delay_ms);
        self.put_out_of_the_way(health, partition, &log.dir, now.after(delay))
            .map_err(|error| health.judge_write(error))
    }

    /// Renames a log's folder so that no start takes it for a log, and has it removed when it is
    /// `due`. Without the room that the longer name wants it is removed at once: under its own
    /// name it would be in the way of a new log.
    pub(super) fn put_out_of_the_way(
        &self,
        health: &Arc<DirHealth>,
        partition: &TopicPartition,
        folder: &Path,
        due: MonotonicMs,
    ) -> Result<(), StorageError> {
        let to = health.path().join(names::renamed_folder(partition, "delete"));
        match health.disk().rename(folder, &to) {
            Ok(()) => {
                self.remove_later(to, health, due);
                Ok(())
            }
            Err(StorageError::Full { .. }) => remove_in_place(health.disk(), folder),
            Err(error) => Err(error),
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

/// Removes a folder that has a log's name. What tells whose it is goes last, so that a start after
/// a crash in between knows what was to be done with it.
fn remove_in_place(disk: &Disk, folder: &Path) -> Result<(), StorageError> {
    for name in disk::list(folder)? {
        let path = folder.join(&name);
        if path.is_dir() {
            disk.remove_dir_all(&path)?;
        } else if name != names::PARTITION_METADATA {
            disk.remove(&path)?;
        }
    }
    disk.sync_dir(folder)?;
    disk.remove_dir_all(folder)
}
