//! Compaction: of each key, the last record stays (`cleanup.policy=compact`).
//!
//! Called by the partition's cleaner, one log at a time. Three steps: read what is dirty and note
//! the last offset of each key, in bounded memory (`keys`); write every segment up to there anew
//! without the records that have a later one (`rewrite`); put the new files in place of the old
//! in one step that a crash cannot cut in two (`swap`).
//!
//! **Invariants:** offsets do not change, and a batch keeps the range of offsets that it had;
//! nothing at or above the bound given, nor in the active segment, is touched; the last batch of
//! every known producer stays, if without records, so that its sequence is not forgotten; what
//! replaces a record is synced before the record goes.

mod hash;
mod keys;
mod rewrite;
mod swap;

pub(crate) use swap::finish_swaps;

use crate::error::StorageError;
use crate::log::Log;
use crate::scan::{Batches, Found};
use crate::segment::Segment;
use gofka_core::config::TopicConfig;
use gofka_core::ids::{Offset, ProducerId};
use gofka_core::record::{BatchError, BatchHeader, BatchView, RecordView, RecordWalk};
use gofka_core::time::TimestampMs;
use keys::LastOffsets;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// One run of the cleaner.
#[derive(Clone, Copy)]
pub struct CompactionRun<'a> {
    /// The time, for tombstones and lags.
    pub now: TimestampMs,
    /// High watermark or last stable offset: nothing above is touched.
    pub up_to: Offset,
    /// Bounds the memory for keys.
    pub map_bytes: usize,
    /// Told of bytes before they are read or written, some hundred thousand at a time, and may
    /// wait, as long as the log is wanted; false calls the run off.
    pub pace: &'a dyn Fn(u64, StillWanted<'_>) -> bool,
}

/// Whether the log that is compacted is still there. A run that waits keeps others from deleting
/// the log, so it asks often.
pub type StillWanted<'a> = &'a dyn Fn() -> bool;

impl std::fmt::Debug for CompactionRun<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompactionRun").field("up_to", &self.up_to).finish_non_exhaustive()
    }
}

/// What became of a group of segments.
enum Cleaned {
    /// It was written anew, with so many bytes.
    Smaller(u64),
    /// Everything stays.
    Same,
    /// The run was called off.
    CalledOff,
}

/// What comes next in a segment.
enum Next<'a> {
    Batch(BatchView<'a>),
    End,
    CalledOff,
}

/// What one run of the cleaner did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactionOutcome {
    /// Bytes of the segments before.
    pub bytes_before: u64,
    /// And after.
    pub bytes_after: u64,
    /// Everything below is clean now.
    pub clean_up_to: Offset,
}

/// A batch may be this large when it is decompressed.
const DECOMPRESSED_MAX: usize = 64 << 20;

/// What decides whether a record stays.
struct Rules {
    now: TimestampMs,
    delete_retention_ms: i64,
    last_offsets: LastOffsets,
    aborted: Aborted,
    /// Of each producer, the last offset of its last batch.
    producers: HashMap<ProducerId, Offset>,
}

/// Aborted transactions: of each producer, first offset and marker.
#[derive(Default)]
struct Aborted(HashMap<ProducerId, Vec<(Offset, Offset)>>);

impl Aborted {
    fn has(&self, header: &BatchHeader) -> bool {
        header.attributes.is_transactional()
            && self.0.get(&header.producer_id).is_some_and(|txns| {
                txns.iter().any(|(first, last)| {
                    *first <= header.base_offset && header.base_offset <= *last
                })
            })
    }
}

