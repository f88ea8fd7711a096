//! What the log remembers of idempotent and transactional producers (KIP-98), so that a batch
//! sent twice is stored once and sequences have no gap.
//!
//! Owned by `log` under its writer's lock. Two steps: `check` decides before the batch is
//! written, `commit` remembers it once it is. Recovery replays headers with `replay`.

mod entry;
mod snapshot;

pub(crate) use entry::{BatchSpan, ProducerEntry};

use crate::error::AppendError;
use crate::log::ProducerStatus;
use gofka_core::error::ErrorCode;
use gofka_core::ids::{Offset, ProducerEpoch, ProducerId, Sequence};
use gofka_core::record::{BatchHeader, RecordWalk};
use gofka_core::time::TimestampMs;
use std::collections::{BTreeMap, HashMap};

/// The record inside a control batch that ends a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) commit: bool,
    pub(crate) coordinator_epoch: i32,
}

impl Marker {
    /// Reads a control batch's records; `None` for markers of another kind.
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let record = RecordWalk::new(payload, 1).next_record().ok()??;
        let kind = record.key?.get(2..4)?;
        let coordinator_epoch = record.value?.get(2..6)?;
        Some(Self {
            commit: match i16::from_be_bytes([kind[0], kind[1]]) {
                0 => false,
                1 => true,
                _ => return None,
            },
            coordinator_epoch: i32::from_be_bytes(coordinator_epoch.try_into().ok()?),
        })
    }
}

/// A transaction that a marker has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CompletedTxn {
    pub(crate) producer_id: ProducerId,
    pub(crate) first_offset: Offset,
    /// The marker's.
    pub(crate) last_offset: Offset,
    pub(crate) aborted: bool,
}

/// What `check` found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// Not of an idempotent producer.
    Plain,
    /// The producer's state once the batch is written.
    Next(ProducerEntry),
    /// The batch is in the log.
    Duplicate(BatchSpan),
}

/// All producers of one log.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProducerState {
    producers: HashMap<ProducerId, ProducerEntry>,
    /// Open transactions by their first offset.
    open_txns: BTreeMap<Offset, ProducerId>,
    /// Ended ones whose marker is not below the high watermark yet: first offset to marker.
    unreplicated_txns: BTreeMap<Offset, Offset>,
}

impl ProducerState {
    /// Decides on a batch whose base offset is set. `pending` is the producer's state after
    /// earlier batches of the same append.
    pub(crate) fn check(
        &self,
        header: &BatchHeader,
        marker: Option<Marker>,
        pending: Option<&ProducerEntry>,
    ) -> Result<Verdict, AppendError> {
        if header.producer_id == ProducerId::NONE {
            return Ok(Verdict::Plain);
        }
        let known = pending.or_else(|| self.producers.get(&header.producer_id));
        if let Some(entry) = known {
            if !header.attributes.is_control()
                && let Some(span) = entry.find_duplicate(header)
            {
                return Ok(Verdict::Duplicate(span));
            }
            check_epoch(entry, header, marker)?;
            if !header.attributes.is_control() {
                check_sequence(entry, header)?;
                check_transaction(entry, header)?;
            }
        }
        Ok(Verdict::Next(ProducerEntry::after(known, header, marker)))
    }

    /// Remembers a batch that was written. The transaction that it ended, if any.
    pub(crate) fn commit(
        &mut self,
        header: &BatchHeader,
        marker: Option<Marker>,
        mut next: ProducerEntry,
        now: TimestampMs,
    ) -> Option<CompletedTxn> {
        next.last_seen = now;
        let before = self.producers.insert(header.producer_id, next);
        let first_before = before.and_then(|entry| entry.current_txn_start);
        if let (None, Some(first)) = (first_before, next.current_txn_start) {
            self.open_txns.insert(first, header.producer_id);
        }
        let first_offset = first_before.filter(|_| next.current_txn_start.is_none())?;
        self.open_txns.remove(&first_offset);
        self.unreplicated_txns.insert(first_offset, header.last_offset());
        Some(CompletedTxn {
            producer_id: header.producer_id,
            first_offset,
            last_offset: header.last_offset(),
            aborted: marker.is_some_and(|marker| !marker.commit),
        })
    }

    /// Takes a batch that the log holds, without judging it.
    pub(crate) fn replay(
        &mut self,
        header: &BatchHeader,
        marker: Option<Marker>,
        now: TimestampMs,
    ) -> Option<CompletedTxn> {
        if header.producer_id == ProducerId::NONE {
            return None;
        }
        let known = self.producers.get(&header.producer_id);
        let next = ProducerEntry::after(known, header, marker);
        self.commit(header, marker, next, now)
    }

    /// Whether no producer is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }

