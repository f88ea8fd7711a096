//! Kafka's primitive types for the records of groups, checked against the bytes that remain.
//!
//! Called by the record layouts beside it.

use bytes::{BufMut, Bytes, BytesMut};

use super::RecordError;
use crate::ids::Uuid;

/// Writes both encodings; a layout picks the fitting text form.
#[derive(Default)]
pub(super) struct Writer(BytesMut);

impl Writer {
    pub(super) fn i16(&mut self, value: i16) {
        self.0.put_i16(value);
    }

    pub(super) fn i32(&mut self, value: i32) {
        self.0.put_i32(value);
    }

    pub(super) fn i64(&mut self, value: i64) {
        self.0.put_i64(value);
    }

    /// A text with its length; request parsing holds texts below the limit of the length field.
    pub(super) fn string(&mut self, value: &str) {
        let length = i16::try_from(value.len()).expect("a text within a request is below 32 KiB");
        self.0.put_i16(length);
        self.0.put_slice(value.as_bytes());
    }

    pub(super) fn unsigned_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.0.put_u8((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.put_u8(value as u8);
    }

    pub(super) fn compact_string(&mut self, value: &str) {
        let length = u32::try_from(value.len()).expect("a text within a request is short");
        self.unsigned_varint(length + 1);
        self.0.put_slice(value.as_bytes());
    }

    /// A UUID as a tagged field: its size, then itself.
    pub(super) fn uuid(&mut self, value: Uuid) {
        self.unsigned_varint(16);
        self.0.put_slice(value.as_bytes());
    }

    pub(super) fn nullable_string(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.string(value),
            None => self.0.put_i16(-1),
        }
    }

    pub(super) fn bytes(&mut self, value: &[u8]) {
        let length = i32::try_from(value.len()).expect("bytes within a request are below 2 GiB");
        self.0.put_i32(length);
        self.0.put_slice(value);
    }

    pub(super) fn finish(self) -> Bytes {
        self.0.freeze()
    }
}

/// Reads both encodings; `flexible` selects compact lengths and tagged fields.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    flexible: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, flexible: false }
    }

    pub(super) fn set_flexible(&mut self, flexible: bool) {
        self.flexible = flexible;
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], RecordError> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or(RecordError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(RecordError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn i16(&mut self) -> Result<i16, RecordError> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, RecordError> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, RecordError> {
        self.array().map(i64::from_be_bytes)
    }

    fn unsigned_varint(&mut self) -> Result<u32, RecordError> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f).wrapping_shl(shift);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(RecordError::Truncated)
    }

    /// A compact length is one more than the length; zero stands for null.
    fn compact_length(&mut self) -> Result<Option<usize>, RecordError> {
        Ok(self.unsigned_varint()?.checked_sub(1).map(|length| length as usize))
    }

    pub(super) fn nullable_string(&mut self) -> Result<Option<&'a str>, RecordError> {
        let length =
            if self.flexible { self.compact_length()? } else { usize::try_from(self.i16()?).ok() };
        let Some(length) = length else { return Ok(None) };
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| RecordError::NotUtf8)?;
        Ok(Some(text))
    }

    pub(super) fn string(&mut self) -> Result<&'a str, RecordError> {
        self.nullable_string()?.ok_or(RecordError::Truncated)
    }

    /// Bytes in memory of their own, so that a small field does not pin what it was read from.
    pub(super) fn bytes(&mut self) -> Result<Bytes, RecordError> {
        let length = self.length()?;
        Ok(Bytes::copy_from_slice(self.take(length)?))
    }

    /// The length of an array or of bytes.
    pub(super) fn length(&mut self) -> Result<usize, RecordError> {
        let length =
            if self.flexible { self.compact_length()? } else { usize::try_from(self.i32()?).ok() };
        length.ok_or(RecordError::Truncated)
    }

    /// Walks the tagged fields that end a flexible structure, giving each to `field`.
    pub(super) fn tagged_fields(
        &mut self,
        mut field: impl FnMut(u32, &[u8]) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        if !self.flexible {
            return Ok(());
        }
        for _ in 0..self.unsigned_varint()? {
            let tag = self.unsigned_varint()?;
            let size = self.unsigned_varint()? as usize;
            field(tag, self.take(size)?)?;
        }
        Ok(())
    }
}

/// Reads a UUID out of a tagged field.
pub(super) fn uuid(bytes: &[u8]) -> Result<Uuid, RecordError> {
    Uuid::from_slice(bytes).map_err(|_| RecordError::Truncated)
}
