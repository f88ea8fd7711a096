//! From the settings of the process to the options of its parts.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use gofka_core::config::ConfigLayers;

use super::limits;
use crate::api::{ListenerInfo, ListenerKind};
use crate::config::ServerConfig;
use crate::net::{ListenerSpec, NetOptions};
use crate::partition::PartitionSettings;

/// What the network layer is started with.
pub(super) fn net(config: &ServerConfig) -> Result<NetOptions, String> {
    let defaults = NetOptions::default();
    let size = |name: &str| usize::try_from(config.integer(name)).unwrap_or(0);
    let buffer = |name: &str| usize::try_from(config.integer(name)).ok();
    Ok(NetOptions {
        request_bytes_max: config.request_bytes_max(),
        idle_max: u64::try_from(config.integer("connections.max.idle.ms"))
            .ok()
            .map(Duration::from_millis),
        connections_max: size("max.connections").min(limits::open_files_for_connections()),
        connections_per_ip_max: size("max.connections.per.ip"),
        connections_per_ip_overrides: overrides(config)?,
        connections_per_second_max: u32::try_from(size("max.connection.creation.rate"))
            .unwrap_or(u32::MAX),
        backlog: u32::try_from(size("socket.listen.backlog.size")).unwrap_or(u32::MAX),
        receive_buffer_bytes: buffer("socket.receive.buffer.bytes"),
        send_buffer_bytes: buffer("socket.send.buffer.bytes"),
        request_memory_bytes: buffer("queued.max.request.bytes")
            .unwrap_or(defaults.request_memory_bytes)
            .max(config.request_bytes_max()),
        ..defaults
    })
}

/// `max.connections.per.ip.overrides`: `address:limit` pairs; names are looked up.
fn overrides(config: &ServerConfig) -> Result<HashMap<IpAddr, usize>, String> {
    const NAME: &str = "max.connections.per.ip.overrides";
    let mut limits = HashMap::new();
    let text = config.text(NAME);
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let pair = entry.rsplit_once(':');
        let parsed = pair.and_then(|(host, limit)| {
            let host = host.trim_matches(['[', ']']);
            let addresses = std::net::ToSocketAddrs::to_socket_addrs(&(host, 0)).ok()?;
            Some((addresses, limit.trim().parse().ok()?))
        });
        let Some((addresses, limit)) = parsed else {
            return Err(format!("{NAME}: {entry} is no address and limit"));
        };
        limits.extend(addresses.map(|address| (address.ip(), limit)));
    }
    Ok(limits)
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
        flush_interval: millis("log.flush.interval.ms"),
        retention_interval: millis("log.retention.check.interval.ms"),
        checkpoint_interval: millis("log.flush.offset.checkpoint.interval.ms"),
        cleaner_enabled: enabled.is_none_or(|text| text.trim().eq_ignore_ascii_case("true")),
        cleaner_interval: millis("log.cleaner.backoff.ms"),
        producer_expiration: millis("producer.id.expiration.ms"),
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

    #[test]
    fn kafkas_settings_reach_the_network_layer() {
        let options = net(&config(&[
            ("connections.max.idle.ms", "5000"),
            ("max.connections", "7"),
            ("max.connections.per.ip.overrides", "127.0.0.1:3, [::1]:4"),
            ("socket.send.buffer.bytes", "65536"),
        ]))
        .unwrap();
        assert_eq!(options.idle_max, Some(Duration::from_secs(5)));
        assert_eq!(options.connections_max, 7);
        assert_eq!(options.connections_per_ip_overrides.len(), 2);
        assert_eq!(options.connections_per_ip_overrides[&"::1".parse::<IpAddr>().unwrap()], 4);
        assert_eq!(options.send_buffer_bytes, Some(65536));
        assert_eq!(options.receive_buffer_bytes, None);
    }

    #[test]
    fn a_negative_idle_time_is_no_limit() {
        let options = net(&config(&[("connections.max.idle.ms", "-1")])).unwrap();
        assert_eq!(options.idle_max, None);
    }

    #[test]
    fn an_override_without_a_limit_is_refused() {
        let refused = net(&config(&[("max.connections.per.ip.overrides", "127.0.0.1")]));
        assert!(refused.unwrap_err().contains("127.0.0.1 is no address and limit"));
    }

    #[test]
    fn memory_for_requests_holds_the_largest_one() {
        let options = net(&config(&[
            ("queued.max.request.bytes", "1000"),
            ("socket.request.max.bytes", "300000000"),
        ]))
        .unwrap();
        assert_eq!(options.request_memory_bytes, 300_000_000);
    }
}