    /// Remembers the batch, and nothing but the batch, of an idempotent producer.
    pub(crate) fn note(&mut self, header: &BatchHeader) {
        if header.producer_id != ProducerId::NONE {
            let known = self.producers.get(&header.producer_id);
            let next = ProducerEntry::after(known, header, None);
            self.producers.insert(header.producer_id, next);
        }
    }

    /// Takes the batches before the last one from a state that ends where this one does.
    pub(crate) fn recall(&mut self, earlier: &Self) {
        for (id, entry) in &mut self.producers {
            if let Some(earlier) = earlier.producers.get(id) {
                entry.recall(earlier);
            }
        }
    }

    /// First offset that belongs to an open transaction, or to one whose marker is not
    /// replicated.
    pub(crate) fn first_unstable_offset(&self) -> Option<Offset> {
        let open = self.open_txns.keys().next();
        let unreplicated = self.unreplicated_txns.keys().next();
        open.into_iter().chain(unreplicated).min().copied()
    }

    /// The last stable offset once `completed` counts as ended.
    pub(crate) fn last_stable_offset_after(&self, completed: &CompletedTxn) -> Offset {
        let open = self.open_txns.keys().next().copied();
        open.unwrap_or(completed.last_offset.plus(1))
    }

    /// Lets go of transactions whose marker is below the high watermark.
    pub(crate) fn note_high_watermark(&mut self, high_watermark: Offset) {
        self.unreplicated_txns.retain(|_, marker| *marker >= high_watermark);
    }

    /// Forgets producers that were not heard of for `expiration_ms` and have no transaction.
    pub(crate) fn expire(&mut self, now: TimestampMs, expiration_ms: i64) {
        self.producers.retain(|_, entry| {
            entry.current_txn_start.is_some() || now.0 - entry.last_seen.0 < expiration_ms
        });
    }

    /// Of each producer, the last offset of its last batch.
    pub(crate) fn last_offsets(&self) -> HashMap<ProducerId, Offset> {
        let last =
            |(id, entry): (&ProducerId, &ProducerEntry)| Some((*id, entry.last()?.last_offset));
        self.producers.iter().filter_map(last).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.producers.len()
    }

    pub(crate) fn describe(&self) -> Vec<ProducerStatus> {
        let mut all: Vec<ProducerStatus> = self.producers.iter().map(status).collect();
        all.sort_unstable_by_key(|status| status.producer_id);
        all
    }
}

fn status((id, entry): (&ProducerId, &ProducerEntry)) -> ProducerStatus {
    ProducerStatus {
        producer_id: *id,
        epoch: entry.epoch,
        last_sequence: entry.last().map_or(Sequence::NONE, |span| span.last_sequence),
        last_timestamp: entry.last_timestamp,
        coordinator_epoch: entry.coordinator_epoch,
        current_txn_start: entry.current_txn_start,
    }
}

fn refuse(code: ErrorCode, reason: String) -> AppendError {
    AppendError::Producer { code, reason }
}

fn check_epoch(
    entry: &ProducerEntry,
    header: &BatchHeader,
    marker: Option<Marker>,
) -> Result<(), AppendError> {
    let (id, epoch) = (header.producer_id, header.producer_epoch);
    if epoch < entry.epoch {
        let reason = format!("epoch {epoch} of producer {id} is older than {}", entry.epoch);
        return Err(refuse(ErrorCode::InvalidProducerEpoch, reason));
    }
    if let Some(marker) = marker
        && marker.coordinator_epoch < entry.coordinator_epoch
    {
        let reason = format!(
            "coordinator epoch {} is older than {}",
            marker.coordinator_epoch, entry.coordinator_epoch
        );
        return Err(refuse(ErrorCode::TransactionCoordinatorFenced, reason));
    }
    Ok(())
}

fn check_sequence(entry: &ProducerEntry, header: &BatchHeader) -> Result<(), AppendError> {
    let id = header.producer_id;
    let first = header.base_sequence;
    // An entry that never had an epoch says nothing; neither does a producer whose records were
    // all deleted, which has no entry.
    if entry.epoch == ProducerEpoch::NONE {
        return Ok(());
    }
    let expected = if header.producer_epoch == entry.epoch {
        entry.last().map_or(Sequence(0), |span| span.last_sequence.plus(1))
    } else {
        Sequence(0)
    };
    if first == expected {
        return Ok(());
    }
    let reason = format!("producer {id} sent sequence {first} where {expected} was expected");
    Err(refuse(ErrorCode::OutOfOrderSequenceNumber, reason))
}

fn check_transaction(entry: &ProducerEntry, header: &BatchHeader) -> Result<(), AppendError> {
    if entry.current_txn_start.is_some() && !header.attributes.is_transactional() {
        let reason =
            format!("producer {} wrote outside of its open transaction", header.producer_id);
        return Err(refuse(ErrorCode::InvalidTxnState, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
