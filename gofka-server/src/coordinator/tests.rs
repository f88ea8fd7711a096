//! The coordinator over real logs in a directory of its own.

use std::path::Path;
use std::time::Duration;

use gofka_core::group::command::{Commit, Fetch, Join, MemberOf, OffsetToCommit, Protocol};
use gofka_core::group::reply::FetchedOffset;
use gofka_core::group::{Generation, MemberId, Reply};
use gofka_core::ids::{LeaderEpoch, TopicId, Uuid};
use gofka_raft::{NewTopic, TopicRef};

use super::*;
use crate::broker::Broker;

const GROUP: &str = "g";
const PATIENCE: Duration = Duration::from_secs(20);

async fn start(dir: &Path) -> Arc<Broker> {
    let broker = Broker::for_tests(dir).await;
    broker.groups.find(GROUP).await.expect("the topic is made");
    broker
}

async fn stop(broker: Arc<Broker>) {
    broker.groups.stop().await;
    broker.close().await.expect("closes");
}

async fn ask(broker: &Broker, command: Command) -> Reply {
    broker.groups.submit(&GroupId::new(GROUP), broker.clock.now(), command).reply().await
}

/// Asks again while the shard is being loaded.
async fn ask_patiently(broker: &Broker, command: Command) -> Reply {
    let asking = async {
        loop {
            match ask(broker, command.clone()).await {
                Reply::Unavailable(_) => tokio::task::yield_now().await,
                reply => return reply,
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("the shard comes back")
}

fn commit(topic: &str, partitions: i32, offset: i64, note: &str) -> Command {
    let offset = OffsetToCommit {
        offset: Offset(offset),
        leader_epoch: LeaderEpoch::NONE,
        metadata: Some(note.to_owned()),
        committed_at: None,
        topic_id: TopicId::NONE,
    };
    let partitions = (0..partitions).map(|index| (PartitionIndex(index), offset.clone()));
    Command::Commit(Commit {
        member: MemberOf {
            group: GroupId::new(GROUP),
            member: MemberId::new(""),
            instance: None,
            generation: Generation::NONE,
        },
        knows_group_id_not_found: true,
        retention_ms: None,
        topics: vec![(TopicName::new(topic), partitions.collect())],
    })
}

fn fetch() -> Command {
    let group = GroupId::new(GROUP);
    Command::Fetch(Fetch { group, topics: None, require_stable: true })
}

fn committed(reply: Reply) -> Vec<i64> {
    let Reply::Fetch(topics) = reply else { panic!("no offsets but {reply:?}") };
    let partitions = topics.into_iter().flat_map(|(_, partitions)| partitions);
    let offsets = partitions.map(|(_, fetched)| match fetched {
        FetchedOffset::Committed(committed) => committed.offset.0,
        other => panic!("no offset but {other:?}"),
    });
    offsets.collect()
}

#[tokio::test]
async fn without_the_topic_there_is_no_coordinator() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::for_tests(dir.path()).await;
    assert_eq!(ask(&broker, fetch()).await, Reply::Unavailable(ErrorCode::NotCoordinator));
    assert_eq!(broker.groups.find(GROUP).await, Ok(broker.node));
    assert_eq!(committed(ask(&broker, fetch()).await), [0; 0]);
    stop(broker).await;
}

#[tokio::test]
async fn offsets_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let broker = start(dir.path()).await;
    for offset in 1..=3 {
        let reply = ask(&broker, commit("t", 1, offset, "")).await;
        assert!(matches!(reply, Reply::Commit(Ok(_))), "{reply:?}");
    }
    assert_eq!(committed(ask(&broker, fetch()).await), [3]);
    stop(broker).await;
    let broker = start(dir.path()).await;
    assert_eq!(committed(ask_patiently(&broker, fetch()).await), [3]);
    assert_eq!(broker.groups.figures().len(), 1);
    stop(broker).await;
}

#[tokio::test]
async fn a_commit_larger_than_a_batch_is_split() {
    let dir = tempfile::tempdir().unwrap();
    let broker = start(dir.path()).await;
    let note = "x".repeat(4096);
    ask(&broker, commit("t", 600, 7, &note)).await;
    assert_eq!(committed(ask(&broker, fetch()).await), [7; 600]);
    stop(broker).await;
    let broker = start(dir.path()).await;
    assert_eq!(committed(ask_patiently(&broker, fetch()).await), [7; 600]);
    stop(broker).await;
}

#[tokio::test]
async fn a_shard_that_failed_is_loaded_again() {
    let dir = tempfile::tempdir().unwrap();
    let broker = start(dir.path()).await;
    ask(&broker, commit("t", 1, 5, "")).await;
    let shard = broker.groups.shard_of(&GroupId::new(GROUP)).expect("it is here");
    shard.fail(ErrorCode::KafkaStorageError);
    let reply = ask(&broker, fetch()).await;
    assert_eq!(reply, Reply::Unavailable(ErrorCode::NotCoordinator));
    assert_eq!(committed(ask_patiently(&broker, fetch()).await), [5]);
    stop(broker).await;
}

#[tokio::test]
async fn who_waits_is_sent_away_when_the_coordinator_stops() {
    let dir = tempfile::tempdir().unwrap();
    let broker = start(dir.path()).await;
    let join = |fresh| {
        Command::Join(Join {
            group: GroupId::new(GROUP),
            member: MemberId::new(""),
            instance: None,
            protocol_type: "consumer".into(),
            protocols: vec![Protocol { name: "range".into(), metadata: bytes::Bytes::new() }],
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: 60_000,
            client_id: "c".into(),
            client_host: "/127.0.0.1".into(),
            reason: None,
            knows_member_id_required: false,
            knows_skip_assignment: true,
            fresh: Uuid::from_bytes([fresh; 16]),
        })
    };
    let first = ask(&broker, join(1)).await;
    assert!(matches!(first, Reply::Join(reply) if reply.error == ErrorCode::None));
    let group = GroupId::new(GROUP);
    let waiting = broker.groups.submit(&group, broker.clock.now(), join(2));
    let (reply, ()) = tokio::join!(waiting.reply(), broker.groups.stop());
    assert_eq!(reply, Reply::Unavailable(ErrorCode::NotCoordinator));
    let reply = ask(&broker, fetch()).await;
    assert_eq!(reply, Reply::Unavailable(ErrorCode::CoordinatorNotAvailable));
    broker.close().await.expect("closes");
}

#[tokio::test]
async fn a_deleted_topic_takes_its_offsets_along() {
    let dir = tempfile::tempdir().unwrap();
    let broker = start(dir.path()).await;
    let topic = NewTopic { name: "t".to_owned(), partitions: Some(1), ..NewTopic::default() };
    broker.controller.create_topics(vec![topic], false).await.remove(0).expect("made");
    broker.partitions.apply(broker.controller.image()).await;
    ask(&broker, commit("t", 1, 5, "")).await;
    ask(&broker, commit("other", 1, 6, "")).await;
    let name = TopicRef::Name("t".to_owned());
    broker.controller.delete_topics(vec![name]).await.remove(0).expect("deleted");
    let forgotten = async {
        while committed(ask_patiently(&broker, fetch()).await) != [6] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, forgotten).await.expect("the offset is forgotten");
    stop(broker).await;
}
