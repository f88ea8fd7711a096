//! Walks over the batches of a segment's file.
//!
//! Called by `segment` to find a batch (headers only, a few of them), to rebuild an index
//! (headers only, all of them), and by `recovery` and `compaction` (whole batches, checksums).

use crate::disk::{self, FileSlot};
use crate::error::StorageError;
use crate::trust::Trust;
use gofka_core::ids::Offset;
use gofka_core::record::{BATCH_HEADER_SIZE, BatchHeader, BatchView};
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

/// Bytes read at once when all of a segment is read: few enough to be in the core's own cache still
/// when they are looked at.
const CHUNK: usize = 256 << 10;
/// As much is asked for ahead of what is read.
const AHEAD: u64 = 1 << 20;

/// Walks over whole batches, checking each one's checksum.
pub(crate) struct Batches {
    file: Arc<File>,
    slot: Arc<FileSlot>,
    /// Used again for every chunk.
    buffer: Vec<u8>,
    /// Read, but not handed out; begins at `position`.
    unread: Range<usize>,
    position: u64,
    end: u64,
    /// Up to where the kernel was asked to read ahead.
    ahead: u64,
    range: Range<Offset>,
}

/// What stands at a position: a batch, or the reason why there is none.
pub(crate) enum Found<'a> {
    Batch(u64, BatchView<'a>),
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
        let (buffer, unread) = (Vec::new(), 0..0);
        Ok(Self { file, slot, buffer, unread, position, end, ahead: position, range })
    }

    /// Bytes that the next call will read; none where the next batch is in memory.
    pub(crate) fn about_to_read(&self) -> usize {
        let unread = &self.buffer[self.unread.clone()];
        let needed = BatchHeader::parse(unread).map_or(BATCH_HEADER_SIZE, |header| header.size());
        if needed <= unread.len() { 0 } else { self.len_to_read(needed) }
    }

    /// The next batch and its position.
    pub(crate) fn next_batch(&mut self) -> Result<Found<'_>, StorageError> {
        if self.position >= self.end {
            return Ok(Found::End);
        }
        if !self.fill(BATCH_HEADER_SIZE)? {
            return self.zeros_or("the file ends inside a header".into());
        }
        let header = match BatchHeader::parse(&self.buffer[self.unread.clone()]) {
            Ok(header) => header,
            Err(problem) => return self.zeros_or(problem.to_string()),
        };
        let size = header.size();
        if self.position + size as u64 > self.end || !self.fill(size)? {
            return Ok(Found::Bad("the file ends inside a batch".into()));
        }
        let start = self.unread.start;
        let payload = &self.buffer[start + BATCH_HEADER_SIZE..start + size];
        let batch = BatchView { header, payload };
        if let Err(problem) = batch.check_crc() {
            return Ok(Found::Bad(problem.to_string()));
        }
        let rises = header.base_offset >= self.range.start && header.last_offset_delta >= 0;
        if !rises || header.last_offset() >= self.range.end {
            return Ok(Found::Bad("its offsets are out of place".into()));
        }
        let position = self.position;
        self.position += size as u64;
        self.unread.start += size;
        self.range.start = header.next_offset();
        Ok(Found::Batch(position, batch))
    }

    /// Tells room that was made for batches from a batch that is not whole.
    fn zeros_or(&self, problem: String) -> Result<Found<'_>, StorageError> {
        let zeros = self.buffer[self.unread.clone()].iter().all(|byte| *byte == 0)
            && disk::is_zero(&self.file, self.position, self.end)
                .map_err(|e| StorageError::io(self.slot.path(), e))?;
        Ok(if zeros { Found::Zeros } else { Found::Bad(problem) })
    }

    /// What is to be read so that `len` bytes from the position on are in memory.
    fn len_to_read(&self, len: usize) -> usize {
        let have = self.unread.len();
        let rest = (self.end - self.position) as usize - have;
        CHUNK.max(len - have).min(rest)
    }

    /// Sees to it that `len` bytes are in memory; false where the file ends before.
    fn fill(&mut self, len: usize) -> Result<bool, StorageError> {
        let have = self.unread.len();
        if have >= len {
            return Ok(true);
        }
        let wanted = self.len_to_read(len);
        self.buffer.copy_within(self.unread.clone(), 0);
        if self.buffer.len() < have + wanted {
            self.buffer.reserve_exact(have + wanted - self.buffer.len());
            self.buffer.resize(have + wanted, 0);
        }
        let next = self.position + have as u64;
        self.read_ahead(next + wanted as u64);
        let filled = disk::fill_at(&self.file, next, &mut self.buffer[have..have + wanted])
            .map_err(|e| StorageError::io(self.slot.path(), e))?;
        self.unread = 0..have + filled;
        Ok(self.unread.len() >= len)
    }

    /// Has the kernel read on behind `position`, in large steps.
    fn read_ahead(&mut self, position: u64) {
        let from = self.ahead.max(position);
        if from < position + AHEAD / 2 {
            self.ahead = (position + AHEAD).min(self.end).max(from);
            disk::read_ahead(&self.file, from..self.ahead);
        }
    }
}
