//! From the files of a folder to a log: which segments there are, where the log ends, and what
//! the batches say about producers and epochs.
//!
//! Called by `dirs` at start, one thread a log. After a clean shutdown only the end of the last
//! segment is looked at. Otherwise everything from the recovery point on is read and its
//! checksums compared; the log ends before the first batch that is not whole, and what is
//! derived of the segments from there on is made anew. A recovery that is killed leaves a folder
//! in which the next one finds the same: it removes what is after a bad batch from the end
//! backwards, and the bad batch last.

mod epochs;
mod recall;
mod scan;

use crate::disk::{self, Disk};
use crate::epoch_cache::EpochCache;
use crate::error::StorageError;
use crate::log::{Log, LogOptions, LogPlace, Opened, Writer};
use crate::names;
use crate::producer_state::{Marker, ProducerState};
use crate::scan::{Headers, Placed};
use crate::segment::{Growth, Segment};
use epochs::HeardEpochs;
use gofka_core::ids::{LeaderEpoch, Offset};
use gofka_core::record::BATCH_HEADER_SIZE;
use gofka_core::time::TimestampMs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is known of a log before its files are opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    /// It was closed properly.
    pub(crate) clean: bool,
    /// Everything below was on the disk.
    pub(crate) recovery_point: Offset,
    /// Log start offset as it was checkpointed.
    pub(crate) start: Offset,
    /// It may have holes, whatever it is set to now.
    pub(crate) compacted: bool,
    /// No leader epoch is newer, as far as somebody knows.
    pub(crate) newest_epoch: Option<LeaderEpoch>,
    pub(crate) now: TimestampMs,
}

impl Before {
    /// Nothing is known.
    pub(crate) const NOTHING: Self = Self {
        clean: false,
        recovery_point: Offset::ZERO,
        start: Offset::ZERO,
        compacted: false,
        newest_epoch: None,
        now: TimestampMs::NONE,
    };
}

impl Log {
    /// Opens a log outside of any [`crate::LogDirs`], checking every byte of it.
    pub fn open(options: LogOptions) -> Result<Self, StorageError> {
        const OPEN_FILES: usize = 64;
        let disk = Disk::new(OPEN_FILES);
        disk.create_dir(&options.dir)?;
        let place = LogPlace {
            partition: options.partition,
            topic_id: options.topic_id,
            health: crate::health::DirHealth::new(options.dir.clone(), disk, 0),
            dir: options.dir,
            config: options.config,
        };
        let log = recover(place, Before::NOTHING)?;
        log.sync()?;
        Ok(log)
    }
}

/// Opens the log in a folder that exists. What it holds may be unsynced still.
pub(crate) fn recover(place: LogPlace, before: Before) -> Result<Log, StorageError> {
    let opened = examine(&place, before)?;
    Ok(Log::assemble(place, opened))
}

/// Finds out what the files of a log hold, and puts right what a crash has left.
pub(crate) fn examine(place: &LogPlace, before: Before) -> Result<Opened, StorageError> {
    let disk = Arc::clone(place.health.disk());
    let mut names = disk::list(&place.dir)?;
    if crate::compaction::finish_swaps(&disk, &place.dir, &names)? {
        names = disk::list(&place.dir)?;
    }
    let segments = find_segments(&disk, &place.dir, &names)?;
    let mut recovery = Recovery {
        disk,
        dir: place.dir.clone(),
        snapshots: names
            .iter()
            .filter_map(|name| names::parse_file(name))
            .filter(|(_, extension)| *extension == names::SNAPSHOT)
            .map(|(offset, _)| offset)
            .collect(),
        index_interval: u64::from(place.config.index_interval_bytes),
        contiguous: !place.config.cleanup_policy.compact && !before.compacted,
        synced: before.recovery_point,
        now: before.now,
        segments,
        writer: Writer::default(),
        epochs: HeardEpochs::default(),
        end: before.start,
    };
    recovery.run(&before)?;
    let first = recovery.segments.first().map(|segment| segment.base);
    let start = first.unwrap_or(Offset::ZERO).max(before.start);
    let safe = if before.clean { recovery.end } else { before.recovery_point.min(recovery.end) };
    Ok(Opened {
        segments: recovery.segments,
        writer: recovery.writer,
        epochs: recovery.epochs.finish(start, recovery.end),
        start,
        end: recovery.end,
        safe,
    })
}

