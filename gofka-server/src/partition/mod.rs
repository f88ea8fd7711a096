//! The partitions that this broker holds: one writer each, high watermarks, waiting requests,
//! group commit, and the logs' housekeeping.
//!
//! `Partitions` is owned by `broker.rs`; handlers and coordinators look partitions up in it.
//! Threads: appends and reads run on the caller's (page cache only); syncs on the flusher's; logs
//! are opened, expired, compacted and removed on blocking threads.

mod append;
mod delayed;
mod fetch_sessions;
mod flusher;
mod follow;
mod housekeeping;
mod map;
mod partitions;
mod producer_ids;
mod read;
mod replica;
mod rounds;
mod rules;
mod settings;
mod throttle;
mod unsynced;

pub use append::{AppendOptions, Appended};
pub use delayed::{Delayed, DelayedGuard};
pub use fetch_sessions::FetchSessionTable;
pub use map::{PartitionMap, TopicEntry};
pub(crate) use partitions::blocking;
pub use partitions::{Partitions, PartitionsOptions};
pub use producer_ids::ProducerIds;
pub use read::{Isolation, PartitionRead, ReadRequest};
pub use replica::Partition;
pub use settings::PartitionSettings;

#[cfg(test)]
mod sync_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
