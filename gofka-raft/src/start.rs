//! Starting raft: who this node is, the first entry of a new quorum, and catching up.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gofka_core::ids::NodeId;
use openraft::{BasicNode, Config, EntryPayload, Membership, ServerState, SnapshotPolicy};
use tokio::sync::watch;

use crate::controller::FIRST_NAMED_NODE;
use crate::image::MetadataImage;
use crate::options::{ControllerOptions, StartError};
use crate::raft::{
    Entry, LogStore, NoPeers, PARTITION_DIR, QuorumState, QuorumStateFile, Raft, RemovedTopics,
    StateMachine, log_id,
};

/// Features finalized in a new cluster: Kafka 4.3's metadata records are what is written.
pub(crate) const FEATURES: &[(&str, i16)] = &[("metadata.version", 30)];

/// A quorum of one settles in milliseconds; longer than this, something is wrong.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);
const FIRST_TERM: u64 = 1;

/// What a started member consists of.
pub(crate) struct Started {
    pub(crate) raft: Raft,
    pub(crate) log: LogStore,
    pub(crate) images: watch::Receiver<Arc<MetadataImage>>,
    pub(crate) removed: RemovedTopics,
}

/// The number of the node that `node.id` names: itself, or for a word the number that `dir`
/// remembers for it, 1,000,000 at first.
pub fn node_number(dir: &Path, text: &str) -> Result<(NodeId, Option<String>), StartError> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i32>() {
        if number < 0 {
            return Err(StartError::Mismatch(format!("node.id {number} is below 0")));
        }
        return Ok((NodeId(number), None));
    }
    let remembered = QuorumStateFile::new(&dir.join(PARTITION_DIR)).read()?;
    let number = match remembered {
        Some(state) if state.node_name.as_deref() == Some(text) => state.node_id,
        Some(state) => {
            let known = state.node_name.unwrap_or_else(|| state.node_id.to_string());
            let text = format!("{} belongs to node {known}, not to {text}", dir.display());
            return Err(StartError::Mismatch(text));
        }
        None => FIRST_NAMED_NODE,
    };
    Ok((NodeId(number), Some(text.to_owned())))
}

pub(crate) async fn start(options: &ControllerOptions) -> Result<Started, StartError> {
    let dir = options.dir.join(PARTITION_DIR);
    let io = |source| StartError::Io { path: dir.clone(), source };
    fs::create_dir_all(&dir).map_err(io)?;
    let quorum = quorum_state(options, &dir)?;
    let log = LogStore::open(&dir, quorum, Arc::clone(&options.clock))?;
    let clock = Arc::clone(&options.clock);
    let (machine, images) = StateMachine::open(&dir, &options.cluster_id, log.clone(), clock)?;
    let removed = machine.removed();
    let id = options.node_id.0 as u64;
    if log.is_empty() {
        log.bootstrap(first_entry(id)).map_err(io)?;
    }
    let raft = Raft::new(id, Arc::new(config()?), NoPeers::new(), log.clone(), machine)
        .await
        .map_err(|error| StartError::Raft(error.to_string()))?;
    lead(&raft).await?;
    Ok(Started { raft, log, images, removed })
}

fn config() -> Result<Config, StartError> {
    let config = Config {
        cluster_name: "gofka".to_owned(),
        heartbeat_interval: 500,
        election_timeout_min: 1_500,
        election_timeout_max: 3_000,
        // A quorum of one has nobody to hear from, and must not wake up for nothing.
        enable_tick: false,
        // Snapshots are asked for by the bytes written since the last one.
        snapshot_policy: SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: 0,
        ..Config::default()
    };
    config.validate().map_err(|error| StartError::Raft(error.to_string()))
}

/// What the disk says about this node, or for a new one what it shall say: that it has voted for
/// itself, and leads, as the only one there is.
fn quorum_state(options: &ControllerOptions, dir: &Path) -> Result<QuorumState, StartError> {
    let file = QuorumStateFile::new(dir);
    if let Some(state) = file.read()? {
        if state.cluster_id != options.cluster_id {
            return Err(StartError::Mismatch(format!(
                "{} belongs to cluster {}, not to {}",
                dir.display(),
                state.cluster_id,
                options.cluster_id
            )));
        }
        if state.node_id != options.node_id.0 {
            return Err(StartError::Mismatch(format!(
                "{} belongs to node {}, not to {}",
                dir.display(),
                state.node_id,
                options.node_id
            )));
        }
        return Ok(state);
    }
    let state = QuorumState {
        cluster_id: options.cluster_id.clone(),
        node_id: options.node_id.0,
        node_name: options.node_name.clone(),
        leader_epoch: FIRST_TERM,
        voted_id: options.node_id.0,
        leader_known: true,
        data_version: 1,
    };
    file.write(&state).map_err(|source| StartError::Io { path: dir.to_owned(), source })?;
    Ok(state)
}

fn first_entry(id: u64) -> Entry {
    let nodes = BTreeMap::from([(id, BasicNode::default())]);
    let membership = Membership::new(vec![[id].into()], nodes);
    Entry { log_id: log_id(FIRST_TERM, 0), payload: EntryPayload::Membership(membership) }
}

/// Waits until this member leads and has applied all of its log.
async fn lead(raft: &Raft) -> Result<(), StartError> {
    let failed = |what: &dyn std::fmt::Display| StartError::Raft(what.to_string());
    let leads = raft.metrics().borrow().state == ServerState::Leader;
    if !leads {
        raft.trigger().elect().await.map_err(|error| failed(&error))?;
    }
    let wait = raft.wait(Some(SETTLE_TIMEOUT));
    let settled = wait.metrics(
        |metrics| {
            metrics.state == ServerState::Leader
                && metrics.last_applied.map(|id| id.index) == metrics.last_log_index
        },
        "leading, with all of the log applied",
    );
    settled.await.map(|_| ()).map_err(|error| failed(&error))
}
