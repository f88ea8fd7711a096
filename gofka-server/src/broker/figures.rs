//! What metrics and health show of the parts' state, read at each scrape.

use std::sync::Arc;

use gofka_core::ids::TopicPartition;
use gofka_raft::{Controller, RaftState, RaftStatus};

use super::Broker;
use crate::http::{Component, Health, Status};
use crate::metrics::{GROUPS_SHOWN_MAX, LAGS_SHOWN_MAX, Lag, RaftFigures, RaftRole, StateFigures};

/// Everything that mirrors state.
pub(super) fn state(broker: &Broker) -> StateFigures {
    let image = broker.controller.image();
    let topics = image.topics.values();
    let map = broker.partitions.snapshot();
    let (mut log_segments, mut log_size_bytes) = (0, 0);
    for partition in map.here() {
        log_segments += partition.log().segment_count() as u64;
        log_size_bytes += partition.log().size_bytes();
    }
    let mut shown = broker.groups.figures();
    let groups = shown.len() as u64;
    if shown.len() > GROUPS_SHOWN_MAX {
        // Groups that have members are those that somebody looks for.
        shown.sort_by_key(|group| std::cmp::Reverse(group.members));
        shown.truncate(GROUPS_SHOWN_MAX);
    }
    let mut lags = Vec::new();
    let mut group_members = Vec::with_capacity(shown.len());
    for figures in shown {
        let group: Arc<str> = figures.group.as_str().into();
        for (topic, partition, committed) in figures.offsets {
            let name = TopicPartition { topic, partition };
            let Ok(found) = broker.partitions.get(&name) else { continue };
            if lags.len() == LAGS_SHOWN_MAX {
                break;
            }
            lags.push(Lag {
                group: group.clone(),
                records: (found.high_watermark().0 - committed.0).max(0),
                partition: name.partition.0,
                topic: name.topic,
            });
        }
        group_members.push((group, figures.members as u64));
    }
    StateFigures {
        raft: Some(raft(&broker.controller.status())),
        topics: topics.map(|topic| (topic.name.clone(), topic.partitions.len() as u64)).collect(),
        log_segments,
        log_size_bytes,
        groups,
        group_members,
        lags,
    }
}

/// The quorum's figures. Its members are counted with this one.
fn raft(status: &RaftStatus) -> RaftFigures {
    RaftFigures {
        role: match status.state {
            RaftState::Learner | RaftState::Follower => RaftRole::Follower,
            RaftState::Candidate => RaftRole::Candidate,
            RaftState::Leader => RaftRole::Leader,
            RaftState::Shutdown => RaftRole::Shutdown,
        },
        term: status.term,
        commit_index: status.commit_index,
        applied_index: status.applied_index,
        peers: status.peers as u64 + 1,
    }
}

/// What a controller without a broker shows.
pub(super) fn controller_state(controller: &Controller) -> StateFigures {
    let image = controller.image();
    let topics = image.topics.values();
    StateFigures {
        raft: Some(raft(&controller.status())),
        topics: topics.map(|topic| (topic.name.clone(), topic.partitions.len() as u64)).collect(),
        ..StateFigures::default()
    }
}

/// Health of a controller without a broker.
pub(super) fn controller_health(controller: &Controller) -> Health {
    let raft = raft_health(&controller.status());
    Health { ready: raft.status == Status::Healthy, components: vec![raft] }
}

/// Health of a broker that serves, or that still starts.
pub(super) fn health(broker: Option<&Broker>) -> Health {
    let Some(broker) = broker else {
        let starting = |name| component(name, Status::Unhealthy, "starting");
        let components = ["broker", "raft", "storage"].map(starting).into();
        return Health { components, ready: false };
    };
    let serving = match broker.metrics.broker_up.get() {
        0 => component("broker", Status::Unhealthy, "stopping"),
        _ => component("broker", Status::Healthy, "serving"),
    };
    let ready = serving.status == Status::Healthy;
    let components = vec![serving, raft_health(&broker.controller.status()), storage(broker)];
    Health { components, ready }
}

/// Health of the metadata quorum as one member sees it.
fn raft_health(status: &RaftStatus) -> Component {
    match (status.state, status.leader) {
        (RaftState::Shutdown, _) => component("raft", Status::Unhealthy, "stopped"),
        (RaftState::Leader, _) => component("raft", Status::Healthy, "leading"),
        (_, Some(leader)) => {
            component("raft", Status::Healthy, &format!("following node {leader}"))
        }
        (_, None) => component("raft", Status::Unhealthy, "no leader is known"),
    }
}

/// One directory that is offline takes its partitions away; all of them take the broker.
fn storage(broker: &Broker) -> Component {
    let dirs = broker.partitions.dirs().describe();
    let offline = dirs.iter().filter(|dir| dir.offline.is_some()).count();
    let problems: Vec<String> = dirs
        .iter()
        .filter_map(|dir| {
            let path = dir.path.display();
            match &dir.offline {
                Some(why) => Some(format!("{path} is offline: {why}")),
                None if dir.low_on_space => {
                    let free = dir.usable_bytes;
                    Some(format!("{path} has {free} bytes free, too few to produce"))
                }
                None => None,
            }
        })
        .collect();
    let status = match problems.len() {
        0 => Status::Healthy,
        _ if offline < dirs.len() => Status::Degraded,
        _ => Status::Unhealthy,
    };
    let detail =
        if problems.is_empty() { "all directories work".into() } else { problems.join("; ") };
    Component { name: "storage", status, detail }
}

fn component(name: &'static str, status: Status, detail: &str) -> Component {
    Component { name, status, detail: detail.to_owned() }
}
