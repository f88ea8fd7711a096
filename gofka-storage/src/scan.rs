//! Walks over the batches of a segment's file.
//!
//! Called by `segment` to find a batch (headers only, a few of them), to rebuild an index
//! (headers only, all of them), and by `recovery` and `compaction` (whole batches, checksums).

use crate::disk::{self, FileSlot};
use crate::error::StorageError;
use crate::trust::Trust;
use bytes::Bytes;
use gofka_core::ids::Offset;
use gofka_core::record::{BATCH_HEADER_SIZE, Batch, BatchHeader};
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

/// A batch's header and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    pub(crate) position: u64,
    pub(crate) header: BatchHeader,
}

impl Placed {
    /// The byte after the batch.
    pub(crate) fn end(&self) -> u64 {
        self.position + self.header.size() as u64
    }
}

/// Bytes read at once when looking for headers: an index entry's reach.
const PROBE: usize = 4096;
/// As much where batch follows upon small batch, so that a walk costs few reads.
const PROBE_MAX: usize = 64 << 10;

/// Walks over headers from a position on, reading little of what is between them.
pub(crate) struct Headers {
    file: Arc<File>,
    slot: Arc<FileSlot>,
    position: u64,
    end: u64,
    /// No batch may begin below.
    floor: Offset,
    /// Told of what comes from the disk.
    trust: Option<Arc<Trust>>,
    window: Vec<u8>,
    window_at: u64,
    /// Headers found in the window.
    found: usize,
}

impl Headers {
    /// The batches in `position..end`, of which `position` must be the start of one.
    pub(crate) fn new(
        slot: &Arc<FileSlot>,
        position: u64,
        end: u64,
        floor: Offset,
    ) -> Result<Self, StorageError> {
        Ok(Self {
            file: slot.file()?,
            slot: Arc::clone(slot),
            position,
            end,
            floor,
            trust: None,
            window: Vec::new(),
            window_at: 0,
            found: 0,
        })
    }

    /// The same, telling `trust` of what comes from the disk.
    pub(crate) fn noting(self, trust: &Arc<Trust>) -> Self {
        Self { trust: Some(Arc::clone(trust)), ..self }
    }

    /// Where the next batch begins.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// The next batch's header; `None` at the end, an error where there is no batch.
    pub(crate) fn next_header(&mut self) -> Result<Option<Placed>, StorageError> {
        if self.position >= self.end {
            return Ok(None);
        }
        let header = {
            let bytes = self.bytes()?;
            BatchHeader::parse(bytes)
        };
        let placed = match header {
            Ok(header) => Placed { position: self.position, header },
            Err(problem) => return Err(self.corrupt(&problem.to_string())),
        };
        if placed.end() > self.end {
            return Err(self.corrupt("the batch reaches past the end of the segment"));
        }
        if placed.header.base_offset < self.floor || placed.header.last_offset_delta < 0 {
            return Err(self.corrupt("its offsets step back"));
        }
        self.position = placed.end();
        self.floor = placed.header.next_offset();
        Ok(Some(placed))
    }

    /// The bytes at the position, of which a header's worth is there unless the file ends.
    fn bytes(&mut self) -> Result<&[u8], StorageError> {
        let window_end = self.window_at + self.window.len() as u64;
        let inside = self.position >= self.window_at
            && self.position + BATCH_HEADER_SIZE as u64 <= window_end;
        if !inside {
            // A window that held several headers is worth being larger the next time.
            let len = if self.found > 2 { 2 * self.window.len() } else { PROBE };
            let len = (len.clamp(PROBE, PROBE_MAX) as u64).min(self.end - self.position);
            self.window.resize(len as usize, 0);
            self.window_at = self.position;
            self.found = 0;
            let filled = match &self.trust {
                Some(trust) => trust.fill_at(&self.file, self.position, &mut self.window),
                None => disk::fill_at(&self.file, self.position, &mut self.window),
            };
            let filled = filled.map_err(|e| StorageError::io(self.slot.path(), e))?;
            self.window.truncate(filled);
        }
        self.found += 1;
        let at = (self.position - self.window_at) as usize;
        Ok(&self.window[at..])
    }

    fn corrupt(&self, problem: &str) -> StorageError {
        let what = format!("no batch at position {}: {problem}", self.position);
        StorageError::corrupt(self.slot.path(), what)
    }
}

/// Bytes read at once when all of a segment is read.
const CHUNK: usize = 1 << 20;

/// Walks over whole batches, checking each one's checksum.
pub(crate) struct Batches {
    file: Arc<File>,
    slot: Arc<FileSlot>,
    /// Read, but not handed out; begins at `position`.
    buffer: Bytes,
    position: u64,
    end: u64,
    range: Range<Offset>,
}

/// What stands at a position: a batch, or the reason why there is none.
pub(crate) enum Found {
    Batch(u64, Batch),
    Bad(String),
    /// Nothing but zeros up to the end: room that was made for batches.
    Zeros,
    End,
}

impl Batches {
    /// The batches in `position..end`, whose offsets are within `range`, and rise.
    pub(crate) fn new(
        slot: &Arc<FileSlot>,
        position: u64,
        end: u64,
        range: Range<Offset>,
    ) -> Result<Self, StorageError> {
        let (file, slot) = (slot.file()?, Arc::clone(slot));
        Ok(Self { file, slot, buffer: Bytes::new(), position, end, range })
    }

    /// The next batch and its position.
    pub(crate) fn next_batch(&mut self) -> Result<Found, StorageError> {
        if self.position >= self.end {
            return Ok(Found::End);
        }
        if !self.fill(BATCH_HEADER_SIZE)? {
            return self.zeros_or("the file ends inside a header".into());
        }
        let header = match BatchHeader::parse(&self.buffer) {
            Ok(header) => header,
            Err(problem) => return self.zeros_or(problem.to_string()),
        };
        if self.position + header.size() as u64 > self.end || !self.fill(header.size())? {
            return Ok(Found::Bad("the file ends inside a batch".into()));
        }
        let batch = Batch { header, bytes: self.buffer.split_to(header.size()) };
        if let Err(problem) = batch.check_crc() {
            return Ok(Found::Bad(problem.to_string()));
        }
        let rises = header.base_offset >= self.range.start && header.last_offset_delta >= 0;
        if !rises || header.last_offset() >= self.range.end {
            return Ok(Found::Bad("its offsets are out of place".into()));
        }
        let position = self.position;
        self.position += header.size() as u64;
        self.range.start = header.next_offset();
        Ok(Found::Batch(position, batch))
    }

    /// Tells room that was made for batches from a batch that is not whole.
    fn zeros_or(&self, problem: String) -> Result<Found, StorageError> {
        let zeros = self.buffer.iter().all(|byte| *byte == 0)
            && disk::is_zero(&self.file, self.position, self.end)
                .map_err(|e| StorageError::io(self.slot.path(), e))?;
        Ok(if zeros { Found::Zeros } else { Found::Bad(problem) })
    }

    /// Sees to it that `len` bytes are in the buffer; false where the file ends before.
    fn fill(&mut self, len: usize) -> Result<bool, StorageError> {
        if self.buffer.len() >= len {
            return Ok(true);
        }
        let rest = (self.end - self.position) as usize;
        let bytes = disk::read_at(&self.file, self.position, len.max(CHUNK).min(rest))
            .map_err(|e| StorageError::io(self.slot.path(), e))?;
        self.buffer = Bytes::from(bytes);
        let next = self.position + self.buffer.len() as u64;
        disk::read_ahead(&self.file, next..self.end.min(next + CHUNK as u64).max(next));
        Ok(self.buffer.len() >= len)
    }
}
