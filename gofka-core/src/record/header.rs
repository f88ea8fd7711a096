//! The 61 bytes in front of every batch, and the bits of its attributes.
//!
//! ```text
//!  0 base offset i64 | 8 length i32 | 12 leader epoch i32 | 16 magic i8 | 17 CRC-32C u32
//! 21 attributes i16 | 23 last offset delta i32 | 27 base timestamp i64 | 35 max timestamp i64
//! 43 producer id i64 | 51 producer epoch i16 | 53 base sequence i32 | 57 record count i32
//! ```
//! The length counts what follows it. The checksum covers everything from byte 21, so that base
//! offset and leader epoch can be patched without computing it again.
//! Source: Kafka's protocol guide, "Record Batch" (KIP-98).

use super::BatchError;
use crate::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::time::TimestampMs;

/// Bytes of a batch in front of its records.
pub const BATCH_HEADER_SIZE: usize = 61;
/// Bytes of base offset and length: what `batch_length` does not count.
pub const LENGTH_PREFIX_SIZE: usize = 12;
/// The only format served and stored.
pub const MAGIC: i8 = 2;
/// First byte that the checksum covers.
pub const CRC_START: usize = 21;

/// How a batch's records are compressed, by the codec's number in the attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Compression {
    #[default]
    None = 0,
    Gzip = 1,
    Snappy = 2,
    Lz4 = 3,
    Zstd = 4,
}

impl Compression {
    /// Every codec, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The name in `compression.type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// What a batch's timestamps mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// Each record carries its producer's time.
    #[default]
    CreateTime,
    /// All records carry the batch's max timestamp, set by the broker.
    LogAppendTime,
}

/// A batch's attribute bits: 0-2 codec, 3 timestamp type, 4 transactional, 5 control,
/// 6 delete horizon (the base timestamp is one).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Attributes(pub i16);

impl Attributes {
    const CODEC_MASK: i16 = 0b111;
    const LOG_APPEND_TIME: i16 = 1 << 3;
    const TRANSACTIONAL: i16 = 1 << 4;
    const CONTROL: i16 = 1 << 5;
    const DELETE_HORIZON: i16 = 1 << 6;

    /// The codec, or `None` for a number that stands for none.
    pub const fn compression(self) -> Option<Compression> {
        match self.0 & Self::CODEC_MASK {
            0 => Some(Compression::None),
            1 => Some(Compression::Gzip),
            2 => Some(Compression::Snappy),
            3 => Some(Compression::Lz4),
            4 => Some(Compression::Zstd),
            _ => None,
        }
    }

    /// What the timestamps mean.
    pub const fn timestamp_type(self) -> TimestampType {
        if self.has(Self::LOG_APPEND_TIME) {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        }
    }

    /// Part of a transaction.
    pub const fn is_transactional(self) -> bool {
        self.has(Self::TRANSACTIONAL)
    }

    /// Holds a marker of the broker's, which consumers do not show.
    pub const fn is_control(self) -> bool {
        self.has(Self::CONTROL)
    }

    /// The base timestamp is the time after which tombstones may go (KIP-534).
    pub const fn has_delete_horizon(self) -> bool {
        self.has(Self::DELETE_HORIZON)
    }

    /// The same with another codec.
    pub const fn with_compression(self, codec: Compression) -> Self {
        Self(self.0 & !Self::CODEC_MASK | codec as i16)
    }

    /// The same with another timestamp type.
    pub const fn with_timestamp_type(self, kind: TimestampType) -> Self {
        self.with(Self::LOG_APPEND_TIME, matches!(kind, TimestampType::LogAppendTime))
    }

    /// The same, inside or outside a transaction.
    pub const fn with_transactional(self, on: bool) -> Self {
        self.with(Self::TRANSACTIONAL, on)
    }

    /// The same, as a control batch or not.
    pub const fn with_control(self, on: bool) -> Self {
        self.with(Self::CONTROL, on)
    }

