//! The log directories.

use crate::error::{OpenError, StorageError};
use crate::log::Log;
use gofka_core::config::TopicConfig;
use gofka_core::ids::{NodeId, Offset, TopicId, TopicPartition, Uuid};
use gofka_core::time::TimestampMs;
use std::path::PathBuf;
use std::sync::Arc;

/// Whose directories they are to be.
#[derive(Clone, Debug)]
pub struct DirOptions {
    /// This node.
    pub node_id: NodeId,
    /// The cluster, where it is known; else the directories' own, or a new one.
    pub cluster_id: Option<String>,
    /// Open files kept for sealed segments and idle logs.
    pub max_open_files: usize,
    /// Threads that recover logs at start.
    pub recovery_threads: usize,
}

/// One directory, as DescribeLogDirs shows it.
#[derive(Clone, Debug)]
pub struct DirDescription {
    /// Its path.
    pub path: PathBuf,
    /// Its id in `meta.properties`.
    pub id: Uuid,
    /// Why it is offline, if it is.
    pub offline: Option<Arc<str>>,
    /// Size of its file system.
    pub total_bytes: u64,
    /// What is free there.
    pub usable_bytes: u64,
    /// Its logs.
    pub logs: Vec<Arc<Log>>,
}

/// All log directories of a broker.
#[derive(Debug)]
pub struct LogDirs {}

#[allow(unused_variables, clippy::unused_self, clippy::needless_pass_by_value)]
impl LogDirs {
    /// Locks and checks the directories, making those that are missing.
    pub fn open(dirs: &[PathBuf], options: DirOptions) -> Result<Self, OpenError> {
        todo!()
    }

    /// The cluster's id, as given, as found, or made.
    pub fn cluster_id(&self) -> &str {
        todo!()
    }

    /// Opens every log that is there and that `wanted` has settings for, recovering those that
    /// were not closed. Logs that are not wanted are set aside under a name that ends in `-stray`.
    pub fn load(
        &self,
        wanted: impl Fn(&TopicPartition, TopicId) -> Option<Arc<TopicConfig>> + Sync,
        now: TimestampMs,
    ) -> Result<Vec<(TopicPartition, Arc<Log>)>, StorageError> {
        todo!()
    }

    /// Makes an empty log, in the directory that has the fewest.
    pub fn create(
        &self,
        partition: &TopicPartition,
        topic_id: TopicId,
        config: Arc<TopicConfig>,
    ) -> Result<Arc<Log>, StorageError> {
        todo!()
    }

    /// The log of `partition`.
    pub fn get(&self, partition: &TopicPartition) -> Option<Arc<Log>> {
        todo!()
    }

    /// Closes the log and renames its folder, so that a restart does not bring it back.
    pub fn delete(&self, partition: &TopicPartition) -> Result<(), StorageError> {
        todo!()
    }

    /// Removes the folders of logs deleted before. Slow; for a background thread.
    pub fn purge_deleted(&self) {
        todo!()
    }

    /// Writes the checkpoints of all directories: recovery points, log start offsets, and the
    /// high watermarks that `high_watermark` tells.
    pub fn checkpoint(
        &self,
        high_watermark: impl Fn(&TopicPartition) -> Option<Offset>,
    ) -> Result<(), StorageError> {
        todo!()
    }

    /// High watermarks as they were last checkpointed.
    pub fn checkpointed_high_watermark(&self, partition: &TopicPartition) -> Option<Offset> {
        todo!()
    }

    /// Closes every log, writes the checkpoints and the marker of a clean shutdown.
    pub fn close(
        &self,
        high_watermark: impl Fn(&TopicPartition) -> Option<Offset>,
    ) -> Result<(), StorageError> {
        todo!()
    }

    /// The directories as they are now.
    pub fn describe(&self) -> Vec<DirDescription> {
        todo!()
    }
}
