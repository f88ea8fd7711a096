//! Syncing: what was appended gets to the disk itself.
//!
//! Called by the server's flusher, by whoever closes a log, and by checkpoints. Appends and
//! reads go on meanwhile: the writer's lock is held only to take the list of files.
//!
//! **Invariant:** the safe offset rises only after every file that holds something below it, and
//! every folder that names such a file, was synced without an error, and no sync of the directory
//! has failed by then.

use crate::disk::FileSlot;
use crate::error::StorageError;
use crate::log::Log;
use crate::names;
use gofka_core::ids::Offset;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What one sync has to bring to the disk for everything below `end` to be safe.
pub(crate) struct Unsynced {
    files: Vec<Arc<FileSlot>>,
    new_entries: bool,
    end: Offset,
}

impl Unsynced {
    /// An error where a sync of one of its files has failed that nobody has heard of.
    pub(crate) fn check(&self) -> Result<(), StorageError> {
        self.files.iter().try_for_each(|slot| slot.check_synced())
    }
}

impl Log {
    /// Writes everything appended so far to the disk itself; the new safe offset. A failure takes
    /// the log directory offline for good, unless it is that a file could not be opened: then
    /// everything is as before, and the call can be repeated.
    pub fn sync(&self) -> Result<Offset, StorageError> {
        self.check_usable()?;
        self.sync_files()
    }

    pub(crate) fn sync_files(&self) -> Result<Offset, StorageError> {
        let _alone = self.syncing.lock();
        self.health.check()?;
        if let Some(unsynced) = self.take_unsynced() {
            if let Err(error) = self.sync_each(&unsynced) {
                self.put_back(unsynced);
                return Err(self.health.judge_sync(error));
            }
            self.note_safe(&unsynced);
        }
        Ok(self.safe_offset())
    }

    /// Takes the list of what is to be synced; the caller holds `syncing` until it is.
    pub(crate) fn take_unsynced(&self) -> Option<Unsynced> {
        if self.segments.read().is_empty() {
            // Nothing to lose: what is made again from the controller's metadata costs no sync.
            return None;
        }
        let mut writer = self.writer.lock();
        writer.active_is_dirty = false;
        let new_entries = std::mem::take(&mut writer.new_entries);
        let files = std::mem::take(&mut writer.dirty);
        Some(Unsynced { files, new_entries, end: self.log_end_offset() })
    }

    fn sync_each(&self, unsynced: &Unsynced) -> Result<(), StorageError> {
        let disk = self.health.disk();
        for slot in &unsynced.files {
            match slot.sync() {
                // A file that retention removed meanwhile needs no sync.
                Err(error) if error.is_not_found() => {}
                other => other?,
            }
        }
        if unsynced.new_entries {
            disk.sync_dir(&self.dir)?;
        }
        if unsynced.new_entries || !unsynced.files.is_empty() {
            self.health.sync_folders()?;
        }
        // Another log's sync may have failed meanwhile. A kernel that gives up a file system may
        // still say yes to a sync that was under way and wrote nothing: ext4 does, where the
        // journal's commit was aborted before it is waited for.
        self.health.check()
    }

    pub(crate) fn note_safe(&self, unsynced: &Unsynced) {
        unsynced.files.iter().for_each(|slot| slot.unpin());
        self.published.safe.fetch_max(unsynced.end.0, Ordering::AcqRel);
    }

    /// Has the next sync take all of it again; its files stay pinned.
    pub(crate) fn put_back(&self, unsynced: Unsynced) {
        let mut writer = self.writer.lock();
        writer.dirty.extend(unsynced.files);
        writer.new_entries |= unsynced.new_entries;
    }

    /// How many files wait to be synced. Those of a log without records do not.
    pub(crate) fn unsynced_files(&self) -> usize {
        if self.segments.read().is_empty() { 0 } else { self.writer.lock().dirty.len() }
    }

    /// Takes everything as synced, because its file system was, after the log was sealed.
    pub(crate) fn note_synced(&self) {
        let mut writer = self.writer.lock();
        writer.dirty.drain(..).for_each(|slot| slot.unpin());
        writer.active_is_dirty = false;
        writer.new_entries = false;
        self.published.safe.fetch_max(self.log_end_offset().0, Ordering::AcqRel);
    }

    /// Writes the leader epochs where they have changed, and with `sync` waits until they are on
    /// the disk. Before the recovery point is.
    pub(crate) fn store_epochs(&self, sync: bool) -> Result<(), StorageError> {
        let changed = {
            let mut epochs = self.epochs.write();
            std::mem::take(&mut epochs.dirty).then(|| epochs.clone())
        };
        let Some(epochs) = changed else { return Ok(()) };
        let path = self.dir.join(names::LEADER_EPOCHS);
        epochs.store(self.health.disk(), &path, sync).map_err(|error| {
            if error.is_transient() {
                self.epochs.write().dirty = true;
                return error;
            }
            self.health.fail(&error)
        })
    }
}
