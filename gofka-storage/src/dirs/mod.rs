//! The log directories: which there are, whose they are, and the logs in them.
//!
//! Owned by the server's `partition/`. Opening checks and locks every directory before anything
//! in it is changed (`open`); `load` brings the logs back; after that logs are made and deleted
//! one at a time. A directory that fails goes offline alone. Any thread may call anything.

mod checkpoints;
mod close;
mod delete;
mod load;
mod lock;
mod meta;
mod open;
mod survey;

use crate::disk::{self, Disk};
use crate::error::StorageError;
use crate::health::DirHealth;
use crate::log::{Log, LogPlace, Opened};
use crate::names;
use crate::recovery::{self, Before};
use delete::DeletedFolder;
use gofka_core::config::TopicConfig;
use gofka_core::ids::{NodeId, Offset, TopicId, TopicPartition, Uuid};
pub use load::Claim;
use lock::DirLock;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

/// Whose directories they are to be.
#[derive(Clone, Debug)]
pub struct DirOptions {
    /// This node.
    pub node_id: NodeId,
    /// The cluster, where it is known; else the directories' own, or a new one.
    pub cluster_id: Option<String>,
    /// Open files kept for sealed segments and idle logs.
    pub max_open_files: usize,
    /// Threads that recover logs at start, and close them at the end.
    pub recovery_threads: usize,
    /// Free space below which clients' appends are refused (`log.dir.min.free.bytes`).
    pub min_free_bytes: u64,
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
    /// Appends of clients are refused until there is more room.
    pub low_on_space: bool,
    /// Size of its file system.
    pub total_bytes: u64,
    /// What is free there.
    pub usable_bytes: u64,
    /// Its logs.
    pub logs: Vec<Arc<Log>>,
}

/// All log directories of a broker.
#[derive(Debug)]
pub struct LogDirs {
    dirs: Vec<Dir>,
    cluster_id: String,
    threads: usize,
    logs: RwLock<HashMap<TopicPartition, Arc<Log>>>,
    high_watermarks: RwLock<HashMap<TopicPartition, Offset>>,
    deleted: Mutex<Vec<DeletedFolder>>,
}

/// One of them.
#[derive(Debug)]
struct Dir {
    health: Arc<DirHealth>,
    id: Uuid,
    /// Held as long as the process lives; none for a directory that could not be used.
    _lock: Option<DirLock>,
    /// What each checkpoint says, sorted: an idle broker writes nothing.
    written: Mutex<HashMap<&'static str, Vec<(TopicPartition, Offset)>>>,
    /// Held by who writes the recovery points or lowers one, and taken before `written` is: what
    /// has to be on the disk before them may be on its way there by somebody else's hand.
    recovery_points: Mutex<()>,
    /// Of the safe offsets, when the recovery points were last written.
    checkpointed_sum: AtomicI64,
}

impl LogDirs {
    /// The cluster's id, as given, as found, or made.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// The log of `partition`.
    pub fn get(&self, partition: &TopicPartition) -> Option<Arc<Log>> {
        self.logs.read().get(partition).cloned()
    }

    /// Makes an empty log, in the directory that has the fewest.
    pub fn create(
        &self,
        partition: &TopicPartition,
        topic_id: TopicId,
        config: Arc<TopicConfig>,
    ) -> Result<Arc<Log>, StorageError> {
        if let Some(log) = self.get(partition) {
            return Ok(log);
        }
        let dir = self.emptiest(&self.logs.read())?;
        self.forget(dir, partition)?;
        let mut logs = self.logs.write();
        if let Some(log) = logs.get(partition) {
            return Ok(Arc::clone(log));
        }
        let health = Arc::clone(&dir.health);
        let folder = health.path().join(partition.to_string());
        let place = LogPlace {
            partition: partition.clone(),
            topic_id,
            dir: folder,
            health: Arc::clone(&health),
            config,
        };
        let log = make_log(place).map_err(|error| health.judge_write(error))?;
        let log = Arc::new(log);
        logs.insert(partition.clone(), Arc::clone(&log));
        Ok(log)
    }

