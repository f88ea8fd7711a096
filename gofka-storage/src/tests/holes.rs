//! Holes that compaction has left are no losses, and a changed offset is no hole: what a start
//! makes of them after a stop that was not clean.

use crate::compaction::CompactionRun;
use crate::log::Log;
use crate::names;
use crate::testing::*;
use gofka_core::config::TopicConfig;
use gofka_core::ids::Offset;
use gofka_core::record::BatchHeader;
use std::fs;
use std::sync::Arc;

/// With so large segments.
fn sized(segment_bytes: u32, config: &TopicConfig) -> TopicConfig {
    TopicConfig { segment_bytes, ..config.clone() }
}

fn put(log: &Log, key: &str, value: &str) {
    append(log, &batch_of(&[(key, Some(value), NOW.0)]));
}

/// A log that was compacted, so that each of its segments ends with a hole, and killed after a
/// switch to `cleanup.policy=delete`; and what is in it.
fn compacted_and_killed() -> (Home, Vec<(i64, String)>) {
    let mut home = Home::new(sized(160, &compacted()));
    let (dirs, log) = home.open();
    for (key, value) in [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5")] {
        put(&log, key, value);
        put(&log, "often", value);
    }
    log.roll().unwrap();
    let (now, up_to) = (NOW, log.log_end_offset());
    let run = CompactionRun { now, up_to, map_bytes: 1 << 20, pace: &|_, _| true };
    dirs.compact(&log, &run).unwrap().unwrap();
    put(&log, "last", "6");
    let expected = texts(&read_all(&log, Offset(0), 300));
    assert_eq!(expected.len(), 7);
    log.sync().unwrap();
    home.config = Arc::new(sized(160, &config()));
    (home, expected)
}

const DAMAGED: [Option<&str>; 5] = [
    None,
    Some("0\n1\norders"),
    Some("0\n0\n"),
    Some("0\n1\nordess 0 0\n"),
    Some("0\n2\norders 0 0\n"),
];

fn damage(home: &Home, name: &str, text: Option<&str>) {
    let path = home.root.path().join(name);
    match text {
        Some(text) => fs::write(path, text).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
}

#[test]
fn without_the_cleaners_checkpoint_a_log_keeps_what_its_holes_divide() {
    for text in DAMAGED {
        let (home, mut expected) = compacted_and_killed();
        for n in 0..3 {
            damage(&home, names::CLEANER_OFFSETS, text);
            let (dirs, log) = home.open();
            assert_eq!(texts(&read_all(&log, Offset(0), 300)), expected, "{text:?}");
            put(&log, "new", &n.to_string());
            expected.push((log.log_end_offset().0 - 1, n.to_string()));
            dirs.checkpoint(0, no_watermark).unwrap();
        }
    }
}

#[test]
fn without_any_checkpoint_a_log_keeps_what_its_holes_divide() {
    for text in DAMAGED.into_iter().filter(|text| !text.is_some_and(|text| text.len() > 20)) {
        let (home, expected) = compacted_and_killed();
        if text.is_none_or(|text| text.ends_with("orders")) {
            damage(&home, names::CLEANER_OFFSETS, text);
        }
        for _ in 0..3 {
            damage(&home, names::RECOVERY_POINTS, None);
            let (dirs, log) = home.open();
            assert_eq!(texts(&read_all(&log, Offset(0), 300)), expected, "{text:?}");
            // From here on it is known again which logs may have holes.
            dirs.checkpoint(0, no_watermark).unwrap();
        }
    }
}

#[test]
fn a_cut_log_keeps_what_the_holes_of_its_last_segment_divide() {
    let mut home = Home::new(sized(400, &compacted()));
    let (dirs, log) = home.open();
    for (key, value) in [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5")] {
        put(&log, key, value);
        put(&log, "often", value);
    }
    let (now, up_to) = (NOW, log.log_end_offset());
    let run = CompactionRun { now, up_to, map_bytes: 1 << 20, pace: &|_, _| true };
    dirs.compact(&log, &run).unwrap().unwrap();
    dirs.truncate(&log, Offset(5), NOW).unwrap();
    put(&log, "last", "6");
    let expected = texts(&read_all(&log, Offset(0), 300));
    let offsets: Vec<i64> = expected.iter().map(|(offset, _)| *offset).collect();
    assert!((1..4).any(|hole| !offsets.contains(&hole)), "{offsets:?}");
    log.sync().unwrap();
    dirs.checkpoint(0, no_watermark).unwrap();
    drop((dirs, log));
    home.config = Arc::new(sized(400, &config()));
    damage(&home, names::CLEANER_OFFSETS, None);
    let (_dirs, log) = home.open();
    assert_eq!(texts(&read_all(&log, Offset(0), 300)), expected);
}

#[test]
fn nothing_above_the_recovery_point_is_compacted() {
    let home = Home::new(sized(160, &compacted()));
    let (dirs, log) = home.open();
    let points = home.root.path().join(names::RECOVERY_POINTS);
    for round in 1..4 {
        for value in ["1", "2", "3", "4", "5"] {
            put(&log, "often", value);
        }
        let sealed = log.segments.read().last().unwrap().base;
        let (now, up_to) = (NOW, log.log_end_offset());
        let run = CompactionRun { now, up_to, map_bytes: 1 << 20, pace: &|_, _| true };
        let clean = dirs.compact(&log, &run).unwrap().unwrap().clean_up_to;
        let text = fs::read_to_string(&points).unwrap();
        assert_eq!(text, format!("0\n1\norders 0 {}\n", 5 * round));
        assert_eq!(clean, sealed);
    }
}

#[test]
fn no_bit_of_any_batchs_offset_makes_a_hole() {
    for synced in [0, 4, 10] {
        let home = Home::new(TopicConfig { segment_bytes: 1 << 20, ..config() });
        let (dirs, log) = home.open();
        for n in 0..10 {
            append(&log, &idempotent(7, 0, n, 1));
            if n + 1 == synced {
                log.sync().unwrap();
                dirs.checkpoint_recovery_points(0).unwrap();
            }
        }
        drop((dirs, log));
        let path = home.log_dir().join(names::file(Offset(0), names::LOG));
        let points = home.root.path().join(names::RECOVERY_POINTS);
        let (bytes, point) = (fs::read(&path).unwrap(), fs::read(&points).unwrap());
        let mut position = 0;
        for batch in 0..10 {
            for bit in 0..64 {
                let mut changed = bytes.clone();
                changed[position + bit / 8] ^= 1 << (bit % 8);
                fs::write(&path, changed).unwrap();
                fs::write(&points, &point).unwrap();
                let (_dirs, log) = home.open();
                let end = log.log_end_offset();
                assert_eq!(end, Offset(batch), "bit {bit} of batch {batch}, {synced} synced");
            }
            position += BatchHeader::parse(&bytes[position..]).unwrap().size();
        }
    }
}
