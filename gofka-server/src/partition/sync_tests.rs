//! When partitions are synced: group commit, `durability`, `flush.messages` and `flush.ms`.

use std::sync::Arc;
use std::time::Duration;

use gofka_core::error::ErrorCode;
use gofka_core::ids::{Offset, TopicPartition};

use super::testing::{Fixture, NOW, batch};
use super::*;

const NEVER: &str = "9223372036854775807";
const PATIENCE: Duration = Duration::from_secs(60);

fn append(partition: &Arc<Partition>, count: usize) -> Appended {
    let options = AppendOptions::client(NOW, true);
    partition.append(batch(count), options).map_err(|refused| refused.error).unwrap()
}

async fn commit(partition: &Arc<Partition>, count: usize) {
    let appended = append(partition, count);
    partition.committed(appended.commit_offset()).await.unwrap();
}

fn safe(partition: &Partition) -> i64 {
    partition.log().safe_offset().0
}

async fn until(reached: impl Fn() -> bool) {
    let waiting = async {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        while !reached() {
            look.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it comes to pass");
}

#[tokio::test]
async fn many_partitions_are_synced_by_few_threads() {
    let mut fixture = Fixture::start("fsync").await;
    fixture.create("t", 1, 200).await;
    let mut appended = Vec::new();
    for round in 0..3 {
        for index in 0..200 {
            let partition = fixture.partition(index);
            let one = append(&partition, round + 1);
            appended.push((partition, one));
        }
    }
    for (partition, one) in appended {
        partition.committed(one.commit_offset()).await.unwrap();
    }
    for index in 0..200 {
        assert_eq!(safe(&fixture.partition(index)), 6);
    }
}

#[tokio::test]
async fn who_writes_to_one_directory_does_not_wait_for_another() {
    let mut fixture = Fixture::start_in("fsync", 2).await;
    fixture.create("t", 1, 4).await;
    let number = |partition: &Arc<Partition>| fixture.partitions.dirs().number_of(partition.log());
    let all = [0, 1, 2, 3].map(|index| fixture.partition(index));
    let (slow, quick): (Vec<_>, Vec<_>) = all.iter().partition(|one| number(one) == 0);
    assert_eq!((slow.len(), quick.len()), (2, 2));
    let held = slow[0].shared.flusher.hold();
    for partition in quick {
        commit(partition, 3).await;
        assert_eq!(safe(partition), 3);
    }
    drop(held);
    for partition in slow {
        commit(partition, 3).await;
    }
    drop(all);
    fixture.partitions.stop().await.unwrap();
}

#[tokio::test]
async fn a_topic_deleted_during_a_round_is_no_matter_for_the_others() {
    let mut fixture = Fixture::start("fsync").await;
    fixture.create("t", 1, 100).await;
    fixture.create("u", 2, 100).await;
    for index in 0..100 {
        append(&fixture.partition(index), 1);
        append(&fixture.partitions.get(&TopicPartition::new("u", index)).unwrap(), 1);
    }
    fixture.remove("u").await;
    for index in 0..100 {
        let partition = fixture.partition(index);
        partition.committed(Offset(1)).await.unwrap();
        assert_eq!(safe(&partition), 1);
    }
}

#[tokio::test]
async fn page_cache_partitions_are_synced_in_the_background() {
    let mut fixture = Fixture::with_topic(1).await;
    fixture.configure("t", "flush.ms", "60000").await;
    let partition = fixture.partition(0);
    append(&partition, 4);
    assert_eq!((partition.high_watermark(), safe(&partition)), (Offset(4), 0));
    fixture.partitions.unsynced().flush();
    fixture.partitions.stop().await.unwrap();
    assert_eq!(safe(&partition), 4);
}

#[tokio::test]
async fn each_topic_is_synced_after_its_own_time() {
    let mut fixture = Fixture::with_topic(1).await;
    fixture.create("u", 2, 1).await;
    fixture.configure("t", "flush.ms", "20").await;
    fixture.configure("u", "flush.ms", NEVER).await;
    let soon = fixture.partition(0);
    let never = fixture.partitions.get(&TopicPartition::new("u", 0)).unwrap();
    append(&never, 2);
    append(&soon, 3);
    until(|| safe(&soon) == 3).await;
    append(&soon, 3);
    until(|| safe(&soon) == 6).await;
    assert_eq!((never.high_watermark(), safe(&never)), (Offset(2), 0));
    // From a time that never comes to one that does, while records wait.
    fixture.configure("u", "flush.ms", "20").await;
    until(|| safe(&never) == 2).await;
    append(&never, 1);
    until(|| safe(&never) == 3).await;
}

#[tokio::test]
async fn so_many_messages_are_synced_before_the_last_of_them_is_answered() {
    let mut fixture = Fixture::with_topic(1).await;
    fixture.configure("t", "flush.ms", NEVER).await;
    fixture.configure("t", "flush.messages", "10").await;
    let partition = fixture.partition(0);
    append(&partition, 9);
    assert_eq!((partition.high_watermark(), safe(&partition)), (Offset(9), 0));
    commit(&partition, 1).await;
    assert_eq!(safe(&partition), 10);
    append(&partition, 9);
    assert_eq!((partition.high_watermark(), safe(&partition)), (Offset(19), 10));
    fixture.configure("t", "flush.messages", "1").await;
    for end in 20..30 {
        commit(&partition, 1).await;
        assert_eq!(safe(&partition), end);
    }
    fixture.configure("t", "flush.messages", NEVER).await;
    append(&partition, 1);
    assert_eq!((partition.high_watermark(), safe(&partition)), (Offset(30), 29));
}

#[tokio::test]
async fn durability_changes_while_records_wait() {
    let mut fixture = Fixture::with_topic(1).await;
    fixture.configure("t", "flush.ms", NEVER).await;
    let partition = fixture.partition(0);
    append(&partition, 5);
    assert_eq!(safe(&partition), 0);
    fixture.configure("t", "durability", "fsync").await;
    until(|| safe(&partition) == 5).await;
    commit(&partition, 1).await;
    assert_eq!(safe(&partition), 6);
    // `auto` is `fsync` where one replica suffices.
    fixture.configure("t", "durability", "auto").await;
    commit(&partition, 1).await;
    assert_eq!(safe(&partition), 7);
    fixture.configure("t", "durability", "page-cache").await;
    let appended = append(&partition, 1);
    assert_eq!(partition.high_watermark(), appended.commit_offset());
}

#[tokio::test]
async fn durability_of_the_cluster_is_that_of_topics_without_their_own() {
    let mut fixture = Fixture::with_topic(1).await;
    fixture.configure("t", "flush.ms", NEVER).await;
    let partition = fixture.partition(0);
    append(&partition, 5);
    assert_eq!(safe(&partition), 0);
    fixture.configure_cluster("durability", "fsync").await;
    until(|| safe(&partition) == 5).await;
    commit(&partition, 1).await;
    assert_eq!(safe(&partition), 6);
    fixture.configure("t", "durability", "page-cache").await;
    let appended = append(&partition, 1);
    assert_eq!(partition.high_watermark(), appended.commit_offset());
    let closed = ErrorCode::NotLeaderOrFollower;
    fixture.partitions.stop().await.unwrap();
    assert_eq!(partition.committed(Offset(100)).await, Err(closed));
    assert_eq!(safe(&partition), 7);
}
