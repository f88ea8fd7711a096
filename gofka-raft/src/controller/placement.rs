//! Where replicas go: chosen here, or by the caller and checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::ids::{LeaderEpoch, NodeId, PartitionEpoch, Uuid};

use crate::image::{BrokerImage, MetadataImage, PartitionImage};

/// Replicas of `count` partitions with `factor` copies each: brokers in turn, beginning where the
/// topics that are there have left off, fenced ones last.
pub(super) fn choose(
    image: &MetadataImage,
    count: i32,
    factor: i16,
) -> Result<Vec<Vec<NodeId>>, ApiError> {
    let unreachable = |why: String| {
        let text = format!("Unable to replicate the partition {factor} time(s): {why}");
        ApiError::new(ErrorCode::InvalidReplicationFactor, text)
    };
    let (live, fenced): (Vec<_>, Vec<_>) = image.brokers.values().partition(|b| !b.fenced);
    let copies = usize::try_from(factor).unwrap_or(0);
    if image.brokers.len() < copies {
        return Err(unreachable(format!(
            "The target replication factor of {factor} cannot be reached because only {} \
             broker(s) are registered or some brokers have all their log directories cordoned.",
            image.brokers.len()
        )));
    }
    if live.is_empty() {
        return Err(unreachable("All brokers are currently fenced.".to_owned()));
    }
    let first = image.partition_count();
    let replicas = (0..usize::try_from(count).unwrap_or(0)).map(|index| {
        let in_turn = |brokers: &[&Arc<BrokerImage>]| -> Vec<NodeId> {
            let ids = brokers.iter().map(|broker| broker.id).cycle();
            ids.skip((first + index) % brokers.len().max(1)).take(brokers.len()).collect()
        };
        let mut order = in_turn(&live);
        order.extend(in_turn(&fenced));
        order.truncate(copies);
        order
    });
    Ok(replicas.collect())
}

/// Checks replicas that the caller chose for one partition.
pub(super) fn check(
    image: &MetadataImage,
    replicas: &[NodeId],
    copies: Option<usize>,
) -> Result<(), ApiError> {
    let refuse = |what: String| {
        let text = format!("The manual partition assignment includes {what}");
        Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, text))
    };
    if replicas.is_empty() {
        return refuse("an empty replica list.".to_owned());
    }
    let mut seen = BTreeSet::new();
    for node in replicas {
        if !image.brokers.contains_key(node) {
            return refuse(format!("broker {node}, but no such broker is registered."));
        }
        if !seen.insert(node) {
            return refuse(format!("the broker {node} more than once."));
        }
    }
    match copies {
        Some(copies) if copies != replicas.len() => refuse(format!(
            "a partition with {} replica(s), but this is not consistent with previous \
             partitions, which have {copies} replica(s).",
            replicas.len()
        )),
        _ => Ok(()),
    }
}

/// A new partition on `replicas`, led by the first that is not fenced.
pub(super) fn partition(
    image: &MetadataImage,
    replicas: Vec<NodeId>,
) -> Result<PartitionImage, ApiError> {
    let broker = |node: &NodeId| image.brokers.get(node);
    let isr: Vec<NodeId> = replicas
        .iter()
        .filter(|node| broker(node).is_some_and(|b| !b.fenced && !b.in_controlled_shutdown))
        .copied()
        .collect();
    if isr.is_empty() {
        let text = "All brokers specified in the manual partition assignment are fenced or in \
                    controlled shutdown.";
        return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, text));
    }
    // A broker with one directory has no choice to make; one with several tells later.
    let directory = |node: &NodeId| match broker(node).map(|broker| broker.log_dirs.as_slice()) {
        Some([only]) => *only,
        _ => Uuid::nil(),
    };
    Ok(PartitionImage {
        directories: replicas.iter().map(directory).collect(),
        leader: isr.first().copied(),
        isr,
        replicas,
        leader_epoch: LeaderEpoch(0),
        partition_epoch: PartitionEpoch(0),
        ..PartitionImage::default()
    })
}
