//! From the settings of the process to the options of its parts.

use std::time::Duration;

use gofka_core::config::ConfigLayers;

use super::limits;
use crate::api::{ListenerInfo, ListenerKind};
use crate::config::{ServerConfig, connection_overrides};
use crate::net::{ConnectionLimits, ListenerSpec, NetOptions};
use crate::partition::PartitionSettings;

/// Requests and replies may each take one of so many parts of the memory that there is.
const MEMORY_PARTS: usize = 4;

/// What the network layer is started with.
pub(super) fn net(config: &ServerConfig, limits: ConnectionLimits) -> NetOptions {
    let defaults = NetOptions::default();
    let size = |name: &str| usize::try_from(config.integer(name)).unwrap_or(0);
    let buffer = |name: &str| usize::try_from(config.integer(name)).ok();
    let memory_share = limits::memory_bytes() / MEMORY_PARTS;
    NetOptions {
        request_bytes_max: config.request_bytes_max(),
        idle_max: u64::try_from(config.integer("connections.max.idle.ms"))
            .ok()
            .map(Duration::from_millis),
        limits,
        backlog: u32::try_from(size("socket.listen.backlog.size")).unwrap_or(u32::MAX),
        receive_buffer_bytes: buffer("socket.receive.buffer.bytes"),
        send_buffer_bytes: buffer("socket.send.buffer.bytes"),
        request_memory_bytes: buffer("queued.max.request.bytes").map_or(
            defaults.request_memory_bytes.max(config.request_bytes_max()).min(memory_share),
            |asked| asked.max(config.request_bytes_max()),
        ),
        reply_memory_bytes: defaults.reply_memory_bytes.min(memory_share),
    }
}

/// How many connections there may be, as the settings in force spell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConnectionTexts {
    total: String,
    per_ip: String,
    overrides: String,
    per_second: String,
}

impl ConnectionTexts {
    pub(super) fn of(layers: &ConfigLayers<'_>) -> Self {
        let text = |name: &str| layers.broker_value(name).unwrap_or_default().trim().to_owned();
        Self {
            total: text("max.connections"),
            per_ip: text("max.connections.per.ip"),
            overrides: text("max.connections.per.ip.overrides"),
            per_second: text("max.connection.creation.rate"),
        }
    }

    /// What they mean now. Looks up names, which blocks; one that is not found has no limit of
    /// its own.
    pub(super) fn limits(&self) -> ConnectionLimits {
        let number = |text: &str| text.parse::<u32>().unwrap_or(i32::MAX as u32);
        let (per_ip_overrides, problems) = connection_overrides(&self.overrides);
        for problem in problems {
            tracing::warn!("{problem}");
        }
        let files = limits::open_files_for_connections();
        ConnectionLimits {
            total_max: (number(&self.total) as usize).min(files),
            per_ip_max: number(&self.per_ip) as usize,
            per_ip_overrides,
            per_second_max: number(&self.per_second),
        }
    }
}

/// Where clients connect.
pub(super) fn listeners(config: &ServerConfig) -> Vec<ListenerSpec> {
    let spec = |listener: &crate::config::Listener| ListenerSpec {
        info: ListenerInfo { name: listener.name.clone(), kind: ListenerKind::Client },
        host: match &listener.address.host {
            Some(_) if listener.address.is_wildcard_v6() => String::new(),
            Some(host) => host.clone(),
            None => String::new(),
        },
        port: listener.address.port,
    };
    config.listeners.iter().map(spec).collect()
}

/// Intervals and limits of the partitions' background work.
pub(super) fn partitions(layers: &ConfigLayers<'_>) -> PartitionSettings {
    let number = |name: &str| -> i64 {
        let value = layers.broker_value(name).and_then(|text| text.trim().parse().ok());
        value.unwrap_or_else(|| panic!("{name} is a number with a default"))
    };
    let size = |name: &str| usize::try_from(number(name)).unwrap_or(0);
    let millis = |name: &str| Duration::from_millis(u64::try_from(number(name)).unwrap_or(0));
    let enabled = layers.broker_value("log.cleaner.enable");
    PartitionSettings {
        retention_interval: millis("log.retention.check.interval.ms"),
        checkpoint_interval: millis("log.flush.offset.checkpoint.interval.ms"),
        cleaner_enabled: enabled.is_none_or(|text| text.trim().eq_ignore_ascii_case("true")),
        producer_check_interval: millis("producer.id.expiration.check.interval.ms"),
        fetch_max_bytes: size("fetch.max.bytes"),
        fetch_session_slots: size("max.incremental.fetch.session.cache.slots"),
        ..PartitionSettings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, Role};

    fn config(flags: &[(&str, &str)]) -> ServerConfig {
        let flags = flags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let inputs = Inputs { role: Role::Combined, file: None, environment: Vec::new(), flags };
        ServerConfig::load(&inputs).unwrap()
    }

    fn options(flags: &[(&str, &str)]) -> NetOptions {
        let config = config(flags);
        let image = gofka_raft::MetadataImage::default();
        let layers = image.broker_layers(gofka_core::ids::NodeId(0), &config.fixed);
        net(&config, ConnectionTexts::of(&layers).limits())
    }

    #[test]
    fn kafkas_settings_reach_the_network_layer() {
        let options = options(&[
            ("connections.max.idle.ms", "5000"),
            ("max.connections", "7"),
            ("max.connections.per.ip.overrides", "127.0.0.1:3, [::1]:4"),
            ("socket.send.buffer.bytes", "65536"),
        ]);
        assert_eq!(options.idle_max, Some(Duration::from_secs(5)));
        assert_eq!(options.limits.total_max, 7);
        assert_eq!(options.limits.per_ip_overrides.len(), 2);
        assert_eq!(options.limits.per_ip_max, i32::MAX as usize);
        assert_eq!(options.send_buffer_bytes, Some(65536));
        assert_eq!(options.receive_buffer_bytes, None);
    }

    #[test]
    fn a_negative_idle_time_is_no_limit() {
        let options = options(&[("connections.max.idle.ms", "-1")]);
        assert_eq!(options.idle_max, None);
    }

    #[test]
    fn memory_for_requests_holds_the_largest_one() {
        let options = options(&[
            ("queued.max.request.bytes", "1000"),
            ("socket.request.max.bytes", "300000000"),
        ]);
        assert_eq!(options.request_memory_bytes, 300_000_000);
    }
}