impl Log {
    /// Compacts what is dirty below `run.up_to`, where enough of it is. `None` when there was
    /// nothing to do, or when the run was called off: then the log is as it was, as far as the
    /// run had come.
    pub(crate) fn compact(
        &self,
        run: &CompactionRun<'_>,
    ) -> Result<Option<CompactionOutcome>, StorageError> {
        let CompactionRun { now, up_to, .. } = *run;
        let _alone = self.maintenance.lock();
        self.check_usable()?;
        let config = self.config();
        if !config.cleanup_policy.compact {
            return Ok(None);
        }
        let up_to = up_to.min(self.last_stable_offset());
        // Retention passes by a log that is being compacted, which may be most of the time.
        self.remove_expired(&config, now, up_to)?;
        let segments = self.cleanable(&config, now, up_to)?;
        let first_dirty = self.first_dirty();
        if !is_worth_it(&segments, first_dirty, &config, now)? {
            return Ok(None);
        }
        // A power loss must not take what replaces a record when the record is gone already.
        self.sync_files()?;
        let aborted = self.aborted(up_to)?;
        let last_offsets = self.map_keys(&segments, first_dirty, &aborted, run)?;
        let Some(last_offsets) = last_offsets else { return Ok(None) };
        let clean_up_to = last_offsets.end();
        let rules = Rules {
            now,
            delete_retention_ms: i64::try_from(config.delete_retention_ms).unwrap_or(i64::MAX),
            last_offsets,
            aborted,
            producers: self.last_batches(),
        };
        let touched = segments.partition_point(|segment| segment.base < clean_up_to);
        let mut outcome = CompactionOutcome { clean_up_to, ..CompactionOutcome::default() };
        for group in groups(&segments[..touched], &config) {
            let before: u64 = group.iter().map(|segment| segment.size()).sum();
            outcome.bytes_before += before;
            match self.clean_group(group, &rules, &config, run)? {
                Cleaned::Smaller(after) => outcome.bytes_after += after,
                Cleaned::Same => outcome.bytes_after += before,
                Cleaned::CalledOff => return Ok(None),
            }
        }
        self.published.first_dirty.store(clean_up_to.0, Ordering::Release);
        Ok(Some(outcome))
    }

    pub(crate) fn first_dirty(&self) -> Offset {
        let first_dirty = self.published.first_dirty.load(Ordering::Acquire);
        Offset(first_dirty).max(self.log_start_offset())
    }

    /// The segments from the first on that may be compacted: sealed, below the bound, and older
    /// than `min.compaction.lag.ms`.
    fn cleanable(
        &self,
        config: &TopicConfig,
        now: TimestampMs,
        up_to: Offset,
    ) -> Result<Vec<Arc<Segment>>, StorageError> {
        let mut segments = self.all_segments();
        let lag = i64::try_from(config.min_compaction_lag_ms).unwrap_or(i64::MAX);
        let mut count = 0;
        for pair in segments.windows(2) {
            let is_new =
                lag > 0 && pair[0].largest()?.is_some_and(|(largest, _)| largest.0 > now.0 - lag);
            if pair[1].base > up_to || is_new {
                break;
            }
            count += 1;
        }
        segments.truncate(count);
        Ok(segments)
    }

    /// The next batch, which must be a good one: compacting damaged bytes would hide the damage.
    /// Before more is read, waits until each byte of it may be touched so many `times`.
    fn next_good<'a>(
        &self,
        segment: &Segment,
        batches: &'a mut Batches,
        run: &CompactionRun<'_>,
        times: usize,
    ) -> Result<Next<'a>, StorageError> {
        let bytes = batches.about_to_read();
        if bytes > 0 && !self.may_go_on(run, bytes * times) {
            return Ok(Next::CalledOff);
        }
        match batches.next_batch()? {
            Found::Batch(_, batch) => Ok(Next::Batch(batch)),
            Found::End => Ok(Next::End),
            Found::Bad(problem) => Err(StorageError::corrupt(segment.log.path(), problem)),
            Found::Zeros => Err(StorageError::corrupt(segment.log.path(), "it ends in zeros")),
        }
    }

    /// Waits until `bytes` more may be read or written; false when the run is called off, or the
    /// log is not to be touched any more.
    fn may_go_on(&self, run: &CompactionRun<'_>, bytes: usize) -> bool {
        let wanted = || self.check_usable().is_ok();
        wanted() && (run.pace)(bytes as u64, &wanted) && wanted()
    }

    /// Notes the last offset of every key in the dirty part, as far as the memory reaches; `None`
    /// when the run was called off.
    fn map_keys(
        &self,
        segments: &[Arc<Segment>],
        first_dirty: Offset,
        aborted: &Aborted,
        run: &CompactionRun<'_>,
    ) -> Result<Option<LastOffsets>, StorageError> {
        let mut map = LastOffsets::new(run.map_bytes, first_dirty);
        for segment in segments {
            let Some(place) = segment.locate(first_dirty.max(segment.base))? else { continue };
            let mut batches = batches_of(segment, place.position)?;
            loop {
                let batch = match self.next_good(segment, &mut batches, run, 1)? {
                    Next::Batch(batch) => batch,
                    Next::End => break,
                    Next::CalledOff => return Ok(None),
                };
                if !batch.header.attributes.is_control()
                    && !aborted.has(&batch.header)
                    && !map_batch(&mut map, segment, &batch)?
                {
                    return Ok(Some(map));
                }
                map.reach(batch.header.next_offset());
            }
        }
        Ok(Some(map))
    }

    fn aborted(&self, up_to: Offset) -> Result<Aborted, StorageError> {
        let mut aborted = Aborted::default();
        for segment in self.all_segments() {
            for entry in segment.txns.entries()? {
                if entry.first_offset < up_to {
                    let txns = aborted.0.entry(entry.producer_id).or_default();
                    txns.push((entry.first_offset, entry.last_offset));
                }
            }
        }
        Ok(aborted)
    }

    fn last_batches(&self) -> HashMap<ProducerId, Offset> {
        self.writer.lock().producers.last_offsets()
    }
}

