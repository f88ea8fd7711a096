//! Appending: offsets, producer state, rolling, one vectored write.
//!
//! Called by the partition's leader (`append_as_leader`) and for batches that were numbered
//! elsewhere (`append_as_follower`). One append at a time, under the log's writer lock. Records
//! are neither copied nor decoded: a changed header goes out in front of the payload.

use crate::error::{AppendError, StorageError};
use crate::log::{AppendInfo, Log, Writer};
use crate::producer_state::{BatchSpan, Marker, ProducerEntry, Verdict};
use crate::segment::{Growth, Segment};
use gofka_core::config::{Durability, TopicConfig};
use gofka_core::ids::{LeaderEpoch, Offset, ProducerId};
use gofka_core::record::{BATCH_HEADER_SIZE, Batch, BatchHeader, TimestampType};
use gofka_core::time::TimestampMs;
use std::io::IoSlice;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A batch with its place in the log, about to be written.
struct Numbered<'a> {
    header: BatchHeader,
    head: [u8; BATCH_HEADER_SIZE],
    payload: &'a [u8],
    marker: Option<Marker>,
    /// The producer's state once it is written.
    producer: Option<ProducerEntry>,
}

/// What a batch of batches is, before it is written.
enum Plan<'a> {
    Write(Vec<Numbered<'a>>),
    Duplicate(BatchSpan),
}

impl Log {
    /// Appends validated batches: assigns their offsets and `epoch`, checks producer state. The log
    /// ends in no newer epoch than the one in which it is led: one that it took from a changed
    /// header is forgotten.
    pub fn append_as_leader(
        &self,
        batches: &[Batch],
        epoch: LeaderEpoch,
        now: TimestampMs,
    ) -> Result<AppendInfo, AppendError> {
        let mut writer = self.writer.lock();
        self.check_usable()?;
        match plan(&writer, batches, self.log_end_offset(), epoch)? {
            Plan::Write(numbered) => {
                if epoch < self.latest_epoch() && self.epochs.write().disown_above(epoch) {
                    tracing::error!(partition = %self.partition, %epoch,
                        "the log knew newer leader epochs than its leader");
                }
                self.write(&mut writer, &numbered, now)
            }
            Plan::Duplicate(span) => Ok(AppendInfo {
                first_offset: span.first_offset(),
                last_offset: span.last_offset,
                // As Kafka does, whatever the topic's kind of timestamps is.
                log_append_time: Some(span.timestamp),
                log_start_offset: self.log_start_offset(),
                duplicate: true,
            }),
        }
    }

    /// Appends batches that carry their offsets and epochs already. They may leave a gap (the
    /// leader has compacted), but not step back.
    pub fn append_as_follower(
        &self,
        batches: &[Batch],
        now: TimestampMs,
    ) -> Result<AppendInfo, AppendError> {
        let mut writer = self.writer.lock();
        self.check_usable()?;
        let mut end = self.log_end_offset();
        let mut numbered = Vec::with_capacity(batches.len());
        for batch in batches {
            let got = batch.header.base_offset;
            if got < end {
                return Err(AppendError::Misplaced { got, end });
            }
            end = batch.header.next_offset();
            numbered.push(number(batch, batch.header));
        }
        self.write(&mut writer, &numbered, now)
    }

    fn write(
        &self,
        writer: &mut Writer,
        batches: &[Numbered<'_>],
        now: TimestampMs,
    ) -> Result<AppendInfo, AppendError> {
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
            let end = self.log_end_offset();
            return Ok(self.info(end, end.plus(-1), None));
        };
        let config = self.config();
        let size: u64 = batches.iter().map(|batch| batch.header.size() as u64).sum();
        if size > u64::from(config.segment_bytes) {
            return Err(AppendError::TooLarge { size, limit: config.segment_bytes });
        }
        let active = self
            .segment_for(writer, &config, batches, size)
            .map_err(|error| self.health.judge_write(error))?;
        let mut slices = Vec::with_capacity(2 * batches.len());
        for batch in batches {
            slices.push(IoSlice::new(&batch.head));
            slices.push(IoSlice::new(batch.payload));
        }
        if !writer.active_is_dirty {
            writer.note_dirty(&active.log);
            writer.active_is_dirty = true;
        }
        if config.durability == Durability::Fsync {
            self.preallocate(&active, active.size() + size, u64::from(config.segment_bytes));
        }
        active.write(&mut slices).map_err(|error| self.health.judge_write(error))?;
        writer.growth.first_append.get_or_insert(now);
        self.enter(writer, &active, batches, &config, now)?;
        self.published.size.fetch_add(size, Ordering::Relaxed);
        self.published.end.store(last.header.next_offset().0, Ordering::Release);
        let append_time = append_time(&last.header);
        Ok(self.info(first.header.base_offset, last.header.last_offset(), append_time))
    }

