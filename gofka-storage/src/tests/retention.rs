//! What goes by age, by size and by request, and what stays.

use crate::testing::*;
use gofka_core::config::TopicConfig;
use gofka_core::ids::Offset;
use gofka_core::time::TimestampMs;

/// 20 single-record batches of 70 bytes, timestamps 0, 100, 200 ..., ten to a segment.
fn filled(home: &Home) -> (crate::LogDirs, std::sync::Arc<crate::Log>) {
    let (dirs, log) = home.open();
    for n in 0..40 {
        append(&log, &batch_of(&[("k", Some("v"), n * 100)]));
    }
    assert_eq!(log.segment_count(), 4);
    (dirs, log)
}

fn limits(retention_ms: Option<u64>, retention_bytes: Option<u64>) -> TopicConfig {
    TopicConfig { segment_bytes: 700, retention_ms, retention_bytes, ..config() }
}

#[test]
fn segments_go_by_age_when_their_newest_record_is_too_old() {
    let home = Home::new(limits(Some(1000), None));
    let (_dirs, log) = filled(&home);
    let at = |now| {
        log.apply_retention(TimestampMs(now), Offset(40)).unwrap();
        log.log_start_offset()
    };
    assert_eq!(at(1900), Offset(0));
    assert_eq!(at(1901), Offset(10));
    assert_eq!(at(4900), Offset(30));
    assert!(log.read(Offset(29), 100, Offset(40), true).is_err());
    // The last segment goes too, and the next offset stays what it was.
    assert_eq!(at(4901), Offset(40));
    assert_eq!(log.segment_count(), 1);
    assert_eq!(append(&log, &batch("x", 1)).first_offset, Offset(40));
}

#[test]
fn nothing_above_the_high_watermark_goes() {
    let home = Home::new(limits(Some(1000), None));
    let (_dirs, log) = filled(&home);
    assert_eq!(log.apply_retention(TimestampMs(1 << 40), Offset(19)).unwrap(), 1);
    assert_eq!(log.log_start_offset(), Offset(10));
}

#[test]
fn segments_go_by_size_as_long_as_enough_stays() {
    let home = Home::new(limits(None, Some(1500)));
    let (_dirs, log) = filled(&home);
    assert_eq!(log.size_bytes(), 2800);
    assert_eq!(log.apply_retention(TimestampMs(0), Offset(40)).unwrap(), 1);
    assert_eq!((log.log_start_offset(), log.size_bytes()), (Offset(10), 2100));
    assert_eq!(log.apply_retention(TimestampMs(0), Offset(40)).unwrap(), 0);
}

#[test]
fn deleted_records_stay_deleted_after_a_clean_stop() {
    let home = Home::new(limits(None, None));
    let (dirs, log) = filled(&home);
    log.set_log_start_offset(Offset(25)).unwrap();
    assert_eq!(log.segment_count(), 2);
    assert_eq!(texts(&read_all(&log, Offset(25), 1000)).len(), 15);
    dirs.close(no_watermark).unwrap();
    drop((dirs, log));
    let (dirs, log) = home.open();
    assert_eq!(log.log_start_offset(), Offset(25));
    log.set_log_start_offset(Offset(40)).unwrap();
    dirs.checkpoint_log_starts(0).unwrap();
    drop((dirs, log));
    let (_dirs, log) = home.open();
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (Offset(40), Offset(40)));
    assert_eq!(append(&log, &batch("x", 1)).first_offset, Offset(40));
}

#[test]
fn a_log_without_anything_left_remembers_its_end_after_a_crash() {
    let home = Home::new(limits(Some(1000), None));
    let (dirs, log) = filled(&home);
    log.apply_retention(TimestampMs(1 << 40), Offset(40)).unwrap();
    drop((dirs, log));
    let (_dirs, log) = home.open();
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (Offset(40), Offset(40)));
}
