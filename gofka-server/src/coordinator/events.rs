//! What happened in the groups, for the log and the metrics.

use gofka_core::group::Event;

use crate::metrics::Metrics;

/// Counts and logs; on the thread that made it happen. True when members came or went.
pub(super) fn report(metrics: &Metrics, events: Vec<Event>) -> bool {
    let mut members_changed = false;
    for event in events {
        members_changed |= !matches!(event, Event::OffsetsCommitted(_) | Event::OffsetsExpired(_));
        match event {
            Event::Rebalance { group, generation, reason, detail } => {
                metrics.rebalanced(group.as_str(), reason.label());
                let reason = reason.label();
                tracing::info!(%group, %generation, reason, detail, "group rebalances");
            }
            Event::Joined { group, generation, members } => {
                tracing::info!(%group, %generation, members, "group reached a generation");
            }
            Event::MemberRemoved { group, member, reason, detail } => {
                let reason = reason.label();
                tracing::info!(%group, %member, reason, detail, "member left the group");
            }
            Event::GroupRemoved(group) => {
                metrics.remove_group(group.as_str());
                tracing::info!(%group, "group removed");
            }
            Event::OffsetsCommitted(count) => {
                metrics.offset_commits.inc_by(count as u64);
            }
            Event::OffsetsExpired(count) => {
                tracing::info!(count, "offsets expired");
            }
        }
    }
    members_changed
}
