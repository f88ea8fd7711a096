//! The last five batches of each producer, of which a snapshot holds the last one only.
//!
//! What a client had in flight when the broker ended is sent again, and is to be known again, also
//! where the newest snapshot was written in the middle of it: at a roll, or at a clean stop.

use super::Recovery;
use crate::error::StorageError;
use crate::producer_state::ProducerState;
use crate::scan::Headers;
use crate::segment::Segment;
use gofka_core::ids::Offset;

/// Index entries before the snapshot that are looked at: megabytes of small batches, or hundreds
/// of large ones, for at most as many reads.
const ENTRIES: usize = 256;
/// Segments that are looked at, where they hold so little.
const SEGMENTS: usize = 16;

impl Recovery {
    /// Looks for earlier batches in the headers before `snapshot`, where producers were loaded.
    pub(super) fn recall_batches(&mut self, snapshot: Offset) -> Result<(), StorageError> {
        if self.writer.producers.is_empty() {
            return Ok(());
        }
        let end = self.segments.partition_point(|segment| segment.base < snapshot);
        let mut earlier = ProducerState::default();
        let (mut first, mut entries) = (end, 0);
        while first > 0 && end - first < SEGMENTS && entries < ENTRIES {
            first -= 1;
            entries += self.segments[first].offsets.entries().map_or(0, |entries| entries.len());
        }
        for segment in &self.segments[first..end] {
            match recall(segment, snapshot, &mut earlier) {
                // It costs a client an error where it could have been told of a success.
                Err(problem @ StorageError::Corrupt { .. }) => {
                    tracing::warn!(%problem, "not all batches of producers are known");
                }
                Err(error) if error.is_not_found() => {}
                other => other?,
            }
        }
        self.writer.producers.recall(&earlier);
        Ok(())
    }
}

fn recall(
    segment: &Segment,
    snapshot: Offset,
    earlier: &mut ProducerState,
) -> Result<(), StorageError> {
    let entries = segment.offsets.entries()?;
    let before = entries.partition_point(|e| segment.base.plus(i64::from(e.relative)) < snapshot);
    let first = before.checked_sub(ENTRIES).map_or(0, |at| u64::from(entries[at].position));
    let mut headers = Headers::new(&segment.log, first, segment.size(), segment.base)?;
    while let Some(placed) = headers.next_header()? {
        if placed.header.base_offset >= snapshot {
            break;
        }
        if !placed.header.attributes.is_control() {
            earlier.note(&placed.header);
        }
    }
    Ok(())
}
