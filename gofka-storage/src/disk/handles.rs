//! Files that are opened when they are needed and closed when too many are open.
//!
//! A [`FileSlot`] is one file of a segment. The [`Handles`] of a disk hold at most so many of
//! them open, closing those that were not used since the last look (a clock). A slot with bytes
//! that are not synced is pinned: closing it could lose the kernel's report of a failed write.

use super::Disk;
use crate::error::StorageError;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// One file, open or not.
#[derive(Debug)]
pub(crate) struct FileSlot {
    path: PathBuf,
    disk: Arc<Disk>,
    open: Mutex<Option<Arc<File>>>,
    used: AtomicBool,
    retired: AtomicBool,
    /// A sync failed that nobody had asked for.
    failed: OnceLock<StorageError>,
    pins: AtomicU32,
}

impl FileSlot {
    /// The file at `path`; nothing is opened yet.
    pub(crate) fn new(disk: &Arc<Disk>, path: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            path,
            disk: Arc::clone(disk),
            open: Mutex::new(None),
            used: AtomicBool::new(false),
            retired: AtomicBool::new(false),
            failed: OnceLock::new(),
            pins: AtomicU32::new(0),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn disk(&self) -> &Arc<Disk> {
        &self.disk
    }

    /// The open file.
    pub(crate) fn file(self: &Arc<Self>) -> Result<Arc<File>, StorageError> {
        self.file_or(false)
    }

    /// The open file, made where it is missing.
    pub(crate) fn file_or_create(self: &Arc<Self>) -> Result<Arc<File>, StorageError> {
        self.file_or(true)
    }

    fn file_or(self: &Arc<Self>, create: bool) -> Result<Arc<File>, StorageError> {
        self.used.store(true, Ordering::Relaxed);
        let file = {
            let mut open = self.open.lock();
            if let Some(file) = &*open {
                return Ok(Arc::clone(file));
            }
            if self.retired.load(Ordering::Acquire) {
                return Err(StorageError::io(&self.path, io::ErrorKind::NotFound.into()));
            }
            let file = Arc::new(self.disk.open(&self.path, create)?);
            *open = Some(Arc::clone(&file));
            file
        };
        self.disk.handles.opened(self);
        Ok(file)
    }

    /// Keeps the file open until `unpin`.
    pub(crate) fn pin(&self) {
        self.pins.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn unpin(&self) {
        self.pins.fetch_sub(1, Ordering::AcqRel);
    }

    /// Waits until what was written is on the disk.
    pub(crate) fn sync(self: &Arc<Self>) -> Result<(), StorageError> {
        self.check_synced()?;
        let file = self.file()?;
        self.disk.sync_file(&file, &self.path)
    }

    /// An error where a sync has failed that nobody had asked for.
    pub(crate) fn check_synced(&self) -> Result<(), StorageError> {
        self.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Closes the handle. Readers keep theirs.
    pub(crate) fn close(&self) {
        *self.open.lock() = None;
    }

    /// Closes the handle for good: another file may have the name from now on. Who opens this
    /// one is told that it does not exist.
    pub(crate) fn retire(&self) {
        let mut open = self.open.lock();
        self.retired.store(true, Ordering::Release);
        *open = None;
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Closes the handle if nobody has used it of late; whether it did.
    fn evict(&self) -> bool {
        !self.used.swap(false, Ordering::Relaxed) && self.close_unpinned()
    }

    /// Closes the handle unless it has to stay, or someone is just opening it: who does may be
    /// waiting for the list of open files, which the caller holds.
    fn close_unpinned(&self) -> bool {
        let open = self.open.try_lock().filter(|_| self.pins.load(Ordering::Acquire) == 0);
        open.is_some_and(|mut open| open.take().is_some())
    }

    /// Closes the handle of a file that has bytes to be synced, having synced them. A failure is
    /// kept for whoever syncs next.
    fn evict_dirty(&self) {
        let mut open = self.open.lock();
        if let Some(file) = open.take()
            && let Err(error) = self.disk.sync_file(&file, &self.path)
        {
            let _ = self.failed.set(error);
        }
    }
}

/// Closed at once where the process has no file left to open.
const CLOSED_AT_ONCE: usize = 8;

/// The open slots of a disk, oldest first.
#[derive(Debug)]
pub(super) struct Handles {
    limit: usize,
    open: Mutex<VecDeque<Weak<FileSlot>>>,
}

impl Handles {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit: limit.max(2), open: Mutex::default() }
    }

    /// Notes that `slot` was opened, and closes another where there are too many. Where all are
    /// waiting to be synced, the oldest does not wait any more.
    fn opened(&self, slot: &Arc<FileSlot>) {
        let mut open = self.open.lock();
        self.close_idle(&mut open);
        let oldest = (open.len() >= self.limit).then(|| open.pop_front()).flatten();
        open.push_back(Arc::downgrade(slot));
        drop(open);
        if let Some(oldest) = oldest.and_then(|oldest| oldest.upgrade()) {
            oldest.evict_dirty();
        }
    }

    fn close_idle(&self, open: &mut VecDeque<Weak<FileSlot>>) {
        // Twice around at most: once to take the mark of use, once to close.
        for _ in 0..2 * open.len() {
            if open.len() < self.limit {
                break;
            }
            let Some(oldest) = open.pop_front() else { break };
            if let Some(slot) = oldest.upgrade()
                && slot.open.try_lock().is_none_or(|file| file.is_some())
                && !slot.evict()
            {
                open.push_back(Arc::downgrade(&slot));
            }
        }
    }

    /// Closes a few files that nothing holds open, used or not, for one that cannot be opened
    /// otherwise; whether there were any.
    pub(super) fn make_room(&self) -> bool {
        let mut open = self.open.lock();
        let mut closed = 0;
        for _ in 0..open.len() {
            let Some(slot) = open.pop_front() else { break };
            if slot.upgrade().is_some_and(|slot| slot.close_unpinned()) {
                closed += 1;
            } else if slot.strong_count() > 0 {
                open.push_back(slot);
            }
            if closed == CLOSED_AT_ONCE {
                break;
            }
        }
        closed > 0
    }

    #[cfg(test)]
    fn count(&self) -> usize {
        self.open.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_files_than_the_limit_are_usable_and_few_stay_open() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(4);
        let slots: Vec<_> =
            (0..20).map(|i| FileSlot::new(&disk, dir.path().join(i.to_string()))).collect();
        for slot in slots.iter().chain(&slots) {
            slot.file_or_create().unwrap();
        }
        let open = slots.iter().filter(|slot| slot.open.lock().is_some()).count();
        assert!(open <= 4, "{open} files are open");
        assert!(disk.handles.count() <= 4);
    }

    #[test]
    fn room_is_made_by_closing_files_that_are_not_pinned() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(10);
        let slots: Vec<_> =
            (0..3).map(|i| FileSlot::new(&disk, dir.path().join(i.to_string()))).collect();
        for slot in &slots {
            slot.file_or_create().unwrap();
        }
        slots[1].pin();
        let opening = slots[2].open.lock();
        assert!(disk.handles.make_room());
        assert!(!disk.handles.make_room());
        drop(opening);
        let open = slots.iter().map(|slot| slot.open.lock().is_some());
        assert_eq!(open.collect::<Vec<_>>(), [false, true, true]);
        assert!(disk.handles.make_room());
        slots[0].file().unwrap();
    }

    #[test]
    fn a_file_with_unsynced_bytes_is_closed_last_and_after_a_sync() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(3);
        let pinned = FileSlot::new(&disk, dir.path().join("pinned"));
        pinned.file_or_create().unwrap();
        pinned.pin();
        for i in 0..20 {
            FileSlot::new(&disk, dir.path().join(i.to_string())).file_or_create().unwrap();
        }
        assert!(pinned.open.lock().is_some());
        let others: Vec<_> = (20..30)
            .map(|i| {
                let slot = FileSlot::new(&disk, dir.path().join(i.to_string()));
                slot.file_or_create().unwrap();
                slot.pin();
                slot
            })
            .collect();
        assert!(pinned.open.lock().is_none());
        assert!(others.iter().filter(|slot| slot.open.lock().is_some()).count() <= 3);
        pinned.sync().unwrap();
    }
}
