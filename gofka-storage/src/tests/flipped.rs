//! Every bit of a batch's header, and of the entries of both indexes, flips once: what is read is
//! what was written, or an error, and the error is where the damage is.

use crate::error::{ReadError, StorageError};
use crate::log::Log;
use crate::testing::*;
use bytes::Bytes;
use gofka_core::config::TopicConfig;
use gofka_core::error::ErrorCode;
use gofka_core::ids::Offset;
use gofka_core::record::{self, BATCH_HEADER_SIZE, Batch, CRC_START};
use gofka_core::time::TimestampMs;
use std::ops::Range;
use std::path::PathBuf;

/// Bytes of a header that no checksum covers, beside the base offset, the length and the magic.
const LEADER_EPOCH: Range<usize> = 12..16;
const LENGTH: Range<usize> = 8..12;
const BASE_OFFSET: Range<usize> = 0..8;

/// Of single reads: one batch, a few that are read at once, all of a segment.
const SIZES: [usize; 3] = [0, 190, 1 << 20];

/// Segments of a dozen batches, an index entry for every fourth.
fn settings(config: &TopicConfig) -> TopicConfig {
    TopicConfig { segment_bytes: 1000, index_interval_bytes: 250, ..config.clone() }
}

/// A log, and what is in it as long as nothing is damaged.
struct Known {
    batches: Vec<Batch>,
    start: Offset,
    end: Offset,
    /// The segment whose bits flip: its file and its batches, as a range of `batches`.
    path: PathBuf,
    inside: Range<usize>,
    /// Where its offsets begin, and those of the next one.
    base: Offset,
    after: Offset,
    /// Offsets from which its index leads to a batch.
    entries: Vec<Offset>,
}

impl Known {
    fn of(log: &Log) -> Self {
        let (mut batches, mut next) = (Vec::new(), log.log_start_offset());
        let (start, end) = (next, log.log_end_offset());
        while next < end {
            let read = log.read(next, 1 << 20, end, true).unwrap();
            batches.extend(record::split(read.records.load().unwrap()).unwrap());
            next = read.next_offset;
        }
        let segments = log.all_segments();
        let has_entries = |at: &usize| segments[*at].offsets.entries().unwrap().len() >= 2;
        let chosen = (1..segments.len() - 1).find(has_entries).expect("a segment of some batches");
        let (base, after) = (segments[chosen].base, segments[chosen + 1].base);
        let at = |offset| batches.partition_point(|b: &Batch| b.header.base_offset < offset);
        let entries = segments[chosen].offsets.entries().unwrap();
        let entries: Vec<_> = entries.iter().map(|e| base.plus(i64::from(e.relative))).collect();
        let path = segments[chosen].log.path().to_owned();
        let inside = at(base)..at(after);
        Self { batches, start, end, path, inside, base, after, entries }
    }

    /// Offsets of the segment, and some before and after it.
    fn around(&self) -> Range<i64> {
        (self.base.0 - 9).max(self.start.0)..(self.after.0 + 9).min(self.end.0)
    }

    fn position(&self, victim: usize) -> usize {
        self.batches[self.inside.start..victim].iter().map(|batch| batch.bytes.len()).sum()
    }

    /// The first batch after `victim` that an index entry names, or that begins a segment.
    fn next_entry(&self, victim: usize) -> usize {
        let named = |batch: &Batch| self.entries.contains(&batch.header.last_offset());
        let later = victim + 1..self.inside.end;
        later.clone().find(|at| named(&self.batches[*at])).unwrap_or(later.end)
    }

    /// Whether the batch is between its neighbours.
    fn is_in_place(&self, victim: usize, header: &record::BatchHeader) -> bool {
        let floor = match victim.checked_sub(1).filter(|at| self.inside.contains(at)) {
            Some(at) => self.batches[at].header.next_offset(),
            None => self.base,
        };
        let next = self.batches[victim + 1].header.base_offset;
        header.base_offset >= floor && header.next_offset() <= next.min(self.after)
    }
}

fn forget(log: &Log) {
    for segment in log.all_segments() {
        segment.trust.forget(0..u64::MAX);
        if !segment.offsets.is_growing() {
            *segment.largest.lock() = crate::segment::Largest::Unknown;
            segment.offsets.forget();
            segment.times.forget();
        }
    }
}

fn read(log: &Log, from: Offset, max_bytes: usize) -> Result<Bytes, ReadError> {
    let read = log.read(from, max_bytes, log.log_end_offset(), true)?;
    Ok(read.records.load()?)
}

/// What one flipped bit may do.
struct Damage {
    victim: usize,
    /// Nobody can tell that it has changed.
    is_undetected: bool,
    /// What there is to be read: with the victim as it is now where that is not detected.
    batches: Vec<Batch>,
    /// Batches that may be refused.
    lost: Range<usize>,
}

impl Damage {
    fn none(known: &Known) -> Self {
        let batches = known.batches.clone();
        Self { victim: usize::MAX, is_undetected: false, batches, lost: 0..0 }
    }
}

