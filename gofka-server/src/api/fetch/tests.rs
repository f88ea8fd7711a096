//! Fetch over real logs.

use super::plan::session_request;
use super::*;
use crate::partition::testing::{Fixture, NOW, batch};
use crate::partition::{AppendOptions, FetchSessionTable, Isolation};
use gofka_core::ids::{LeaderEpoch, Offset, TopicId, Uuid};
use gofka_core::record::split;
use gofka_core::time::MonotonicMs;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ReplicaState};
use kafka_protocol::protocol::StrBytes;

fn target(partition: i32, offset: i64) -> FetchPartition {
    FetchPartition::default()
        .with_partition(partition)
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1 << 20)
        .with_current_leader_epoch(-1)
        .with_last_fetched_epoch(-1)
}

fn request(topic: &'static str, partitions: Vec<FetchPartition>) -> FetchRequest {
    let topic = FetchTopic::default()
        .with_topic(StrBytes::from_static_str(topic).into())
        .with_topic_id(Uuid::from_u128(1))
        .with_partitions(partitions);
    FetchRequest::default()
        .with_max_bytes(50 << 20)
        .with_min_bytes(1)
        .with_max_wait_ms(60_000)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

fn fetch_at(fixture: &Fixture, version: i16, request: FetchRequest) -> Arc<Fetch> {
    let limits = Limits::of(&request, 55 << 20);
    let sessions = FetchSessionTable::new(10);
    let plan = sessions.begin(MonotonicMs(0), session_request(request, version)).unwrap();
    let sources = resolve(&fixture.partitions.snapshot(), &plan.targets);
    Arc::new(Fetch { plan, sources, limits, memory: MemoryBudget::new(256 << 20) })
}

fn at_once(fetch: &Fetch) -> Reads {
    fetch.read_at_once().expect("it is in memory")
}

fn count_records(read: &Read) -> usize {
    let bytes = read.records.clone().load().expect("the file can be read");
    let batches = split(bytes).expect("whole batches");
    let count = batches.iter().map(|batch| batch.header.record_count).sum::<i32>() as usize;
    assert_eq!(read.record_count, count as u64);
    count
}

fn fetch(fixture: &Fixture, request: FetchRequest) -> Arc<Fetch> {
    fetch_at(fixture, 12, request)
}

fn append(fixture: &Fixture, partition: i32, count: usize) {
    let options = AppendOptions::client(NOW, true);
    fixture.partition(partition).append(batch(count), options).unwrap();
}

#[tokio::test]
async fn what_is_there_is_read_at_once() {
    let fixture = Fixture::with_topic(2).await;
    append(&fixture, 1, 3);
    for version in [12, 13] {
        let fetch = fetch_at(&fixture, version, request("t", vec![target(0, 0), target(1, 0)]));
        let reads = at_once(&fetch);
        assert!(fetch.is_enough(&reads));
        assert_eq!((reads.all[0].records.len(), reads.all[0].high_watermark), (0, Offset(0)));
        assert_eq!(count_records(&reads.all[1]), 3);
        assert_eq!(reads.all[1].high_watermark, Offset(3));
    }
}

#[tokio::test]
async fn errors_are_told_per_partition() {
    let fixture = Fixture::with_topic(1).await;
    append(&fixture, 0, 3);
    let at_epoch = |epoch| target(0, 0).with_current_leader_epoch(epoch);
    let cases = [
        (target(0, 4), ErrorCode::OffsetOutOfRange, true),
        (target(0, -5), ErrorCode::OffsetOutOfRange, true),
        (at_epoch(3), ErrorCode::FencedLeaderEpoch, true),
        (at_epoch(5), ErrorCode::UnknownLeaderEpoch, true),
        (target(9, 0), ErrorCode::UnknownTopicOrPartition, false),
        (target(-1, 0), ErrorCode::UnknownTopicOrPartition, false),
    ];
    for (asked, expected, urgent) in cases {
        let reads = at_once(&fetch(&fixture, request("t", vec![asked])));
        assert_eq!((reads.all[0].error, reads.all[0].is_urgent), (expected, urgent));
        assert_eq!(reads.all[0].high_watermark, Offset(-1));
        assert!(reads.all[0].records.is_empty());
    }
    let mut by_id = request("t", vec![target(0, 0)]);
    by_id.topics[0].topic_id = Uuid::from_u128(99);
    let reads = at_once(&fetch_at(&fixture, 13, by_id));
    assert_eq!(reads.all[0].error, ErrorCode::UnknownTopicId);
    let other = fetch(&fixture, request("other", vec![target(0, 0)]));
    assert_eq!(at_once(&other).all[0].error, ErrorCode::UnknownTopicOrPartition);
    assert!(other.is_enough(&at_once(&other)), "no partition to wait for");
}

#[tokio::test]
async fn the_first_batch_comes_whatever_is_allowed_and_only_the_first() {
    let fixture = Fixture::with_topic(3).await;
    for partition in 0..3 {
        append(&fixture, partition, 1);
        append(&fixture, partition, 1);
    }
    let tiny = |partition| target(partition, 0).with_partition_max_bytes(0);
    let targets = (0..3).map(tiny).collect();
    let reads = at_once(&fetch(&fixture, request("t", targets).with_max_bytes(0)));
    let counts: Vec<_> = reads.all.iter().map(count_records).collect();
    assert_eq!(counts, [1, 0, 0]);
    assert!(reads.all.iter().all(|read| read.high_watermark == Offset(2)));
}

#[tokio::test]
async fn bytes_are_shared_in_turn() {
    let fixture = Fixture::with_topic(3).await;
    for partition in 0..3 {
        append(&fixture, partition, 1);
    }
    let size = batch(1).len() as i32;
    let targets = || (0..3).map(|partition| target(partition, 0)).collect();
    for (max_bytes, expected) in [(size, [1, 0, 0]), (2 * size, [1, 1, 0]), (3 * size, [1; 3])] {
        let reads = at_once(&fetch(&fixture, request("t", targets()).with_max_bytes(max_bytes)));
        let counts = reads.all.iter().map(count_records);
        let counts: Vec<_> = counts.collect();
        assert_eq!(counts, expected, "{max_bytes} bytes");
    }
}

#[tokio::test]
async fn an_empty_fetch_waits_for_an_append() {
    let fixture = Fixture::with_topic(1000).await;
    let targets = (0..1000).map(|partition| target(partition, 0)).collect();
    let fetch = fetch(&fixture, request("t", targets));
    let reads = at_once(&fetch);
    assert!(!fetch.is_enough(&reads));
    let waiting = fetch.wait(reads);
    tokio::pin!(waiting);
    assert!(futures_util::poll!(&mut waiting).is_pending());
    append(&fixture, 444, 2);
    let reads = waiting.await;
    assert_eq!(count_records(&reads.all[444]), 2);
}

#[tokio::test]
async fn an_append_between_the_read_and_the_wait_is_not_lost() {
    let fixture = Fixture::with_topic(1).await;
    let fetch = fetch(&fixture, request("t", vec![target(0, 0)]));
    let reads = at_once(&fetch);
    append(&fixture, 0, 1);
    let reads = fetch.wait(reads).await;
    assert_eq!(count_records(&reads.all[0]), 1);
}

#[tokio::test]
async fn a_wait_ends_with_too_little_when_its_time_is_up() {
    let fixture = Fixture::with_topic(1).await;
    append(&fixture, 0, 1);
    let large = request("t", vec![target(0, 0)]).with_min_bytes(1 << 20).with_max_wait_ms(30);
    let fetch = fetch(&fixture, large);
    let reads = at_once(&fetch);
    assert!(!fetch.is_enough(&reads));
    let reads = fetch.wait(reads).await;
    assert_eq!(count_records(&reads.all[0]), 1);
}

#[tokio::test]
async fn a_wait_for_many_bytes_ends_when_they_are_there() {
    let fixture = Fixture::with_topic(2).await;
    let size = batch(1).len() as i32;
    let targets = vec![target(0, 0), target(1, 0)];
    let fetch = fetch(&fixture, request("t", targets).with_min_bytes(4 * size));
    let waiting = fetch.wait(at_once(&fetch));
    tokio::pin!(waiting);
    for round in 0..4 {
        assert!(futures_util::poll!(&mut waiting).is_pending(), "round {round}");
        append(&fixture, round % 2, 1);
    }
    let reads = waiting.await;
    assert_eq!(reads.all.iter().map(count_records).sum::<usize>(), 4);
}

#[tokio::test]
async fn a_topic_that_goes_ends_the_wait() {
    let mut fixture = Fixture::with_topic(1).await;
    let fetch = fetch(&fixture, request("t", vec![target(0, 0)]));
    let waiting = fetch.wait(at_once(&fetch));
    tokio::pin!(waiting);
    assert!(futures_util::poll!(&mut waiting).is_pending());
    fixture.remove("t").await;
    assert_eq!(waiting.await.all[0].error, ErrorCode::UnknownTopicOrPartition);
}

#[tokio::test]
async fn a_client_from_another_history_is_told_where_it_ends() {
    let fixture = Fixture::with_topic(1).await;
    append(&fixture, 0, 3);
    let epoch = |epoch, offset| target(0, offset).with_last_fetched_epoch(epoch);
    let read = |asked| at_once(&fetch(&fixture, request("t", vec![asked]))).all.remove(0);
    let good = read(epoch(4, 3));
    assert_eq!((good.error, good.diverging), (ErrorCode::None, None));
    let ahead = read(epoch(4, 5));
    assert_eq!(ahead.diverging, Some((LeaderEpoch(4), Offset(3))));
    assert!(ahead.is_urgent && ahead.records.is_empty());
    let unheard_of = read(epoch(6, 1));
    assert_eq!(unheard_of.error, ErrorCode::OffsetOutOfRange);
}

#[test]
fn replicas_are_known_by_either_field() {
    let plain = FetchRequest::default().with_replica_id((-1).into());
    assert!(!plan::is_follower(&plain, 12));
    let old = FetchRequest::default().with_replica_id(2.into());
    assert!(plan::is_follower(&old, 14) && !plan::is_follower(&old, 15));
    let state = ReplicaState::default().with_replica_id(2.into());
    let new = FetchRequest::default().with_replica_state(state);
    assert!(plan::is_follower(&new, 15));
}

#[test]
fn wild_limits_are_tamed() {
    let wild = FetchRequest::default()
        .with_max_bytes(i32::MAX)
        .with_min_bytes(i32::MAX)
        .with_max_wait_ms(-7)
        .with_isolation_level(1);
    let limits = Limits::of(&wild, 55 << 20);
    assert!(limits.max_bytes <= 16 << 20 && limits.min_bytes <= limits.max_bytes);
    assert!(limits.max_wait.is_zero());
    assert_eq!(limits.isolation, Isolation::ReadCommitted);
    let negative = Limits::of(&FetchRequest::default().with_max_bytes(-1).with_min_bytes(-1), 1);
    assert_eq!((negative.max_bytes, negative.min_bytes), (0, 0));
}

#[test]
fn topics_are_keyed_as_their_version_names_them() {
    use gofka_core::fetch_session::TopicKey;
    let by_name = session_request(request("t", vec![target(0, 0)]), 12);
    assert!(matches!(&by_name.targets[0].0.topic, TopicKey::Name(name) if name.as_str() == "t"));
    let by_id = session_request(request("t", vec![target(0, 0)]), 13);
    assert_eq!(by_id.targets[0].0.topic, TopicKey::Id(TopicId(Uuid::from_u128(1))));
    assert!(by_id.uses_topic_ids && !by_name.uses_topic_ids);
}

#[tokio::test]
async fn what_an_earlier_process_wrote_is_looked_at_once_with_memory_taken_before() {
    let fixture = Fixture::with_topic(1).await;
    for _ in 0..10 {
        append(&fixture, 0, 500);
    }
    let fixture = fixture.restart().await;
    let fetch = fetch(&fixture, request("t", vec![target(0, 0)]));
    assert!(fetch.read_at_once().is_none());

    let (mut all, mut beyond) = (fetch.memory.permit(), fetch.memory.permit());
    assert!(all.try_hold(fetch.memory.available_bytes()));
    beyond.hold(1).await;
    let mut reading = Box::pin(fetch.read());
    let waits = tokio::time::timeout(Duration::from_millis(50), &mut reading).await.is_err();
    assert!(waits && fetch.memory.is_awaited());
    drop((all, beyond));
    let reads = reading.await;
    assert_eq!(count_records(&reads.all[0]), 10 * 500);
    let held = (256 << 20) - fetch.memory.available_bytes();
    assert!(!reads.all[0].is_in_file() && held >= reads.bytes(), "{held} bytes are held");

    let again = fetch.read_at_once().expect("it is in memory, and good");
    assert!(again.all[0].is_in_file() && again.bytes() == reads.bytes());
}

#[tokio::test]
async fn much_that_was_just_written_stays_in_its_file() {
    let fixture = Fixture::with_topic(1).await;
    (0..1000).for_each(|_| append(&fixture, 0, 3));
    let size = batch(3).len();
    let target = target(0, 4).with_partition_max_bytes((800 * size) as i32 + 1);
    let fetch = fetch(&fixture, request("t", vec![target]));
    let reads = at_once(&fetch);
    assert!(reads.all[0].is_in_file() && reads.permit.is_none());
    assert_eq!(reads.bytes(), 800 * size);
    // From the middle of a batch on.
    assert_eq!(reads.all[0].record_count, 800 * 3 - 1);
}

#[tokio::test]
async fn small_reads_of_many_partitions_have_memory_too_and_get_little_without() {
    let fixture = Fixture::with_topic(20).await;
    (0..20).for_each(|partition| append(&fixture, partition, 200));
    let targets = (0..20).map(|partition| target(partition, 0)).collect();
    let fetch = fetch(&fixture, request("t", targets));
    let all = at_once(&fetch);
    assert!(all.bytes() > 100 << 10 && !all.is_short);
    let held = (256 << 20) - fetch.memory.available_bytes();
    assert!((all.bytes()..all.bytes() + 1024).contains(&held), "{held} bytes are held");
    let mut others = fetch.memory.permit();
    assert!(others.try_hold(fetch.memory.available_bytes()));
    let few = at_once(&fetch);
    assert!(few.bytes() > 0 && few.bytes() <= 64 << 10, "{} bytes", few.bytes());
    assert!(few.is_short && few.permit.is_none() && fetch.is_enough(&few));
    drop((all, others));
    assert!(at_once(&fetch).bytes() > 100 << 10);
}
