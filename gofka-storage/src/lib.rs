//! One partition's log on disk, and the directories that hold many of them, in Apache Kafka's
//! file names and byte formats.
//!
//! Called by the server's `partition/` (one [`Log`] a partition, [`LogDirs`] for all) and by
//! `gofka-raft` (its own log). Everything here blocks and may be called from any thread;
//! nothing here knows of tokio, of clients or of replicas.

pub mod dirs;
pub mod error;
pub mod log;

pub use dirs::{DirDescription, DirOptions, LogDirs};
pub use error::{AppendError, OpenError, ReadError, StorageError};
pub use log::{
    AbortedTransaction, AppendInfo, CompactionOutcome, Log, LogOptions, LogRead, ProducerStatus,
};
