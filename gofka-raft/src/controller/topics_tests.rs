//! What Kafka refuses is refused here with its code, and what is made is made whole.

use gofka_core::error::ErrorCode;
use gofka_core::ids::{NodeId, PartitionIndex, TopicName};

use super::testing::{Cluster, topic};
use super::{allocate_producer_ids, create_partitions, delete_topics};
use crate::request::{NewPartitions, NewTopic, TopicRef};

fn check(topic: NewTopic, expected: ErrorCode) {
    let topics = [topic];
    let answer = Cluster::of_brokers(2).create(&topics).remove(0);
    assert_eq!(answer.unwrap_err().code, expected, "{topics:?}");
}

#[test]
fn a_topic_gets_the_brokers_defaults() {
    let mut cluster = Cluster::of_brokers(1);
    cluster.fixed.0.insert("num.partitions".to_owned(), "3".to_owned());
    let created = cluster.create(&[topic("a")]).remove(0).unwrap();
    assert_eq!((created.partitions, created.replication_factor), (3, 1));
    let partition = cluster.image.partition("a", PartitionIndex(2)).unwrap();
    assert_eq!(partition.leader, Some(NodeId(0)));
    assert_eq!(partition.isr, [NodeId(0)]);
}

#[test]
fn bad_topics_are_refused() {
    check(NewTopic { partitions: Some(0), ..topic("a") }, ErrorCode::InvalidPartitions);
    let three = NewTopic { replication_factor: Some(3), ..topic("a") };
    check(three, ErrorCode::InvalidReplicationFactor);
    let zero = NewTopic { replication_factor: Some(0), ..topic("a") };
    check(zero, ErrorCode::InvalidReplicationFactor);
    let unknown =
        NewTopic { configs: vec![("nope".to_owned(), Some("1".to_owned()))], ..topic("a") };
    check(unknown, ErrorCode::InvalidConfig);
    let null = NewTopic { configs: vec![("retention.ms".to_owned(), None)], ..topic("a") };
    check(null, ErrorCode::InvalidConfig);
    let many = NewTopic { partitions: Some(100_000), ..topic("a") };
    check(many, ErrorCode::PolicyViolation);
}

#[test]
fn names_that_could_leave_the_folder_are_refused() {
    let long = "a".repeat(249);
    for good in ["a", "a.b", "A_b-9", "...", "__consumer_offsets", long.as_str()] {
        assert!(Cluster::of_brokers(1).create(&[topic(good)])[0].is_ok(), "{good}");
    }
    let longer = "a".repeat(250);
    for bad in ["", ".", "..", "a/b", "../x", "a\0", "ä", "a b", longer.as_str()] {
        check(topic(bad), ErrorCode::InvalidTopicException);
    }
}

#[test]
fn the_controllers_own_log_is_no_topic() {
    check(topic("__cluster_metadata"), ErrorCode::InvalidRequest);
}

#[test]
fn names_that_collide_are_refused_also_within_a_request() {
    let answers = Cluster::of_brokers(1).create(&[topic("a.b"), topic("a_b"), topic("a.b")]);
    let code = |index: usize| answers[index].as_ref().err().map(|error| error.code);
    assert_eq!(code(0), None);
    assert_eq!(code(1), Some(ErrorCode::InvalidTopicException));
    assert_eq!(code(2), Some(ErrorCode::TopicAlreadyExists));
}

#[test]
fn assignments_are_checked() {
    let assigned = |assignments: &[(i32, &[i32])]| NewTopic {
        assignments: assignments
            .iter()
            .map(|(index, ids)| (PartitionIndex(*index), ids.iter().copied().map(NodeId).collect()))
            .collect(),
        ..topic("a")
    };
    let good = assigned(&[(1, &[1, 0]), (0, &[0, 1])]);
    let good = Cluster::of_brokers(2).create(&[good]).remove(0).unwrap();
    assert_eq!((good.partitions, good.replication_factor), (2, 2));
    let bad: [&[(i32, &[i32])]; 6] = [
        &[(1, &[0])],
        &[(0, &[0]), (0, &[1])],
        &[(0, &[])],
        &[(0, &[0, 0])],
        &[(0, &[9])],
        &[(0, &[0]), (1, &[0, 1])],
    ];
    for assignments in bad {
        check(assigned(assignments), ErrorCode::InvalidReplicaAssignment);
    }
    let both = NewTopic { partitions: Some(1), ..assigned(&[(0, &[0])]) };
    check(both, ErrorCode::InvalidRequest);
}

