//! One producer: its epoch, its last five batches and its open transaction.

use super::Marker;
use gofka_core::ids::{Offset, ProducerEpoch, Sequence};
use gofka_core::record::BatchHeader;
use gofka_core::time::TimestampMs;

/// Batches remembered of each producer, as many as a client has in flight at most.
const BATCHES: usize = 5;

/// One batch of a producer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BatchSpan {
    pub(crate) last_sequence: Sequence,
    pub(crate) last_offset: Offset,
    /// Last offset minus first offset.
    pub(crate) offset_delta: i32,
    /// The batch's largest timestamp.
    pub(crate) timestamp: TimestampMs,
}

impl BatchSpan {
    pub(crate) fn first_offset(&self) -> Offset {
        self.last_offset.plus(-i64::from(self.offset_delta))
    }

    fn first_sequence(&self) -> Sequence {
        // Sequences live in 0..2^31, so that stepping back wraps as `plus` does.
        self.last_sequence.plus(self.offset_delta.wrapping_neg())
    }
}

/// What is known of one producer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProducerEntry {
    pub(crate) epoch: ProducerEpoch,
    /// Of the coordinator that wrote its last marker; -1 before the first.
    pub(crate) coordinator_epoch: i32,
    /// Largest timestamp of its last batch or marker.
    pub(crate) last_timestamp: TimestampMs,
    /// When the broker last heard of it. Not stored: after a restart it is the time of that.
    pub(crate) last_seen: TimestampMs,
    pub(crate) current_txn_start: Option<Offset>,
    batches: [BatchSpan; BATCHES],
    count: u8,
}

impl ProducerEntry {
    pub(super) fn new(epoch: ProducerEpoch) -> Self {
        Self { epoch, coordinator_epoch: -1, ..Self::default() }
    }

    /// The state after a batch, given the one before it.
    pub(crate) fn after(
        before: Option<&Self>,
        header: &BatchHeader,
        marker: Option<Marker>,
    ) -> Self {
        let mut next = before.copied().unwrap_or_else(|| Self::new(header.producer_epoch));
        if next.epoch != header.producer_epoch {
            next.epoch = header.producer_epoch;
            next.count = 0;
        }
        next.last_timestamp = header.max_timestamp;
        if header.attributes.is_control() {
            if let Some(marker) = marker {
                next.coordinator_epoch = marker.coordinator_epoch;
                next.current_txn_start = None;
            }
            return next;
        }
        next.push(BatchSpan {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp: header.max_timestamp,
        });
        if header.attributes.is_transactional() && next.current_txn_start.is_none() {
            next.current_txn_start = Some(header.base_offset);
        }
        next
    }

    pub(super) fn push(&mut self, span: BatchSpan) {
        if usize::from(self.count) == BATCHES {
            self.batches.rotate_left(1);
            self.count -= 1;
        }
        self.batches[usize::from(self.count)] = span;
        self.count += 1;
    }

    /// Takes over the batches of `earlier` where the last of them is the one known here.
    pub(super) fn recall(&mut self, earlier: &Self) {
        let place = |span: &BatchSpan| (span.last_offset, span.last_sequence);
        if self.epoch == earlier.epoch && self.last().map(place) == earlier.last().map(place) {
            (self.batches, self.count) = (earlier.batches, earlier.count);
        }
    }

    /// Its last batch.
    pub(crate) fn last(&self) -> Option<&BatchSpan> {
        self.batches[..usize::from(self.count)].last()
    }

    /// The batch with the same epoch and sequences, where it is one of the last five.
    pub(super) fn find_duplicate(&self, header: &BatchHeader) -> Option<BatchSpan> {
        if header.producer_epoch != self.epoch {
            return None;
        }
        let same = |span: &&BatchSpan| {
            span.first_sequence() == header.base_sequence
                && span.last_sequence == header.last_sequence()
        };
        self.batches[..usize::from(self.count)].iter().find(same).copied()
    }
}
