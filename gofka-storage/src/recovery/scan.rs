//! Reading segments that are in doubt, and cutting the log where it is not whole any more.
//!
//! What lies below the recovery point was on the disk before the stop: there the headers are
//! walked over, for the indexes and the producers are made from them. What lies above is read
//! whole. Where the headers below do not lead to the recovery point, all is read whole.

use super::{Recovery, read_marker};
use crate::error::StorageError;
use crate::producer_state::Marker;
use crate::scan::{Batches, Found, Headers, Placed};
use crate::segment::{Growth, Segment};
use gofka_core::record::{Batch, BatchHeader};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How reading a segment ended.
enum End {
    /// With its file.
    Whole,
    /// With room for batches that were never written.
    Zeros,
    /// With something that is no batch, or not the next one.
    Bad(String),
}

impl Recovery {
    /// Reads a segment in doubt, batch by batch; false when it was cut and the log ends here.
    pub(super) fn scan(&mut self, at: usize) -> Result<bool, StorageError> {
        let segment = Arc::clone(&self.segments[at]);
        let walked = if self.synced > segment.base {
            self.walk_or_forget(at, &segment)?
        } else {
            self.begin(&segment)?;
            0
        };
        let (size, end) = self.check_from(at, &segment, walked)?;
        segment.trust.note_checked(walked..size);
        if size > 0 {
            self.writer.growth.first_append = Some(self.now);
        }
        let goes_on = self.close_end(at, size, &end)?;
        segment.set_largest(self.writer.growth.largest);
        let is_last = at + 1 == self.segments.len();
        if self.end > self.synced || !matches!(end, End::Whole) {
            self.writer.note_dirty(&segment.log);
            self.writer.active_is_dirty = is_last;
            self.writer.new_entries = true;
        }
        if !is_last {
            self.seal(&segment)?;
        }
        // Until someone reads or writes it, the log costs no open file.
        segment.log.close();
        Ok(goes_on)
    }

    /// Forgets what was derived from the segment.
    fn begin(&mut self, segment: &Segment) -> Result<(), StorageError> {
        segment.offsets.restart(Vec::new());
        segment.times.restart(Vec::new());
        segment.txns.reset()?;
        self.writer.growth = Growth::default();
        self.end = segment.base;
        Ok(())
    }

    /// Walks over the headers below the recovery point; where what is there ends. Nothing is
    /// kept of a walk that does not end at the recovery point.
    fn walk_or_forget(&mut self, at: usize, segment: &Segment) -> Result<u64, StorageError> {
        let before = (self.writer.producers.clone(), self.epochs.clone());
        self.begin(segment)?;
        match self.walk(at, segment) {
            Err(problem @ StorageError::Corrupt { .. }) => {
                tracing::error!(%problem, "damaged where it was on the disk: all of it is checked");
                (self.writer.producers, self.epochs) = before;
                self.begin(segment)?;
                Ok(0)
            }
            walked => walked,
        }
    }

    fn walk(&mut self, at: usize, segment: &Segment) -> Result<u64, StorageError> {
        let mut headers = Headers::new(&segment.log, 0, segment.size(), segment.base)?;
        let mut last: Option<Placed> = None;
        let mut is_doubtful = false;
        while self.end < self.synced
            && let Some(placed) = headers.next_header()?
        {
            let header = &placed.header;
            if header.base_offset >= self.synced {
                // The batches in between were compacted away.
                break;
            }
            if self.leaves_gap(at, header) || header.next_offset() > self.end_max(at, segment) {
                let what = format!("the batch at position {} is out of place", placed.position);
                return Err(StorageError::corrupt(segment.log.path(), what));
            }
            is_doubtful = self.contiguous && header.base_offset != self.end;
            let marker = read_marker(segment, &placed)?;
            self.enter(segment, header, marker, placed.position)?;
            last = Some(placed);
        }
        // Batches at the end of a compacted segment may be gone.
        let mut reached =
            self.end == self.synced || self.end < self.synced && !self.is_contiguous(at);
        if let Some(last) = &last {
            let bytes = segment.read_bytes(last.position, last.header.size())?.into();
            reached &= Batch { header: last.header, bytes }.check_crc().is_ok();
            reached &= !is_doubtful || !is_overlapped(segment, last)?;
        }
        if !reached {
            let what = format!("no batch ends at the recovery point {}", self.synced);
            return Err(StorageError::corrupt(segment.log.path(), what));
        }
        Ok(last.map_or(0, |last| last.end()))
    }

    /// Reads whole batches from `position` on; where the last good one ends, and why there.
    fn check_from(
        &mut self,
        at: usize,
        segment: &Segment,
        position: u64,
    ) -> Result<(u64, End), StorageError> {
        let range = self.end.max(segment.base)..self.end_max(at, segment);
        let mut batches = Batches::new(&segment.log, position, segment.size(), range)?;
        let mut size = position;
        // The batch before, where it came after a gap that may be a changed bit.
        let mut doubtful: Option<(Placed, Option<Marker>)> = None;
        loop {
            let found = batches.next_batch()?;
            if let Some((placed, marker)) = doubtful.take() {
                if matches!(found, Found::Bad(_)) && is_overlapped(segment, &placed)? {
                    return Ok((size, End::Bad("its offset leaves a gap".to_owned())));
                }
                self.enter(segment, &placed.header, marker, placed.position)?;
                size = placed.end();
            }
            match found {
                Found::Batch(_, batch) if self.leaves_gap(at, &batch.header) => {
                    return Ok((size, End::Bad("its offset leaves a gap".to_owned())));
                }
                Found::Batch(position, batch) => {
                    let is_control = batch.header.attributes.is_control();
                    let marker = is_control.then(|| Marker::parse(batch.payload)).flatten();
                    if self.contiguous && batch.header.base_offset != self.end {
                        doubtful = Some((Placed { position, header: batch.header }, marker));
                        continue;
                    }
                    self.enter(segment, &batch.header, marker, position)?;
                    size = position + batch.header.size() as u64;
                }
                Found::Bad(problem) => return Ok((size, End::Bad(problem))),
                Found::Zeros => return Ok((size, End::Zeros)),
                Found::End => return Ok((size, End::Whole)),
            }
        }
    }