    fn info(&self, first: Offset, last: Offset, append_time: Option<TimestampMs>) -> AppendInfo {
        AppendInfo {
            first_offset: first,
            last_offset: last,
            log_append_time: append_time,
            log_start_offset: self.log_start_offset(),
            duplicate: false,
        }
    }

    /// Enters written batches into everything that is derived from them, then publishes them.
    fn enter(
        &self,
        writer: &mut Writer,
        active: &Segment,
        batches: &[Numbered<'_>],
        config: &TopicConfig,
        now: TimestampMs,
    ) -> Result<(), StorageError> {
        let mut position = active.size();
        for batch in batches {
            let header = &batch.header;
            let interval = u64::from(config.index_interval_bytes);
            active.index(&mut writer.growth, header, position, interval);
            position += header.size() as u64;
            if header.leader_epoch > self.latest_epoch() {
                self.assign_epoch(header.leader_epoch, header.base_offset);
            }
            if header.producer_id != ProducerId::NONE {
                self.enter_producer(writer, active, batch, now)?;
            }
        }
        if let Some(last) = batches.last() {
            active.ends_before(last.header.next_offset());
        }
        active.publish(position);
        Ok(())
    }

    fn enter_producer(
        &self,
        writer: &mut Writer,
        active: &Segment,
        batch: &Numbered<'_>,
        now: TimestampMs,
    ) -> Result<(), StorageError> {
        let (header, marker) = (&batch.header, batch.marker);
        let completed = match batch.producer {
            Some(next) => writer.producers.commit(header, marker, next, now),
            None => writer.producers.replay(header, marker, now),
        };
        if let Some(completed) = completed.filter(|completed| completed.aborted) {
            let stable = writer.producers.last_stable_offset_after(&completed);
            let appended = active.append_aborted(&completed, stable);
            writer.note_dirty(active.txns.slot());
            writer.new_entries = true;
            // The batch is in the log: an index that lacks it would show aborted records.
            appended.map_err(|error| self.health.fail(&error))?;
        }
        self.publish_unstable(writer);
        Ok(())
    }

    /// The active segment, having started a new one where the batches want it.
    fn segment_for(
        &self,
        writer: &mut Writer,
        config: &TopicConfig,
        batches: &[Numbered<'_>],
        size: u64,
    ) -> Result<Arc<Segment>, StorageError> {
        let (first, last) = (batches[0].header, batches[batches.len() - 1].header);
        let active = self.segments.read().last().cloned();
        let Some(active) = active else {
            return self.start_segment(writer, first.base_offset);
        };
        let largest = batches.iter().map(|batch| batch.header.max_timestamp).max();
        let full = active.size() + size > u64::from(config.segment_bytes)
            || index_is_full(&active, config)
            || last.last_offset().0 - active.base.0 > i64::from(i32::MAX);
        let old = match (writer.growth.first_timestamp, largest) {
            (Some(first), Some(largest)) => is_old(first, config, &active, largest),
            _ => false,
        };
        if active.size() > 0 && (full || old) {
            return self.roll_to(writer, first.base_offset);
        }
        Ok(active)
    }

    /// Seals the active segment and starts one at `base`. An error leaves the active one as it is.
    pub(crate) fn roll_to(
        &self,
        writer: &mut Writer,
        base: Offset,
    ) -> Result<Arc<Segment>, StorageError> {
        let active = self.segments.read().last().cloned();
        if let Some(active) = &active {
            active.write_indexes(&writer.growth)?;
            active.give_back()?;
        }
        self.snapshot_producers(writer, base)?;
        let next = self.start_segment(writer, base)?;
        if let Some(active) = active {
            active.mark_sealed();
            for slot in [active.offsets.slot(), active.times.slot()] {
                writer.note_dirty(slot);
            }
        }
        Ok(next)
    }

    /// Starts the segment at `base`, after all others.
    pub(crate) fn start_segment(
        &self,
        writer: &mut Writer,
        base: Offset,
    ) -> Result<Arc<Segment>, StorageError> {
        let segment = Arc::new(Segment::create(self.health.disk(), &self.dir, base)?);
        writer.growth = Growth::default();
        writer.active_is_dirty = false;
        writer.new_entries = true;
        self.segments.write().push(Arc::clone(&segment));
        Ok(segment)
    }

    /// Starts a new segment where the active one is older than `segment.ms`.
    pub fn roll_if_old(&self, now: TimestampMs) -> Result<bool, StorageError> {
        let mut writer = self.writer.lock();
        self.check_usable()?;
        let config = self.config();
        let active = self.segments.read().last().cloned();
        let Some(active) = active.filter(|active| active.size() > 0) else { return Ok(false) };
        // By the broker's clock, not the records': these may be of any year.
        let Some(since) = writer.growth.first_append else { return Ok(false) };
        if !is_old(since, &config, &active, now) {
            return Ok(false);
        }
        let end = self.log_end_offset();
        self.roll_to(&mut writer, end).map_err(|error| self.health.judge_write(error))?;
        Ok(true)
    }

    /// Where the last segment ends that is full, and wholly below `bound`.
    pub(crate) fn sealed_end(&self, bound: Offset) -> Offset {
        let segments = self.segments.read();
        let ends = segments.iter().skip(1).map(|next| next.base);
        ends.take_while(|end| *end <= bound).last().unwrap_or(Offset::ZERO)
    }

    /// Starts a new segment, unless the active one is empty.
    pub fn roll(&self) -> Result<(), StorageError> {
        let mut writer = self.writer.lock();
        self.check_usable()?;
        let active = self.segments.read().last().cloned();
        if active.is_some_and(|active| active.size() > 0) {
            let end = self.log_end_offset();
            self.roll_to(&mut writer, end).map_err(|error| self.health.judge_write(error))?;
        }
        Ok(())
    }
}

/// Numbers the batches from `end` on and asks the producers' state for each.
fn plan<'a>(
    writer: &Writer,
    batches: &'a [Batch],
    end: Offset,
    epoch: LeaderEpoch,
) -> Result<Plan<'a>, AppendError> {
    let mut next = end;
    let mut numbered: Vec<Numbered<'a>> = Vec::with_capacity(batches.len());
    for batch in batches {
        let header = BatchHeader { base_offset: next, leader_epoch: epoch, ..batch.header };
        next = header.next_offset();
        let mut this = number(batch, header);
        if header.producer_id != ProducerId::NONE {
            let same = |earlier: &&Numbered<'_>| earlier.header.producer_id == header.producer_id;
            let pending = numbered.iter().rev().find(same).and_then(|n| n.producer.as_ref());
            match writer.producers.check(&header, this.marker, pending)? {
                Verdict::Plain => {}
                Verdict::Next(entry) => this.producer = Some(entry),
                Verdict::Duplicate(span) => {
                    return Ok(Plan::Duplicate(span));
                }
            }
        }
        numbered.push(this);
    }
    Ok(Plan::Write(numbered))
}

