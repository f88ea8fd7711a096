//! What is removed from a log's beginning: by age, by size, by request.
//!
//! Called by the partition's housekeeping and by DeleteRecords. Whole segments go; a log start
//! offset inside a segment only hides what is before it.

use crate::disk::Disk;
use crate::error::StorageError;
use crate::log::Log;
use crate::names;
use crate::segment::Segment;
use gofka_core::config::TopicConfig;
use gofka_core::ids::Offset;
use gofka_core::time::TimestampMs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Why segments go that retention has no hand in.
const BELOW_START: &str = "below the log start offset";

/// What retention has found at the beginning of a log.
#[derive(Default)]
struct Expired {
    count: usize,
    by_age: bool,
    by_size: bool,
}

impl Expired {
    fn why(&self) -> &'static str {
        match (self.by_age, self.by_size) {
            (false, false) => BELOW_START,
            (true, false) => "older than retention.ms",
            (false, true) => "more than retention.bytes",
            (true, true) => "older than retention.ms, or more than retention.bytes",
        }
    }
}

impl Log {
    /// Raises the log start offset (DeleteRecords) and removes segments that are wholly below it.
    /// The caller has checked that `offset` is not above the high watermark.
    pub fn set_log_start_offset(&self, offset: Offset) -> Result<(), StorageError> {
        self.check_usable()?;
        let raised = {
            // Nothing is truncated meanwhile.
            let _no_append = self.writer.lock();
            self.raise_start(offset.min(self.log_end_offset()))
        };
        // A compaction may take long, and the segments can wait for the next retention.
        if raised && let Some(_alone) = self.maintenance.try_lock() {
            self.check_usable()?;
            self.remove_below_start(BELOW_START)?;
        }
        Ok(())
    }

    /// Removes segments by age and size where `cleanup.policy` has `delete`, none that reaches
    /// past `high_watermark`, and those wholly below the log start offset. Number removed; none
    /// from a log that is being compacted, whose next compaction begins with this.
    pub fn apply_retention(
        &self,
        now: TimestampMs,
        high_watermark: Offset,
    ) -> Result<usize, StorageError> {
        let Some(_alone) = self.maintenance.try_lock() else { return Ok(0) };
        self.check_usable()?;
        self.remove_expired(&self.config(), now, high_watermark)
    }

    /// What `apply_retention` does, for who has the log to itself.
    pub(crate) fn remove_expired(
        &self,
        config: &TopicConfig,
        now: TimestampMs,
        high_watermark: Offset,
    ) -> Result<usize, StorageError> {
        let mut why = BELOW_START;
        if config.cleanup_policy.delete {
            let expired = self.count_expired(config, now, high_watermark);
            self.raise_start_past(expired.count)?;
            why = expired.why();
        }
        self.remove_below_start(why)
    }

    /// The segments from the first on that are too old, or too many.
    fn count_expired(
        &self,
        config: &TopicConfig,
        now: TimestampMs,
        high_watermark: Offset,
    ) -> Expired {
        let segments = self.all_segments();
        let mut excess = match config.retention_bytes {
            Some(limit) => self.size_bytes().saturating_sub(limit),
            None => 0,
        };
        let mut expired = Expired::default();
        for (at, segment) in segments.iter().enumerate() {
            let next = segments.get(at + 1).map_or(self.log_end_offset(), |next| next.base);
            // Compaction leaves empty segments as well; those are as old as their file.
            let empty_end = segment.size() == 0 && at + 1 == segments.len();
            if next > high_watermark || empty_end {
                break;
            }
            let too_old = config.retention_ms.is_some_and(|limit| is_older(segment, now, limit));
            let too_much = excess > 0 && excess >= segment.size();
            if !too_old && !too_much {
                break;
            }
            excess = excess.saturating_sub(segment.size());
            expired.by_age |= too_old;
            expired.by_size |= !too_old;
            expired.count += 1;
        }
        expired
    }

    /// Lets the log begin after its first `count` segments.
    fn raise_start_past(&self, count: usize) -> Result<(), StorageError> {
        if count == 0 {
            return Ok(());
        }
        let all = self.segments.read().len() == count;
        if all {
            // The next segment's name keeps the end offset once everything is gone.
            self.roll()?;
        }
        let next = self.segments.read().get(count).map(|segment| segment.base);
        if let Some(next) = next {
            self.raise_start(next);
        }
        Ok(())
    }

    fn raise_start(&self, offset: Offset) -> bool {
        let before = self.published.start.fetch_max(offset.0, Ordering::AcqRel);
        if before < offset.0 {
            self.epochs.write().truncate_from_start(offset);
            self.published.first_dirty.fetch_max(offset.0, Ordering::AcqRel);
        }
        before < offset.0
    }

    /// Removes the segments that end at or before the log start offset, but never the last one;
    /// `why` the log begins there.
    fn remove_below_start(&self, why: &str) -> Result<usize, StorageError> {
        let start = self.log_start_offset();
        if self.segments.read().get(1).is_none_or(|second| second.base > start) {
            return Ok(0);
        }
        let removed: Vec<Arc<Segment>> = {
            let mut segments = self.segments.write();
            let keep_from = segments.partition_point(|segment| segment.base <= start);
            segments.drain(..keep_from.saturating_sub(1)).collect()
        };
        let size: u64 = removed.iter().map(|segment| segment.size()).sum();
        self.published.size.fetch_sub(size, Ordering::Relaxed);
        self.writer.lock().new_entries = true;
        let last_base = self.segments.read().first().map_or(start, |segment| segment.base);
        // From the first on, so that a crash in between leaves no hole.
        for segment in &removed {
            segment.remove().map_err(|error| self.health.judge_write(error))?;
        }
        remove_snapshots_below(self.health.disk(), &self.dir, last_base)
            .map_err(|error| self.health.judge_write(error))?;
        tracing::info!(partition = %self.partition, segments = removed.len(), bytes = size, %start,
            why, "removed segments");
        Ok(removed.len())
    }
}

/// Whether every record of a segment is older than `limit_ms`; without timestamps, whether its
/// file is. A segment whose age nobody can tell is kept.
fn is_older(segment: &Segment, now: TimestampMs, limit_ms: u64) -> bool {
    let limit = i64::try_from(limit_ms).unwrap_or(i64::MAX);
    let newest = match segment.largest() {
        Ok(Some((largest, _))) if largest >= TimestampMs(0) => Ok(largest),
        Ok(_) => segment.modified(),
        Err(problem) => Err(problem),
    };
    match newest {
        Ok(newest) => now.0.saturating_sub(newest.0) > limit,
        Err(problem) => {
            tracing::warn!(%problem, "a segment's age is unknown");
            false
        }
    }
}

/// Producer snapshots of removed segments are of no use: the one at the new start is the first.
fn remove_snapshots_below(disk: &Disk, dir: &Path, start: Offset) -> Result<(), StorageError> {
    for name in crate::disk::list(dir)? {
        if let Some((offset, names::SNAPSHOT)) = names::parse_file(&name)
            && offset < start
        {
            disk.remove(&dir.join(name))?;
        }
    }
    Ok(())
}
