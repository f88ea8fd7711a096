//! Fetch sessions: what a client may rely on, as tables.

use super::*;
use crate::error::ErrorCode;
use crate::ids::{PartitionIndex, TopicName};
use crate::time::MonotonicMs;
use std::time::Duration;

const QUIET: PartitionNews = PartitionNews {
    high_watermark: Offset(5),
    log_start_offset: Offset(0),
    has_records: false,
    always: false,
    is_error: false,
};

fn key(partition: i32) -> PartitionKey {
    PartitionKey {
        topic: TopicKey::Name(TopicName::new("t")),
        partition: PartitionIndex(partition),
    }
}

fn target(offset: i64) -> FetchTarget {
    FetchTarget {
        offset: Offset(offset),
        max_bytes: 100,
        current_leader_epoch: LeaderEpoch::NONE,
        last_fetched_epoch: LeaderEpoch::NONE,
    }
}

fn request(id: i32, epoch: i32, partitions: &[i32]) -> SessionRequest {
    let targets = partitions.iter().map(|partition| (key(*partition), target(0))).collect();
    SessionRequest { id, epoch, targets, ..SessionRequest::default() }
}

fn sessions(slots: usize) -> FetchSessions {
    let limits = SessionLimits { slots, evict_after: Duration::from_secs(120), partitions: 10_000 };
    FetchSessions::new(limits)
}

/// Opens a session over `partitions`, each of which is told as `QUIET`.
fn open(sessions: &mut FetchSessions, now: MonotonicMs, id: i32, partitions: &[i32]) -> i32 {
    let plan = sessions.begin(now, request(0, INITIAL_EPOCH, partitions)).unwrap();
    let news = vec![QUIET; partitions.len()];
    sessions.finish(now, &plan, &news, || id).unwrap().session_id
}

fn order(plan: &FetchPlan) -> Vec<i32> {
    plan.targets.iter().map(|(key, _)| key.partition.0).collect()
}

#[test]
fn an_incremental_fetch_repeats_nothing_and_is_told_only_news() {
    let now = MonotonicMs(0);
    let mut all = sessions(10);
    let id = open(&mut all, now, 77, &[0, 1, 2]);
    assert_eq!(id, 77);
    let plan = all.begin(now, request(id, 1, &[])).unwrap();
    assert_eq!(order(&plan), [0, 1, 2]);
    let news = [
        QUIET,
        PartitionNews { high_watermark: Offset(6), ..QUIET },
        PartitionNews { log_start_offset: Offset(1), ..QUIET },
    ];
    let answer = all.finish(now, &plan, &news, || 0).unwrap();
    assert_eq!(answer, FetchAnswer { session_id: 77, included: vec![false, true, true] });
    // Told once, they are no news any more.
    let plan = all.begin(now, request(id, 2, &[])).unwrap();
    let answer = all.finish(now, &plan, &news, || 0).unwrap();
    assert_eq!(answer.included, [false; 3]);
}

#[test]
fn who_was_served_goes_to_the_end() {
    let now = MonotonicMs(0);
    let mut all = sessions(10);
    let id = open(&mut all, now, 1, &[0, 1, 2]);
    let plan = all.begin(now, request(id, 1, &[])).unwrap();
    let served = PartitionNews { has_records: true, ..QUIET };
    all.finish(now, &plan, &[served, QUIET, QUIET], || 0).unwrap();
    let plan = all.begin(now, request(id, 2, &[])).unwrap();
    assert_eq!(order(&plan), [1, 2, 0]);
}

#[test]
fn an_error_is_told_until_it_ends_and_its_end_too() {
    let now = MonotonicMs(0);
    let mut all = sessions(10);
    let id = open(&mut all, now, 1, &[0]);
    let error = PartitionNews {
        high_watermark: Offset::NONE,
        log_start_offset: Offset::NONE,
        is_error: true,
        ..QUIET
    };
    for (epoch, news, told) in
        [(1, error, true), (2, error, true), (3, QUIET, true), (4, QUIET, false)]
    {
        let plan = all.begin(now, request(id, epoch, &[])).unwrap();
        let answer = all.finish(now, &plan, &[news], || 0).unwrap();
        assert_eq!(answer.included, [told], "epoch {epoch}");
    }
}

#[test]
fn partitions_are_added_changed_and_forgotten() {
    let now = MonotonicMs(0);
    let mut all = sessions(10);
    let id = open(&mut all, now, 1, &[0, 1]);
    let mut change = request(id, 1, &[2]);
    change.targets.push((key(1), target(40)));
    change.forgotten.push(key(0));
    let plan = all.begin(now, change).unwrap();
    assert_eq!(plan.targets, [(key(1), target(40)), (key(2), target(0))]);
    assert_eq!(all.partition_count(), 2);
    // Without partitions there is no session any more.
    let mut rest = request(id, 2, &[]);
    rest.forgotten = vec![key(1), key(2)];
    let plan = all.begin(now, rest).unwrap();
    assert_eq!((plan.kind, plan.targets.len()), (FetchKind::Sessionless, 0));
    assert_eq!((all.len(), all.partition_count()), (0, 0));
}

