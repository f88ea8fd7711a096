//! Which changes of settings are made, and which are refused with what.

use gofka_core::ids::NodeId;

use super::super::testing::{Cluster, topic};
use super::*;

fn with(op: AlterOp, name: &str, value: &str) -> (String, AlterOp, Option<String>) {
    (name.to_owned(), op, Some(value.to_owned()))
}

fn set(name: &str, value: &str) -> (String, AlterOp, Option<String>) {
    with(AlterOp::Set, name, value)
}

fn cluster() -> Cluster {
    let mut cluster = Cluster::of_brokers(1);
    cluster.create(&[topic("a")])[0].as_ref().unwrap();
    cluster
}

type Change = (String, AlterOp, Option<String>);

fn alter_one(
    cluster: &mut Cluster,
    resource: &ConfigResource,
    changes: Vec<Change>,
) -> Result<(), ErrorCode> {
    let alteration = ConfigAlteration::Incremental { resource: resource.clone(), changes };
    let answer = cluster.alter(&[alteration]).remove(0);
    answer.map_err(|error| error.code)
}

#[test]
fn topic_settings_are_set_and_taken_away() {
    let mut cluster = cluster();
    let topic = ConfigResource::topic("a");
    alter_one(&mut cluster, &topic, vec![set("retention.ms", "5")]).unwrap();
    assert_eq!(cluster.image.configs_of(&topic)["retention.ms"], "5");
    let delete = ("retention.ms".to_owned(), AlterOp::Delete, None);
    alter_one(&mut cluster, &topic, vec![delete]).unwrap();
    assert!(cluster.image.configs_of(&topic).is_empty());
}

#[test]
fn lists_grow_from_their_default_and_shrink() {
    let mut cluster = cluster();
    let topic = ConfigResource::topic("a");
    let policy = "cleanup.policy";
    let steps = [
        (AlterOp::Append, "compact", "delete,compact"),
        (AlterOp::Append, "compact", "delete,compact"),
        (AlterOp::Subtract, "delete", "compact"),
    ];
    for (op, value, expected) in steps {
        alter_one(&mut cluster, &topic, vec![with(op, policy, value)]).unwrap();
        assert_eq!(cluster.image.configs_of(&topic)[policy], expected);
    }
}

#[test]
fn what_kafka_refuses_is_refused_with_its_code() {
    let topic = ConfigResource::topic("a");
    let on_topic = |changes: Vec<Change>, code| (topic.clone(), changes, code);
    let long_lag = vec![set("min.compaction.lag.ms", "9"), set("max.compaction.lag.ms", "8")];
    let no_value = vec![("retention.ms".to_owned(), AlterOp::Set, None)];
    let twice = vec![set("retention.ms", "1"), set("retention.ms", "2")];
    let no_list = vec![with(AlterOp::Append, "retention.ms", "1")];
    let one = |name: &str, value: &str| vec![set(name, value)];
    let broker = ConfigResource::broker(NodeId(0));
    let cases = [
        on_topic(one("nope", "1"), ErrorCode::InvalidConfig),
        on_topic(one("retention.ms", "x"), ErrorCode::InvalidConfig),
        on_topic(one("retention.ms", "-2"), ErrorCode::InvalidConfig),
        on_topic(no_list, ErrorCode::InvalidConfig),
        on_topic(long_lag, ErrorCode::InvalidConfig),
        on_topic(no_value, ErrorCode::InvalidRequest),
        on_topic(twice, ErrorCode::InvalidRequest),
        (ConfigResource::topic("b"), one("retention.ms", "1"), ErrorCode::UnknownTopicOrPartition),
        (ConfigResource::topic("b"), one("nope", "1"), ErrorCode::InvalidConfig),
        (ConfigResource::topic("b"), vec![], ErrorCode::UnknownTopicOrPartition),
        (broker, one("num.partitions", "2"), ErrorCode::InvalidRequest),
        (ConfigResource::all_brokers(), one("log.retention.ms", "x"), ErrorCode::InvalidRequest),
        (ConfigResource::group(""), vec![], ErrorCode::InvalidRequest),
        (ConfigResource::group("g"), one("nope", "1"), ErrorCode::InvalidConfig),
        (
            ConfigResource::group("g"),
            one("consumer.session.timeout.ms", "1"),
            ErrorCode::InvalidConfig,
        ),
    ];
    for (resource, changes, expected) in cases {
        let answer = alter_one(&mut cluster(), &resource, changes.clone());
        assert_eq!(answer, Err(expected), "{resource:?} {changes:?}");
    }
}

#[test]
fn nobody_can_be_locked_out_by_a_limit_for_every_address() {
    let mut cluster = cluster();
    let all = ConfigResource::all_brokers();
    let (limit, overrides) = ("max.connections.per.ip", "max.connections.per.ip.overrides");
    let refused = Err(ErrorCode::InvalidRequest);
    assert_eq!(alter_one(&mut cluster, &all, vec![set(limit, "0")]), refused);
    let both = vec![set(limit, "0"), set(overrides, "127.0.0.1:5")];
    assert_eq!(alter_one(&mut cluster, &all, both), Ok(()));
    let no_more = vec![(overrides.to_owned(), AlterOp::Delete, None)];
    assert_eq!(alter_one(&mut cluster, &all, no_more), refused);
}

#[test]
fn the_older_request_replaces_everything() {
    let mut cluster = cluster();
    let topic = ConfigResource::topic("a");
    alter_one(&mut cluster, &topic, vec![set("retention.ms", "5")]).unwrap();
    let configs = vec![("segment.bytes".to_owned(), Some("2097152".to_owned()))];
    let replace = ConfigAlteration::Replace { resource: topic.clone(), configs };
    cluster.alter(&[replace])[0].as_ref().unwrap();
    let names: Vec<_> = cluster.image.configs_of(&topic).keys().cloned().collect();
    assert_eq!(names, ["segment.bytes"]);
}

#[test]
fn a_refused_change_leaves_no_trace() {
    let mut cluster = cluster();
    let changes = vec![set("retention.ms", "5"), set("nope", "1")];
    alter_one(&mut cluster, &ConfigResource::topic("a"), changes).unwrap_err();
    assert!(cluster.image.configs.is_empty());
}
