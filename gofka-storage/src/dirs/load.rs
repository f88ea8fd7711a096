//! Bringing the logs of all directories back at start, several at a time.
//!
//! The marker of a clean shutdown is read first and removed before anything changes, so that a
//! start that is interrupted is followed by a recovery.

use super::checkpoints::SYNCED_ONE_BY_ONE;
use super::{Dir, LogDirs, meta};
use crate::checkpoint;
use crate::disk;
use crate::error::StorageError;
use crate::health::DirHealth;
use crate::log::{Log, LogPlace};
use crate::names::{self, Folder};
use crate::recovery::{self, Before};
use gofka_core::config::{Durability, TopicConfig};
use gofka_core::ids::{LeaderEpoch, Offset, TopicId, TopicPartition};
use gofka_core::time::{MonotonicMs, TimestampMs};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a directory says about its logs.
struct Notes {
    clean: bool,
    recovery_points: Checkpoint,
    starts: Checkpoint,
    high_watermarks: Checkpoint,
    first_dirty: Checkpoint,
}

/// What one says, or nothing where it is missing or does not read as it should.
type Checkpoint = Option<HashMap<TopicPartition, Offset>>;

impl Notes {
    /// Notes what the checkpoints say, so that what is not true any more can be taken out, and
    /// that one that does not read is written again.
    fn remember(&self, dir: &Dir) {
        let mut written = dir.written.lock();
        for (name, checkpoint) in [
            (names::RECOVERY_POINTS, &self.recovery_points),
            (names::LOG_STARTS, &self.starts),
            (names::HIGH_WATERMARKS, &self.high_watermarks),
            (names::CLEANER_OFFSETS, &self.first_dirty),
        ] {
            let Some(offsets) = checkpoint else { continue };
            let mut sorted: Vec<_> = offsets.iter().map(|(tp, at)| (tp.clone(), *at)).collect();
            sorted.sort_unstable();
            written.insert(name, sorted);
        }
    }

    /// Whether compaction may have left holes in a log. None is above the recovery point, where
    /// that is known (see [`LogDirs::compact`]).
    fn may_have_holes(&self, partition: &TopicPartition) -> bool {
        let named = self.first_dirty.as_ref().map(|logs| logs.contains_key(partition));
        named.unwrap_or(self.recovery_points.is_none())
    }
}

/// What the metadata says about a log that is found at start.
#[derive(Clone, Debug)]
pub enum Claim {
    /// It is a partition's that belongs here. The topic's id is the one that was found, unless
    /// that cannot be read.
    Wanted {
        /// The topic's id.
        topic_id: TopicId,
        /// Its settings.
        config: Arc<TopicConfig>,
        /// Its leader epoch, by metadata that is at least as new as the log: no record was
        /// written in a newer one. `None` where nobody knows.
        leader_epoch: Option<LeaderEpoch>,
    },
    /// Its topic was deleted; a crash has kept the log from following.
    Deleted,
    /// Nothing is known of it.
    Unknown,
}

/// A log that is to be opened.
struct Pending {
    place: LogPlace,
    before: Before,
    first_dirty: Offset,
}

impl LogDirs {
    /// Opens every log that is there and wanted, recovering those that were not closed. `claim` is
    /// asked with the topic's id in the log's folder, or [`TopicId::NONE`] where that cannot be
    /// read. Logs of deleted topics are removed later, logs that nobody knows are set aside under
    /// a name that ends in `-stray`. An error only when no directory is left.
    pub fn load(
        &self,
        claim: impl Fn(&TopicPartition, TopicId) -> Claim,
        now: TimestampMs,
    ) -> Result<Vec<(TopicPartition, Arc<Log>)>, StorageError> {
        let mut pending: HashMap<TopicPartition, Pending> = HashMap::new();
        for dir in self.dirs.iter().filter(|dir| dir.health.offline().is_none()) {
            let found = self.find_logs(dir, &claim, now);
            for log in found.unwrap_or_else(|error| {
                dir.health.fail(&error);
                Vec::new()
            }) {
                let partition = log.place.partition.clone();
                if let Some(other) = pending.insert(partition, log) {
                    let what = "the partition is in another log directory as well";
                    let error = StorageError::corrupt(&other.place.dir, what);
                    return Err(dir.health.fail(&error));
                }
            }
        }
        let pending: Vec<Pending> = pending.into_values().collect();
        let opened = self.open_all(&pending)?;
        self.logs.write().extend(opened.iter().cloned());
        let lowered = self.lower_recovery_points();
        let moved = unless_full(self.note_moved());
        for done in [lowered, moved, self.sync_found()] {
            // Anything else has taken its directory offline.
            done.or_else(|error| if error.is_transient() { Err(error) } else { Ok(()) })?;
        }
        let online = self.dirs.iter().any(|dir| dir.health.offline().is_none());
        if online { Ok(opened) } else { Err(self.dirs[0].health.check().unwrap_err()) }
    }

