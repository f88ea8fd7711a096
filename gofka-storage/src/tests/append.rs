//! Offsets, rolling and idempotence, through a log on disk.

use crate::error::AppendError;
use crate::testing::*;
use gofka_core::config::TopicConfig;
use gofka_core::error::ErrorCode;
use gofka_core::ids::{LeaderEpoch, Offset};

#[test]
fn offsets_and_epoch_are_assigned_and_come_back() {
    let home = Home::new(config());
    let (_dirs, log) = home.open();
    let first = append(&log, &batch("a", 3));
    assert_eq!((first.first_offset, first.last_offset), (Offset(0), Offset(2)));
    let both = [batch("b", 2), batch("c", 1)];
    let second = log.append_as_leader(&both, LeaderEpoch(5), NOW).unwrap();
    assert_eq!((second.first_offset, second.last_offset), (Offset(3), Offset(5)));
    let all: Vec<_> = texts(&read_all(&log, Offset(0), 1 << 20));
    let expected = [(0, "a"), (1, "a"), (2, "a"), (3, "b"), (4, "b"), (5, "c")];
    assert_eq!(all, expected.map(|(offset, text)| (offset, text.to_owned())));
    assert_eq!(log.epoch_of(Offset(2)), EPOCH);
    assert_eq!(log.epoch_of(Offset(3)), LeaderEpoch(5));
    assert_eq!(log.end_offset_for_epoch(EPOCH), (EPOCH, Offset(3)));
}

#[test]
fn an_empty_log_has_no_segment_and_costs_no_file_but_its_id() {
    let home = Home::new(config());
    let (_dirs, log) = home.open();
    assert_eq!(log.segment_count(), 0);
    assert_eq!(home.files(), ["partition.metadata"]);
    assert_eq!(log.sync().unwrap(), Offset(0));
}

#[test]
fn segments_roll_by_size_time_and_index() {
    let check = |config: TopicConfig, timestamps: &[i64], bases: &[&str]| {
        let home = Home::new(config);
        let (_dirs, log) = home.open();
        for timestamp in timestamps {
            append(&log, &batch_of(&[("k", Some("v"), *timestamp)]));
        }
        let files = home.files();
        let logs: Vec<&str> = files.iter().filter_map(|name| name.strip_suffix(".log")).collect();
        let short: Vec<&str> = logs.iter().map(|name| name.trim_start_matches('0')).collect();
        assert_eq!(short, bases, "{files:?}");
    };
    // Each of these batches takes 70 bytes.
    check(TopicConfig { segment_bytes: 150, ..config() }, &[1, 2, 3, 4, 5], &["", "2", "4"]);
    let hourly = TopicConfig { segment_ms: 1000, ..config() };
    check(hourly, &[1, 1001, 1002, 1003, 2002], &["", "2"]);
    let narrow = TopicConfig { segment_index_bytes: 24, index_interval_bytes: 0, ..config() };
    check(narrow, &[1, 2, 3, 4, 5], &["", "2", "4"]);
}

#[test]
fn a_retried_batch_is_answered_with_its_first_offsets() {
    let home = Home::new(config());
    let (_dirs, log) = home.open();
    append(&log, &idempotent(9, 0, 0, 3));
    append(&log, &idempotent(9, 0, 3, 2));
    let again = append(&log, &idempotent(9, 0, 0, 3));
    assert!(again.duplicate);
    assert_eq!((again.first_offset, again.last_offset), (Offset(0), Offset(2)));
    assert_eq!(log.log_end_offset(), Offset(5));
    let gap = log.append_as_leader(&[idempotent(9, 0, 6, 1)], EPOCH, NOW).unwrap_err();
    assert_eq!(gap.code(), ErrorCode::OutOfOrderSequenceNumber);
    let both = [idempotent(9, 0, 5, 1), idempotent(9, 0, 6, 1)];
    log.append_as_leader(&both, EPOCH, NOW).unwrap();
    assert_eq!(log.log_end_offset(), Offset(7));
    log.expire_producers(NOW, 0);
    assert!(log.active_producers().is_empty());
}

#[test]
fn what_does_not_fit_into_a_segment_is_refused() {
    let home = Home::new(config());
    let (_dirs, log) = home.open();
    let large = batch(&"x".repeat(2000), 1);
    let error = log.append_as_leader(&[large], EPOCH, NOW).unwrap_err();
    assert!(matches!(error, AppendError::TooLarge { limit: 1000, .. }));
    assert_eq!(error.code(), ErrorCode::RecordListTooLarge);
    assert_eq!(log.segment_count(), 0);
}

#[test]
fn numbered_batches_keep_their_offsets_and_may_leave_gaps() {
    let home = Home::new(config());
    let (_dirs, log) = home.open();
    let mut one = batch("a", 2);
    one.header.base_offset = Offset(10);
    one.header.leader_epoch = LeaderEpoch(1);
    log.append_as_follower(&[one.clone()], NOW).unwrap();
    assert_eq!(log.log_end_offset(), Offset(12));
    let again = log.append_as_follower(&[one], NOW).unwrap_err();
    assert!(matches!(again, AppendError::Misplaced { .. }));
    assert_eq!(texts(&read_all(&log, Offset(3), 1 << 20))[0].0, 10);
}

#[test]
fn a_log_is_cut_back_to_an_offset() {
    let home = Home::new(config());
    let (dirs, log) = home.open();
    for n in 0..60 {
        append(&log, &batch(&n.to_string(), 2));
    }
    log.sync().unwrap();
    // Inside of a batch: the whole batch goes.
    dirs.truncate(&log, Offset(41), NOW).unwrap();
    assert_eq!(log.log_end_offset(), Offset(40));
    assert_eq!(read_all(&log, Offset(0), 300).len(), 40);
    assert_eq!(append(&log, &batch("new", 1)).first_offset, Offset(40));
    dirs.close(no_watermark).unwrap();
    drop((dirs, log));
    let (_dirs, log) = home.open();
    assert_eq!(read_all(&log, Offset(0), 300).len(), 41);
}
