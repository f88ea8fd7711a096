//! Reading the partitions of one fetch, in turn, within its bytes.

use std::mem;

use gofka_core::error::ErrorCode;
use gofka_core::fetch_session::{FetchTarget, PartitionKey, PartitionNews};
use gofka_core::ids::{LeaderEpoch, Offset};
use gofka_storage::{AbortedTransaction, Records};

use super::plan::{Limits, Source};
use crate::api::leader_hint::LeaderHint;
use crate::partition::{Isolation, Partition, ReadRequest};

/// What one partition gave.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) error: ErrorCode,
    pub(super) high_watermark: Offset,
    pub(super) last_stable_offset: Offset,
    pub(super) log_start_offset: Offset,
    /// The end of what could be read when it was read.
    pub(super) readable_end: Offset,
    pub(super) records: Records,
    /// How many offsets they take from the one asked for on: their number, where no compaction has
    /// left gaps.
    pub(super) record_count: u64,
    /// Null for who does not ask for committed records only.
    pub(super) aborted: Option<Vec<AbortedTransaction>>,
    /// Where the client's log leaves this one: the epoch and its end.
    pub(super) diverging: Option<(LeaderEpoch, Offset)>,
    pub(super) leader_hint: Option<LeaderHint>,
    /// The client is not to wait for it.
    pub(super) is_urgent: bool,
}

impl Outcome {
    fn error(code: ErrorCode) -> Self {
        Self {
            error: code,
            high_watermark: Offset::NONE,
            last_stable_offset: Offset::NONE,
            log_start_offset: Offset::NONE,
            readable_end: Offset::NONE,
            records: Records::default(),
            record_count: 0,
            aborted: None,
            diverging: None,
            leader_hint: None,
            is_urgent: false,
        }
    }

    /// Kafka's answer for what it does not even try to read has an empty array here, not null.
    fn refused(code: ErrorCode) -> Self {
        Self { aborted: Some(Vec::new()), ..Self::error(code) }
    }

    /// Whether the records can be sent without waiting for the disk.
    pub(super) fn is_warm(&self) -> bool {
        match &self.records {
            Records::Loaded(_) => true,
            Records::InFile(range) => range.is_warm(),
        }
    }

    /// Whether the records take no memory.
    pub(super) const fn is_in_file(&self) -> bool {
        matches!(self.records, Records::InFile(_))
    }

    /// Answers without the records, which there was no memory for.
    pub(super) fn leave_out(&mut self) {
        self.records = Records::default();
        self.record_count = 0;
        self.is_urgent = true;
    }

    /// Takes the records into memory, an error where they have changed on the disk. Blocks.
    pub(super) fn load(&mut self, source: &Source) {
        let Source::Here(partition) = source else { return };
        match partition.load(mem::take(&mut self.records)) {
            Ok(records) => self.records = Records::Loaded(records),
            Err(code) => {
                let readable_end = self.readable_end;
                *self = Self { is_urgent: true, readable_end, ..Self::error(code) };
            }
        }
    }

    /// What the session remembers of it.
    pub(super) fn news(&self) -> PartitionNews {
        PartitionNews {
            high_watermark: self.high_watermark,
            log_start_offset: self.log_start_offset,
            has_records: !self.records.is_empty(),
            always: self.diverging.is_some(),
            is_error: self.error != ErrorCode::None,
        }
    }
}

/// Reads every partition. The bytes go to the first ones; all the others tell their offsets.
pub(super) fn read_all(
    targets: &[(PartitionKey, FetchTarget)],
    sources: &[Source],
    limits: &Limits,
) -> Vec<Outcome> {
    let mut bytes_left = limits.max_bytes;
    let mut nothing_yet = true;
    let mut outcomes = Vec::with_capacity(targets.len());
    for ((_, target), source) in targets.iter().zip(sources) {
        let outcome = match source {
            Source::Here(partition) => {
                let wanted = usize::try_from(target.max_bytes).unwrap_or(0);
                let request = ReadRequest {
                    from: target.offset,
                    max_bytes: wanted.min(bytes_left),
                    isolation: limits.isolation,
                    at_least_one_batch: nothing_yet,
                };
                read(partition, target, &request).unwrap_or_else(|code| Outcome {
                    is_urgent: true,
                    readable_end: partition.readable_end(limits.isolation),
                    ..Outcome::error(code)
                })
            }
            Source::Elsewhere(_) => Outcome::refused(ErrorCode::NotLeaderOrFollower),
            Source::Refused(code) => Outcome::refused(*code),
        };
        nothing_yet &= outcome.records.is_empty();
        bytes_left = bytes_left.saturating_sub(outcome.records.len());
        outcomes.push(outcome);
    }
    outcomes
}

fn read(
    partition: &Partition,
    target: &FetchTarget,
    request: &ReadRequest,
) -> Result<Outcome, ErrorCode> {
    partition.check_leader(target.current_leader_epoch)?;
    let diverging = diverging(partition, target)?;
    let request = if diverging.is_some() {
        // The client has to step back first.
        &ReadRequest { from: partition.readable_end(request.isolation), ..*request }
    } else {
        request
    };
    let read = partition.read(request)?;
    let committed = request.isolation == Isolation::ReadCommitted;
    let records = if diverging.is_some() { Records::default() } else { read.records };
    let offsets = read.next_offset.0.saturating_sub(request.from.0);
    let record_count =
        if records.is_empty() { 0 } else { u64::try_from(offsets).unwrap_or_default() };
    Ok(Outcome {
        error: ErrorCode::None,
        high_watermark: read.high_watermark,
        last_stable_offset: read.last_stable_offset,
        log_start_offset: read.log_start_offset,
        readable_end: if committed { read.last_stable_offset } else { read.high_watermark },
        records,
        record_count,
        aborted: committed.then_some(read.aborted),
        diverging,
        leader_hint: None,
        is_urgent: diverging.is_some(),
    })
}

/// Whether the client's last record was written in an epoch that ended before it, here.
fn diverging(
    partition: &Partition,
    target: &FetchTarget,
) -> Result<Option<(LeaderEpoch, Offset)>, ErrorCode> {
    if target.last_fetched_epoch == LeaderEpoch::NONE {
        return Ok(None);
    }
    let (epoch, end) = partition.end_offset_for_epoch(target.last_fetched_epoch);
    if epoch == LeaderEpoch::NONE || end == Offset::NONE {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    let diverges = epoch < target.last_fetched_epoch || end < target.offset;
    Ok(diverges.then_some((epoch, end)))
}
