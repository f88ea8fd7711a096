//! The metadata log on disk: segments of batches, each batch one entry.
//!
//! Not a partition's log: entries may be cut off its end, and damage is never skipped over, since
//! what it held was acknowledged. Owned by the log store behind its lock; blocking.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use gofka_core::ids::Offset;
use gofka_core::record::Batch;
use gofka_core::time::TimestampMs;

use super::durable::{Committed, sync_dir, write_purged};
use super::{Entry, LogId, entry, log_id, reserve};

/// A segment this large is closed when the next entry comes.
const SEGMENT_BYTES: u64 = 8 << 20;

/// Where an entry lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub(super) term: u64,
    pub(super) offset: Offset,
    pub(super) next: Offset,
    /// Base offset of the segment.
    pub(super) segment: Offset,
    pub(super) at: u64,
    pub(super) size: u32,
}

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) base: Offset,
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
    pub(super) size: u64,
}

/// The log.
#[derive(Debug)]
pub(super) struct LogFile {
    pub(super) dir: PathBuf,
    pub(super) segments: Vec<Segment>,
    /// The last entry that is gone for good, if any is.
    pub(super) purged: Option<Committed>,
    /// Entries after it, in order.
    pub(super) entries: VecDeque<Position>,
    /// Bytes ever written by this process, and those found at start.
    pub(super) written: u64,
}

/// The path of the segment that starts at `base`.
pub(super) fn segment_path(dir: &Path, base: Offset) -> PathBuf {
    dir.join(format!("{:020}.log", base.0))
}

impl LogFile {
    /// Index of the first entry there is, or will be.
    pub(super) fn first_index(&self) -> u64 {
        self.purged.map_or(0, |purged| purged.id.index + 1)
    }

    /// Index of the next entry.
    pub(super) fn next_index(&self) -> u64 {
        self.first_index() + self.entries.len() as u64
    }

    /// Offset of the next entry.
    pub(super) fn next_offset(&self) -> Offset {
        let purged = self.purged.map_or(Offset::ZERO, |purged| purged.end);
        self.entries.back().map_or(purged, |last| last.next)
    }

    /// The last entry, present or purged.
    pub(super) fn last_id(&self) -> Option<LogId> {
        match self.entries.back() {
            Some(last) => Some(log_id(last.term, self.next_index() - 1)),
            None => self.purged.map(|purged| purged.id),
        }
    }

    /// Where the entry `index` lies, if it is there.
    pub(super) fn position(&self, index: u64) -> Option<&Position> {
        self.entries.get(usize::try_from(index.checked_sub(self.first_index())?).ok()?)
    }

    /// Writes `entries` at the end; durable once the files of [`LogFile::unsynced`] are synced.
    pub(super) fn append(
        &mut self,
        entries: impl IntoIterator<Item = Entry>,
        leader: i32,
        now: TimestampMs,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut positions = Vec::new();
        self.roll_if_full()?;
        let segment = self.segments.last().expect("a log has a segment");
        let (base, start) = (segment.base, segment.size);
        let mut offset = self.next_offset();
        for (index, entry) in (self.next_index()..).zip(entries) {
            assert_eq!(entry.log_id.index, index, "entries of the metadata log have no gap");
            let batch = entry::encode(&entry, offset, leader, now);
            let next = batch.header.next_offset();
            assert_eq!(next, offset.plus(entry::offsets_of(&entry)));
            positions.push(Position {
                term: entry.log_id.leader_id.term,
                offset,
                next,
                segment: base,
                at: start + bytes.len() as u64,
                size: batch.bytes.len() as u32,
            });
            bytes.extend_from_slice(&batch.bytes);
            offset = next;
        }
        self.write_at_end(&bytes, start)?;
        self.segments.last_mut().expect("a log has a segment").size += bytes.len() as u64;
        self.written += bytes.len() as u64;
        self.entries.extend(positions);
        Ok(())
    }

    fn write_at_end(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let file = &self.segments.last().expect("a log has a segment").file;
        reserve::give_way(&self.dir, || file.write_all_at(bytes, at))
    }

