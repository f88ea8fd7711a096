//! Files that this broker has not written, or not so: segments of another cluster, and numbers that
//! no log has.

use crate::compaction::CompactionRun;
use crate::dirs::{Claim, LogDirs};
use crate::log::Log;
use crate::names;
use crate::testing::*;
use gofka_core::ids::{LeaderEpoch, Offset};
use std::fs;
use std::sync::Arc;

/// Opens the log where the metadata tells of no leader epoch above this one.
fn led_in(home: &Home, epoch: i32) -> (LogDirs, Arc<Log>) {
    let dirs = open_dirs(home.root.path());
    let wanted = |_: &_, topic_id| Claim::Wanted {
        topic_id,
        config: Arc::clone(&home.config),
        leader_epoch: Some(LeaderEpoch(epoch)),
    };
    let (_, log) = dirs.load(wanted, NOW).unwrap().pop().unwrap();
    (dirs, log)
}

/// Segments of a cluster with higher leader epochs are put into a log's folder, with and without
/// their epochs, between clean stops.
#[test]
fn a_log_of_newer_epochs_than_the_clusters_is_taken_as_it_is() {
    for with_epochs in [true, false] {
        let (from, to) = (Home::new(config()), Home::new(config()));
        let (dirs, log) = from.open();
        for n in 0..30 {
            let epoch = LeaderEpoch(5 + n / 10);
            log.append_as_leader(&[batch(&n.to_string(), 1)], epoch, NOW).unwrap();
        }
        let mut expected = texts(&read_all(&log, Offset(0), 300));
        dirs.close(no_watermark).unwrap();
        let (dirs, log) = to.open();
        log.append_as_leader(&[batch("old", 1)], LeaderEpoch(0), NOW).unwrap();
        dirs.close(no_watermark).unwrap();
        drop((dirs, log));
        for name in to.files().iter().filter(|name| names::parse_file(name).is_some()) {
            fs::remove_file(to.log_dir().join(name)).unwrap();
        }
        for name in from.files() {
            let is_moved = match &*name {
                names::LEADER_EPOCHS => with_epochs,
                name => names::parse_file(name).is_some(),
            };
            if is_moved {
                fs::copy(from.log_dir().join(&name), to.log_dir().join(&name)).unwrap();
            }
        }
        for epoch in 0..4 {
            let (dirs, log) = led_in(&to, epoch);
            assert_eq!(texts(&read_all(&log, Offset(0), 300)), expected, "{with_epochs} {epoch}");
            let end = log.log_end_offset();
            log.append_as_leader(&[batch("new", 1)], LeaderEpoch(epoch), NOW).unwrap();
            expected.push((end.0, "new".to_owned()));
            assert_eq!(log.latest_epoch(), LeaderEpoch(epoch));
            if epoch > 0 {
                let answer = log.end_offset_for_epoch(LeaderEpoch(epoch - 1));
                assert_eq!(answer, (LeaderEpoch(epoch - 1), end));
            }
            log.sync().unwrap();
            if epoch == 1 {
                dirs.close(no_watermark).unwrap();
            }
        }
    }
}

#[test]
fn offsets_below_zero_in_checkpoints_are_not_believed() {
    for name in [names::RECOVERY_POINTS, names::LOG_STARTS, names::CLEANER_OFFSETS] {
        for records in [0, 3] {
            let home = Home::new(compacted());
            let (dirs, log) = home.open();
            (0..records).for_each(|n| {
                append(&log, &batch(&n.to_string(), 1));
            });
            dirs.close(no_watermark).unwrap();
            drop((dirs, log));
            fs::write(home.root.path().join(name), "0\n1\norders 0 -5\n").unwrap();
            let (_dirs, log) = home.open();
            let offsets = (log.log_start_offset(), log.log_end_offset());
            assert_eq!(offsets, (Offset(0), Offset(records)), "{name}");
            append(&log, &batch("new", 1));
            assert_eq!(read_all(&log, Offset(0), 300).len() as i64, records + 1);
        }
    }
}

#[test]
fn a_segment_at_the_end_of_all_offsets_is_opened() {
    for (clean, config) in [(true, config()), (true, compacted()), (false, compacted())] {
        for base in [i64::MAX, i64::MAX - 1, i64::MAX - 100] {
            let home = Home::new(config.clone());
            let (dirs, log) = home.open();
            append(&log, &batch("x", 1));
            if clean {
                dirs.close(no_watermark).unwrap();
            }
            drop((dirs, log));
            fs::write(home.log_dir().join(names::file(Offset(base), names::LOG)), "").unwrap();
            let (_dirs, log) = home.open();
            let _ = log.append_as_leader(&[batch("y", 1)], EPOCH, NOW);
            let _ = log.read(Offset(0), 300, log.log_end_offset(), true);
        }
    }
}

/// Segments with the holes of a compaction are put into the folder of a log that is not compacted.
#[test]
fn a_compacted_log_that_was_moved_keeps_what_its_holes_divide() {
    let (from, to) = (Home::new(compacted()), Home::new(config()));
    let (dirs, log) = from.open();
    for n in 0..60 {
        append(&log, &batch_of(&[("often", Some(&n.to_string()), NOW.0)]));
        append(&log, &batch_of(&[(&n.to_string(), Some("kept"), NOW.0)]));
    }
    log.roll().unwrap();
    let (now, up_to) = (NOW, log.log_end_offset());
    let run = CompactionRun { now, up_to, map_bytes: 1 << 20, pace: &|_, _| true };
    dirs.compact(&log, &run).unwrap().unwrap();
    let expected = texts(&read_all(&log, Offset(0), 300));
    dirs.close(no_watermark).unwrap();
    let (dirs, log) = to.open();
    append(&log, &batch("old", 1));
    dirs.close(no_watermark).unwrap();
    drop((dirs, log));
    for name in to.files().iter().filter(|name| names::parse_file(name).is_some()) {
        fs::remove_file(to.log_dir().join(name)).unwrap();
    }
    for name in from.files().iter().filter(|name| names::parse_file(name).is_some()) {
        fs::copy(from.log_dir().join(name), to.log_dir().join(name)).unwrap();
    }
    for without_points in [false, false, true, true] {
        if without_points {
            fs::remove_file(to.root.path().join(names::RECOVERY_POINTS)).unwrap();
        }
        let (dirs, log) = to.open();
        assert_eq!(texts(&read_all(&log, Offset(0), 300)), expected, "{without_points}");
        if without_points {
            dirs.checkpoint(0, no_watermark).unwrap();
        }
    }
}