/// The segments in a folder, sorted; files that belong to none are removed.
fn find_segments(
    disk: &Arc<Disk>,
    dir: &Path,
    names: &[String],
) -> Result<Vec<Arc<Segment>>, StorageError> {
    let is_log = |name: &String| matches!(names::parse_file(name), Some((_, names::LOG)));
    let mut segments = Vec::new();
    for name in names.iter().filter(|name| is_log(name)) {
        let Some((base, _)) = names::parse_file(name) else { continue };
        let path = dir.join(name);
        let metadata = std::fs::metadata(&path).map_err(|e| StorageError::io(&path, e))?;
        let segment = Segment::on_disk(disk, dir, base, metadata.len());
        segment.note_found(metadata.blocks().saturating_mul(512));
        segments.push(Arc::new(segment));
    }
    for name in names.iter().filter(|name| !is_log(name)) {
        let leftover = match names::parse_file(name) {
            Some((base, names::INDEX | names::TIME_INDEX | names::TXN_INDEX)) => {
                segments.binary_search_by_key(&base, |segment| segment.base).is_err()
            }
            Some((_, extension)) => extension.ends_with(names::DELETED),
            None => false,
        };
        if leftover || name.ends_with(".tmp") {
            disk.remove(&dir.join(name))?;
        }
    }
    Ok(segments)
}

struct Recovery {
    disk: Arc<Disk>,
    dir: PathBuf,
    /// Offsets of the producer snapshots that there are, sorted.
    snapshots: Vec<Offset>,
    index_interval: u64,
    /// Offsets have no gaps: the log was never compacted.
    contiguous: bool,
    /// The recovery point: everything below was on the disk.
    synced: Offset,
    now: TimestampMs,
    segments: Vec<Arc<Segment>>,
    writer: Writer,
    epochs: HeardEpochs,
    end: Offset,
}

impl Recovery {
    fn run(&mut self, before: &Before) -> Result<(), StorageError> {
        let stored = EpochCache::load(&self.dir.join(names::LEADER_EPOCHS))?;
        let Some(last) = self.segments.last().cloned() else {
            self.hear_epochs(stored, self.end, before);
            return self.remove_snapshots(|_| true);
        };
        // A closed log whose end does not add up is treated as one that was not closed.
        let reopened = if before.clean { self.reopen(&last).ok() } else { None };
        let scan_from = match reopened {
            Some(()) => self.segments.len(),
            None => self.first_in_doubt(before.recovery_point),
        };
        let doubt_from = self.segments.get(scan_from).map_or(self.end, |segment| segment.base);
        let epochs_known = stored.is_some();
        // The file was on the disk before the recovery point was.
        self.hear_epochs(stored, doubt_from.max(before.recovery_point), before);
        let snapshot = self.load_snapshot(doubt_from)?;
        self.recall_batches(snapshot)?;
        let replay_from = if epochs_known { snapshot } else { Offset::ZERO };
        self.replay(replay_from, snapshot, scan_from)?;
        for at in scan_from..self.segments.len() {
            if !self.scan(at)? {
                break;
            }
        }
        self.begin_after_lost_records(before.start)?;
        // As many snapshots as segments, and the one that was loaded.
        let (end, newest) = (self.end, self.writer.last_snapshot);
        let bases: Vec<Offset> = self.segments.iter().map(|segment| segment.base).collect();
        // One of offsets that are given again must not come back when the log is as long.
        self.writer.new_entries |= self.snapshots.last().is_some_and(|newest| *newest > end);
        self.remove_snapshots(|offset| {
            offset > end || bases.binary_search(&offset).is_err() && Some(offset) != newest
        })
    }

    fn hear_epochs(&mut self, stored: Option<EpochCache>, known_to: Offset, before: &Before) {
        let known_to = if stored.is_some() { known_to } else { Offset::ZERO };
        let stored = stored.unwrap_or_default();
        self.epochs = HeardEpochs::new(&self.dir, stored, known_to, before.newest_epoch);
    }

    /// The first segment that reaches past the recovery point.
    fn first_in_doubt(&self, recovery_point: Offset) -> usize {
        let after = self.segments.partition_point(|segment| segment.base <= recovery_point);
        after.saturating_sub(1)
    }

    /// Makes the last segment of a closed log ready to grow; an error where its files disagree.
    fn reopen(&mut self, last: &Segment) -> Result<(), StorageError> {
        let end = last.next_offset()?;
        let largest = last.largest()?;
        let mut headers = Headers::new(&last.log, 0, last.size(), last.base).ok();
        let first = match &mut headers {
            Some(headers) => headers.next_header()?,
            None => None,
        };
        last.offsets.unseal()?;
        last.times.unseal()?;
        // Until someone reads or writes it, the log costs no open file.
        last.slots().iter().for_each(|slot| slot.close());
        let largest = largest.map(|(timestamp, offset)| last.time_entry(timestamp, offset));
        self.writer.growth = Growth {
            unindexed: last.unindexed()?,
            first_append: (last.size() > 0).then_some(self.now),
            first_timestamp: first.map(|placed| placed.header.max_timestamp),
            largest,
        };
        self.end = end;
        Ok(())
    }