    fn roll_if_full(&mut self) -> io::Result<()> {
        let last = self.segments.last().expect("a log has a segment");
        if last.size < SEGMENT_BYTES {
            return Ok(());
        }
        last.file.sync_data()?;
        self.begin_segment()
    }

    /// Begins a segment at the next offset.
    pub(super) fn begin_segment(&mut self) -> io::Result<()> {
        let base = self.next_offset();
        let path = segment_path(&self.dir, base);
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        sync_dir(&self.dir)?;
        self.segments.push(Segment { base, path, file: Arc::new(file), size: 0 });
        Ok(())
    }

    /// The file to sync so that everything appended is durable; earlier ones were at roll.
    pub(super) fn unsynced(&self) -> Arc<File> {
        Arc::clone(&self.segments.last().expect("a log has a segment").file)
    }

    /// Reads the entry `index`.
    pub(super) fn read(&self, index: u64) -> io::Result<Option<Entry>> {
        let Some(position) = self.position(index) else { return Ok(None) };
        let segment = self
            .segments
            .iter()
            .rev()
            .find(|segment| segment.base == position.segment)
            .expect("an entry's segment is there");
        let mut bytes = vec![0; position.size as usize];
        segment.file.read_exact_at(&mut bytes, position.at)?;
        let damaged = |what: String| {
            let path = segment.path.display();
            let at = position.offset;
            io::Error::new(io::ErrorKind::InvalidData, format!("{path}, offset {at}: {what}"))
        };
        let batch = Batch::parse(Bytes::from(bytes)).map_err(|error| damaged(error.to_string()))?;
        batch.check_crc().map_err(|error| damaged(error.to_string()))?;
        entry::decode(&batch, index).map(Some).map_err(damaged)
    }

    /// Cuts off `index` and all after it, durably.
    pub(super) fn truncate(&mut self, index: u64) -> io::Result<()> {
        let Some(position) = self.position(index).copied() else { return Ok(()) };
        while let Some(last) = self.segments.last()
            && last.base > position.segment
        {
            fs::remove_file(&last.path)?;
            self.segments.pop();
        }
        let last = self.segments.last_mut().expect("an entry's segment is there");
        last.file.set_len(position.at)?;
        last.size = position.at;
        last.file.sync_data()?;
        sync_dir(&self.dir)?;
        self.entries.truncate((index - self.first_index()) as usize);
        Ok(())
    }

    /// Forgets everything up to `upto`. `end` is the offset after it, where the log does not
    /// reach that far. Whole segments go; a rest stays until its segment can.
    pub(super) fn purge(&mut self, upto: LogId, end: Option<Offset>) -> io::Result<()> {
        if upto.index < self.first_index() {
            return Ok(());
        }
        let known = self.position(upto.index).map(|position| position.next);
        let purged =
            Committed { id: upto, end: known.or(end).unwrap_or_else(|| self.next_offset()) };
        reserve::give_way(&self.dir, || write_purged(&self.dir, &purged))?;
        let gone = (upto.index + 1 - self.first_index()).min(self.entries.len() as u64);
        self.entries.drain(..gone as usize);
        self.purged = Some(purged);
        if self.entries.is_empty() { self.restart_files() } else { self.drop_segments() }
    }

    fn drop_segments(&mut self) -> io::Result<()> {
        let first = self.entries.front().expect("checked by the caller").segment;
        while self.segments.len() > 1 && self.segments[0].base < first {
            fs::remove_file(&self.segments[0].path)?;
            self.segments.remove(0);
        }
        Ok(())
    }

    /// Nothing remains: the next segment begins at the next offset, and the old ones go.
    fn restart_files(&mut self) -> io::Result<()> {
        let next = self.next_offset();
        if self.segments.last().is_some_and(|last| last.base == next && last.size == 0) {
            return Ok(());
        }
        let old = std::mem::take(&mut self.segments);
        self.begin_segment()?;
        for segment in old {
            if segment.base != next {
                fs::remove_file(&segment.path)?;
            }
        }
        Ok(())
    }
}