#[test]
fn leaders_and_followers_spread_over_all_brokers() {
    let mut cluster = Cluster::of_brokers(3);
    let spread = NewTopic { partitions: Some(12), replication_factor: Some(2), ..topic("a") };
    cluster.create(&[spread])[0].as_ref().unwrap();
    let partitions = &cluster.image.topic("a").unwrap().partitions;
    for id in (0..3).map(NodeId) {
        let leads = partitions.iter().filter(|partition| partition.replicas[0] == id).count();
        let follows = partitions.iter().filter(|partition| partition.replicas[1] == id).count();
        assert_eq!((leads, follows), (4, 4), "broker {id}");
    }
}

#[test]
fn a_topic_is_deleted_by_name_or_id_once() {
    let mut cluster = Cluster::of_brokers(1);
    let id = cluster.create(&[topic("a")])[0].as_ref().unwrap().id;
    let unknown = TopicRef::Name("b".to_owned());
    let all = [TopicRef::Id(id), TopicRef::Id(id), unknown];
    let answers = cluster.run(|image, _| delete_topics(image, &all));
    assert_eq!(answers[0], Ok((TopicName::new("a"), id)));
    assert_eq!(answers[1].as_ref().unwrap_err().code, ErrorCode::UnknownTopicId);
    assert_eq!(answers[2].as_ref().unwrap_err().code, ErrorCode::UnknownTopicOrPartition);
    assert!(cluster.image.topics.is_empty());
}

fn check_growth(count: i32, assignments: Option<&[&[i32]]>, expected: Option<ErrorCode>) {
    let mut cluster = Cluster::of_brokers(1);
    cluster.create(&[NewTopic { partitions: Some(2), ..topic("a") }])[0].as_ref().unwrap();
    let assignments = assignments
        .map(|all| all.iter().map(|ids| ids.iter().copied().map(NodeId).collect()).collect());
    let wanted = NewPartitions { topic: "a".to_owned(), count, assignments };
    let answer = cluster.run(|image, _| create_partitions(image, &[wanted], false)).remove(0);
    assert_eq!(answer.err().map(|error| error.code), expected, "{count}");
    let partitions = cluster.image.topic("a").unwrap().partitions.len() as i32;
    assert_eq!(partitions, if expected.is_some() { 2 } else { count });
}

#[test]
fn partitions_are_added_and_never_taken_away() {
    check_growth(5, None, None);
    check_growth(2, None, Some(ErrorCode::InvalidPartitions));
    check_growth(1, None, Some(ErrorCode::InvalidPartitions));
    check_growth(-1, None, Some(ErrorCode::InvalidPartitions));
    check_growth(100_000, None, Some(ErrorCode::PolicyViolation));
    check_growth(3, Some(&[&[0]]), None);
    check_growth(4, Some(&[&[0]]), Some(ErrorCode::InvalidReplicaAssignment));
    check_growth(3, Some(&[&[7]]), Some(ErrorCode::InvalidReplicaAssignment));
}

#[test]
fn one_request_adds_a_bounded_number_of_partitions_in_all() {
    let mut cluster = Cluster::of_brokers(1);
    cluster.create(&[topic("a"), topic("b"), topic("c")]);
    let wanted: Vec<NewPartitions> = [("a", 6_001), ("b", 6_001), ("c", 3)]
        .map(|(name, count)| NewPartitions { topic: name.to_owned(), count, assignments: None })
        .into();
    let answers = cluster.run(|image, _| create_partitions(image, &wanted, false));
    let codes = answers.into_iter().map(|answer| answer.err().map(|error| error.code));
    assert_eq!(codes.collect::<Vec<_>>(), [None, Some(ErrorCode::PolicyViolation), None]);
}

#[test]
fn validating_changes_nothing() {
    let mut cluster = Cluster::of_brokers(1);
    let answer = cluster
        .run(|image, environment| super::create_topics(image, environment, &[topic("a")], true));
    assert!(answer[0].is_ok() && cluster.image.topics.is_empty());
}

#[test]
fn producer_ids_are_given_once() {
    let mut cluster = Cluster::of_brokers(1);
    let first = cluster.run(|image, _| allocate_producer_ids(image, NodeId(0)));
    let second = cluster.run(|image, _| allocate_producer_ids(image, NodeId(0)));
    assert_eq!((first.first.0, first.count), (0, 1000));
    assert_eq!(second.first.0, 1000);
}
