//! Which bytes of a segment may be given to anybody without looking at them again.
//!
//! Kept by each segment; asked by `range` and `lookup`, told by whatever writes, reads or compares.

use crate::disk;
use parking_lot::Mutex;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// What was just written is in memory: no need to ask the kernel.
pub(crate) const TAIL_BYTES: u64 = 1 << 20;

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
    pub(crate) fn is_in_memory(&self, file: &File, position: u64) -> bool {
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

    /// Has the kernel bring in what is unknown of that which a reader of `bytes` wants next. What
    /// is known is in memory, as far as one can tell.
    pub(crate) fn read_ahead(&self, file: &File, bytes: &Range<u64>) {
        let len = (bytes.end - bytes.start).min(READ_AHEAD_MAX);
        for part in self.unknown_in(bytes.end..bytes.end + len) {
            self.forget(part.clone());
            disk::read_ahead(file, part);
        }
    }

    fn unknown_in(&self, bytes: Range<u64>) -> Vec<Range<u64>> {
        let unknown = self.unknown.lock();
        let parts = unknown.iter().map(|gap| gap.start.max(bytes.start)..gap.end.min(bytes.end));
        parts.filter(|part| part.start < part.end).collect()
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

    /// One page that the kernel has dropped of a log that is in memory.
    #[test]
    fn a_reader_soon_finds_again_what_is_known() {
        let file = tempfile::tempfile().unwrap();
        let trust = Trust::new(0);
        trust.ends_at(1000 * PAGE);
        for missing in [40 * PAGE, 41 * PAGE - 1] {
            trust.forget(missing..missing + 1);
            let (len, mut loaded) = (7 * PAGE + 1234, 0);
            for at in 0..100 {
                let bytes = at * len..(at + 1) * len;
                if !trust.covers(&bytes) {
                    loaded += 1;
                    trust.read_ahead(&file, &bytes);
                    trust.note_checked(bytes);
                }
            }
            assert!((1..=2).contains(&loaded), "{loaded} reads of 100 were compared");
        }
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
