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
        self.segment.trust.read_ahead(&self.file, &self.bytes());
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
/// **Invariant:** what comes from the disk is unknown before it comes. The files are opened so that
/// the kernel brings in what is asked for and nothing beside it (`Disk::open`), so that nothing can
/// come unnoticed.
#[derive(Debug)]
pub(crate) struct Trust {
    /// Where the next bytes are written.
    end: AtomicU64,
    /// What nobody has compared since it came from the disk: in order, and apart.
    unknown: Mutex<Vec<Range<u64>>>,
}

/// No page is larger, nor begins elsewhere.
const PAGE_MAX: u64 = 64 << 10;
/// With more gaps than this, the two that are closest become one.
const UNKNOWN_MAX: usize = 64;
/// As much is asked for ahead of a reader, at most.
const READ_AHEAD_MAX: u64 = 4 << 20;

impl Trust {
    /// Of a file that was found with `size` bytes.
    pub(crate) fn new(size: u64) -> Self {
        let unknown = Vec::from_iter((size > 0).then_some(0..size));
        Self { end: AtomicU64::new(size), unknown: Mutex::new(unknown) }
    }

    /// The segment ends at `size` now.
    pub(crate) fn ends_at(&self, size: u64) {
        if self.end.swap(size, Ordering::AcqRel) > size {
            self.note_checked(size..u64::MAX);
        }
    }

    /// Whether all of `bytes` are good.
    pub(crate) fn covers(&self, bytes: &Range<u64>) -> bool {
        let unknown = self.unknown.lock();
        !unknown.iter().any(|gap| gap.start < bytes.end && bytes.start < gap.end)
    }

    /// Notes that `bytes` are good.
    pub(crate) fn note_checked(&self, bytes: Range<u64>) {
        let mut unknown = self.unknown.lock();
        let known = |gap: &Range<u64>| {
            [gap.start..gap.end.min(bytes.start), gap.start.max(bytes.end)..gap.end]
        };
        *unknown = unknown.iter().flat_map(known).filter(|gap| gap.start < gap.end).collect();
    }

    /// Notes that the pages of `bytes` had to be read from the disk, or are about to be.
    pub(crate) fn forget(&self, bytes: Range<u64>) {
        let mut gap = bytes.start - bytes.start % PAGE_MAX
            ..bytes
                .end
                .checked_next_multiple_of(PAGE_MAX)
                .unwrap_or(u64::MAX)
                .min(self.end.load(Ordering::Acquire));
        if gap.start >= gap.end {
            return;
        }
        let mut unknown = self.unknown.lock();
        unknown.retain(|other| {
            let apart = other.end < gap.start || gap.end < other.start;
            if !apart {
                gap = gap.start.min(other.start)..gap.end.max(other.end);
            }
            apart
        });
        let at = unknown.partition_point(|other| other.start < gap.start);
        unknown.insert(at, gap);
        if unknown.len() > UNKNOWN_MAX {
            join_closest(&mut unknown);
        }
    }

    /// Whether the page at `position` can be read without waiting for the disk.
    fn is_in_memory(&self, file: &File, position: u64) -> bool {
        let is = disk::is_in_memory(file, position);
        if !is {
            self.forget(position..position + 1);
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
        self.forget(rest..position + buffer.len() as u64);
        Ok(filled + disk::fill_at(file, rest, &mut buffer[filled..])?)
    }

    /// As [`disk::read_at`], noting what comes from the disk.
    pub(crate) fn read_at(&self, file: &File, position: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let filled = self.fill_at(file, position, &mut bytes)?;
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Has the kernel bring in what a reader of `bytes` wants next, if that is not known.
    fn read_ahead(&self, file: &File, bytes: &Range<u64>) {
        let len = (bytes.end - bytes.start).min(READ_AHEAD_MAX);
        let next = bytes.end..(bytes.end + len).min(self.end.load(Ordering::Acquire));
        if next.start < next.end && !self.covers(&next) {
            self.forget(next.clone());
            disk::read_ahead(file, next);
        }
    }
}

fn join_closest(gaps: &mut Vec<Range<u64>>) {
    let closest = (1..gaps.len()).min_by_key(|at| gaps[*at].start - gaps[*at - 1].end);
    if let Some(at) = closest {
        gaps[at - 1].end = gaps[at].end;
        gaps.remove(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = PAGE_MAX;

    #[test]
    fn pages_that_come_from_the_disk_are_not_trusted() {
        let trust = Trust::new(0);
        trust.ends_at(10 * PAGE + 7);
        assert!(trust.covers(&(0..10 * PAGE + 7)), "it wrote that");
        trust.forget(4 * PAGE + 5..5 * PAGE + 1);
        assert!(trust.covers(&(0..4 * PAGE)) && trust.covers(&(6 * PAGE..10 * PAGE + 7)));
        assert!(!trust.covers(&(4 * PAGE..4 * PAGE + 1)) && !trust.covers(&(0..10 * PAGE)));
        assert!(!trust.covers(&(6 * PAGE - 1..6 * PAGE)), "the whole page");
        trust.forget(10 * PAGE..10 * PAGE + 1);
        trust.ends_at(11 * PAGE);
        assert!(!trust.covers(&(10 * PAGE..10 * PAGE + 7)));
        assert!(trust.covers(&(10 * PAGE + 7..11 * PAGE)), "written since");
        trust.note_checked(4 * PAGE..5 * PAGE);
        assert!(trust.covers(&(0..5 * PAGE)) && !trust.covers(&(0..5 * PAGE + 1)));
        trust.note_checked(0..11 * PAGE);
        assert!(trust.covers(&(0..11 * PAGE)));
    }

    #[test]
    fn what_was_found_is_trusted_once_it_is_checked() {
        let trust = Trust::new(1000);
        assert!(!trust.covers(&(0..1)) && trust.covers(&(1000..5000)));
        trust.note_checked(0..300);
        trust.note_checked(700..800);
        assert!(trust.covers(&(0..300)) && trust.covers(&(750..790)));
        assert!(!trust.covers(&(299..301)) && !trust.covers(&(799..801)));
        trust.note_checked(200..900);
        assert!(trust.covers(&(0..900)));
        trust.ends_at(900);
        trust.ends_at(1500);
        assert!(trust.covers(&(0..1500)), "cut off, and written anew");
    }

    #[test]
    fn gaps_are_many_but_bounded() {
        let trust = Trust::new(0);
        trust.ends_at(1000 * PAGE);
        for at in (0..900).step_by(3) {
            trust.forget(at * PAGE..at * PAGE + 1);
            assert!(!trust.covers(&(at * PAGE..at * PAGE + 1)));
        }
        assert!(trust.unknown.lock().len() <= UNKNOWN_MAX);
        assert!(trust.unknown.lock().is_sorted_by(|a, b| a.end < b.start));
        assert!((0..900).step_by(3).all(|at| !trust.covers(&(at * PAGE..(at + 1) * PAGE))));
        assert!(trust.covers(&(900 * PAGE..1000 * PAGE)));
    }
}
