//! What a controller is started with, and what it says about itself.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use gofka_core::config::StaticConfig;
use gofka_core::ids::{NodeId, Uuid};
use gofka_core::time::Now;

/// Everything a controller needs from outside.
#[derive(Clone)]
pub struct ControllerOptions {
    /// Folder of vote, log and snapshots; the log lies in `__cluster_metadata-0` inside it.
    pub dir: PathBuf,
    /// This node.
    pub node_id: NodeId,
    /// The word that `node.id` was, if it was one; see [`crate::node_number`].
    pub node_name: Option<String>,
    /// The cluster's id, as `meta.properties` keeps it.
    pub cluster_id: String,
    /// The settings the process was started with: defaults of topics and limits.
    pub fixed: Arc<StaticConfig>,
    /// Reads both clocks.
    pub clock: Arc<dyn Fn() -> Now + Send + Sync>,
    /// Makes a random id, for topics.
    pub new_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
}

impl fmt::Debug for ControllerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControllerOptions")
            .field("dir", &self.dir)
            .field("node_id", &self.node_id)
            .field("cluster_id", &self.cluster_id)
            .finish_non_exhaustive()
    }
}

/// Why a controller did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file or folder could not be used.
    #[error("metadata directory {path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is damaged in a way that cannot come from a crash.
    #[error("metadata file {path} is damaged: {what}")]
    Corrupt {
        /// Which.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The files belong to another cluster or node.
    #[error("{0}")]
    Mismatch(String),
    /// Raft itself refused.
    #[error("raft did not start: {0}")]
    Raft(String),
}

/// What a member of the quorum does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaftState {
    /// Copies the log without voting.
    Learner,
    /// Follows a leader.
    Follower,
    /// Asks for votes.
    Candidate,
    /// Leads.
    Leader,
    /// Stopped.
    Shutdown,
}

/// A look at raft, for metrics and health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaftStatus {
    /// What this member does.
    pub state: RaftState,
    /// The current term.
    pub term: u64,
    /// The last entry of the local log.
    pub last_index: u64,
    /// The last entry known to be committed.
    pub commit_index: u64,
    /// The last entry applied.
    pub applied_index: u64,
    /// Other members of the quorum.
    pub peers: usize,
    /// Who leads.
    pub leader: Option<NodeId>,
}
