//! The controller as the server uses it: started, asked, stopped, started again.

use std::sync::Arc;
use std::time::Instant;

use gofka_core::config::StaticConfig;
use gofka_core::error::ErrorCode;
use gofka_core::ids::{NodeId, Uuid};
use gofka_core::time::Now;

use super::*;
use crate::image::Endpoint;
use crate::request::{BrokerRegistration, NewTopic};

fn options(dir: &std::path::Path) -> ControllerOptions {
    ControllerOptions {
        dir: dir.to_owned(),
        node_id: NodeId(0),
        node_name: None,
        cluster_id: "cluster".to_owned(),
        fixed: Arc::new(StaticConfig::default()),
        clock: Arc::new(Now::default),
        new_id: Arc::new(Uuid::new_v4),
    }
}

fn registration() -> BrokerRegistration {
    BrokerRegistration {
        id: NodeId(0),
        incarnation: Uuid::from_u128(1),
        endpoints: vec![Endpoint {
            listener: "PLAINTEXT".to_owned(),
            host: "localhost".to_owned(),
            port: 9092,
            security_protocol: 0,
        }],
        rack: None,
        features: [].into(),
        log_dirs: vec![Uuid::from_u128(2)],
    }
}

fn topic(name: &str) -> NewTopic {
    NewTopic { name: name.to_owned(), ..NewTopic::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let before = {
        let controller = Controller::start(options(dir.path())).await.unwrap();
        controller.register_broker(registration()).await.unwrap();
        let made = controller.create_topics(vec![topic("a"), topic("b")], false).await;
        assert!(made.iter().all(Result::is_ok), "{made:?}");
        let gone = controller.delete_topics(vec![TopicRef::Name("b".to_owned())]).await;
        assert!(gone[0].is_ok());
        controller.allocate_producer_ids(NodeId(0)).await.unwrap();
        let image = controller.image();
        controller.shutdown().await;
        image
    };
    let controller = Controller::start(options(dir.path())).await.unwrap();
    assert_eq!(controller.image(), before);
    let again = controller.create_topics(vec![topic("a")], false).await.remove(0);
    assert_eq!(again.unwrap_err().code, ErrorCode::TopicAlreadyExists);
    assert_eq!(controller.status().state, RaftState::Leader);
    controller.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_decisions_for_one_name_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    let controller = Controller::start(options(dir.path())).await.unwrap();
    controller.register_broker(registration()).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let controller = controller.clone();
            tokio::spawn(async move {
                controller.create_topics(vec![topic("a")], false).await.remove(0)
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert_eq!(error.code, ErrorCode::TopicAlreadyExists),
        }
    }
    assert_eq!(made, 1);
    controller.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_takes_the_place_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path());
    let every = ("metadata.log.max.record.bytes.between.snapshots".to_owned(), "2000".to_owned());
    options.fixed = Arc::new(StaticConfig([every].into()));
    let before = {
        let controller = Controller::start(options.clone()).await.unwrap();
        controller.register_broker(registration()).await.unwrap();
        for number in 0..40 {
            let made = controller.create_topics(vec![topic(&format!("t{number}"))], false).await;
            made[0].as_ref().unwrap();
        }
        let wait = controller.inner.raft.wait(None);
        let purged =
            |metrics: &openraft::RaftMetrics<u64, openraft::BasicNode>| metrics.purged.is_some();
        wait.metrics(purged, "purged up to the snapshot").await.unwrap();
        let image = controller.image();
        controller.shutdown().await;
        image
    };
    let files = std::fs::read_dir(dir.path().join("__cluster_metadata-0")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.ends_with(".checkpoint")).count(), 1);
    let controller = Controller::start(options).await.unwrap();
    assert_eq!(controller.image(), before);
    controller.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_cluster_or_node_does_not_get_in() {
    let dir = tempfile::tempdir().unwrap();
    Controller::start(options(dir.path())).await.unwrap().shutdown().await;
    let other = ControllerOptions { cluster_id: "other".to_owned(), ..options(dir.path()) };
    assert!(matches!(Controller::start(other).await, Err(StartError::Mismatch(_))));
    let other = ControllerOptions { node_id: NodeId(3), ..options(dir.path()) };
    assert!(matches!(Controller::start(other).await, Err(StartError::Mismatch(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_word_keeps_its_number() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(crate::node_number(dir.path(), "7").unwrap(), (NodeId(7), None));
    let (node_id, node_name) = crate::node_number(dir.path(), "b1").unwrap();
    assert_eq!(node_id, NodeId(1_000_000));
    let named = ControllerOptions { node_id, node_name, ..options(dir.path()) };
    Controller::start(named).await.unwrap().shutdown().await;
    assert_eq!(crate::node_number(dir.path(), "b1").unwrap().0, NodeId(1_000_000));
    assert!(crate::node_number(dir.path(), "b2").is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::disallowed_methods)] // measures, decides nothing
async fn a_start_takes_no_election_timeout() {
    let dir = tempfile::tempdir().unwrap();
    for round in ["first", "second"] {
        let begin = Instant::now();
        let controller = Controller::start(options(dir.path())).await.unwrap();
        controller.register_broker(registration()).await.unwrap();
        let took = begin.elapsed();
        println!("{round} start: {took:?}");
        assert!(took.as_millis() < 1000, "{round} start took {took:?}");
        controller.shutdown().await;
    }
}
