//! The log directories: which there are, whose they are, and the logs in them.
//!
//! Owned by the server's `partition/`. Opening checks and locks every directory before anything
//! in it is changed (`open`); `load` brings the logs back; after that logs are made and deleted
//! one at a time. A directory that fails goes offline alone. Any thread may call anything.

mod checkpoints;
mod load;
mod lock;
mod meta;
mod open;

use crate::disk::{self, Disk};
use crate::error::StorageError;
use crate::health::DirHealth;
use crate::log::{Log, LogPlace, Opened};
use crate::names::{self, Folder};
use crate::recovery::{self, Before};
use gofka_core::config::TopicConfig;
use gofka_core::ids::{NodeId, Offset, TopicId, TopicPartition, Uuid};
use gofka_core::time::TimestampMs;
use lock::DirLock;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
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
    /// Threads that recover logs at start, and close them at the end.
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
pub struct LogDirs {
    dirs: Vec<Dir>,
    cluster_id: String,
    threads: usize,
    logs: RwLock<HashMap<TopicPartition, Arc<Log>>>,
    high_watermarks: RwLock<HashMap<TopicPartition, Offset>>,
}

/// One of them.
#[derive(Debug)]
struct Dir {
    health: Arc<DirHealth>,
    id: Uuid,
    /// Held as long as the process lives; none for a directory that could not be used.
    _lock: Option<DirLock>,
    /// What was last written to each checkpoint, so that an idle broker writes nothing.
    written: Mutex<HashMap<&'static str, Vec<(TopicPartition, Offset)>>>,
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
        let mut logs = self.logs.write();
        if let Some(log) = logs.get(partition) {
            return Ok(Arc::clone(log));
        }
        let dir = self.emptiest(&logs)?;
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

    /// Closes the log and renames its folder, so that a restart does not bring it back.
    pub fn delete(&self, partition: &TopicPartition) -> Result<(), StorageError> {
        let Some(log) = self.logs.write().remove(partition) else { return Ok(()) };
        // First, so that a compaction that is under way ends soon.
        log.refuse();
        let _alone = log.maintenance.lock();
        let _no_sync = log.syncing.lock();
        let _no_append = log.writer.lock();
        log.close_files();
        let health = &log.health;
        health.check()?;
        let to = health.path().join(names::renamed_folder(partition, "delete"));
        health.disk().rename(&log.dir, &to).map_err(|error| health.judge_write(error))
    }

    /// Removes the folders of logs deleted before. Slow; for a background thread.
    pub fn purge_deleted(&self) {
        for dir in self.dirs.iter().filter(|dir| dir.health.offline().is_none()) {
            let found = match disk::list(dir.health.path()) {
                Ok(found) => found,
                Err(error) => {
                    dir.health.fail(&error);
                    continue;
                }
            };
            for name in found.iter().filter(|name| names::parse_folder(name) == Folder::Deleted) {
                let path = dir.health.path().join(name);
                if let Err(error) = std::fs::remove_dir_all(&path) {
                    let path = path.display();
                    tracing::warn!(%path, %error, "a deleted log cannot be removed");
                }
            }
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

/// Makes the folder of a log, with its topic's id. A folder that is there already is taken over.
fn make_log(place: LogPlace) -> Result<Log, StorageError> {
    let disk: Arc<Disk> = Arc::clone(place.health.disk());
    let metadata = place.dir.join(names::PARTITION_METADATA);
    let text = meta::partition_metadata(place.topic_id);
    let health = Arc::clone(&place.health);
    let log = if disk.create_new_dir(&place.dir)? {
        disk.write_new(&metadata, text.as_bytes())?;
        Log::assemble(place, Opened::default())
    } else {
        disk.replace(&metadata, text.as_bytes(), false)?;
        let before = Before {
            clean: false,
            recovery_point: Offset::ZERO,
            start: Offset::ZERO,
            now: TimestampMs::NONE,
        };
        recovery::recover(place, before)?
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
mod tests;
