//! A range of a segment's file: what a large read finds, to be sent from the page cache or loaded.
//!
//! Found by `read`, used by the server's fetch.
//!
//! Bytes that this process wrote and that are still in memory are sent as they are. What comes
//! from the disk may have changed there: it is loaded, and its checksums are compared, before
//! anybody sees it. What was compared once is trusted for as long as it stays in memory.

use crate::disk;
use crate::error::StorageError;
use crate::segment::Segment;
use bytes::Bytes;
use gofka_core::ids::Offset;
use gofka_core::record::Batch;
use gofka_core::record::BatchHeader;
use parking_lot::Mutex;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What was just written is in memory: no need to ask the kernel.
const TAIL_BYTES: u64 = 1 << 20;

/// Whole batches in a file that stays readable for as long as this lives.
#[derive(Clone, Debug)]
pub struct LogRange {
    segment: Arc<Segment>,
    file: Arc<File>,
    position: u64,
    len: usize,
    offsets: Range<Offset>,
}

impl LogRange {
    /// The batches at `bytes`, whose offsets are `offsets`.
    pub(crate) fn new(
        segment: &Arc<Segment>,
        bytes: Range<u64>,
        offsets: Range<Offset>,
    ) -> Result<Self, StorageError> {
        let (position, len) = (bytes.start, (bytes.end - bytes.start) as usize);
        Ok(Self { file: segment.log.file()?, segment: segment.clone(), position, len, offsets })
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
        // The kernel drops the oldest pages first: where three are there, the others are. Asked
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
        let good = self.segment.check(self.position, &bytes, self.offsets.clone())?;
        bytes.truncate(good);
        Ok(bytes)
    }
}

impl Segment {
    /// Whether looking for `offset` touches nothing that is not in memory, as far as one can tell.
    pub(crate) fn is_hot(&self, offset: Offset) -> bool {
        if !self.offsets.is_growing() {
            return false;
        }
        let relative = (offset.0 - self.base.0).clamp(0, i64::from(u32::MAX)) as u32;
        let Ok(entry) = self.offsets.floor(relative) else { return false };
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
}

/// Which bytes of a segment are known to be good, as long as they are in memory.
///
/// **Invariant:** where a read had to wait for the disk, nothing is trusted from there on but what
/// was compared or written since: the kernel reads ahead, so that what comes after may be in
/// memory again without anybody having looked at it.
#[derive(Debug)]
pub(crate) struct Trust {
    /// From here on this process wrote them.
    written_from: AtomicU64,
    /// Where the next bytes are written.
    end: AtomicU64,
    /// These it has read and compared, or wrote before those.
    checked: Mutex<Range<u64>>,
}

/// No page is larger, nor begins elsewhere.
const PAGE_MAX: u64 = 64 << 10;

impl Trust {
    /// Of a file that was found with `size` bytes.
    pub(crate) fn new(size: u64) -> Self {
        let (written_from, end) = (AtomicU64::new(size), AtomicU64::new(size));
        Self { written_from, end, checked: Mutex::new(0..0) }
    }

    /// The segment ends at `size` now.
    pub(crate) fn ends_at(&self, size: u64) {
        self.end.store(size, Ordering::Release);
        self.written_from.fetch_min(size, Ordering::AcqRel);
    }

    /// Whether all of `bytes` are good.
    pub(crate) fn covers(&self, bytes: &Range<u64>) -> bool {
        let written_from = self.written_from.load(Ordering::Acquire);
        if bytes.start >= written_from {
            return true;
        }
        let checked = self.checked.lock();
        checked.start <= bytes.start && checked.end >= bytes.end.min(written_from)
    }

    /// Notes that `bytes` are good. One range is kept: the one that grows, or the longest.
    pub(crate) fn note_checked(&self, bytes: Range<u64>) {
        keep(&mut self.checked.lock(), bytes);
    }

    /// Notes that what is at `position` had to be read from the disk, or is about to be.
    pub(crate) fn forget(&self, position: u64) {
        let position = position - position % PAGE_MAX;
        let mut checked = self.checked.lock();
        checked.end = checked.end.min(position);
        checked.start = checked.start.min(checked.end);
        let end = self.end.load(Ordering::Acquire);
        let written_from = self.written_from.fetch_max(end, Ordering::AcqRel);
        if written_from < position {
            keep(&mut checked, written_from..position);
        }
    }

    /// Whether the page at `position` can be read without waiting for the disk.
    fn is_in_memory(&self, file: &File, position: u64) -> bool {
        let is = disk::is_in_memory(file, position);
        if !is {
            self.forget(position);
        }
        is
    }

    /// As [`disk::fill_at`], noting what comes from the disk.
    pub(crate) fn fill_at(
        &self,
        file: &File,
        position: u64,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        let filled = disk::fill_from_memory(file, position, buffer)?;
        if filled == buffer.len() {
            return Ok(filled);
        }
        let rest = position + filled as u64;
        self.forget(rest);
        Ok(filled + disk::fill_at(file, rest, &mut buffer[filled..])?)
    }

    /// As [`disk::read_at`], noting what comes from the disk.
    pub(crate) fn read_at(&self, file: &File, position: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let filled = self.fill_at(file, position, &mut bytes)?;
        bytes.truncate(filled);
        Ok(bytes)
    }
}

fn keep(checked: &mut Range<u64>, bytes: Range<u64>) {
    if bytes.start <= checked.end && bytes.end >= checked.start {
        *checked = bytes.start.min(checked.start)..bytes.end.max(checked.end);
    } else if bytes.end - bytes.start > checked.end - checked.start {
        *checked = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_the_disk_is_not_trusted_nor_what_follows() {
        const PAGE: u64 = PAGE_MAX;
        let trust = Trust::new(0);
        trust.ends_at(10 * PAGE);
        trust.forget(4 * PAGE + 5);
        assert!(trust.covers(&(0..4 * PAGE)), "it wrote that, and it is before");
        assert!(!trust.covers(&(4 * PAGE..5 * PAGE)) && !trust.covers(&(9 * PAGE..10 * PAGE)));
        trust.ends_at(11 * PAGE);
        assert!(trust.covers(&(10 * PAGE..11 * PAGE)), "written since");
        trust.note_checked(4 * PAGE..10 * PAGE);
        assert!(trust.covers(&(0..11 * PAGE)));
        trust.forget(PAGE);
        assert!(trust.covers(&(0..PAGE)) && !trust.covers(&(0..PAGE + 1)));
        assert!(!trust.covers(&(10 * PAGE..11 * PAGE)));
    }

    #[test]
    fn what_was_written_or_checked_is_trusted() {
        let trust = Trust::new(1000);
        assert!(!trust.covers(&(0..1)) && trust.covers(&(1000..5000)));
        trust.note_checked(0..300);
        trust.note_checked(300..600);
        assert!(trust.covers(&(0..600)) && trust.covers(&(100..200)));
        assert!(!trust.covers(&(500..601)) && !trust.covers(&(500..1200)));
        trust.note_checked(800..900);
        assert!(!trust.covers(&(800..900)), "the shorter one is not kept");
        trust.note_checked(600..1000);
        assert!(trust.covers(&(0..5000)), "what was checked and what was written meet");
        trust.ends_at(700);
        assert!(trust.covers(&(700..701)));
    }
}