    /// Loads the newest good snapshot at or below `bound`; its offset, or where the log begins.
    fn load_snapshot(&mut self, bound: Offset) -> Result<Offset, StorageError> {
        let usable = self.snapshots.partition_point(|offset| *offset <= bound);
        for offset in self.snapshots[..usable].iter().rev().copied() {
            let path = self.dir.join(names::file(offset, names::SNAPSHOT));
            let Some(bytes) = disk::read_file(&path)? else { continue };
            match ProducerState::from_snapshot(&bytes, self.now) {
                Ok(state) => {
                    self.writer.producers = state;
                    self.writer.last_snapshot = Some(offset);
                    return Ok(offset);
                }
                Err(problem) => {
                    tracing::warn!(path = %path.display(), %problem, "snapshot is not used");
                    self.disk.remove(&path)?;
                }
            }
        }
        Ok(self.segments.first().map_or(Offset::ZERO, |segment| segment.base))
    }

    /// Takes in the headers of the segments that are not in doubt, from `from` on; producers
    /// only from the snapshot on.
    fn replay(
        &mut self,
        from: Offset,
        snapshot: Offset,
        doubtful: usize,
    ) -> Result<(), StorageError> {
        for at in 0..doubtful {
            let next = self.segments.get(at + 1).map_or(self.end, |next| next.base);
            if next <= from {
                continue;
            }
            let segment = Arc::clone(&self.segments[at]);
            let first = match segment.locate(from) {
                Ok(Some(first)) => first,
                Ok(None) | Err(StorageError::Corrupt { .. }) => continue,
                Err(error) => return Err(error),
            };
            match self.replay_segment(&segment, first.position, snapshot) {
                // Readers of that batch are told; the rest of the log is as good as before.
                Err(problem @ StorageError::Corrupt { .. }) => {
                    tracing::error!(%problem, "producers and epochs may be incomplete");
                }
                other => other?,
            }
        }
        Ok(())
    }

    fn replay_segment(
        &mut self,
        segment: &Segment,
        position: u64,
        snapshot: Offset,
    ) -> Result<(), StorageError> {
        let mut headers = Headers::new(&segment.log, position, segment.size(), segment.base)?;
        while let Some(placed) = headers.next_header()? {
            self.epochs.hear(placed.header.leader_epoch, placed.header.base_offset);
            if placed.header.base_offset >= snapshot {
                let marker = read_marker(segment, &placed)?;
                self.writer.producers.replay(&placed.header, marker, self.now);
            }
        }
        Ok(())
    }

    /// A log that ends before its start holds nothing that may be read, but its next offset must
    /// not be given twice.
    fn begin_after_lost_records(&mut self, start: Offset) -> Result<(), StorageError> {
        if self.end >= start {
            return Ok(());
        }
        let dir = self.dir.display();
        tracing::warn!(%dir, end = %self.end, %start, "the log was cut below its start");
        // On the disk before the others go, for nothing else tells where the log ended.
        let begun = Arc::new(Segment::create(&self.disk, &self.dir, start)?);
        self.disk.sync_dir(&self.dir)?;
        while let Some(segment) = self.segments.pop() {
            segment.remove()?;
        }
        self.disk.sync_dir(&self.dir)?;
        self.writer = Writer { new_entries: true, ..Writer::default() };
        self.end = start;
        self.segments.push(begun);
        self.remove_snapshots(|_| true)
    }

    fn remove_snapshots(&mut self, which: impl Fn(Offset) -> bool) -> Result<(), StorageError> {
        for offset in std::mem::take(&mut self.snapshots) {
            if !which(offset) {
                self.snapshots.push(offset);
                continue;
            }
            self.disk.remove(&self.dir.join(names::file(offset, names::SNAPSHOT)))?;
            if self.writer.last_snapshot == Some(offset) {
                self.writer.last_snapshot = None;
            }
        }
        Ok(())
    }
}

/// The marker inside a control batch.
fn read_marker(segment: &Segment, placed: &Placed) -> Result<Option<Marker>, StorageError> {
    if !placed.header.attributes.is_control() {
        return Ok(None);
    }
    let bytes = segment.read_bytes(placed.position, placed.header.size())?;
    Ok(bytes.get(BATCH_HEADER_SIZE..).and_then(Marker::parse))
}