#[test]
fn sessions_refuse_wrong_ids_epochs_and_ways_of_naming() {
    let now = MonotonicMs(0);
    let mut all = sessions(10);
    let id = open(&mut all, now, 9, &[0]);
    let refused = |all: &mut FetchSessions, request| all.begin(now, request).unwrap_err();
    let unknown = refused(&mut all, request(8, 1, &[]));
    assert_eq!(unknown, ErrorCode::FetchSessionIdNotFound);
    for epoch in [2, 7, i32::MAX, -2] {
        let wrong = refused(&mut all, request(id, epoch, &[]));
        assert_eq!(wrong, ErrorCode::InvalidFetchSessionEpoch, "epoch {epoch}");
    }
    let by_id = SessionRequest { uses_topic_ids: true, ..request(id, 1, &[]) };
    assert_eq!(refused(&mut all, by_id), ErrorCode::FetchSessionTopicIdError);
    assert!(all.begin(now, request(id, 1, &[])).is_ok());
}

#[test]
fn a_full_or_final_fetch_closes_the_session_it_names() {
    let now = MonotonicMs(0);
    for epoch in [INITIAL_EPOCH, FINAL_EPOCH] {
        let mut all = sessions(10);
        let id = open(&mut all, now, 5, &[0, 1]);
        let plan = all.begin(now, request(id, epoch, &[3])).unwrap();
        assert_eq!(order(&plan), [3]);
        assert!(all.is_empty());
    }
}

#[test]
fn a_session_that_moved_on_while_its_fetch_waited_is_an_error() {
    let now = MonotonicMs(0);
    let mut all = sessions(10);
    let id = open(&mut all, now, 5, &[0]);
    let waiting = all.begin(now, request(id, 1, &[])).unwrap();
    let next = all.begin(now, request(id, 2, &[])).unwrap();
    let late = all.finish(now, &waiting, &[QUIET], || 0);
    assert_eq!(late, Err(ErrorCode::InvalidFetchSessionEpoch));
    assert!(all.finish(now, &next, &[QUIET], || 0).is_ok());
}

#[test]
fn a_fetch_that_waits_while_its_client_closes_the_session_is_answered() {
    let now = MonotonicMs(0);
    let mut all = sessions(10);
    let id = open(&mut all, now, 5, &[0]);
    let waiting = all.begin(now, request(id, 1, &[])).unwrap();
    all.begin(now, request(id, FINAL_EPOCH, &[])).unwrap();
    let answer = all.finish(now, &waiting, &[QUIET], || 0).unwrap();
    assert_eq!((answer.session_id, answer.included), (id, vec![true]));
    let gone = all.begin(now, request(id, 2, &[])).unwrap_err();
    assert_eq!(gone, ErrorCode::FetchSessionIdNotFound);
}

#[test]
fn slots_are_bounded_and_go_to_the_larger_once_the_smaller_is_old() {
    let mut all = sessions(2);
    let start = MonotonicMs(0);
    assert_eq!(open(&mut all, start, 1, &[0]), 1);
    assert_eq!(open(&mut all, start, 2, &[0, 1]), 2);
    assert_eq!(open(&mut all, start, 3, &[0, 1, 2]), NO_SESSION, "both are too young");
    // Both are used just before, so neither is stale, but they are old enough to be compared.
    let busy = MonotonicMs(121_000);
    for id in [1, 2] {
        all.begin(busy, request(id, 1, &[])).unwrap();
    }
    assert_eq!(open(&mut all, busy, 3, &[0]), NO_SESSION, "not larger than the smallest");
    assert_eq!(open(&mut all, busy, 3, &[0, 1]), 3);
    let gone = all.begin(busy, request(1, 2, &[])).unwrap_err();
    assert_eq!(gone, ErrorCode::FetchSessionIdNotFound);
    // A silent one goes whatever its size.
    let later = MonotonicMs(121_000 + 120_001);
    all.begin(later, request(3, 1, &[])).unwrap();
    assert_eq!(open(&mut all, later, 4, &[0]), 4);
    assert!(all.begin(later, request(2, 2, &[])).is_err());
    assert_eq!((all.len(), all.evictions()), (2, 2));
}

#[test]
fn a_hundred_thousand_sessions_stay_within_the_slots() {
    let mut all = sessions(100);
    for n in 0..100_000u64 {
        open(&mut all, MonotonicMs(n * 10), n as i32 + 1, &[0]);
        assert!(all.len() <= 100 && all.partition_count() <= 100);
    }
}

#[test]
fn partitions_of_all_sessions_are_bounded() {
    let now = MonotonicMs(0);
    let mut all = sessions(1_000);
    let many: Vec<i32> = (0..6_000).collect();
    let id = open(&mut all, now, 1, &many);
    assert_eq!(id, 1);
    assert_eq!(open(&mut all, now, 2, &many), NO_SESSION);
    let more: Vec<i32> = (6_000..12_000).collect();
    let refused = all.begin(now, request(id, 1, &more)).unwrap_err();
    assert_eq!(refused, ErrorCode::FetchSessionIdNotFound);
    assert_eq!(all.partition_count(), 0);
}

#[test]
fn epochs_wrap_to_one() {
    assert_eq!(next_epoch(INITIAL_EPOCH), 1);
    assert_eq!(next_epoch(i32::MAX), 1);
    assert_eq!(next_epoch(FINAL_EPOCH), FINAL_EPOCH);
}