    /// What was found after a kill may be in memory only. Where it is promised to be on the disk
    /// it is not served before it is; elsewhere the next background flush takes it.
    fn sync_found(&self) -> Result<(), StorageError> {
        self.each_online(|dir| {
            let mut logs = self.logs_in(dir);
            logs.retain(|log| {
                let promised = log.config().durability == Durability::Fsync;
                promised && log.safe_offset() < log.log_end_offset()
            });
            if logs.is_empty() {
                return Ok(());
            }
            let many = logs.len() > SYNCED_ONE_BY_ONE;
            let Some(file_system) = dir.health.file_system().filter(|_| many) else {
                return self.for_each(&logs, |log| log.sync().map(|_| ()));
            };
            dir.health.sync_file_system(file_system)?;
            for log in &logs {
                log.note_synced();
            }
            Ok(())
        })
    }

    fn find_logs(
        &self,
        dir: &Dir,
        claim: &impl Fn(&TopicPartition, TopicId) -> Claim,
        now: TimestampMs,
    ) -> Result<Vec<Pending>, StorageError> {
        let notes = read_notes(dir)?;
        let root = dir.health.path();
        let mut pending = Vec::new();
        for name in disk::list(root)? {
            let folder = root.join(&name);
            let partition = match names::parse_folder(&name) {
                Folder::Log(partition) if folder.is_dir() => partition,
                Folder::Deleted if folder.is_dir() => {
                    self.remove_later(folder, &dir.health, MonotonicMs::default());
                    continue;
                }
                _ => continue,
            };
            let topic_id = read_topic_id(&folder)?;
            if topic_id == TopicId::NONE && remove_if_empty(dir, &folder)? {
                continue;
            }
            let (config, topic_id, newest_epoch) = match claim(&partition, topic_id) {
                Claim::Wanted { topic_id: id, config, leader_epoch } => {
                    if id != topic_id {
                        unless_full(name_topic(dir, &partition, &folder, id))?;
                    }
                    (config, id, leader_epoch)
                }
                Claim::Deleted => {
                    tracing::info!(%partition, "its topic was deleted: its log follows");
                    let due = MonotonicMs::default();
                    self.put_out_of_the_way(&dir.health, &partition, &folder, due)?;
                    continue;
                }
                Claim::Unknown => {
                    unless_full(set_aside(&dir.health, &partition, &folder))?;
                    continue;
                }
            };
            let at = |offsets: &Checkpoint| {
                let offset = offsets.as_ref().and_then(|offsets| offsets.get(&partition));
                offset.copied().unwrap_or(Offset::ZERO)
            };
            let before = Before {
                clean: notes.clean,
                recovery_point: at(&notes.recovery_points),
                start: at(&notes.starts),
                compacted: notes.may_have_holes(&partition),
                newest_epoch,
                now,
            };
            let first_dirty = at(&notes.first_dirty);
            let health = Arc::clone(&dir.health);
            let place = LogPlace { partition, topic_id, dir: folder, health, config };
            pending.push(Pending { place, before, first_dirty });
        }
        self.high_watermarks.write().extend(notes.high_watermarks.unwrap_or_default());
        Ok(pending)
    }

