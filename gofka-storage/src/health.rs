//! Whether a log directory can still be trusted.
//!
//! Shared by all logs of a directory. **Invariant:** offline is for good: after a failed sync the
//! kernel may have dropped what was to be written, and a second sync would say that all is well.

use crate::disk::{Disk, FileSystem};
use crate::error::StorageError;
use crate::space::Space;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// One log directory's path, its disk, and whether it is offline.
#[derive(Debug)]
pub(crate) struct DirHealth {
    path: PathBuf,
    disk: Arc<Disk>,
    space: Space,
    /// Where syncing the whole of it can be relied on.
    file_system: OnceLock<FileSystem>,
    offline: OnceLock<Arc<str>>,
    folders_made: AtomicU64,
    folders_synced: AtomicU64,
}

impl DirHealth {
    pub(crate) fn new(path: PathBuf, disk: Arc<Disk>, min_free_bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            path,
            disk,
            space: Space::new(min_free_bytes),
            file_system: OnceLock::new(),
            offline: OnceLock::new(),
            // Folders found at start may be new: nobody knows when the last process ended.
            folders_made: AtomicU64::new(1),
            folders_synced: AtomicU64::new(0),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn disk(&self) -> &Arc<Disk> {
        &self.disk
    }

    /// Its free space.
    pub(crate) fn space(&self) -> &Space {
        &self.space
    }

    /// Opens its file system, so that errors are heard of from here on.
    pub(crate) fn open_file_system(&self) {
        match FileSystem::open(&self.path) {
            Ok(Some(file_system)) => drop(self.file_system.set(file_system)),
            Ok(None) => {}
            Err(error) => tracing::warn!(dir = %self.path.display(), %error, "syncs file by file"),
        }
    }

    #[cfg(test)]
    pub(crate) fn open_any_file_system(&self) {
        self.file_system.set(FileSystem::of_any_kind(&self.path)).unwrap();
    }

    /// Its file system, where syncing the whole of it can be relied on.
    pub(crate) fn file_system(&self) -> Option<&FileSystem> {
        self.file_system.get()
    }

    /// Why it is offline, if it is.
    pub(crate) fn offline(&self) -> Option<&Arc<str>> {
        self.offline.get()
    }

    /// An error when it is offline.
    pub(crate) fn check(&self) -> Result<(), StorageError> {
        match self.offline.get() {
            None => Ok(()),
            Some(reason) => {
                Err(StorageError::Offline { dir: self.path.clone(), reason: Arc::clone(reason) })
            }
        }
    }

    /// Takes the directory offline, whatever the error was.
    pub(crate) fn fail(&self, error: &StorageError) -> StorageError {
        if self.offline.set(Arc::from(error.to_string())).is_ok() {
            tracing::error!(dir = %self.path.display(), %error, "log directory goes offline");
        }
        let reason = Arc::clone(self.offline.get_or_init(|| Arc::from(error.to_string())));
        StorageError::Offline { dir: self.path.clone(), reason }
    }

    /// Judges an error met while writing: what passes by itself and a deleted log pass, anything
    /// else takes the directory offline.
    pub(crate) fn judge_write(&self, error: StorageError) -> StorageError {
        match error {
            StorageError::Io { .. } | StorageError::Corrupt { .. } => self.fail(&error),
            StorageError::Full { ref path } => {
                self.space.note_full(path);
                error
            }
            StorageError::LowSpace { .. }
            | StorageError::OpenFiles { .. }
            | StorageError::Closed
            | StorageError::Offline { .. } => error,
        }
    }

    /// Judges an error met while syncing: where a file could not be opened, nothing was synced and
    /// nothing lost, so that the sync can be begun again. Anything else is for good.
    pub(crate) fn judge_sync(&self, error: StorageError) -> StorageError {
        match error {
            StorageError::OpenFiles { .. } | StorageError::Offline { .. } => error,
            other => self.fail(&other),
        }
    }

    /// Waits until everything on `file_system`, which is this directory's, is on the disk. The
    /// kernel tells of an error only once, whoever asks: any one is for good.
    pub(crate) fn sync_file_system(&self, file_system: &FileSystem) -> Result<(), StorageError> {
        file_system.sync(&self.disk).map_err(|error| self.judge_sync(error))?;
        self.check()
    }

    /// Notes that a folder was made in the directory.
    pub(crate) fn note_new_folder(&self) {
        self.folders_made.fetch_add(1, Ordering::AcqRel);
    }

    /// Waits until every folder made so far is in the directory on the disk.
    pub(crate) fn sync_folders(&self) -> Result<(), StorageError> {
        let made = self.folders_made.load(Ordering::Acquire);
        if self.folders_synced.load(Ordering::Acquire) < made {
            self.sync_folders_with(|| self.disk.sync_dir(&self.path))?;
        }
        Ok(())
    }

    /// As `sync_folders`, where `sync` brings the directory to the disk.
    pub(crate) fn sync_folders_with(
        &self,
        sync: impl FnOnce() -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let made = self.folders_made.load(Ordering::Acquire);
        sync()?;
        self.folders_synced.fetch_max(made, Ordering::AcqRel);
        Ok(())
    }
}