    /// The offsets of a segment end before those of the next one begin.
    fn end_max(&self, at: usize, segment: &Segment) -> gofka_core::ids::Offset {
        let end = segment.offsets_range().end;
        self.segments.get(at + 1).map_or(end, |next| end.min(next.base))
    }

    fn next_begins_at_end(&self, at: usize) -> bool {
        self.segments.get(at + 1).is_none_or(|next| next.base == self.end)
    }

    /// The base offset is outside of the checksum. Where nothing was ever compacted, and in the
    /// last segment nothing was, a gap is a changed bit. Below the recovery point nobody knows for
    /// certain what was compacted.
    fn leaves_gap(&self, at: usize, header: &BatchHeader) -> bool {
        let follows = header.base_offset == self.end || header.next_offset() <= self.synced;
        self.is_contiguous(at) && !follows
    }

    fn is_contiguous(&self, at: usize) -> bool {
        self.contiguous && at + 1 == self.segments.len()
    }

    fn enter(
        &mut self,
        segment: &Segment,
        header: &BatchHeader,
        marker: Option<Marker>,
        position: u64,
    ) -> Result<(), StorageError> {
        segment.index(&mut self.writer.growth, header, position, self.index_interval);
        self.end = header.next_offset();
        self.epochs.hear(header.leader_epoch, header.base_offset);
        let completed = self.writer.producers.replay(header, marker, self.now);
        if let Some(completed) = completed.filter(|completed| completed.aborted) {
            let stable = self.writer.producers.last_stable_offset_after(&completed);
            segment.append_aborted(&completed, stable)?;
            self.writer.note_dirty(segment.txns.slot());
            self.writer.new_entries = true;
        }
        Ok(())
    }

    /// Cuts what follows `size` bytes of the segment at `at`, and decides whether the log goes on
    /// with the next one.
    fn close_end(&mut self, at: usize, size: u64, end: &End) -> Result<bool, StorageError> {
        let goes_on = match end {
            // Where nothing was compacted, a segment ends where the next one begins, unless a
            // part of it did not get to the disk.
            End::Whole if self.contiguous && !self.next_begins_at_end(at) => false,
            End::Whole => return Ok(true),
            // The power went between the first record of the next segment and this one's cut.
            End::Zeros => at + 1 < self.segments.len() && self.next_begins_at_end(at),
            End::Bad(_) => false,
        };
        let segment = Arc::clone(&self.segments[at]);
        let (path, lost) = (segment.log.path(), segment.size() - size);
        let count = self.segments.len();
        let last = if goes_on { count } else { at + 1 };
        for later in self.segments.drain(last..).rev() {
            tracing::warn!(path = %later.log.path().display(), "removed: it is after a gap");
            later.remove()?;
        }
        if self.segments.len() < count {
            // They must not come back behind what is appended in their place.
            self.disk.sync_dir(&self.dir)?;
        }
        let (path_shown, synced) = (path.display(), self.synced);
        match end {
            End::Bad(problem) if self.end < synced => {
                let end = self.end;
                tracing::error!(path = %path_shown, at = size, bytes = lost, %end, %synced, problem,
                    "cut the log below what was on the disk");
            }
            End::Bad(problem) => {
                tracing::warn!(path = %path_shown, at = size, bytes = lost, problem, "cut the log");
            }
            _ => tracing::debug!(path = %path_shown, at = size, bytes = lost, "cut unused room"),
        }
        let file = segment.log.file()?;
        self.disk.set_len(&file, path, size)?;
        if lost > 0 {
            // Nor must this come back, behind the end of a segment that is sealed by then.
            self.disk.sync_file(&file, path)?;
        }
        segment.allocated.store(0, Ordering::Relaxed);
        segment.publish(size);
        Ok(goes_on)
    }

    /// Writes the indexes of a segment that nothing is appended to. Without room for them they
    /// stay in memory, and the next start that needs them makes them again.
    fn seal(&mut self, segment: &Segment) -> Result<(), StorageError> {
        match segment.write_indexes(&self.writer.growth) {
            Ok(()) => {}
            Err(error @ StorageError::Full { .. }) => {
                tracing::warn!(%error, "an index stays in memory");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        segment.mark_sealed();
        for slot in [segment.offsets.slot(), segment.times.slot()] {
            self.writer.note_dirty(slot);
        }
        self.writer.new_entries = true;
        Ok(())
    }
}

/// Whether the batch after `placed`, which came after a gap, begins before `placed` ends: then
/// it is `placed` that has moved.
fn is_overlapped(segment: &Segment, placed: &Placed) -> Result<bool, StorageError> {
    let (position, end) = (placed.end(), segment.size());
    let mut headers = Headers::new(&segment.log, position, end, segment.base)?;
    match headers.next_header() {
        Ok(next) => {
            Ok(next.is_some_and(|next| next.header.base_offset < placed.header.next_offset()))
        }
        Err(StorageError::Corrupt { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
