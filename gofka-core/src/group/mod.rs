//! The group coordinator's state machine: classic groups, their members and their offsets.
//!
//! [`Shard`] holds the groups of one partition of `__consumer_offsets`. [`Shard::handle`] and
//! [`Shard::on_timer`] decide and return a [`Step`]: records, replies and events. Its runtime
//! appends the records, gives each to [`Shard::replay`], and lets the replies go when what they
//! show is committed. A failed append ends the shard; it is loaded again from its log.
//!
//! **Invariant:** durable state (what a restart brings back) changes in `replay` alone; the rest,
//! rebalances under way and timers, changes in `handle` and `on_timer` alone.
//!
//! No clocks, no randomness, no IO: time and fresh ids come with the calls. Groups of the newer
//! protocols (KIP-848, 932, 1071) are not served; their records are passed over at load.

mod admin;
mod classic;
pub mod command;
mod durable;
mod expiry;
mod ids;
mod offsets;
pub mod record;
pub mod reply;
mod settings;
mod shard;
#[cfg(test)]
mod tests;
mod timers;

pub use classic::ClassicState;
pub use command::Command;
pub use durable::{Durable, DurableGroup, OffsetsByTopic, StoredOffset};
pub use ids::{Generation, GroupId, InstanceId, MemberId};
pub use record::GroupRecord;
pub use reply::{Answer, Event, RebalanceReason, Reply, ReplyTo, Step, Wait};
pub use settings::GroupSettings;
pub use shard::{GroupSummary, Shard};
