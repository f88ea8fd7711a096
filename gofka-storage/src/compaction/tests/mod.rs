//! What a compaction keeps, for how long, and what a crash in it leaves.

use super::*;
use crate::disk;
use crate::testing::*;
use gofka_core::ids::{LeaderEpoch, ProducerEpoch, Sequence};
use gofka_core::record::{BatchBuilder, Compression, NewRecord, Record, TimestampType};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const MAP_BYTES: usize = 1 << 20;

fn compact(log: &Log, now: i64) -> Option<CompactionOutcome> {
    compact_log(log, TimestampMs(now), log.log_end_offset(), MAP_BYTES).unwrap()
}

/// Key, value and offset of every record.
fn contents(log: &Log) -> Vec<(String, Option<String>, i64)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let triple = |record: &Record| {
        let key = record.key.as_deref().map(text).unwrap_or_default();
        (key, record.value.as_deref().map(text), record.offset.0)
    };
    read_all(log, log.log_start_offset(), 1000).iter().map(triple).collect()
}

/// The last value of each key; keys that were deleted last have none.
fn latest(contents: &[(String, Option<String>, i64)]) -> BTreeMap<String, Option<String>> {
    contents.iter().map(|(key, value, _)| (key.clone(), value.clone())).collect()
}

fn put(log: &Log, key: &str, value: Option<&str>) {
    append(log, &batch_of(&[(key, value, NOW.0)]));
}

#[test]
fn the_last_record_of_each_key_stays_at_its_offset() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    for n in 0..30 {
        append(
            &log,
            &batch_of(&[
                (&format!("k{}", n % 3), Some(&format!("v{n}")), NOW.0 + n),
                ("same", Some(&n.to_string()), NOW.0 + n),
            ]),
        );
    }
    log.roll().unwrap();
    let before = contents(&log);
    let outcome = compact(&log, NOW.0).unwrap();
    assert_eq!(outcome.clean_up_to, Offset(60));
    assert!(outcome.bytes_after < outcome.bytes_before);
    let after = contents(&log);
    assert_eq!(latest(&after), latest(&before));
    assert_eq!(after.len(), 4);
    assert!(after.iter().all(|record| before.contains(record)));
    assert_eq!((log.log_end_offset(), log.log_start_offset()), (Offset(60), Offset(0)));
    assert_eq!(log.size_bytes(), outcome.bytes_after);
    // Any offset in between leads to the next record that stayed.
    for from in 0..60 {
        let found = read_all(&log, Offset(from), 1).first().map(|record| record.offset.0);
        let expected = after.iter().map(|(.., offset)| *offset).find(|offset| *offset >= from);
        assert_eq!(found, expected, "from {from}");
    }
    assert!(compact(&log, NOW.0).is_none());
    put(&log, "more", Some("x"));
    assert_eq!(contents(&log).last().unwrap().2, 60);
}

#[test]
fn nothing_above_the_bound_or_in_the_active_segment_goes() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    (0..60).for_each(|n| put(&log, "k", Some(&n.to_string())));
    assert!(log.segment_count() > 3);
    let active = log.all_segments().last().unwrap().base.0;
    let outcome = compact_log(&log, NOW, Offset(active), MAP_BYTES).unwrap().unwrap();
    assert_eq!(outcome.clean_up_to, Offset(active));
    let offsets: Vec<i64> = contents(&log).iter().map(|(.., offset)| *offset).collect();
    let expected: Vec<i64> = (active - 1..60).collect();
    assert_eq!(offsets, expected);
    let second = Home::new(compacted());
    let (_dirs, log) = second.open();
    (0..60).for_each(|n| put(&log, "k", Some(&n.to_string())));
    let bound = log.all_segments()[1].base;
    compact_log(&log, NOW, bound, MAP_BYTES).unwrap().unwrap();
    assert_eq!(contents(&log).len() as i64, 60 - bound.0 + 1);
}

#[test]
fn a_tombstone_stays_for_its_time_and_then_goes() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    put(&log, "gone", Some("v"));
    put(&log, "gone", None);
    put(&log, "kept", Some("w"));
    log.roll().unwrap();
    compact(&log, NOW.0).unwrap();
    let tombstone = ("gone".to_owned(), None, 1);
    assert!(contents(&log).contains(&tombstone));
    let dirty = |log: &Log| {
        put(log, "other", Some("x"));
        log.roll().unwrap();
    };
    dirty(&log);
    compact(&log, NOW.0 + 999).unwrap();
    assert!(contents(&log).contains(&tombstone));
    dirty(&log);
    compact(&log, NOW.0 + 1000).unwrap();
    assert_eq!(contents(&log).len(), 2);
    let kept = read_all(&log, Offset(0), 1000);
    assert_eq!((kept[0].offset, kept[0].timestamp), (Offset(2), NOW));
}