fn number(batch: &Batch, header: BatchHeader) -> Numbered<'_> {
    let marker = header.attributes.is_control().then(|| Marker::parse(batch.payload())).flatten();
    Numbered { header, head: header.to_bytes(), payload: batch.payload(), marker, producer: None }
}

fn append_time(header: &BatchHeader) -> Option<TimestampMs> {
    let by_broker = header.attributes.timestamp_type() == TimestampType::LogAppendTime;
    by_broker.then_some(header.max_timestamp)
}

fn index_is_full(segment: &Segment, config: &TopicConfig) -> bool {
    // An entry of the time index is the larger one, and the last place is kept for the entry that
    // sealing adds; both files have the same room.
    const TIME_ENTRY: usize = 12;
    (segment.offsets.growing_len() + 1) * TIME_ENTRY >= config.segment_index_bytes as usize
}

/// Whether the segment spans more than `segment.ms` from `first` to `now`.
fn is_old(first: TimestampMs, config: &TopicConfig, segment: &Segment, now: TimestampMs) -> bool {
    // The jitter spreads the rolls of partitions that began together; any fixed spread will do.
    let spread = (segment.base.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    let jitter = spread.checked_rem(config.segment_jitter_ms).unwrap_or(0);
    let limit = config.segment_ms.saturating_sub(jitter);
    now.0.saturating_sub(first.0) > i64::try_from(limit).unwrap_or(i64::MAX)
}
