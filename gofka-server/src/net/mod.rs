//! Sockets: listeners, connections, frames, limits, and the check of every body before it is
//! decoded.
//!
//! `broker.rs` binds listeners before it touches anything, starts them when it serves, and stops
//! them first. A connection is one task (`connection.rs`): frames come in (`frames.rs`, with
//! memory taken from `memory.rs` as bytes arrive), are checked (`header.rs`, `grammar/`), go
//! through the table of `api/`, wait their turn (`queue.rs`) and leave (`writer.rs`), while a
//! watchdog ends what takes too long.

mod activity;
mod complaints;
mod connection;
mod frames;
pub mod grammar;
mod header;
mod listener;
mod memory;
mod options;
mod queue;
mod quota;
mod shared;
mod watchdog;
mod writer;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;

pub use complaints::Complaints;
pub use listener::{BindError, Bound, ListenerSpec, Listeners, plain};
pub use memory::{MemoryBudget, MemoryPermit};
pub use options::{ConnectionLimits, NetOptions};
pub use quota::ConnectionQuota;