#[test]
fn timestamps_and_headers_survive_a_delete_horizon() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    let mut builder = BatchBuilder::new(Offset(0), Compression::Zstd, TimestampType::CreateTime);
    let headers: &[(&[u8], Option<&[u8]>)] = &[(b"h", Some(b"1")), (b"h", None)];
    for (key, value) in [(b"a", Some(&b"x"[..])), (b"b", None), (b"a", Some(b"y"))] {
        let timestamp = TimestampMs(NOW.0 + i64::from(key[0]));
        builder.push(&NewRecord { timestamp, key: Some(key), value, headers });
    }
    append(&log, &builder.build_batch());
    log.roll().unwrap();
    let before = read_all(&log, Offset(0), 1000);
    compact(&log, NOW.0 + 5_000_000).unwrap();
    assert_eq!(read_all(&log, Offset(0), 1000), before[1..]);
}

#[test]
fn the_last_batch_of_a_producer_stays_without_its_records() {
    let home = Home::new(compacted());
    let (dirs, log) = home.open();
    for n in 0..3 {
        append(&log, &idempotent(7, 0, n * 2, 2));
    }
    put(&log, "k", Some("last"));
    log.roll().unwrap();
    compact(&log, NOW.0).unwrap();
    assert_eq!(contents(&log).len(), 1);
    drop((dirs, log));
    for name in home.files().iter().filter(|name| name.ends_with(".snapshot")) {
        std::fs::remove_file(home.log_dir().join(name)).unwrap();
    }
    let (_dirs, log) = home.open();
    assert!(append(&log, &idempotent(7, 0, 4, 2)).duplicate);
    assert!(!append(&log, &idempotent(7, 0, 6, 1)).duplicate);
}

#[test]
fn a_small_map_cleans_step_by_step() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    for round in 0..4 {
        (0..20).for_each(|n| put(&log, &format!("key{n}"), Some(&round.to_string())));
    }
    log.roll().unwrap();
    let before = latest(&contents(&log));
    let mut runs = 0;
    while compact_log(&log, NOW, log.log_end_offset(), 700).unwrap().is_some() {
        runs += 1;
        assert_eq!(latest(&contents(&log)), before);
    }
    assert!(runs > 3, "{runs}");
    // What was superseded by a part of the log that was mapped later goes in the later run.
    assert_eq!(contents(&log).len(), 20);
}

#[test]
fn aborted_records_go_and_do_not_count_as_the_latest() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    put(&log, "k", Some("committed"));
    let producer = (ProducerId(5), ProducerEpoch(0));
    let start = |sequence| {
        BatchBuilder::new(Offset(0), Compression::None, TimestampType::CreateTime)
            .producer(producer.0, producer.1, Sequence(sequence))
            .transactional()
    };
    let mut aborted = start(0);
    let (key, value) = (Some(&b"k"[..]), Some(&b"aborted"[..]));
    aborted.push(&NewRecord { timestamp: NOW, key, value, headers: &[] });
    append(&log, &aborted.build_batch());
    assert_eq!(log.last_stable_offset(), Offset(1));
    let mut marker = start(-1).control();
    let (key, value) = (Some(&[0u8, 0, 0, 0][..]), Some(&[0u8, 0, 0, 0, 0, 1][..]));
    marker.push(&NewRecord { timestamp: NOW, key, value, headers: &[] });
    append(&log, &marker.build_batch());
    log.note_high_watermark(Offset(3));
    assert_eq!(log.last_stable_offset(), Offset(3));
    log.roll().unwrap();
    let found = log.aborted_transactions(Offset(0), Offset(3)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].producer_id, found[0].first_offset), (ProducerId(5), Offset(1)));
    compact(&log, NOW.0).unwrap();
    let values: Vec<_> = contents(&log).into_iter().map(|(_, value, _)| value).collect();
    assert!(values.contains(&Some("committed".into())));
    assert!(!values.contains(&Some("aborted".into())));
    assert_eq!(log.aborted_transactions(Offset(0), Offset(3)).unwrap().len(), 1);
}