/// The batches of a segment, whose offsets end where the next segment begins: they are outside of
/// the checksums. What reading them brings into memory is checked here, and not for others.
fn batches_of(segment: &Segment, position: u64) -> Result<Batches, StorageError> {
    segment.trust.forget(position..u64::MAX);
    let size = segment.size();
    Batches::new(&segment.log, position, size, segment.base..segment.end_offset())
}

/// Whether enough is dirty (`min.cleanable.dirty.ratio`), or anything has been for too long
/// (`max.compaction.lag.ms`).
fn is_worth_it(
    segments: &[Arc<Segment>],
    first_dirty: Offset,
    config: &TopicConfig,
    now: TimestampMs,
) -> Result<bool, StorageError> {
    let clean_count = segments.partition_point(|segment| segment.base < first_dirty);
    let (clean, dirty) = segments.split_at(clean_count);
    let size = |part: &[Arc<Segment>]| part.iter().map(|segment| segment.size()).sum::<u64>();
    let (clean, dirty_size) = (size(clean), size(dirty));
    if dirty_size == 0 {
        return Ok(false);
    }
    let ratio = dirty_size as f64 / (clean + dirty_size) as f64;
    let limit = i64::try_from(config.max_compaction_lag_ms).unwrap_or(i64::MAX);
    let oldest = dirty[0].largest()?.map_or(now, |(largest, _)| largest);
    Ok(ratio > config.min_cleanable_dirty_ratio || now.0.saturating_sub(oldest.0) > limit)
}

/// Notes a batch's keys; false, and nothing noted, when they do not fit.
fn map_batch(
    map: &mut LastOffsets,
    segment: &Segment,
    batch: &BatchView<'_>,
) -> Result<bool, StorageError> {
    let broken = |problem: BatchError| corrupt(segment, &batch.header, &problem);
    let payload = batch.uncompressed(DECOMPRESSED_MAX).map_err(broken)?;
    if !map.has_room_for(payload.len(), batch.header.record_count) {
        return Ok(false);
    }
    let mut walk = RecordWalk::new(&payload, batch.header.record_count);
    let mut group = Vec::new();
    while next_group(&mut walk, map, &mut group).map_err(broken)? {
        for Hashed { record, hash, .. } in &group {
            if let Some(key) = record.key {
                let offset = batch.header.base_offset.plus(i64::from(record.offset_delta));
                map.put(key, *hash, offset);
            }
        }
    }
    Ok(true)
}

/// A record and the hash of its key.
struct Hashed<'a> {
    record: RecordView<'a>,
    hash: u64,
    /// Bytes after it.
    bytes_left: usize,
}

/// Puts the next few records into `group`, having approached their keys; false when there are none.
fn next_group<'a>(
    walk: &mut RecordWalk<'a>,
    map: &LastOffsets,
    group: &mut Vec<Hashed<'a>>,
) -> Result<bool, BatchError> {
    group.clear();
    while group.len() < keys::TOGETHER
        && let Some(record) = walk.next_record()?
    {
        let hash = record.key.map_or(0, |key| map.hash_of(key));
        group.push(Hashed { record, hash, bytes_left: walk.bytes_left() });
    }
    map.approach(group.iter().map(|hashed| hashed.hash));
    Ok(!group.is_empty())
}

fn corrupt(segment: &Segment, header: &BatchHeader, problem: &BatchError) -> StorageError {
    let what = format!("batch at offset {}: {problem}", header.base_offset);
    StorageError::corrupt(segment.log.path(), what)
}

/// Neighbours that fit into one segment together.
fn groups<'a>(
    segments: &'a [Arc<Segment>],
    config: &TopicConfig,
) -> impl Iterator<Item = &'a [Arc<Segment>]> {
    let limit = u64::from(config.segment_bytes);
    let mut rest = segments;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let mut size = 0;
        let mut count = 0;
        for (at, segment) in rest.iter().enumerate() {
            size += segment.size();
            let is_too_far = segment.end_offset() > first.offsets_range().end;
            if at > 0 && (size > limit || is_too_far) {
                break;
            }
            count += 1;
        }
        let (group, after) = rest.split_at(count);
        rest = after;
        Some(group)
    })
}

#[cfg(test)]
mod tests;
