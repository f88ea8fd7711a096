//! One group of segments written anew, without the records that have a later one.
//!
//! A batch of which everything stays is copied as it is. Otherwise its records are built into a
//! batch with the same range of offsets, producer, sequence, epoch and codec.

use super::{Cleaned, CompactionRun, DECOMPRESSED_MAX, Rules, corrupt, next_good};
use crate::disk::Disk;
use crate::error::StorageError;
use crate::index::TxnEntry;
use crate::log::Log;
use crate::scan::Batches;
use crate::segment::{Growth, Segment};
use bytes::Bytes;
use gofka_core::config::TopicConfig;
use gofka_core::record::{
    self, BATCH_HEADER_SIZE, Batch, BatchBuilder, Compression, LENGTH_PREFIX_SIZE, NewRecord,
    RecordView, RecordWalk, TimestampType,
};
use gofka_core::time::TimestampMs;
use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

/// Bytes collected before they are written.
const CHUNK: usize = 1 << 20;

impl Log {
    /// Cleans one group of segments.
    pub(super) fn clean_group(
        &self,
        group: &[Arc<Segment>],
        rules: &Rules,
        config: &TopicConfig,
        run: &CompactionRun<'_>,
    ) -> Result<Cleaned, StorageError> {
        let disk = self.health.disk();
        let mut output =
            Output::create(disk, &self.dir, &group[0], u64::from(config.index_interval_bytes))?;
        let mut changed = group.len() > 1;
        for segment in group {
            // What this brings into memory is checked here, and not for others.
            segment.trust.forget(0..u64::MAX);
            let mut batches =
                Batches::new(&segment.log, 0, segment.size(), segment.offsets_range())?;
            while let Some(batch) = next_good(segment, &mut batches)? {
                // Read once, and written as often as not.
                if !self.may_go_on(run, 2 * batch.header.size()) {
                    output.discard()?;
                    return Ok(Cleaned::CalledOff);
                }
                match filter(rules, segment, &batch)? {
                    Kept::All => output.push(&batch)?,
                    Kept::Some(batch) => {
                        changed = true;
                        output.push(&batch)?;
                    }
                    Kept::Nothing => changed = true,
                }
            }
            for entry in segment.txns.entries()? {
                output.push_aborted(&entry)?;
            }
        }
        if !changed {
            output.discard()?;
            return Ok(Cleaned::Same);
        }
        let cleaned = output.finish()?;
        let size = cleaned.size();
        self.swap_in(group, &cleaned)?;
        Ok(Cleaned::Smaller(size))
    }
}

/// What of a batch stays.
enum Kept {
    All,
    Some(Batch),
    Nothing,
}

fn filter(rules: &Rules, segment: &Segment, batch: &Batch) -> Result<Kept, StorageError> {
    let header = &batch.header;
    // Markers stay: what their transactions wrote may be read from any older offset.
    if header.attributes.is_control() || header.base_offset >= rules.last_offsets.end() {
        return Ok(Kept::All);
    }
    if rules.aborted.has(batch) {
        return Ok(nothing_of(rules, batch));
    }
    let broken = |problem| corrupt(segment, batch, &problem);
    let payload = record::uncompressed_payload(batch, DECOMPRESSED_MAX).map_err(broken)?;
    let horizon = header.attributes.has_delete_horizon().then_some(header.base_timestamp);
    let mut walk = RecordWalk::new(&payload, header.record_count);
    let mut kept = Vec::new();
    let mut keeps_tombstone = false;
    while let Some(record) = walk.next_record().map_err(broken)? {
        if stays(rules, batch, &record, horizon) {
            keeps_tombstone |= record.value.is_none();
            kept.push(record);
        }
    }
    let new_horizon = keeps_tombstone && horizon.is_none();
    if kept.len() == header.record_count as usize && !new_horizon {
        return Ok(Kept::All);
    }
    if kept.is_empty() {
        return Ok(nothing_of(rules, batch));
    }
    let horizon = if new_horizon {
        Some(TimestampMs(rules.now.0.saturating_add(rules.delete_retention_ms)))
    } else {
        horizon
    };
    Ok(Kept::Some(rebuild(batch, &kept, horizon)))
}

