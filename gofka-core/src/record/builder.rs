//! Builds a batch from records: for internal topics, compaction, control records and tests.

use super::batch::Batch;
use super::compression::{CompressionLevel, compress};
use super::header::{
    Attributes, BATCH_HEADER_SIZE, BatchHeader, Compression, LENGTH_PREFIX_SIZE, MAGIC,
    TimestampType,
};
use super::varint::write_i64;
use crate::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::time::TimestampMs;
use bytes::Bytes;

/// A record's header: name and value.
pub type HeaderRef<'a> = (&'a [u8], Option<&'a [u8]>);

/// A record that goes into a batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewRecord<'a> {
    /// Its time.
    pub timestamp: TimestampMs,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value, or null.
    pub value: Option<&'a [u8]>,
    /// Names and values.
    pub headers: &'a [HeaderRef<'a>],
}

/// Collects records and writes them as one batch.
#[derive(Debug)]
pub struct BatchBuilder {
    header: BatchHeader,
    level: CompressionLevel,
    base_timestamp_fixed: bool,
    records: Vec<u8>,
    scratch: Vec<u8>,
}

impl BatchBuilder {
    /// An empty batch that starts at `base_offset`.
    pub fn new(base_offset: Offset, codec: Compression, timestamps: TimestampType) -> Self {
        let attributes = Attributes::default();
        Self {
            header: BatchHeader {
                base_offset,
                batch_length: 0,
                leader_epoch: LeaderEpoch::NONE,
                magic: MAGIC,
                crc: 0,
                attributes: attributes.with_compression(codec).with_timestamp_type(timestamps),
                last_offset_delta: -1,
                base_timestamp: TimestampMs::NONE,
                max_timestamp: TimestampMs::NONE,
                producer_id: ProducerId::NONE,
                producer_epoch: ProducerEpoch::NONE,
                base_sequence: Sequence::NONE,
                record_count: 0,
            },
            level: CompressionLevel::Default,
            base_timestamp_fixed: false,
            records: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Stamps the batch with an idempotent producer.
    pub fn producer(mut self, id: ProducerId, epoch: ProducerEpoch, first: Sequence) -> Self {
        self.header.producer_id = id;
        self.header.producer_epoch = epoch;
        self.header.base_sequence = first;
        self
    }

    /// Marks the batch as a part of a transaction.
    pub fn transactional(mut self) -> Self {
        self.header.attributes = self.header.attributes.with_transactional(true);
        self
    }

    /// Marks the batch as one of control records.
    pub fn control(mut self) -> Self {
        self.header.attributes = self.header.attributes.with_control(true);
        self
    }

    /// Sets the leader's epoch.
    pub fn leader_epoch(mut self, epoch: LeaderEpoch) -> Self {
        self.header.leader_epoch = epoch;
        self
    }

    /// Sets how hard the codec tries.
    pub fn level(mut self, level: CompressionLevel) -> Self {
        self.level = level;
        self
    }

    /// Marks the time after which the batch's tombstones may go (KIP-534). Before any push.
    pub fn delete_horizon(mut self, at: TimestampMs) -> Self {
        assert!(self.records.is_empty(), "the records' timestamps are counted from the horizon");
        self.header.attributes = self.header.attributes.with_delete_horizon(true);
        self.header.base_timestamp = at;
        self.base_timestamp_fixed = true;
        self
    }

    /// Appends a record at the next offset.
    pub fn push(&mut self, record: &NewRecord<'_>) {
        self.push_at(self.header.last_offset_delta + 1, record);
    }

    /// Appends a record at `base offset + offset_delta`, which must rise; compaction leaves gaps.
    pub fn push_at(&mut self, offset_delta: i32, record: &NewRecord<'_>) {
        let header = &mut self.header;
        assert!(offset_delta > header.last_offset_delta, "offsets rise within a batch");
        if header.record_count == 0 && !self.base_timestamp_fixed {
            header.base_timestamp = record.timestamp;
        }
        header.max_timestamp = header.max_timestamp.max(record.timestamp);
        header.last_offset_delta = offset_delta;
        header.record_count += 1;

        let body = &mut self.scratch;
        body.clear();
        body.push(0);
        write_i64(body, record.timestamp.0.wrapping_sub(header.base_timestamp.0));
        write_i64(body, i64::from(offset_delta));
        write_nullable(body, record.key);
        write_nullable(body, record.value);
        write_i64(body, record.headers.len() as i64);
        for (name, value) in record.headers {
            write_nullable(body, Some(name));
            write_nullable(body, *value);
        }
        write_i64(&mut self.records, body.len() as i64);
        self.records.extend_from_slice(body);
    }

    /// Lets the batch end at `base offset + delta` although its last records are gone, so that
    /// a compacted batch keeps the range that it had.
    pub fn set_last_offset_delta(&mut self, delta: i32) {
        assert!(delta >= self.header.last_offset_delta, "a batch covers its records");
        self.header.last_offset_delta = delta;
    }

    /// How many records there are.
    pub fn record_count(&self) -> i32 {
        self.header.record_count
    }

    /// Size of the batch so far, before compression.
    pub fn uncompressed_size(&self) -> usize {
        BATCH_HEADER_SIZE + self.records.len()
    }

    /// Finishes the batch as bytes.
    pub fn build(self) -> Bytes {
        self.build_batch().bytes
    }

    /// Finishes the batch.
    pub fn build_batch(mut self) -> Batch {
        // A batch without records, such as compaction leaves, still covers no less than nothing.
        self.header.last_offset_delta = self.header.last_offset_delta.max(0);
        let codec = self.header.attributes.compression().unwrap_or_default();
        if codec == Compression::None {
            seal(self.header, &self.records)
        } else {
            seal(self.header, &compress(codec, self.level, &self.records))
        }
    }
}

fn write_nullable(out: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        None => write_i64(out, -1),
        Some(field) => {
            write_i64(out, field.len() as i64);
            out.extend_from_slice(field);
        }
    }
}

/// Puts `header` in front of `payload` with the right length and checksum.
pub(super) fn seal(mut header: BatchHeader, payload: &[u8]) -> Batch {
    header.batch_length = (BATCH_HEADER_SIZE - LENGTH_PREFIX_SIZE + payload.len()) as i32;
    header.crc = header.compute_crc(payload);
    let mut bytes = Vec::with_capacity(header.size());
    bytes.extend_from_slice(&header.to_bytes());
    bytes.extend_from_slice(payload);
    Batch { header, bytes: Bytes::from(bytes) }
}

/// The batch again with its records under another codec; `payload` is the uncompressed records.
pub(super) fn recompress(
    batch: &Batch,
    payload: &[u8],
    codec: Compression,
    level: CompressionLevel,
) -> Batch {
    let mut header = batch.header;
    header.attributes = header.attributes.with_compression(codec);
    if codec == Compression::None {
        seal(header, payload)
    } else {
        seal(header, &compress(codec, level, payload))
    }
}

#[cfg(test)]
#[path = "builder_tests.rs"]
mod tests;
