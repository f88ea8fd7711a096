//! One group of segments written anew, without the records that have a later one.
//!
//! A batch of which everything stays is copied as it is. Otherwise the records that stay are copied
//! as they are, in runs of neighbours, behind a header with the same range of offsets, producer,
//! sequence, epoch, codec and base timestamp, from which their timestamps are counted. Only where
//! that changes, for a delete horizon, are they written anew.

use super::{
    Cleaned, CompactionRun, DECOMPRESSED_MAX, Hashed, Next, Rules, batches_of, corrupt, next_group,
};
use crate::disk::Disk;
use crate::error::StorageError;
use crate::index::TxnEntry;
use crate::log::Log;
use crate::segment::{Growth, Segment};
use gofka_core::config::TopicConfig;
use gofka_core::record::{
    BATCH_HEADER_SIZE, Batch, BatchBuilder, BatchError, BatchHeader, BatchView, Compression,
    CompressionLevel, LENGTH_PREFIX_SIZE, NewRecord, RecordView, RecordWalk, TimestampType,
    compression,
};
use gofka_core::time::TimestampMs;
use std::borrow::Cow;
use std::io::IoSlice;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Bytes collected before they are written: few enough to be in the core's own cache still.
const CHUNK: usize = 256 << 10;

impl Log {
    /// Cleans one group of segments.
    pub(super) fn clean_group(
        &self,
        group: &[Arc<Segment>],
        rules: &Rules,
        config: &TopicConfig,
        run: &CompactionRun<'_>,
    ) -> Result<Cleaned, StorageError> {
        if let [segment] = group {
            match self.changes(segment, rules, run)? {
                Some(true) => {}
                Some(false) => return Ok(Cleaned::Same),
                None => return Ok(Cleaned::CalledOff),
            }
        }
        let disk = self.health.disk();
        let mut output =
            Output::create(disk, &self.dir, &group[0], u64::from(config.index_interval_bytes))?;
        for segment in group {
            if !self.clean_segment(segment, rules, run, &mut output)? {
                output.discard()?;
                return Ok(Cleaned::CalledOff);
            }
        }
        let cleaned = output.finish()?;
        let size = cleaned.size();
        self.swap_in(group, &cleaned)?;
        Ok(Cleaned::Smaller(size))
    }

    /// Whether anything of a segment does not stay as it is; `None` when the run was called off.
    /// Most of a log is clean, and nothing is written to find that out; where something goes, it is
    /// found soon as a rule.
    fn changes(
        &self,
        segment: &Segment,
        rules: &Rules,
        run: &CompactionRun<'_>,
    ) -> Result<Option<bool>, StorageError> {
        let mut batches = batches_of(segment, 0)?;
        let mut runs = Vec::new();
        loop {
            let batch = match self.next_good(segment, &mut batches, run, 1)? {
                Next::Batch(batch) => batch,
                Next::End => return Ok(Some(false)),
                Next::CalledOff => return Ok(None),
            };
            if !matches!(filter(rules, segment, &batch, &mut runs)?, Kept::All) {
                return Ok(Some(true));
            }
        }
    }

    /// Puts into `output` what stays of a segment; false when the run was called off.
    fn clean_segment(
        &self,
        segment: &Segment,
        rules: &Rules,
        run: &CompactionRun<'_>,
        output: &mut Output,
    ) -> Result<bool, StorageError> {
        let mut batches = batches_of(segment, 0)?;
        let mut runs = Vec::new();
        loop {
            // Read once, and written as often as not.
            let batch = match self.next_good(segment, &mut batches, run, 2)? {
                Next::Batch(batch) => batch,
                Next::End => break,
                Next::CalledOff => return Ok(false),
            };
            match filter(rules, segment, &batch, &mut runs)? {
                Kept::All => output.push(&batch)?,
                Kept::Runs(header, payload) => output.push_runs(header, &payload, &runs)?,
                Kept::Rebuilt(batch) => output.push(&batch.view())?,
                Kept::Header(header) => output.push(&BatchView { header, payload: &[] })?,
                Kept::Nothing => {}
            }
        }
        for entry in segment.txns.entries()? {
            output.push_aborted(&entry)?;
        }
        Ok(true)
    }
}

/// What of a batch stays.
enum Kept<'a> {
    All,
    /// The runs that were noted, of these uncompressed records; the header has their number and
    /// largest timestamp.
    Runs(BatchHeader, Cow<'a, [u8]>),
    /// Records that were written anew.
    Rebuilt(Batch),
    /// No record.
    Header(BatchHeader),
    Nothing,
}

/// Decides what of `batch` stays, noting runs of records that do in `runs`.
fn filter<'a>(
    rules: &Rules,
    segment: &Segment,
    batch: &BatchView<'a>,
    runs: &mut Vec<Range<usize>>,
) -> Result<Kept<'a>, StorageError> {
    let header = &batch.header;
    // Markers stay: what their transactions wrote may be read from any older offset.
    if header.attributes.is_control() || header.base_offset >= rules.last_offsets.end() {
        return Ok(Kept::All);
    }
    if rules.aborted.has(header) {
        return Ok(nothing_of(rules, header));
    }
    let broken = |problem| corrupt(segment, header, &problem);
    let payload = batch.uncompressed(DECOMPRESSED_MAX).map_err(broken)?;
    let mut walk = RecordWalk::new(&payload, header.record_count);
    let mut kept = BatchHeader { record_count: 0, max_timestamp: TimestampMs::NONE, ..*header };
    let mut keeps_tombstone = false;
    let mut start = 0;
    runs.clear();
    let mut group = Vec::new();
    while next_group(&mut walk, &rules.last_offsets, &mut group).map_err(broken)? {
        for Hashed { record, hash, bytes_left } in &group {
            let end = payload.len() - bytes_left;
            if stays(rules, header, record, *hash) {
                keeps_tombstone |= record.value.is_none();
                kept.record_count += 1;
                kept.max_timestamp = kept.max_timestamp.max(timestamp_of(header, record));
                match runs.last_mut().filter(|last| last.end == start) {
                    Some(last) => last.end = end,
                    None => runs.push(start..end),
                }
            }
            start = end;
        }
    }
    if keeps_tombstone && !header.attributes.has_delete_horizon() {
        return Ok(Kept::Rebuilt(with_horizon(rules, header, &payload).map_err(broken)?));
    }
    Ok(match kept.record_count {
        0 => nothing_of(rules, header),
        count if count == header.record_count => Kept::All,
        _ => Kept::Runs(kept, payload),
    })
}

