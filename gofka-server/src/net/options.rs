//! The network layer's settings, as values.
//!
//! Read by `broker.rs` from the configuration.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

const MIB: usize = 1 << 20;

/// How many connections there may be. Kafka's settings in brackets; all change at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// At once (`max.connections`); the next one waits until another ends.
    pub total_max: usize,
    /// At once from one address (`max.connections.per.ip`); more are closed.
    pub per_ip_max: usize,
    /// Other limits for some addresses (`max.connections.per.ip.overrides`).
    pub per_ip_overrides: HashMap<IpAddr, usize>,
    /// New ones a second (`max.connection.creation.rate`).
    pub per_second_max: u32,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total_max: i32::MAX as usize,
            per_ip_max: i32::MAX as usize,
            per_ip_overrides: HashMap::new(),
            per_second_max: i32::MAX as u32,
        }
    }
}

/// Limits of connections, requests and memory. Names in brackets are Kafka's settings.
#[derive(Clone, Debug)]
pub struct NetOptions {
    /// The largest request (`socket.request.max.bytes`).
    pub request_bytes_max: usize,
    /// How long a connection may be idle (`connections.max.idle.ms`; negative means for ever).
    pub idle_max: Option<Duration>,
    /// Limits of connections as they are at the start.
    pub limits: ConnectionLimits,
    /// Connections that may wait to be accepted (`socket.listen.backlog.size`).
    pub backlog: u32,
    /// Socket buffers (`socket.receive.buffer.bytes`, `socket.send.buffer.bytes`); `None` leaves
    /// them to the operating system.
    pub receive_buffer_bytes: Option<usize>,
    /// See `receive_buffer_bytes`.
    pub send_buffer_bytes: Option<usize>,
    /// Bytes of requests in work, in all (`queued.max.request.bytes`).
    pub request_memory_bytes: usize,
    /// Bytes of large replies not yet sent, in all.
    pub reply_memory_bytes: usize,
}

impl Default for NetOptions {
    fn default() -> Self {
        Self {
            request_bytes_max: 100 * MIB,
            idle_max: Some(Duration::from_secs(600)),
            limits: ConnectionLimits::default(),
            backlog: 1024,
            receive_buffer_bytes: None,
            send_buffer_bytes: None,
            request_memory_bytes: 256 * MIB,
            reply_memory_bytes: 256 * MIB,
        }
    }
}