#[test]
fn damaged_batches_are_not_compacted() {
    let home = Home::new(compacted());
    let (dirs, log) = home.open();
    (0..30).for_each(|n| put(&log, "k", Some(&n.to_string())));
    dirs.close(no_watermark).unwrap();
    drop((dirs, log));
    let path = home.log_dir().join(format!("{:020}.log", 0));
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (_dirs, log) = home.open();
    let error = compact_log(&log, NOW, log.log_end_offset(), MAP_BYTES).unwrap_err();
    assert!(matches!(error, StorageError::Corrupt { .. }));
    assert!(!home.files().iter().any(|name| name.ends_with(".swap")));
}

#[test]
fn unfinished_files_are_removed_and_finished_ones_take_their_place() {
    let home = Home::new(compacted());
    let (dirs, log) = home.open();
    (0..30).for_each(|n| put(&log, "k", Some(&n.to_string())));
    log.roll().unwrap();
    compact(&log, NOW.0).unwrap();
    let expected = contents(&log);
    log.sync().unwrap();
    dirs.checkpoint(no_watermark).unwrap();
    drop((dirs, log));
    let dir = home.log_dir();
    let at = |name: &str| dir.join(format!("{:020}.{name}", 0));
    // Decided, but not renamed: the swap wins over what has its name.
    for extension in ["log", "index", "timeindex"] {
        std::fs::rename(at(extension), at(&format!("{extension}.swap"))).unwrap();
    }
    std::fs::write(at("log"), b"old").unwrap();
    let (dirs, log) = home.open();
    assert_eq!(contents(&log), expected);
    drop((dirs, log));
    // Not decided: no log among the swap files.
    std::fs::write(at("index.swap"), b"half").unwrap();
    std::fs::write(at("log.cleaned"), b"half").unwrap();
    let (_dirs, log) = home.open();
    assert_eq!(contents(&log), expected);
    assert!(!home.files().iter().any(|name| name.contains("swap") || name.contains("cleaned")));
}

#[test]
fn groups_keep_within_a_segment() {
    let dir = tempfile::tempdir().unwrap();
    let disk = disk::Disk::new(4);
    let segments: Vec<Arc<Segment>> = [(0, 400), (10, 400), (20, 400), (30, 900), (40, 0)]
        .map(|(base, size)| Arc::new(Segment::on_disk(&disk, dir.path(), Offset(base), size)))
        .into();
    let sizes: Vec<usize> = groups(&segments, &config()).map(<[_]>::len).collect();
    assert_eq!(sizes, [2, 1, 2]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn the_latest_value_of_every_key_survives_any_history(
        steps in prop::collection::vec(
            (0u8..6, prop::option::weighted(0.8, 0u8..100), 0u8..12), 1..150
        ),
        map_bytes in 100usize..2000,
    ) {
        let home = Home::new(compacted());
        let (_dirs, log) = home.open();
        let mut model: BTreeMap<String, Option<String>> = BTreeMap::new();
        for (at, (key, value, event)) in steps.iter().enumerate() {
            let key = format!("k{key}");
            let value = value.map(|value| value.to_string());
            let now = NOW.0 + at as i64 * 100;
            log.append_as_leader(
                &[batch_of(&[(&key, value.as_deref(), now)])], LeaderEpoch(1), TimestampMs(now),
            ).unwrap();
            model.insert(key, value);
            if *event == 0 {
                log.roll().unwrap();
                compact_log(&log, TimestampMs(now), log.log_end_offset(), map_bytes).unwrap();
            }
        }
        let found = latest(&contents(&log));
        for (key, value) in &model {
            // A key that was deleted may be gone, but must not come back.
            prop_assert_eq!(found.get(key).cloned().flatten(), value.clone(), "key {}", key);
        }
        prop_assert_eq!(log.log_end_offset().0, steps.len() as i64);
    }
}

#[test]
fn a_run_that_is_called_off_leaves_the_log_as_it_was() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    for n in 0..60 {
        put(&log, "k", Some(&n.to_string()));
    }
    log.roll().unwrap();
    let (before, files) = (contents(&log), home.files());
    let steps = std::cell::Cell::new(0);
    for allowed in 0.. {
        steps.set(0);
        let pace = |_, _: StillWanted<'_>| {
            steps.set(steps.get() + 1);
            steps.get() <= allowed
        };
        let (now, up_to) = (NOW, log.log_end_offset());
        let run = CompactionRun { now, up_to, map_bytes: MAP_BYTES, pace: &pace };
        if log.compact(&run).unwrap().is_some() {
            assert_eq!(contents(&log).len(), 1);
            break;
        }
        assert_eq!(latest(&contents(&log)), latest(&before));
        assert!(allowed > 60 || home.files() == files, "{:?}", home.files());
    }
}

