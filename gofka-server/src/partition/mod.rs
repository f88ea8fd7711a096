//! The partitions that this broker holds: one writer each, high watermarks, waiting requests,
//! group commit, and the logs' housekeeping.
//!
//! `Partitions` is owned by `broker.rs`; handlers and coordinators look partitions up in it.
//! Threads: appends and reads run on the caller's (page cache only); syncs on the flusher's; logs
//! are opened, expired, compacted and removed on blocking threads.

mod delayed;
mod flusher;
mod follow;
mod housekeeping;
mod map;
mod partitions;
mod replica;
mod rules;
mod settings;
mod unsynced;

pub use delayed::{Delayed, DelayedGuard};
pub use map::{PartitionMap, TopicEntry};
pub use partitions::{Partitions, PartitionsOptions};
pub use replica::{Appended, Isolation, Partition, PartitionRead, ReadRequest};
pub use settings::PartitionSettings;
