//! Bounds that the broker sets to what a group may ask for.

use gofka_core::error::ApiError;

use super::super::Environment;
use super::invalid_config;
use crate::image::ConfigMap;

/// Group settings that must keep to bounds that the broker sets: the setting, the bound's name and
/// its default, and whether it is the lower one.
const GROUP_BOUNDS: &[(&str, &str, i64, bool)] = &[
    ("consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms", 5_000, true),
    ("consumer.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms", 15_000, false),
    ("consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms", 45_000, true),
    ("consumer.session.timeout.ms", "group.consumer.max.session.timeout.ms", 60_000, false),
    ("share.delivery.count.limit", "group.share.min.delivery.count.limit", 2, true),
    ("share.delivery.count.limit", "group.share.max.delivery.count.limit", 10, false),
    ("share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms", 5_000, true),
    ("share.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms", 15_000, false),
    ("share.partition.max.record.locks", "group.share.min.partition.max.record.locks", 100, true),
    (
        "share.partition.max.record.locks",
        "group.share.max.partition.max.record.locks",
        4_000,
        false,
    ),
    ("share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms", 15_000, true),
    ("share.record.lock.duration.ms", "group.share.max.record.lock.duration.ms", 60_000, false),
    ("share.session.timeout.ms", "group.share.min.session.timeout.ms", 45_000, true),
    ("share.session.timeout.ms", "group.share.max.session.timeout.ms", 60_000, false),
    ("streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms", 5_000, true),
    ("streams.heartbeat.interval.ms", "group.streams.max.heartbeat.interval.ms", 15_000, false),
    ("streams.num.standby.replicas", "group.streams.max.standby.replicas", 2, false),
    ("streams.session.timeout.ms", "group.streams.min.session.timeout.ms", 45_000, true),
    ("streams.session.timeout.ms", "group.streams.max.session.timeout.ms", 60_000, false),
];

pub(super) fn check_bounds(
    wanted: &ConfigMap,
    environment: Environment<'_>,
) -> Result<(), ApiError> {
    for &(name, bound, default, is_lower) in GROUP_BOUNDS {
        let Some(Ok(value)) = wanted.get(name).map(|value| value.trim().parse::<i64>()) else {
            continue;
        };
        let limit = environment.fixed.0.get(bound).and_then(|limit| limit.trim().parse().ok());
        let limit = limit.unwrap_or(default);
        if is_lower && value < limit {
            let text = format!("{name} must be greater than or equal to {bound}");
            return Err(invalid_config(text));
        }
        if !is_lower && value > limit {
            return Err(invalid_config(format!("{name} must be less than or equal to {bound}")));
        }
    }
    Ok(())
}