    fn emptiest(&self, logs: &HashMap<TopicPartition, Arc<Log>>) -> Result<&Dir, StorageError> {
        let online = || self.dirs.iter().filter(|dir| dir.health.offline().is_none());
        if online().nth(1).is_none() {
            let only = online().next();
            return only.ok_or_else(|| self.dirs[0].health.check().unwrap_err());
        }
        let count =
            |dir: &Dir| logs.values().filter(|log| Arc::ptr_eq(&log.health, &dir.health)).count();
        let emptiest = online().min_by_key(|dir| count(dir));
        emptiest.ok_or_else(|| self.dirs[0].health.check().unwrap_err())
    }

    /// Of each directory, whether [`sync_together`](crate::sync_together) is one sync for all of
    /// its logs.
    pub fn can_sync_together(&self) -> Vec<bool> {
        self.dirs.iter().map(|dir| dir.health.file_system().is_some()).collect()
    }

    /// How many directories there are, those that are offline included.
    pub fn count(&self) -> usize {
        self.dirs.len()
    }

    /// Which of the directories `log` lies in, counted from zero.
    pub fn number_of(&self, log: &Log) -> usize {
        let inside = |dir: &Dir| Arc::ptr_eq(&log.health, &dir.health);
        self.dirs.iter().position(inside).expect("a log of one of the directories")
    }

    /// The one that `log` lies in.
    fn dir_of(&self, log: &Log) -> &Dir {
        &self.dirs[self.number_of(log)]
    }

    /// Finds out how much room there is; once a second is often enough.
    pub fn look_at_space(&self) {
        for dir in self.dirs.iter().filter(|dir| dir.health.offline().is_none()) {
            dir.health.space().look(dir.health.path());
        }
    }

    /// The directories as they are now.
    pub fn describe(&self) -> Vec<DirDescription> {
        self.dirs.iter().map(|dir| self.describe_one(dir)).collect()
    }

    fn describe_one(&self, dir: &Dir) -> DirDescription {
        let path = dir.health.path();
        let space = rustix::fs::statvfs(path).ok();
        let bytes = |blocks: fn(&rustix::fs::StatVfs) -> u64| {
            space.as_ref().map_or(0, |stat| blocks(stat).saturating_mul(stat.f_frsize))
        };
        DirDescription {
            path: path.to_owned(),
            id: dir.id,
            offline: dir.health.offline().cloned(),
            low_on_space: dir.health.space().is_low(),
            total_bytes: bytes(|stat| stat.f_blocks),
            usable_bytes: bytes(|stat| stat.f_bavail),
            logs: self.logs_in(dir),
        }
    }

    fn logs_in(&self, dir: &Dir) -> Vec<Arc<Log>> {
        let logs = self.logs.read();
        let inside = logs.values().filter(|log| Arc::ptr_eq(&log.health, &dir.health));
        let mut inside: Vec<Arc<Log>> = inside.cloned().collect();
        inside.sort_by(|a, b| a.partition.cmp(&b.partition));
        inside
    }
}

/// Makes the folder of a log, with its topic's id. A folder that is there already is taken over
/// where it is of the same topic, and set aside where it is of another one.
fn make_log(place: LogPlace) -> Result<Log, StorageError> {
    let disk: Arc<Disk> = Arc::clone(place.health.disk());
    let metadata = place.dir.join(names::PARTITION_METADATA);
    let text = meta::partition_metadata(place.topic_id);
    let health = Arc::clone(&place.health);
    let mut is_new = disk.create_new_dir(&place.dir)?;
    if !is_new && load::read_topic_id(&place.dir)? != place.topic_id {
        load::set_aside(&health, &place.partition, &place.dir)?;
        is_new = disk.create_new_dir(&place.dir)?;
    }
    let log = if is_new {
        disk.write_new(&metadata, text.as_bytes())?;
        Log::assemble(place, Opened::default())
    } else {
        recovery::recover(place, Before::NOTHING)?
    };
    // With the first record that is synced, and not before, all of this has to be on the disk.
    health.note_new_folder();
    let mut writer = log.writer.lock();
    writer.note_dirty(&disk::FileSlot::new(&disk, metadata));
    writer.new_entries = true;
    drop(writer);
    Ok(log)
}

#[cfg(test)]
mod full_tests;
#[cfg(test)]
mod power_tests;
#[cfg(test)]
mod slow_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod turn_tests;
