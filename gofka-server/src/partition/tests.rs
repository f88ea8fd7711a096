//! Partitions over real logs: commits, waits, changes of metadata and settings.

use std::sync::Arc;

use super::testing::{EPOCH, Fixture, NOW, batch, idempotent};
use super::*;
use bytes::Bytes;
use gofka_core::error::ErrorCode;
use gofka_core::ids::{LeaderEpoch, Offset, PartitionIndex, TopicId, TopicPartition, Uuid};
use gofka_core::record::{records, split};

fn append(partition: &Arc<Partition>, records: Bytes) -> Result<Appended, ErrorCode> {
    let options = AppendOptions::client(NOW, true);
    partition.append(records, options).map_err(|refused| refused.error)
}

fn read(partition: &Partition, from: i64) -> Result<PartitionRead, ErrorCode> {
    partition.read(&ReadRequest {
        from: Offset(from),
        max_bytes: 1 << 20,
        isolation: Isolation::ReadUncommitted,
        at_least_one_batch: true,
    })
}

fn offsets(read: &PartitionRead) -> Vec<i64> {
    let batches = split(read.records.clone().load().unwrap()).unwrap();
    batches.iter().flat_map(|b| records(b, 0).unwrap()).map(|record| record.offset.0).collect()
}

#[tokio::test]
async fn what_is_appended_is_read_after_the_commit_in_both_modes() {
    for durability in ["fsync", "page-cache"] {
        let mut fixture = Fixture::start(durability).await;
        fixture.create("t", 1, 2).await;
        let partition = fixture.partition(1);
        for count in [1, 3] {
            let appended = append(&partition, batch(count)).unwrap();
            partition.committed(appended.commit_offset()).await.unwrap();
        }
        assert_eq!(partition.high_watermark(), Offset(4), "{durability}");
        assert_eq!(offsets(&read(&partition, 0).unwrap()), [0, 1, 2, 3]);
        assert_eq!(read(&fixture.partition(0), 0).unwrap().records.len(), 0);
        if durability == "fsync" {
            assert_eq!(partition.log().safe_offset(), Offset(4));
        }
    }
}

#[tokio::test]
async fn nothing_is_read_past_the_high_watermark() {
    let mut fixture = Fixture::start("fsync").await;
    fixture.create("t", 1, 1).await;
    let partition = fixture.partition(0);
    for _ in 0..50 {
        let appended = append(&partition, batch(2)).unwrap();
        let read = read(&partition, 0).unwrap();
        let last = offsets(&read).last().copied().unwrap_or(-1);
        assert!(last < read.high_watermark.0);
        assert!(read.high_watermark <= partition.log().log_end_offset());
        partition.committed(appended.commit_offset()).await.unwrap();
    }
}

#[tokio::test]
async fn a_restart_brings_everything_back() {
    let mut fixture = Fixture::start("page-cache").await;
    fixture.create("t", 1, 3).await;
    for index in 0..3 {
        append(&fixture.partition(index), batch(index as usize + 1)).unwrap();
    }
    let fixture = fixture.restart().await;
    for index in 0..3 {
        let partition = fixture.partition(index);
        assert_eq!(partition.high_watermark(), Offset(i64::from(index) + 1));
        assert_eq!(offsets(&read(&partition, 0).unwrap()).len(), index as usize + 1);
    }
}

#[tokio::test]
async fn a_stopped_broker_refuses_and_releases_who_waits() {
    let fixture = Fixture::with_topic(1).await;
    let partition = fixture.partition(0);
    let waiting = tokio::spawn({
        let partition = partition.clone();
        async move { partition.committed(Offset(10)).await }
    });
    fixture.partitions.stop().await.unwrap();
    assert_eq!(waiting.await.unwrap(), Err(ErrorCode::NotLeaderOrFollower));
    assert_eq!(append(&partition, batch(1)), Err(ErrorCode::NotLeaderOrFollower));
}

#[tokio::test]
async fn a_deleted_topic_is_unknown_and_a_new_one_of_its_name_is_empty() {
    let mut fixture = Fixture::with_topic(1).await;
    let old = fixture.partition(0);
    append(&old, batch(5)).unwrap();
    let waiting = tokio::spawn({
        let old = old.clone();
        async move { old.committed(Offset(100)).await }
    });
    fixture.remove("t").await;
    assert_eq!(waiting.await.unwrap(), Err(ErrorCode::UnknownTopicOrPartition));
    let name = TopicPartition::new("t", 0);
    assert_eq!(fixture.partitions.get(&name).err(), Some(ErrorCode::UnknownTopicOrPartition));
    fixture.create("t", 2, 1).await;
    assert_eq!(fixture.partition(0).log().log_end_offset(), Offset::ZERO);
    assert_eq!(append(&old, batch(1)), Err(ErrorCode::UnknownTopicOrPartition));
    let old_id = TopicId(Uuid::from_u128(1));
    let found = fixture.partitions.get_by_id(old_id, PartitionIndex(0));
    assert_eq!(found.err(), Some(ErrorCode::UnknownTopicId));
    assert!(append(&fixture.partition(0), batch(1)).is_ok());
    let fixture = fixture.restart().await;
    assert_eq!(fixture.partition(0).log().log_end_offset(), Offset(1));
}

