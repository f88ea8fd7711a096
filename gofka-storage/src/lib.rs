//! One partition's log on disk, and the directories that hold many of them, in Apache Kafka's
//! file names and byte formats.
//!
//! Called by the server's `partition/` (one [`Log`] a partition, [`LogDirs`] for all) and by
//! `gofka-raft` (its own log). Everything here blocks and may be called from any thread;
//! nothing here knows of tokio, of clients or of replicas.

mod append;
mod checkpoint;
mod close;
mod compaction;
pub mod dirs;
mod disk;
mod epoch_cache;
pub mod error;
mod flush;
mod group_commit;
mod health;
mod index;
pub mod log;
mod lookup;
mod names;
mod preallocate;
mod producer_state;
mod range;
mod read;
mod recovery;
mod reindex;
mod retention;
mod scan;
mod segment;
mod space;
mod survey;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod timestamps;
mod truncate;
mod trust;

pub use compaction::{CompactionOutcome, CompactionRun, StillWanted};
pub use dirs::{Claim, DirDescription, DirOptions, LogDirs};
pub use error::{AppendError, OpenError, ReadError, StorageError};
pub use group_commit::sync_together;
pub use log::{AbortedTransaction, AppendInfo, Log, LogOptions, ProducerStatus};
pub use lookup::LOADED_BYTES_MAX;
pub use range::LogRange;
pub use read::{LogRead, Records};
