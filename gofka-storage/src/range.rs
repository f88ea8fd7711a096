//! A range of a segment's file: what a large read finds, to be sent from the page cache or loaded.
//!
//! Found by `read`, used by the server's fetch.
//!
//! Bytes that this process wrote and that are still in memory are sent as they are. What comes
//! from the disk may have changed there: it is loaded, and its checksums are compared, before
//! anybody sees it. What was compared once is trusted for as long as it stays in memory.

use crate::error::StorageError;
use crate::segment::Segment;
use crate::trust::TAIL_BYTES;
use bytes::Bytes;
use gofka_core::ids::Offset;
use gofka_core::record::{BATCH_HEADER_SIZE, Batch, BatchHeader};
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

/// Whole batches in a file that stays readable for as long as this lives.
#[derive(Clone, Debug)]
pub struct LogRange {
    segment: Arc<Segment>,
    file: Arc<File>,
    position: u64,
    len: usize,
    offsets: Range<Offset>,
    wanted: Range<Offset>,
}

impl LogRange {
    /// The batches at `bytes`, whose offsets are `offsets`, for who asked for `wanted`.
    pub(crate) fn new(
        segment: &Arc<Segment>,
        bytes: Range<u64>,
        offsets: Range<Offset>,
        wanted: Range<Offset>,
    ) -> Result<Self, StorageError> {
        let (position, len) = (bytes.start, (bytes.end - bytes.start) as usize);
        let (file, segment) = (segment.log.file()?, segment.clone());
        Ok(Self { segment, file, position, len, offsets, wanted })
    }

    /// The file.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Its first byte in the file.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Number of bytes.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Never: there is a batch in it.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn bytes(&self) -> Range<u64> {
        self.position..self.position + self.len as u64
    }

    /// Whether it may be sent as it is, without waiting for the disk.
    pub fn is_warm(&self) -> bool {
        let Range { start, end } = self.bytes();
        let trust = &self.segment.trust;
        // The kernel drops pages in stretches: where three are there, most of the others are. Asked
        // again afterwards, for what has been read from the disk meanwhile is in memory as well.
        trust.covers(&self.bytes())
            && [start, start + self.len as u64 / 2, end - 1]
                .into_iter()
                .all(|position| trust.is_in_memory(&self.file, position))
            && trust.covers(&self.bytes())
    }

    /// Reads it, and compares the checksums. What comes before a batch that has changed is given;
    /// an error where that is the first one. Blocks.
    pub fn load(&self) -> Result<Bytes, StorageError> {
        let path = self.segment.log.path();
        let bytes = self.segment.trust.read_at(&self.file, self.position, self.len);
        let mut bytes = Bytes::from(bytes.map_err(|error| StorageError::io(path, error))?);
        self.segment.trust.read_ahead(&self.file, &self.bytes());
        match self.segment.check(self.position, &bytes, self.offsets.clone()) {
            Ok(good) => bytes.truncate(good),
            Err(problem) => return self.load_another(problem),
        }
        Ok(bytes)
    }

    /// The batch that was asked for, where the first one only seemed to be it.
    fn load_another(&self, problem: StorageError) -> Result<Bytes, StorageError> {
        let place = self.segment.next_best(self.position, self.wanted.start, problem)?;
        if place.header.last_offset() >= self.wanted.end {
            return Ok(Bytes::new());
        }
        Ok(self.segment.load(&place)?.bytes)
    }
}

impl Segment {
    /// Whether looking for `offset` touches nothing that is not in memory, as far as one can tell.
    pub(crate) fn is_hot(&self, offset: Offset) -> bool {
        if !self.offsets.is_growing() {
            return false;
        }
        let Ok(entry) = self.offsets.floor(self.relative(offset)) else { return false };
        let position = entry.map_or(0, |entry| u64::from(entry.position));
        let size = self.size();
        if size - position.min(size) <= TAIL_BYTES && self.trust.covers(&(position..size)) {
            return true;
        }
        self.log.file().is_ok_and(|file| self.trust.is_in_memory(&file, position))
    }

    /// How many of `bytes`, which stand at `position`, are batches whose checksums fit, and whose
    /// offsets, which no checksum covers, rise within `offsets`.
    pub(crate) fn check(
        &self,
        position: u64,
        bytes: &Bytes,
        mut offsets: Range<Offset>,
    ) -> Result<usize, StorageError> {
        let mut good = 0;
        let problem = loop {
            let rest = bytes.slice(good..);
            if rest.is_empty() {
                break None;
            }
            let header = match BatchHeader::parse(&rest) {
                Ok(header) if header.size() <= rest.len() => header,
                Ok(_) => break Some("the batch is longer than it was".to_owned()),
                Err(problem) => break Some(problem.to_string()),
            };
            if header.base_offset < offsets.start || header.last_offset() >= offsets.end {
                break Some("its offsets are out of place".to_owned());
            }
            let end = position + (good + header.size()) as u64;
            let leaves_gap = good > 0 && header.base_offset != offsets.start;
            if leaves_gap && self.overlaps(&header, &rest[header.size()..], end)? {
                break Some("its offsets are not between its neighbours'".to_owned());
            }
            let batch = Batch { header, bytes: rest.slice(..header.size()) };
            if let Err(problem) = batch.check_crc() {
                break Some(problem.to_string());
            }
            good += header.size();
            offsets.start = header.next_offset();
        };
        self.trust.note_checked(position..position + good as u64);
        match problem {
            Some(problem) if good == 0 => {
                let what = format!("the batch at position {position} has changed: {problem}");
                Err(StorageError::corrupt(self.log.path(), what))
            }
            _ => Ok(good),
        }
    }

    /// Whether a batch that ends at `end`, where `rest` follows, has offsets of the next one.
    fn overlaps(&self, header: &BatchHeader, rest: &[u8], end: u64) -> Result<bool, StorageError> {
        let ceiling = if rest.len() >= BATCH_HEADER_SIZE {
            BatchHeader::parse(rest).map(|next| next.base_offset)
        } else if end < self.size() {
            let head = self.read_bytes(end, BATCH_HEADER_SIZE)?;
            BatchHeader::parse(&head).map(|next| next.base_offset)
        } else {
            Ok(self.end_offset())
        };
        Ok(ceiling.is_ok_and(|ceiling| header.next_offset() > ceiling))
    }
}
