//! The Gofka broker: sockets, Kafka's APIs, and the wiring of all parts.
//!
//! The binaries are thin callers of this library; `broker.rs` is the one file that knows all parts.

mod allocator;
pub mod api;
pub mod broker;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod coordinator;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod net;
pub mod partition;
