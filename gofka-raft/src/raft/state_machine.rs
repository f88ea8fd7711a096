//! openraft's state machine: committed entries become images, images become snapshots.
//!
//! The image lives in memory; at start it comes from the newest snapshot and the log after it.

use std::collections::HashSet;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use gofka_core::ids::TopicId;
use gofka_core::time::Now;
use openraft::storage::{RaftStateMachine, Snapshot};
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder, StorageIOError};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::snapshot::{self, Stored};
use super::{
    Applied, Entry, LogId, LogStore, SnapshotMeta, StorageError, StoredMembership, Types, entry,
};
use crate::image::MetadataImage;
use crate::options::StartError;
use crate::record::MetadataRecord;

/// The metadata on this node.
pub(crate) struct StateMachine {
    dir: PathBuf,
    clock: Arc<dyn Fn() -> Now + Send + Sync>,
    log: LogStore,
    image: MetadataImage,
    applied: Option<LogId>,
    membership: StoredMembership,
    current: Arc<Mutex<Option<Stored>>>,
    images: watch::Sender<Arc<MetadataImage>>,
    removed: RemovedTopics,
}

/// Topics whose removal this process has seen, live or in the log that it began with. A log of
/// theirs that is found is what a crash has left, not what was lost from the metadata.
#[derive(Clone, Debug, Default)]
pub struct RemovedTopics(Arc<Mutex<HashSet<TopicId>>>);

impl RemovedTopics {
    /// More than the log holds between two snapshots in practice; beyond, nothing is noted.
    const MAX: usize = 100_000;

    fn note(&self, id: TopicId) {
        let mut ids = self.0.lock();
        if ids.len() < Self::MAX {
            ids.insert(id);
        }
    }

    /// Whether this topic was removed.
    pub fn contains(&self, id: TopicId) -> bool {
        self.0.lock().contains(&id)
    }
}

/// Writes a snapshot of the metadata as it was when this was made.
pub(crate) struct SnapshotBuilder {
    dir: PathBuf,
    clock: Arc<dyn Fn() -> Now + Send + Sync>,
    image: MetadataImage,
    applied: Option<LogId>,
    membership: StoredMembership,
    current: Arc<Mutex<Option<Stored>>>,
}

impl StateMachine {
    /// Loads the newest snapshot in `dir`; the receiver tells of each new image.
    pub(crate) fn open(
        dir: &Path,
        cluster_id: &str,
        log: LogStore,
        clock: Arc<dyn Fn() -> Now + Send + Sync>,
    ) -> Result<(Self, watch::Receiver<Arc<MetadataImage>>), StartError> {
        let cluster_id: Arc<str> = Arc::from(cluster_id);
        let loaded = snapshot::load(dir, &cluster_id)?;
        let (stored, image) = match loaded {
            Some((stored, image)) => (Some(stored), image),
            None => (None, MetadataImage { cluster_id, ..MetadataImage::default() }),
        };
        if let Some(Stored { meta: SnapshotMeta { last_log_id: Some(id), .. }, end, .. }) = &stored
        {
            log.set_snapshot_end(id.index, *end);
        }
        let (images, receiver) = watch::channel(Arc::new(image.clone()));
        let machine = Self {
            dir: dir.to_owned(),
            clock,
            log,
            image,
            applied: stored.as_ref().and_then(|stored| stored.meta.last_log_id),
            membership: stored
                .as_ref()
                .map(|stored| stored.meta.last_membership.clone())
                .unwrap_or_default(),
            current: Arc::new(Mutex::new(stored)),
            images,
            removed: RemovedTopics::default(),
        };
        Ok((machine, receiver))
    }

    /// The topics that are removed from here on.
    pub(crate) fn removed(&self) -> RemovedTopics {
        self.removed.clone()
    }

    fn apply_one(&mut self, entry: &Entry) -> Result<Applied, String> {
        match &entry.payload {
            EntryPayload::Blank => {}
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(Some(entry.log_id), membership.clone());
            }
            EntryPayload::Normal(command) => {
                for value in &command.records {
                    let record =
                        MetadataRecord::decode(value).map_err(|error| error.to_string())?;
                    self.image.replay(&record).map_err(|error| error.to_string())?;
                    if let MetadataRecord::RemoveTopic { id } = record {
                        self.removed.note(id);
                    }
                }
            }
        }
        self.image.offset = self.image.offset.plus(entry::offsets_of(entry));
        self.applied = Some(entry.log_id);
        Ok(Applied { end_offset: self.image.offset.0 })
    }
}

impl RaftStateMachine<Types> for StateMachine {
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        Ok((self.applied, self.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Applied>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut results = Vec::new();
        for entry in entries {
            let applied = self
                .apply_one(&entry)
                .map_err(|what| StorageIOError::apply(entry.log_id, &io::Error::other(what)))?;
            results.push(applied);
        }
        self.images.send_replace(Arc::new(self.image.clone()));
        Ok(results)
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder {
            dir: self.dir.clone(),
            clock: Arc::clone(&self.clock),
            image: self.image.clone(),
            applied: self.applied,
            membership: self.membership.clone(),
            current: Arc::clone(&self.current),
        }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        let failed = |error: &io::Error| {
            StorageError::from(StorageIOError::write_snapshot(Some(meta.signature()), error))
        };
        let bytes = Bytes::from(snapshot.into_inner());
        let (inner, image) = snapshot::decode(bytes.clone(), &self.image.cluster_id)
            .map_err(|what| failed(&io::Error::new(io::ErrorKind::InvalidData, what)))?;
        let stored = snapshot::store(&self.dir, &bytes, &inner, image.offset)
            .map_err(|error| failed(&error))?;
        if let Some(id) = inner.last_log_id {
            self.log.set_snapshot_end(id.index, image.offset);
        }
        self.applied = inner.last_log_id;
        self.membership = inner.last_membership;
        self.image = image;
        *self.current.lock() = Some(stored);
        self.images.send_replace(Arc::new(self.image.clone()));
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<Types>>, StorageError> {
        let Some(stored) = self.current.lock().clone() else { return Ok(None) };
        let bytes = std::fs::read(&stored.path).map_err(|error| {
            StorageIOError::read_snapshot(Some(stored.meta.signature()), &error)
        })?;
        Ok(Some(Snapshot { meta: stored.meta, snapshot: Box::new(Cursor::new(bytes)) }))
    }
}

impl RaftSnapshotBuilder<Types> for SnapshotBuilder {
    async fn build_snapshot(&mut self) -> Result<Snapshot<Types>, StorageError> {
        let meta = SnapshotMeta {
            last_log_id: self.applied,
            last_membership: self.membership.clone(),
            snapshot_id: format!("{}", self.image.offset),
        };
        let failed = |error: &io::Error| {
            StorageError::from(StorageIOError::write_snapshot(Some(meta.signature()), error))
        };
        let (dir, image, now) = (self.dir.clone(), self.image.clone(), (self.clock)().wall);
        let writing = meta.clone();
        let written = tokio::task::spawn_blocking(move || {
            let bytes = snapshot::encode(&image, &writing, now);
            let stored = snapshot::store(&dir, &bytes, &writing, image.offset)?;
            Ok((bytes, stored))
        });
        let (bytes, stored) = written
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|error| failed(&error))?;
        *self.current.lock() = Some(stored);
        Ok(Snapshot { meta, snapshot: Box::new(Cursor::new(bytes)) })
    }
}