fn judge(log: &Log, known: &Known, damage: &Damage, case: &str) {
    for max_bytes in SIZES {
        for from in known.around() {
            let (from, case) = (Offset(from), format!("{case}, {max_bytes} bytes from {from}"));
            let holder = damage.batches.partition_point(|b| b.header.last_offset() < from);
            let records = match read(log, from, max_bytes) {
                Ok(records) => records,
                Err(error) => {
                    assert_eq!(error.code(), ErrorCode::CorruptMessage, "{case}: {error}");
                    // Nor what follows a batch of which nobody knows where it ends.
                    let is_after_gap = from < damage.batches[holder].header.base_offset;
                    let lost = holder - usize::from(is_after_gap)..=holder;
                    assert!(
                        lost.into_iter().any(|at| damage.lost.contains(&at)),
                        "{case}: {error}"
                    );
                    continue;
                }
            };
            let batches = record::split(records).unwrap();
            assert!(!batches.is_empty(), "{case}: a reader would wait for ever");
            for (at, batch) in batches.iter().enumerate() {
                let at = holder + at;
                assert_eq!(batch.bytes, damage.batches[at].bytes, "{case}: batch {at}");
                let is_changed = at == damage.victim && !damage.is_undetected;
                assert!(!is_changed, "{case}: the changed batch");
            }
        }
    }
}

/// Timestamps lead to where they did, or to an error.
fn judge_times(log: &Log, known: &Known, damage: &Damage, case: &str) {
    let mut times: Vec<(Offset, TimestampMs, usize)> = Vec::new();
    for (at, batch) in known.batches.iter().enumerate() {
        let records = record::records(batch, 1 << 20).unwrap();
        times.extend(records.iter().map(|record| (record.offset, record.timestamp, at)));
    }
    let last = times.iter().map(|(_, time, _)| time.0).max().unwrap();
    for wanted in (0..=last).step_by(3) {
        let expected = times.iter().find(|(_, time, _)| time.0 >= wanted).copied().unwrap();
        match log.offset_for_timestamp(TimestampMs(wanted), known.end) {
            Ok(_) if expected.2 == damage.victim && damage.is_undetected => {}
            Ok(found) => {
                assert_ne!(expected.2, damage.victim, "{case}, {wanted} ms: {found:?}");
                let expected = (expected.0, expected.1);
                assert_eq!(found, Some(expected), "{case}, {wanted} ms");
            }
            Err(error) => {
                assert!(matches!(error, StorageError::Corrupt { .. }), "{case}: {error}");
                assert!(expected.2 + 1 >= damage.lost.start, "{case}, {wanted} ms: {error}");
                assert!(known.inside.contains(&expected.2), "{case}, {wanted} ms: {error}");
            }
        }
    }
}

/// Flips `bit` of the victim's header on the disk; what that may do.
fn flip(known: &Known, victim: usize, bit: usize) -> Damage {
    let mut bytes = std::fs::read(&known.path).unwrap();
    let position = known.position(victim);
    bytes[position + bit / 8] ^= 1 << (bit % 8);
    std::fs::write(&known.path, &bytes).unwrap();
    let changed = Bytes::copy_from_slice(&bytes[position..][..known.batches[victim].bytes.len()]);
    let header = record::BatchHeader::parse(&changed);
    let byte = bit / 8;
    let is_moved = BASE_OFFSET.contains(&byte);
    let is_undetected = LEADER_EPOCH.contains(&byte)
        || is_moved && header.is_ok_and(|header| known.is_in_place(victim, &header));
    let lost =
        if LENGTH.contains(&byte) { victim..known.next_entry(victim) } else { victim..victim + 1 };
    if !is_undetected {
        return Damage { victim, lost, ..Damage::none(known) };
    }
    let mut batches = known.batches.clone();
    batches[victim] = Batch::parse(changed).unwrap();
    Damage { victim, is_undetected, batches, lost: 0..0 }
}

/// The first batch of the segment, one before and one after the one that an entry names, that one,
/// and the last one.
fn victims(known: &Known) -> Vec<usize> {
    let entry = known.next_entry(known.inside.start);
    vec![known.inside.start, entry - 1, entry, entry + 1, known.inside.end - 1]
}

/// All that no checksum covers, and some of what one does.
fn telling_bits() -> impl Iterator<Item = usize> {
    (0..CRC_START * 8).chain((CRC_START * 8..BATCH_HEADER_SIZE * 8).step_by(7))
}

fn filled(home: &Home) -> (crate::LogDirs, std::sync::Arc<Log>) {
    let (dirs, log) = home.open();
    for n in 0..30 {
        append(&log, &batch_of(&[("k", Some("v"), n * 10), ("k", Some("w"), n * 10 + 5)]));
    }
    log.sync().unwrap();
    (dirs, log)
}