#[test]
fn what_compaction_has_emptied_does_not_stop_retention() {
    let config = TopicConfig {
        cleanup_policy: gofka_core::config::CleanupPolicy { delete: true, compact: true },
        retention_ms: Some(1000),
        ..compacted()
    };
    let home = Home::new(config);
    let (_dirs, log) = home.open();
    for n in 0..40 {
        put(&log, "k", Some(&n.to_string()));
    }
    log.roll().unwrap();
    compact(&log, NOW.0).unwrap();
    assert!(log.all_segments()[0].size() == 0 || log.all_segments().len() == 2);
    let empty = Segment::create(log.health.disk(), &log.dir, Offset(0)).unwrap();
    let first = log.all_segments()[0].base;
    if first == Offset(0) {
        // All of the first segment was compacted away, as when each key of it came again.
        log.segments.write()[0] = Arc::new(empty);
    }
    let late = TimestampMs(i64::MAX / 2);
    assert!(log.apply_retention(late, log.log_end_offset()).unwrap() > 0);
    assert_eq!(log.log_start_offset(), log.log_end_offset());
}

/// A pace that holds a run up at its `at`-th step: it says so, and waits until it is told to go
/// on or the log is not wanted any more.
struct Gate {
    at: usize,
    steps: AtomicUsize,
    reached: mpsc::SyncSender<()>,
    open: AtomicBool,
}

impl Gate {
    fn new(at: usize) -> (Self, mpsc::Receiver<()>) {
        let (reached, is_reached) = mpsc::sync_channel(1);
        let (steps, open) = (AtomicUsize::new(0), AtomicBool::new(false));
        (Self { at, steps, reached, open }, is_reached)
    }

    fn pace(&self, _: u64, wanted: StillWanted<'_>) -> bool {
        if self.steps.fetch_add(1, Ordering::AcqRel) == self.at {
            self.reached.send(()).unwrap();
            let deadline = Instant::now() + LONG;
            while wanted() && !self.open.load(Ordering::Acquire) {
                assert!(Instant::now() < deadline, "nobody ends the wait");
                std::thread::yield_now();
            }
        }
        true
    }
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_log_is_deleted_while_its_compaction_waits() {
    let batches = 60;
    // While keys are noted, and while segments are written anew.
    for at in [1, batches + 1] {
        let home = Home::new(compacted());
        let (dirs, log) = home.open();
        (0..batches).for_each(|n| put(&log, "k", Some(&n.to_string())));
        log.roll().unwrap();
        let (gate, is_reached) = Gate::new(at);
        std::thread::scope(|scope| {
            let running = scope.spawn(|| {
                let pace = |bytes, wanted: StillWanted<'_>| gate.pace(bytes, wanted);
                let (now, up_to) = (NOW, log.log_end_offset());
                log.compact(&CompactionRun { now, up_to, map_bytes: MAP_BYTES, pace: &pace })
            });
            is_reached.recv_timeout(LONG).unwrap();
            dirs.delete(&partition(), gofka_core::time::MonotonicMs(0)).unwrap();
            assert_eq!(running.join().unwrap().unwrap(), None);
        });
        assert_eq!(gate.steps.load(Ordering::Acquire), at + 1);
        assert!(!home.log_dir().exists());
    }
}

#[test]
fn retention_and_delete_records_wait_for_no_compaction() {
    let config = TopicConfig {
        cleanup_policy: gofka_core::config::CleanupPolicy { delete: true, compact: true },
        retention_ms: Some(1000),
        ..compacted()
    };
    let home = Home::new(config);
    let (_dirs, log) = home.open();
    (0..60).for_each(|n| put(&log, &n.to_string(), Some("v")));
    log.roll().unwrap();
    let (late, up_to) = (TimestampMs(NOW.0 + 2000), log.log_end_offset());
    let (gate, is_reached) = Gate::new(1);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let pace = |bytes, wanted: StillWanted<'_>| gate.pace(bytes, wanted);
            log.compact(&CompactionRun { now: NOW, up_to, map_bytes: MAP_BYTES, pace: &pace })
        });
        is_reached.recv_timeout(LONG).unwrap();
        assert_eq!(log.apply_retention(late, up_to).unwrap(), 0);
        log.set_log_start_offset(Offset(59)).unwrap();
        assert_eq!(log.log_start_offset(), Offset(59));
        gate.open.store(true, Ordering::Release);
        assert!(running.join().unwrap().unwrap().is_some());
    });
    assert_eq!(contents(&log).len(), 1);
    // The next run begins with what retention has left out.
    compact(&log, late.0);
    assert_eq!((log.segment_count(), log.log_start_offset()), (1, Offset(60)));
}