/// A record stays when it is the last of its key; a tombstone only until its batch's horizon,
/// which the first run that meets it sets (KIP-534).
fn stays(
    rules: &Rules,
    batch: &Batch,
    record: &RecordView<'_>,
    horizon: Option<TimestampMs>,
) -> bool {
    let Some(key) = record.key else { return false };
    let offset = batch.header.base_offset.plus(i64::from(record.offset_delta));
    if rules.last_offsets.is_superseded(key, offset) {
        return false;
    }
    record.value.is_some() || horizon.is_none_or(|horizon| rules.now < horizon)
}

/// The last batch of a producer stays without its records: its sequence is still needed.
fn nothing_of(rules: &Rules, batch: &Batch) -> Kept {
    let header = &batch.header;
    if rules.producers.get(&header.producer_id) != Some(&header.last_offset()) {
        return Kept::Nothing;
    }
    if header.record_count == 0 {
        return Kept::All;
    }
    let mut header = *header;
    // Clients decompress what says that it is compressed, and nothing is no frame of any codec.
    header.attributes =
        header.attributes.with_delete_horizon(false).with_compression(Compression::None);
    header.batch_length = (BATCH_HEADER_SIZE - LENGTH_PREFIX_SIZE) as i32;
    header.record_count = 0;
    header.base_timestamp = header.max_timestamp;
    header.crc = header.compute_crc(&[]);
    Kept::Some(Batch { header, bytes: Bytes::copy_from_slice(&header.to_bytes()) })
}

fn rebuild(batch: &Batch, kept: &[RecordView<'_>], horizon: Option<TimestampMs>) -> Batch {
    let header = &batch.header;
    let attributes = header.attributes;
    let codec = attributes.compression().unwrap_or_default();
    let mut builder = BatchBuilder::new(header.base_offset, codec, attributes.timestamp_type())
        .producer(header.producer_id, header.producer_epoch, header.base_sequence)
        .leader_epoch(header.leader_epoch);
    if attributes.is_transactional() {
        builder = builder.transactional();
    }
    if let Some(horizon) = horizon {
        builder = builder.delete_horizon(horizon);
    }
    for view in kept {
        let headers: Vec<_> = view.headers().collect();
        let timestamp = match attributes.timestamp_type() {
            TimestampType::CreateTime => {
                TimestampMs(header.base_timestamp.0.wrapping_add(view.timestamp_delta))
            }
            TimestampType::LogAppendTime => header.max_timestamp,
        };
        let record = NewRecord { timestamp, key: view.key, value: view.value, headers: &headers };
        builder.push_at(view.offset_delta, &record);
    }
    builder.set_last_offset_delta(header.last_offset_delta);
    builder.build_batch()
}

/// The segment that a group becomes, under the names of unfinished files.
struct Output {
    segment: Segment,
    growth: Growth,
    index_interval: u64,
    /// Collected, but not written.
    buffer: Vec<u8>,
}

impl Output {
    fn create(
        disk: &Arc<Disk>,
        dir: &Path,
        first: &Segment,
        index_interval: u64,
    ) -> Result<Self, StorageError> {
        let segment = Segment::create_cleaned(disk, dir, first.base)?;
        let (growth, buffer) = (Growth::default(), Vec::with_capacity(CHUNK));
        Ok(Self { segment, growth, index_interval, buffer })
    }

    fn push(&mut self, batch: &Batch) -> Result<(), StorageError> {
        let position = self.segment.size() + self.buffer.len() as u64;
        self.segment.index(&mut self.growth, &batch.header, position, self.index_interval);
        self.buffer.extend_from_slice(&batch.header.to_bytes());
        self.buffer.extend_from_slice(batch.payload());
        if self.buffer.len() >= CHUNK {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), StorageError> {
        self.segment.write(&mut [IoSlice::new(&self.buffer)])?;
        self.segment.publish(self.segment.size() + self.buffer.len() as u64);
        self.buffer.clear();
        Ok(())
    }

    fn push_aborted(&mut self, entry: &TxnEntry) -> Result<(), StorageError> {
        self.segment.txns.append(entry)
    }

    /// Writes what is left, and waits until all files are on the disk.
    fn finish(mut self) -> Result<Segment, StorageError> {
        self.write()?;
        self.segment.write_indexes(&self.growth)?;
        self.segment.txns.slot().file_or_create()?;
        for slot in self.segment.slots() {
            slot.sync()?;
        }
        Ok(self.segment)
    }

    fn discard(self) -> Result<(), StorageError> {
        self.segment.remove()
    }
}
