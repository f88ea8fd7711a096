//! Raft, kept thin: openraft's traits over a log of Kafka-format batches.
//!
//! Used by the controller alone. An entry is one batch: metadata records are a batch of them, a
//! new term's first entry and a membership are one control record each. openraft counts entries,
//! Kafka counts records; the log keeps both, and an image's offset is Kafka's.

mod durable;
mod entry;
mod log_file;
mod log_store;
mod network;
mod recover;
mod reserve;
mod snapshot;
mod state_machine;
#[cfg(test)]
mod suite_tests;

use std::io::Cursor;

use serde::{Deserialize, Serialize};

pub(crate) use durable::{QuorumState, QuorumStateFile};
pub(crate) use log_store::LogStore;
pub(crate) use network::NoPeers;
pub use state_machine::RemovedTopics;
pub(crate) use state_machine::StateMachine;

openraft::declare_raft_types!(
    /// The types that raft works with here.
    pub(crate) Types:
        D = Command,
        R = Applied,
        NodeId = u64,
        Node = openraft::BasicNode,
        SnapshotData = Cursor<Vec<u8>>,
);

pub(crate) type Entry = openraft::Entry<Types>;
pub(crate) type LogId = openraft::LogId<u64>;
pub(crate) type Vote = openraft::Vote<u64>;
pub(crate) type StorageError = openraft::StorageError<u64>;
pub(crate) type Raft = openraft::Raft<Types>;
pub(crate) type StoredMembership = openraft::StoredMembership<u64, openraft::BasicNode>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<u64, openraft::BasicNode>;

/// Folder of the metadata partition inside the controller's.
pub(crate) const PARTITION_DIR: &str = "__cluster_metadata-0";

/// What a leader proposes: the values of the records of one decision, which take effect together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Command {
    /// Encoded metadata records.
    pub(crate) records: Vec<Vec<u8>>,
}

/// What applying an entry gives: where the image then ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Applied {
    /// End offset of the image.
    pub(crate) end_offset: i64,
}

/// The log id at `index` in `term`.
pub(crate) fn log_id(term: u64, index: u64) -> LogId {
    LogId::new(openraft::CommittedLeaderId::new(term, 0), index)
}