    /// The same, with the base timestamp meant as a delete horizon or not.
    pub const fn with_delete_horizon(self, on: bool) -> Self {
        self.with(Self::DELETE_HORIZON, on)
    }

    const fn has(self, bit: i16) -> bool {
        self.0 & bit != 0
    }

    const fn with(self, bit: i16, on: bool) -> Self {
        Self(if on { self.0 | bit } else { self.0 & !bit })
    }
}

/// A batch's header, every field as it is on the wire and on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record; set at append.
    pub base_offset: Offset,
    /// Bytes after this field.
    pub batch_length: i32,
    /// Epoch of the leader that appended it; set at append.
    pub leader_epoch: LeaderEpoch,
    /// The format: 2.
    pub magic: i8,
    /// CRC-32C of everything from the attributes on.
    pub crc: u32,
    /// Codec and flags.
    pub attributes: Attributes,
    /// Offset of the last record, counted from the base offset.
    pub last_offset_delta: i32,
    /// What the records' timestamps are counted from.
    pub base_timestamp: TimestampMs,
    /// The largest timestamp in the batch.
    pub max_timestamp: TimestampMs,
    /// The idempotent producer, or -1.
    pub producer_id: ProducerId,
    /// Its epoch, or -1.
    pub producer_epoch: ProducerEpoch,
    /// Sequence of the first record, or -1.
    pub base_sequence: Sequence,
    /// How many records there are.
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`: 61 bytes, magic 2, a length that holds a header.
    /// Neither the checksum nor the records are looked at.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let Some(head) = bytes.first_chunk::<BATCH_HEADER_SIZE>() else {
            return Err(BatchError::Truncated {
                needed: BATCH_HEADER_SIZE,
                available: bytes.len(),
            });
        };
        let header = Self::read(head);
        if header.magic != MAGIC {
            return Err(BatchError::Magic(header.magic));
        }
        if header.batch_length < (BATCH_HEADER_SIZE - LENGTH_PREFIX_SIZE) as i32 {
            return Err(BatchError::Length(header.batch_length));
        }
        Ok(header)
    }

    fn read(head: &[u8; BATCH_HEADER_SIZE]) -> Self {
        Self {
            base_offset: Offset(i64::from_be_bytes(at(head, 0))),
            batch_length: i32::from_be_bytes(at(head, 8)),
            leader_epoch: LeaderEpoch(i32::from_be_bytes(at(head, 12))),
            magic: i8::from_be_bytes(at(head, 16)),
            crc: u32::from_be_bytes(at(head, 17)),
            attributes: Attributes(i16::from_be_bytes(at(head, 21))),
            last_offset_delta: i32::from_be_bytes(at(head, 23)),
            base_timestamp: TimestampMs(i64::from_be_bytes(at(head, 27))),
            max_timestamp: TimestampMs(i64::from_be_bytes(at(head, 35))),
            producer_id: ProducerId(i64::from_be_bytes(at(head, 43))),
            producer_epoch: ProducerEpoch(i16::from_be_bytes(at(head, 51))),
            base_sequence: Sequence(i32::from_be_bytes(at(head, 53))),
            record_count: i32::from_be_bytes(at(head, 57)),
        }
    }

    /// The header as bytes.
    pub fn write_to(&self, out: &mut [u8; BATCH_HEADER_SIZE]) {
        put(out, 0, self.base_offset.0.to_be_bytes());
        put(out, 8, self.batch_length.to_be_bytes());
        put(out, 12, self.leader_epoch.0.to_be_bytes());
        put(out, 16, self.magic.to_be_bytes());
        put(out, 17, self.crc.to_be_bytes());
        put(out, 21, self.attributes.0.to_be_bytes());
        put(out, 23, self.last_offset_delta.to_be_bytes());
        put(out, 27, self.base_timestamp.0.to_be_bytes());
        put(out, 35, self.max_timestamp.0.to_be_bytes());
        put(out, 43, self.producer_id.0.to_be_bytes());
        put(out, 51, self.producer_epoch.0.to_be_bytes());
        put(out, 53, self.base_sequence.0.to_be_bytes());
        put(out, 57, self.record_count.to_be_bytes());
    }

    /// The header as 61 bytes.
    pub fn to_bytes(&self) -> [u8; BATCH_HEADER_SIZE] {
        let mut out = [0; BATCH_HEADER_SIZE];
        self.write_to(&mut out);
        out
    }

    /// Bytes of the whole batch, header and length prefix included.
    pub fn size(&self) -> usize {
        LENGTH_PREFIX_SIZE + usize::try_from(self.batch_length).unwrap_or(0)
    }

    /// Offset of the last record. Saturates where a header that was not validated overflows.
    pub fn last_offset(&self) -> Offset {
        Offset(self.base_offset.0.saturating_add(i64::from(self.last_offset_delta)))
    }

    /// Offset after the last record.
    pub fn next_offset(&self) -> Offset {
        Offset(self.last_offset().0.saturating_add(1))
    }

    /// Sequence of the last record; -1 when the producer is not idempotent.
    pub fn last_sequence(&self) -> Sequence {
        if self.base_sequence == Sequence::NONE {
            Sequence::NONE
        } else {
            self.base_sequence.plus(self.last_offset_delta)
        }
    }

    /// The checksum of this header with `records` after it.
    pub fn compute_crc(&self, records: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.to_bytes()[CRC_START..]), records)
    }
}

fn at<const N: usize>(head: &[u8; BATCH_HEADER_SIZE], from: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&head[from..from + N]);
    out
}

fn put<const N: usize>(head: &mut [u8; BATCH_HEADER_SIZE], from: usize, bytes: [u8; N]) {
    head[from..from + N].copy_from_slice(&bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> BatchHeader {
        BatchHeader {
            base_offset: Offset(1 << 40),
            batch_length: 49,
            leader_epoch: LeaderEpoch(7),
            magic: MAGIC,
            crc: 0xdead_beef,
            attributes: Attributes(0b11),
            last_offset_delta: 4,
            base_timestamp: TimestampMs(1_700_000_000_000),
            max_timestamp: TimestampMs(1_700_000_000_009),
            producer_id: ProducerId(9),
            producer_epoch: ProducerEpoch(3),
            base_sequence: Sequence(i32::MAX - 1),
            record_count: 5,
        }
    }

    #[test]
    fn a_header_comes_back_as_it_was_written() {
        let header = sample();
        assert_eq!(BatchHeader::parse(&header.to_bytes()), Ok(header));
        assert_eq!(header.size(), 61);
        assert_eq!(header.last_offset(), Offset((1 << 40) + 4));
        assert_eq!(header.last_sequence(), Sequence(2));
    }

    #[test]
    fn a_header_is_refused_when_short_old_or_lying_about_its_length() {
        let bytes = sample().to_bytes();
        assert_eq!(
            BatchHeader::parse(&bytes[..60]),
            Err(BatchError::Truncated { needed: 61, available: 60 })
        );
        let old = BatchHeader { magic: 1, ..sample() };
        assert_eq!(BatchHeader::parse(&old.to_bytes()), Err(BatchError::Magic(1)));
        for length in [48, 0, -1, i32::MIN] {
            let lying = BatchHeader { batch_length: length, ..sample() };
            assert_eq!(BatchHeader::parse(&lying.to_bytes()), Err(BatchError::Length(length)));
        }
    }

    #[test]
    fn attribute_bits_are_independent() {
        let all = Attributes::default()
            .with_compression(Compression::Zstd)
            .with_timestamp_type(TimestampType::LogAppendTime)
            .with_transactional(true)
            .with_control(true)
            .with_delete_horizon(true);
        assert_eq!(all.0, 0b111_1100);
        let fewer = all.with_control(false).with_compression(Compression::None);
        assert_eq!(fewer.compression(), Some(Compression::None));
        assert!(!fewer.is_control() && fewer.is_transactional() && fewer.has_delete_horizon());
        assert_eq!(fewer.timestamp_type(), TimestampType::LogAppendTime);
        assert_eq!(Attributes(5).compression(), None);
    }
}