#[tokio::test]
async fn a_topic_made_again_between_two_images_is_another_one() {
    let mut fixture = Fixture::with_topic(2).await;
    append(&fixture.partition(0), batch(5)).unwrap();
    Arc::make_mut(&mut fixture.image.topic_names).clear();
    fixture.create("t", 2, 1).await;
    assert_eq!(fixture.partition(0).log().log_end_offset(), Offset::ZERO);
    let second = fixture.partitions.get(&TopicPartition::new("t", 1));
    assert_eq!(second.err(), Some(ErrorCode::UnknownTopicOrPartition));
}

#[tokio::test]
async fn partitions_are_added_without_touching_the_others() {
    let mut fixture = Fixture::with_topic(1).await;
    let first = fixture.partition(0);
    append(&first, batch(1)).unwrap();
    fixture.create("t", 1, 3).await;
    assert!(Arc::ptr_eq(&first, &fixture.partition(0)));
    assert!(append(&fixture.partition(2), batch(1)).is_ok());
}

#[tokio::test]
async fn settings_hold_from_the_next_append_on() {
    let mut fixture = Fixture::with_topic(1).await;
    let partition = fixture.partition(0);
    assert!(append(&partition, batch(20)).is_ok());
    fixture.configure("t", "max.message.bytes", "500").await;
    assert_eq!(append(&partition, batch(20)), Err(ErrorCode::MessageTooLarge));
    fixture.configure("t", "message.timestamp.type", "LogAppendTime").await;
    let appended = append(&partition, batch(1)).unwrap();
    assert_eq!(appended.log_append_time, Some(NOW));
    // What was not synced before becomes part of the promise.
    fixture.configure("t", "durability", "fsync").await;
    let appended = append(&partition, batch(1)).unwrap();
    partition.committed(appended.commit_offset()).await.unwrap();
    assert_eq!(partition.log().safe_offset(), Offset(22));
}

#[tokio::test]
async fn an_older_image_changes_nothing() {
    let mut fixture = Fixture::with_topic(1).await;
    let old = Arc::new(fixture.image.clone());
    fixture.create("u", 2, 1).await;
    fixture.partitions.apply(old).await;
    assert!(fixture.partitions.get(&TopicPartition::new("u", 0)).is_ok());
    assert_eq!(fixture.partitions.applied().borrow().offset, fixture.image.offset);
}

#[tokio::test]
async fn leader_epochs_are_checked() {
    let fixture = Fixture::with_topic(1).await;
    let partition = fixture.partition(0);
    let check = |epoch: i32| partition.check_leader(LeaderEpoch(epoch));
    assert_eq!(check(-1), Ok(()));
    assert_eq!(check(EPOCH.0), Ok(()));
    assert_eq!(check(EPOCH.0 - 1), Err(ErrorCode::FencedLeaderEpoch));
    assert_eq!(check(EPOCH.0 + 1), Err(ErrorCode::UnknownLeaderEpoch));
}

#[tokio::test]
async fn an_epoch_that_no_leader_has_had_is_not_taken_from_a_changed_header() {
    let fixture = Fixture::with_topic(1).await;
    (0..3).for_each(|_| {
        append(&fixture.partition(0), batch(1)).unwrap();
    });
    let fixture = fixture
        .restart_after(|dir| {
            for lost in [".kafka_cleanshutdown", "recovery-point-offset-checkpoint"] {
                std::fs::remove_file(dir.join(lost)).unwrap();
            }
            // The last byte of the leader epoch of the last batch, from 4 to 20.
            let path = dir.join("t-0/00000000000000000000.log");
            let mut bytes = std::fs::read(&path).unwrap();
            let last = bytes.len() / 3 * 2;
            bytes[last + 15] ^= 16;
            std::fs::write(&path, bytes).unwrap();
        })
        .await;
    let partition = fixture.partition(0);
    assert_eq!(partition.log().log_end_offset(), Offset(3));
    assert_eq!(partition.log().latest_epoch(), EPOCH);
    assert_eq!(partition.end_offset_for_epoch(EPOCH), (EPOCH, Offset(3)));
}

#[tokio::test]
async fn a_repeated_batch_is_answered_with_its_first_place() {
    let fixture = Fixture::with_topic(1).await;
    let partition = fixture.partition(0);
    let first = append(&partition, idempotent(7, 0, 3)).unwrap();
    append(&partition, idempotent(7, 3, 2)).unwrap();
    let again = append(&partition, idempotent(7, 0, 3)).unwrap();
    assert_eq!((again.first_offset, again.last_offset), (first.first_offset, first.last_offset));
    assert_eq!(partition.log().log_end_offset(), Offset(5));
    let gap = append(&partition, idempotent(7, 9, 1));
    assert_eq!(gap, Err(ErrorCode::OutOfOrderSequenceNumber));
}

#[tokio::test]
async fn a_delayed_operation_over_many_partitions_wakes_by_any_of_them() {
    let fixture = Fixture::with_topic(1000).await;
    let operation = Delayed::new(1);
    for index in 0..1000 {
        let seen = Offset::ZERO;
        assert!(fixture.partition(index).watch(&operation, Isolation::ReadUncommitted, seen));
    }
    assert!(!operation.is_done());
    append(&fixture.partition(777), batch(1)).unwrap();
    operation.completed().await;
    // Who comes late is told at once.
    let late = Delayed::new(1);
    let changed = !fixture.partition(777).watch(&late, Isolation::ReadUncommitted, Offset::ZERO);
    assert!(changed);
}
