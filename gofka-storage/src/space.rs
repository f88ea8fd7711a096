//! Whether a log directory has room for more records (`log.dir.min.free.bytes`).
//!
//! Asked before each append of a client. Asking the system costs microseconds, so it is done only
//! once so many bytes were appended, by the housekeeping once a second, and by every append while
//! there is too little: producing goes on by itself as soon as there is room again.

use crate::error::StorageError;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// At most so much is appended between two looks.
const STEP_MAX: u64 = 8 << 20;

/// What is known of one directory's free space.
#[derive(Debug)]
pub(crate) struct Space {
    min_free_bytes: u64,
    step: u64,
    /// Appended since the last look.
    unseen: AtomicU64,
    low: AtomicBool,
    /// A write found no space at all.
    full: AtomicBool,
}

impl Space {
    pub(crate) fn new(min_free_bytes: u64) -> Self {
        Self {
            min_free_bytes,
            step: (min_free_bytes / 8).min(STEP_MAX),
            // The first append looks.
            unseen: AtomicU64::new(STEP_MAX),
            low: AtomicBool::new(false),
            full: AtomicBool::new(false),
        }
    }

    /// An error where `bytes` more must not be appended.
    pub(crate) fn check(&self, dir: &Path, bytes: u64) -> Result<(), StorageError> {
        if self.min_free_bytes == 0 {
            return Ok(());
        }
        let unseen = self.unseen.fetch_add(bytes, Ordering::Relaxed);
        if unseen < self.step && !self.low.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.look(dir) {
            Some(free_bytes) if free_bytes < self.min_free_bytes => Err(StorageError::LowSpace {
                dir: dir.to_owned(),
                free_bytes,
                min_free_bytes: self.min_free_bytes,
            }),
            _ => Ok(()),
        }
    }

    /// Whether `bytes` can be taken ahead of need, so that as much again and what is to be kept
    /// free are left.
    pub(crate) fn has_plenty(&self, dir: &Path, bytes: u64) -> bool {
        let least = bytes.saturating_mul(2).saturating_add(self.min_free_bytes);
        self.look(dir).is_some_and(|free| free >= least)
    }

    /// Asks the system; the free bytes, where it knows.
    pub(crate) fn look(&self, dir: &Path) -> Option<u64> {
        self.unseen.store(0, Ordering::Relaxed);
        let stat = rustix::fs::statvfs(dir).ok()?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        let low = free < self.min_free_bytes;
        let limit = self.min_free_bytes;
        let dir = dir.display();
        match (self.low.swap(low, Ordering::Relaxed), low) {
            (false, true) => tracing::error!(%dir, free, limit, "too little space: not producing"),
            (true, false) => tracing::info!(%dir, free, limit, "enough space: producing again"),
            _ => {}
        }
        if !low {
            self.full.store(false, Ordering::Relaxed);
        }
        Some(free)
    }

    /// Notes that a write found no space; logged once until there is some again.
    pub(crate) fn note_full(&self, path: &Path) {
        if !self.full.swap(true, Ordering::Relaxed) {
            tracing::error!(path = %path.display(), "no space left");
        }
    }

    /// Whether records are refused.
    pub(crate) fn is_low(&self) -> bool {
        self.low.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_never_looks_and_an_impossible_one_always_refuses() {
        let dir = tempfile::tempdir().unwrap();
        Space::new(0).check(Path::new("/nowhere"), 1 << 40).unwrap();
        let space = Space::new(u64::MAX);
        for _ in 0..2 {
            let refused = space.check(dir.path(), 1).unwrap_err();
            assert!(matches!(refused, StorageError::LowSpace { .. }), "{refused}");
            assert!(refused.is_transient() && space.is_low());
        }
    }

    #[test]
    fn nothing_is_taken_ahead_of_need_where_space_is_short() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Space::new(0).has_plenty(dir.path(), 1));
        assert!(!Space::new(0).has_plenty(dir.path(), 1 << 60));
        assert!(!Space::new(1 << 60).has_plenty(dir.path(), 1));
        assert!(!Space::new(0).has_plenty(Path::new("/nowhere"), 1));
    }

    #[test]
    fn the_system_is_asked_once_in_so_many_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let space = Space::new(1 << 20);
        space.check(dir.path(), 100).unwrap();
        assert_eq!(space.unseen.load(Ordering::Relaxed), 0, "the first one looks");
        let gone = Path::new("/nowhere");
        for _ in 0..space.step / 1024 {
            space.check(gone, 1024).unwrap();
        }
        assert_eq!(space.unseen.load(Ordering::Relaxed), space.step);
        space.check(dir.path(), 1024).unwrap();
        assert_eq!(space.unseen.load(Ordering::Relaxed), 0);
    }
}