#[test]
fn a_flipped_bit_of_a_header_is_found_or_does_no_harm() {
    let home = Home::new(settings(&TopicConfig::default()));
    let (_dirs, log) = filled(&home);
    let known = Known::of(&log);
    let good = std::fs::read(&known.path).unwrap();
    for victim in victims(&known) {
        for bit in 0..BATCH_HEADER_SIZE * 8 {
            forget(&log);
            let damage = flip(&known, victim, bit);
            let case = format!("batch {victim}, bit {} of byte {}", bit % 8, bit / 8);
            judge(&log, &known, &damage, &case);
            judge_times(&log, &known, &damage, &case);
            std::fs::write(&known.path, &good).unwrap();
        }
    }
    forget(&log);
    assert!(Known::of(&log).batches == known.batches, "all is as before");
}

/// The same after a start, clean and unclean, which looks at headers too.
#[test]
fn a_bit_that_flipped_before_the_start_is_found_or_does_no_harm() {
    let home = Home::new(settings(&TopicConfig::default()));
    let (dirs, log) = filled(&home);
    let known = Known::of(&log);
    dirs.close(no_watermark).unwrap();
    drop((dirs, log));
    let good = std::fs::read(&known.path).unwrap();
    let victim = victims(&known)[3];
    for bit in telling_bits() {
        let damage = flip(&known, victim, bit);
        let (dirs, log) = home.open();
        let case = format!("bit {} of byte {}", bit % 8, bit / 8);
        assert_eq!(log.log_end_offset(), known.end, "{case}");
        judge(&log, &known, &damage, &case);
        judge_times(&log, &known, &damage, &case);
        if bit % 2 == 0 {
            dirs.close(no_watermark).unwrap();
        } else {
            dirs.checkpoint_recovery_points(0).unwrap();
        }
        drop((dirs, log));
        std::fs::write(&known.path, &good).unwrap();
    }
}

/// What is in memory is believed, but nobody waits for ever because of it.
#[test]
fn a_flipped_bit_of_a_batch_in_memory_does_not_hang_a_read() {
    let home = Home::new(settings(&TopicConfig::default()));
    let (_dirs, log) = filled(&home);
    let known = Known::of(&log);
    let good = std::fs::read(&known.path).unwrap();
    for victim in victims(&known) {
        for bit in telling_bits() {
            flip(&known, victim, bit);
            for from in known.around() {
                for max_bytes in SIZES {
                    let found = log.read(Offset(from), max_bytes, known.end, true);
                    let found = found.and_then(|found| Ok(found.records.load()?));
                    assert!(!found.is_ok_and(|found| found.is_empty()), "bit {bit} from {from}");
                }
            }
            std::fs::write(&known.path, &good).unwrap();
        }
    }
}

#[test]
fn a_flipped_bit_of_an_index_does_no_harm() {
    let home = Home::new(settings(&TopicConfig::default()));
    let (_dirs, log) = filled(&home);
    let known = Known::of(&log);
    let nothing = Damage::none(&known);
    let paths = ["index", "timeindex"].map(|extension| known.path.with_extension(extension));
    let good = paths.clone().map(|path| std::fs::read(path).unwrap());
    for flipped in [0, 1] {
        for bit in 0..good[flipped].len() * 8 {
            let mut bytes = good.clone();
            bytes[flipped][bit / 8] ^= 1 << (bit % 8);
            for (path, bytes) in paths.iter().zip(bytes) {
                std::fs::write(path, bytes).unwrap();
            }
            forget(&log);
            let case = format!("bit {bit} of {}", paths[flipped].display());
            judge(&log, &known, &nothing, &case);
            forget(&log);
            judge_times(&log, &known, &nothing, &case);
        }
    }
}

/// Compaction leaves gaps: a batch that has moved within one cannot be told from one that has not,
/// and of two batches that overlap nobody can tell which one has moved.
#[test]
fn a_flipped_bit_in_a_compacted_segment_is_found_where_anything_tells() {
    let home = Home::new(TopicConfig { index_interval_bytes: 150, ..settings(&compacted()) });
    let (_dirs, log) = home.open();
    for n in 0..150_i64 {
        let key = if n % 3 == 0 { "again".to_owned() } else { n.to_string() };
        append(&log, &batch_of(&[(&key, Some("v"), n * 10), (&key, Some("w"), n * 10 + 5)]));
    }
    log.roll().unwrap();
    append(&log, &batch_of(&[("end", Some("v"), 1500)]));
    compact_log(&log, NOW, log.log_end_offset(), 1 << 20).unwrap();
    log.sync().unwrap();
    let known = Known::of(&log);
    let has_gap = |pair: &[Batch]| pair[0].header.next_offset() < pair[1].header.base_offset;
    assert!(known.batches.windows(2).any(has_gap), "batches are gone");
    let good = std::fs::read(&known.path).unwrap();
    for victim in victims(&known) {
        for bit in telling_bits() {
            forget(&log);
            let mut damage = flip(&known, victim, bit);
            if BASE_OFFSET.contains(&(bit / 8)) && !damage.is_undetected {
                damage.lost = victim - 1..victim + 2;
            }
            let case = format!("batch {victim}, bit {} of byte {}", bit % 8, bit / 8);
            judge(&log, &known, &damage, &case);
            std::fs::write(&known.path, &good).unwrap();
        }
    }
}
