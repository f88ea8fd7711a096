//! Reading segments that are in doubt, and cutting the log where it is not whole any more.

use super::Recovery;
use crate::error::StorageError;
use crate::producer_state::Marker;
use crate::scan::{Batches, Found};
use crate::segment::{Growth, Segment};
use gofka_core::ids::LeaderEpoch;
use gofka_core::record::BatchHeader;
use std::sync::Arc;

impl Recovery {
    /// Reads a segment in doubt, batch by batch; false when it was cut and the log ends here.
    pub(super) fn scan(&mut self, at: usize) -> Result<bool, StorageError> {
        let segment = Arc::clone(&self.segments[at]);
        let file_size = segment.size();
        segment.offsets.restart(Vec::new());
        segment.times.restart(Vec::new());
        segment.txns.reset()?;
        self.writer.growth = Growth::default();
        self.end = segment.base;
        let mut range = segment.offsets_range();
        if let Some(next) = self.segments.get(at + 1) {
            range.end = range.end.min(next.base);
        }
        let mut batches = Batches::new(&segment.log, 0, file_size, range)?;
        let mut size = 0;
        let problem = loop {
            match batches.next_batch()? {
                // The base offset is outside of the checksum. Where nothing was ever compacted, and
                // in the last segment nothing was, a gap is a changed bit.
                Found::Batch(_, batch)
                    if self.contiguous
                        && at + 1 == self.segments.len()
                        && batch.header.base_offset != self.end =>
                {
                    break Some("its offset leaves a gap".to_owned());
                }
                Found::Batch(position, batch) => {
                    self.enter(&segment, &batch.header, batch.payload(), position)?;
                    size = position + batch.header.size() as u64;
                }
                Found::Bad(problem) => break Some(problem),
                Found::End => break None,
            }
        };
        if size > 0 {
            self.writer.growth.first_append = Some(self.now);
        }
        if let Some(problem) = &problem {
            self.cut(at, size, problem)?;
        }
        segment.set_largest(self.writer.growth.largest);
        self.writer.note_dirty(&segment.log);
        let is_last = at + 1 == self.segments.len();
        if is_last {
            self.writer.active_is_dirty = true;
        } else {
            segment.write_indexes(&self.writer.growth)?;
            segment.mark_sealed();
            for slot in [segment.offsets.slot(), segment.times.slot()] {
                self.writer.note_dirty(slot);
            }
            self.writer.new_entries = true;
        }
        Ok(problem.is_none())
    }

    fn enter(
        &mut self,
        segment: &Segment,
        header: &BatchHeader,
        payload: &[u8],
        position: u64,
    ) -> Result<(), StorageError> {
        segment.index(&mut self.writer.growth, header, position, self.index_interval);
        self.end = header.next_offset();
        if header.leader_epoch > LeaderEpoch::NONE {
            self.epochs.assign(header.leader_epoch, header.base_offset);
        }
        let is_control = header.attributes.is_control();
        let marker = is_control.then(|| Marker::parse(payload)).flatten();
        let completed = self.writer.producers.replay(header, marker, self.now);
        if let Some(completed) = completed.filter(|completed| completed.aborted) {
            let stable = self.writer.producers.last_stable_offset_after(&completed);
            segment.append_aborted(&completed, stable)?;
            self.writer.note_dirty(segment.txns.slot());
        }
        Ok(())
    }

    /// Ends the log after `size` bytes of the segment at `at`.
    fn cut(&mut self, at: usize, size: u64, problem: &str) -> Result<(), StorageError> {
        for later in self.segments.drain(at + 1..).rev() {
            tracing::warn!(path = %later.log.path().display(), "removed: it is after a bad batch");
            later.remove()?;
        }
        let segment = &self.segments[at];
        let (path, lost) = (segment.log.path(), segment.size() - size);
        tracing::warn!(path = %path.display(), at = size, bytes = lost, problem, "cut the log");
        self.disk.set_len(&*segment.log.file()?, path, size)?;
        segment.publish(size);
        segment.trust.note_checked(0..size);
        Ok(())
    }
}
