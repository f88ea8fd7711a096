//! The records inside a batch: a walk that copies nothing, and owned records for who keeps them.
//!
//! The walk is called by validation for every uncompressed batch; `records` by the readers of
//! internal topics, compaction and tests.
//!
//! ```text
//! length varint | attributes i8 | timestamp delta varlong | offset delta varint
//! key length varint, key | value length varint, value | header count varint
//! each header: key length varint, key | value length varint, value      (length -1: null)
//! ```

use super::batch::{Batch, BatchError, BatchView};
use super::compression::decompress;
use super::header::{Attributes, BATCH_HEADER_SIZE, Compression, TimestampType};
use super::varint::{read_i32, read_i64};
use crate::ids::Offset;
use crate::time::TimestampMs;
use bytes::Bytes;
use std::borrow::Cow;

/// A record taken out of its batch. Key, value and headers share the batch's memory: who keeps
/// one for long copies it, or keeps the whole batch alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Position in the log.
    pub offset: Offset,
    /// The producer's time, or the broker's where the batch says so.
    pub timestamp: TimestampMs,
    /// The key, or null.
    pub key: Option<Bytes>,
    /// The value, or null (a tombstone where there is a key).
    pub value: Option<Bytes>,
    /// Names and values; names may repeat and need not be text.
    pub headers: Vec<(Bytes, Option<Bytes>)>,
}

/// One record where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Counted from the batch's base timestamp.
    pub timestamp_delta: i64,
    /// Counted from the batch's base offset.
    pub offset_delta: i32,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value, or null.
    pub value: Option<&'a [u8]>,
    header_count: i32,
    headers: &'a [u8],
}

impl<'a> RecordView<'a> {
    /// The headers; the walk has checked their lengths already.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut rest = self.headers;
        (0..self.header_count).map_while(move |_| read_header(&mut rest).ok())
    }
}

/// Walks uncompressed records and checks that every length adds up.
#[derive(Debug)]
pub struct RecordWalk<'a> {
    rest: &'a [u8],
    index: i32,
    count: i32,
}

impl<'a> RecordWalk<'a> {
    /// Walks `count` records in `payload`.
    pub fn new(payload: &'a [u8], count: i32) -> Self {
        Self { rest: payload, index: 0, count }
    }

    /// Bytes after the records that were seen.
    pub fn bytes_left(&self) -> usize {
        self.rest.len()
    }

    /// The next record; `None` when all have been seen and nothing is left over.
    pub fn next_record(&mut self) -> Result<Option<RecordView<'a>>, BatchError> {
        let index = self.index;
        let fail = |problem| BatchError::Record { index, problem };
        if index >= self.count {
            return if self.rest.is_empty() {
                Ok(None)
            } else {
                Err(fail("bytes are left after the last record"))
            };
        }
        self.index += 1;
        let length = read_i32(&mut self.rest).ok_or(fail("the batch ends inside a length"))?;
        let length = usize::try_from(length).map_err(|_| fail("negative record length"))?;
        if length > self.rest.len() {
            return Err(fail("the record is longer than what is left of its batch"));
        }
        let (body, rest) = self.rest.split_at(length);
        self.rest = rest;
        read_body(body).map(Some).map_err(fail)
    }
}

fn read_body(mut body: &[u8]) -> Result<RecordView<'_>, &'static str> {
    const SHORT: &str = "the record ends inside a field";
    let (_attributes, rest) = body.split_first().ok_or(SHORT)?;
    body = rest;
    let timestamp_delta = read_i64(&mut body).ok_or(SHORT)?;
    let offset_delta = read_i32(&mut body).ok_or(SHORT)?;
    let key = read_nullable(&mut body)?;
    let value = read_nullable(&mut body)?;
    let header_count = read_i32(&mut body).ok_or(SHORT)?;
    if header_count < 0 {
        return Err("negative number of headers");
    }
    let headers = body;
    for _ in 0..header_count {
        read_header(&mut body)?;
    }
    if !body.is_empty() {
        return Err("the record is shorter than its length says");
    }
    Ok(RecordView { timestamp_delta, offset_delta, key, value, header_count, headers })
}

fn read_header<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8], Option<&'a [u8]>), &'static str> {
    let name = read_nullable(rest)?.ok_or("a header without a name")?;
    Ok((name, read_nullable(rest)?))
}

fn read_nullable<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, &'static str> {
    let length = read_i32(rest).ok_or("the record ends inside a length")?;
    let Ok(length) = usize::try_from(length) else {
        return Ok(None);
    };
    if length > rest.len() {
        return Err("a field is longer than what is left of its record");
    }
    let (field, after) = rest.split_at(length);
    *rest = after;
    Ok(Some(field))
}

/// The batch's records as they are uncompressed: a slice of the batch, or freshly decompressed,
/// never more than `max_decompressed` bytes.
pub(super) fn uncompressed_payload(
    batch: &Batch,
    max_decompressed: usize,
) -> Result<Bytes, BatchError> {
    Ok(match batch.view().uncompressed(max_decompressed)? {
        Cow::Borrowed(_) => batch.bytes.slice(BATCH_HEADER_SIZE..),
        Cow::Owned(decompressed) => decompressed.into(),
    })
}

impl<'a> BatchView<'a> {
    /// The records as they are uncompressed, never more than `max_decompressed` bytes.
    pub fn uncompressed(&self, max_decompressed: usize) -> Result<Cow<'a, [u8]>, BatchError> {
        let codec = codec_of(self.header.attributes)?;
        if codec == Compression::None {
            return Ok(Cow::Borrowed(self.payload));
        }
        decompress(codec, self.payload, max_decompressed).map(Cow::Owned)
    }
}

/// The codec, or an error for a number that stands for none.
pub(super) fn codec_of(attributes: Attributes) -> Result<Compression, BatchError> {
    attributes.compression().ok_or(BatchError::Codec(attributes.0 as u8 & 0b111))
}

/// Takes a batch apart into its records, decompressing at most `max_decompressed` bytes.
/// The checksum is the caller's concern.
pub fn records(batch: &Batch, max_decompressed: usize) -> Result<Vec<Record>, BatchError> {
    let payload = uncompressed_payload(batch, max_decompressed)?;
    let header = &batch.header;
    let mut walk = RecordWalk::new(&payload, header.record_count);
    let mut out = Vec::new();
    while let Some(view) = walk.next_record()? {
        let timestamp = match header.attributes.timestamp_type() {
            TimestampType::LogAppendTime => header.max_timestamp,
            TimestampType::CreateTime => {
                TimestampMs(header.base_timestamp.0.wrapping_add(view.timestamp_delta))
            }
        };
        let headers = view
            .headers()
            .map(|(name, value)| (payload.slice_ref(name), value.map(|v| payload.slice_ref(v))));
        out.push(Record {
            offset: Offset(header.base_offset.0.saturating_add(i64::from(view.offset_delta))),
            timestamp,
            key: view.key.map(|key| payload.slice_ref(key)),
            value: view.value.map(|value| payload.slice_ref(value)),
            headers: headers.collect(),
        });
    }
    Ok(out)
}