/// A record stays when it is the last of its key; a tombstone only until its batch's horizon,
/// which the first run that meets it sets (KIP-534).
fn stays(rules: &Rules, header: &BatchHeader, record: &RecordView<'_>, hash: u64) -> bool {
    let Some(key) = record.key else { return false };
    let offset = header.base_offset.plus(i64::from(record.offset_delta));
    if rules.last_offsets.is_superseded(key, hash, offset) {
        return false;
    }
    let is_over = header.attributes.has_delete_horizon() && rules.now >= header.base_timestamp;
    record.value.is_some() || !is_over
}

fn timestamp_of(header: &BatchHeader, record: &RecordView<'_>) -> TimestampMs {
    match header.attributes.timestamp_type() {
        TimestampType::CreateTime => {
            TimestampMs(header.base_timestamp.0.wrapping_add(record.timestamp_delta))
        }
        TimestampType::LogAppendTime => header.max_timestamp,
    }
}

/// The last batch of a producer stays without its records: its sequence is still needed.
fn nothing_of(rules: &Rules, header: &BatchHeader) -> Kept<'static> {
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
    Kept::Header(header)
}

/// The batch with the records that stay, and a horizon for its tombstones.
fn with_horizon(rules: &Rules, header: &BatchHeader, payload: &[u8]) -> Result<Batch, BatchError> {
    let attributes = header.attributes;
    let codec = attributes.compression().unwrap_or_default();
    let horizon = TimestampMs(rules.now.0.saturating_add(rules.delete_retention_ms));
    let mut builder = BatchBuilder::new(header.base_offset, codec, attributes.timestamp_type())
        .producer(header.producer_id, header.producer_epoch, header.base_sequence)
        .leader_epoch(header.leader_epoch)
        .delete_horizon(horizon);
    if attributes.is_transactional() {
        builder = builder.transactional();
    }
    let mut walk = RecordWalk::new(payload, header.record_count);
    while let Some(view) = walk.next_record()? {
        let hash = view.key.map_or(0, |key| rules.last_offsets.hash_of(key));
        if stays(rules, header, &view, hash) {
            let headers: Vec<_> = view.headers().collect();
            let timestamp = timestamp_of(header, &view);
            let (key, value, headers) = (view.key, view.value, &headers[..]);
            builder.push_at(view.offset_delta, &NewRecord { timestamp, key, value, headers });
        }
    }
    builder.set_last_offset_delta(header.last_offset_delta);
    Ok(builder.build_batch())
}

/// The segment that a group becomes, under the names of unfinished files.
struct Output {
    segment: Segment,
    growth: Growth,
    index_interval: u64,
    /// Collected, but not written.
    buffer: Vec<u8>,
    /// Records that are to be compressed.
    uncompressed: Vec<u8>,
}

impl Output {
    fn create(
        disk: &Arc<Disk>,
        dir: &Path,
        first: &Segment,
        index_interval: u64,
    ) -> Result<Self, StorageError> {
        let segment = Segment::create_cleaned(disk, dir, first.base)?;
        let (growth, buffer, uncompressed) = (Growth::default(), Vec::new(), Vec::new());
        Ok(Self { segment, growth, index_interval, buffer, uncompressed })
    }

    /// Appends a batch as it is.
    fn push(&mut self, batch: &BatchView<'_>) -> Result<(), StorageError> {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&batch.header.to_bytes());
        self.buffer.extend_from_slice(batch.payload);
        self.pushed(&batch.header, start)
    }

    /// Appends a batch with `runs` of the records in `payload`, of which `header` has not yet the
    /// length and the checksum.
    fn push_runs(
        &mut self,
        mut header: BatchHeader,
        payload: &[u8],
        runs: &[Range<usize>],
    ) -> Result<(), StorageError> {
        let start = self.buffer.len();
        let records = start + BATCH_HEADER_SIZE;
        self.buffer.resize(records, 0);
        let codec = header.attributes.compression().unwrap_or_default();
        let is_plain = codec == Compression::None;
        let out = if is_plain { &mut self.buffer } else { &mut self.uncompressed };
        for run in runs {
            out.extend_from_slice(&payload[run.clone()]);
        }
        if !is_plain {
            let level = CompressionLevel::Default;
            let packed = compression::compress(codec, level, &self.uncompressed);
            self.uncompressed.clear();
            self.buffer.extend_from_slice(&packed);
        }
        header.batch_length = (self.buffer.len() - start - LENGTH_PREFIX_SIZE) as i32;
        header.crc = header.compute_crc(&self.buffer[records..]);
        self.buffer[start..records].copy_from_slice(&header.to_bytes());
        self.pushed(&header, start)
    }

    /// Notes the batch that was collected from `start` on.
    fn pushed(&mut self, header: &BatchHeader, start: usize) -> Result<(), StorageError> {
        let position = self.segment.size() + start as u64;
        self.segment.index(&mut self.growth, header, position, self.index_interval);
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