    /// An error where a directory is as it should be, but without the room or the open files that
    /// opening its logs takes.
    fn open_all(
        &self,
        pending: &[Pending],
    ) -> Result<Vec<(TopicPartition, Arc<Log>)>, StorageError> {
        let opened = Mutex::new(Vec::with_capacity(pending.len()));
        let refused = Mutex::new(None);
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(one) = pending.get(next.fetch_add(1, Ordering::Relaxed)) {
                match open_one(one) {
                    Ok(log) => opened.lock().push((one.place.partition.clone(), Arc::new(log))),
                    Err(error) if error.is_transient() => {
                        next.store(pending.len(), Ordering::Relaxed);
                        *refused.lock() = Some(error);
                    }
                    Err(error) => {
                        one.place.health.fail(&error);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.threads.min(pending.len()) {
                scope.spawn(work);
            }
            work();
        });
        refused.into_inner().map_or(Ok(opened.into_inner()), Err)
    }
}

fn open_one(pending: &Pending) -> Result<Log, StorageError> {
    pending.place.health.check()?;
    let log = recovery::recover(pending.place.clone(), pending.before)?;
    log.set_first_dirty(pending.first_dirty);
    if pending.before.compacted {
        log.note_compacted();
    }
    Ok(log)
}

fn read_notes(dir: &Dir) -> Result<Notes, StorageError> {
    let root = dir.health.path();
    let offsets = |name| checkpoint::read_offsets(&root.join(name));
    let marker = root.join(names::CLEAN_SHUTDOWN);
    let notes = Notes {
        clean: disk::read_file(&marker)?.is_some(),
        recovery_points: offsets(names::RECOVERY_POINTS)?,
        starts: offsets(names::LOG_STARTS)?,
        high_watermarks: offsets(names::HIGH_WATERMARKS)?,
        first_dirty: offsets(names::CLEANER_OFFSETS)?,
    };
    notes.remember(dir);
    if notes.clean {
        dir.health.disk().remove(&marker)?;
        dir.health.disk().sync_dir(root)?;
    }
    Ok(notes)
}

pub(super) fn read_topic_id(folder: &Path) -> Result<TopicId, StorageError> {
    let bytes = disk::read_file(&folder.join(names::PARTITION_METADATA))?;
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let id = text.and_then(|text| meta::parse_partition_metadata(&text));
    Ok(id.unwrap_or(TopicId::NONE))
}

/// A folder without a topic's id and without a log is what a power loss leaves of a new one.
fn remove_if_empty(dir: &Dir, folder: &Path) -> Result<bool, StorageError> {
    let names = disk::list(folder)?;
    if names.iter().any(|name| names::parse_file(name).is_some()) {
        return Ok(false);
    }
    for name in names {
        dir.health.disk().remove(&folder.join(name))?;
    }
    std::fs::remove_dir(folder).map_err(|e| StorageError::io(folder, e))?;
    Ok(true)
}

/// What a full disk keeps from being done can wait for the next start.
fn unless_full(done: Result<(), StorageError>) -> Result<(), StorageError> {
    match done {
        Err(error @ StorageError::Full { .. }) => {
            tracing::warn!(%error, "left to the next start");
            Ok(())
        }
        other => other,
    }
}

/// Writes the topic's id where it cannot be read.
fn name_topic(
    dir: &Dir,
    partition: &TopicPartition,
    folder: &Path,
    id: TopicId,
) -> Result<(), StorageError> {
    tracing::warn!(%partition, "partition.metadata cannot be read: written anew");
    let text = meta::partition_metadata(id);
    dir.health.disk().replace(&folder.join(names::PARTITION_METADATA), text.as_bytes(), true)
}

pub(super) fn set_aside(
    health: &DirHealth,
    partition: &TopicPartition,
    folder: &Path,
) -> Result<(), StorageError> {
    let to = health.path().join(names::renamed_folder(partition, "stray"));
    tracing::warn!(%partition, to = %to.display(), "no such partition here: its log is set aside");
    health.disk().rename(folder, &to)
}
