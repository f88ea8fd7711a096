//! Cutting a log back to an earlier end.
//!
//! Called where what was appended is not to stay: a follower whose leader has other records, a
//! controller whose entries lost an election.

use crate::error::StorageError;
use crate::log::{self, Log, LogPlace, Opened, Writer};
use crate::recovery::{self, Before};
use gofka_core::ids::Offset;
use gofka_core::time::TimestampMs;
use std::sync::atomic::Ordering;

impl Log {
    /// See `LogDirs::truncate`, which sees to the recovery point.
    pub(crate) fn truncate_to(&self, offset: Offset, now: TimestampMs) -> Result<(), StorageError> {
        let _alone = self.maintenance.lock();
        let _no_sync = self.syncing.lock();
        let mut writer = self.writer.lock();
        self.check_usable()?;
        if offset >= self.log_end_offset() {
            return Ok(());
        }
        self.cut_files(offset).map_err(|error| self.health.judge_write(error))?;
        // What the cut leaves is found out as at a start, so that there is one way to do it.
        let before = Before {
            clean: false,
            recovery_point: self.safe_offset().min(offset),
            start: self.log_start_offset().min(offset),
            compacted: self.was_compacted(),
            newest_epoch: None,
            now,
        };
        let opened = recovery::examine(&self.place(), before)
            .map_err(|error| self.health.judge_write(error))?;
        self.take_over(&mut writer, opened);
        Ok(())
    }

    /// Removes segments from `offset` on, from the end backwards, then cuts the one that holds it.
    /// On return the disk itself has nothing of it, so that no crash brings it back beside what is
    /// appended in its place.
    fn cut_files(&self, offset: Offset) -> Result<(), StorageError> {
        let mut segments = self.segments.write();
        while segments.len() > 1 && segments.last().is_some_and(|last| last.base >= offset) {
            if let Some(last) = segments.pop() {
                last.remove()?;
            }
        }
        let Some(last) = segments.last().cloned() else { return Ok(()) };
        let (disk, path) = (self.health.disk(), last.log.path());
        let mut cut = None;
        if let Some(place) = last.locate(offset)? {
            let file = last.log.file()?;
            disk.set_len(&file, path, place.position)?;
            cut = Some(file);
        }
        segments.iter().for_each(|segment| segment.retire());
        drop(segments);
        if let Some(file) = cut {
            disk.sync_file(&file, path)?;
        }
        disk.sync_dir(&self.dir)
    }

    fn place(&self) -> LogPlace {
        LogPlace {
            partition: self.partition.clone(),
            topic_id: self.topic_id,
            dir: self.dir.clone(),
            health: self.health.clone(),
            config: self.config(),
        }
    }

    fn take_over(&self, writer: &mut Writer, opened: Opened) {
        log::note_ends(&opened.segments, opened.end);
        let size = opened.segments.iter().map(|segment| segment.size()).sum();
        *self.segments.write() = opened.segments;
        let mut epochs = self.epochs.write();
        // What is known of them is worth more than what the headers tell.
        epochs.truncate_from_end(opened.end);
        epochs.truncate_from_start(opened.start);
        epochs.dirty = true;
        drop(epochs);
        *writer = opened.writer;
        self.publish_unstable(writer);
        self.published.size.store(size, Ordering::Relaxed);
        self.published.safe.fetch_min(opened.end.0, Ordering::AcqRel);
        self.published.start.store(opened.start.0, Ordering::Release);
        self.published.end.store(opened.end.0, Ordering::Release);
    }
}
