//! openraft's log storage over the log's files, and the thread that syncs them.
//!
//! Entries are readable when `append` returns and acknowledged when they are synced. One thread
//! syncs for all appends that wait, and tells them in order. A sync that fails is never tried
//! again: the kernel may have dropped the pages.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use gofka_core::ids::Offset;
use gofka_core::time::Now;
use openraft::storage::{LogFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader, StorageIOError};
use parking_lot::Mutex;

use super::durable::{CommitMark, Committed, QuorumState, QuorumStateFile};
use super::log_file::LogFile;
use super::{Entry, LogId, StorageError, Types, Vote, recover, reserve};
use crate::options::StartError;

/// Appends that may wait for the syncing thread at once.
const SYNC_QUEUE: usize = 1024;

/// The log; clones share it.
#[derive(Clone)]
pub(crate) struct LogStore {
    shared: Arc<Shared>,
}

struct Shared {
    log: Mutex<LogFile>,
    quorum: Mutex<QuorumState>,
    quorum_file: QuorumStateFile,
    mark: CommitMark,
    /// Where the newest installed snapshot ends: index and offset.
    snapshot_end: Mutex<Option<(u64, Offset)>>,
    clock: Arc<dyn Fn() -> Now + Send + Sync>,
    syncs: SyncSender<SyncJob>,
    syncer: Mutex<Option<JoinHandle<()>>>,
}

enum SyncJob {
    Appended { file: Arc<File>, done: LogFlushed<Types> },
    Stop,
}

impl std::fmt::Debug for LogStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogStore").finish_non_exhaustive()
    }
}

impl LogStore {
    /// Opens the log in `dir`, which belongs to the node that `quorum` names.
    pub(crate) fn open(
        dir: &Path,
        quorum: QuorumState,
        clock: Arc<dyn Fn() -> Now + Send + Sync>,
    ) -> Result<Self, StartError> {
        let io = |source| StartError::Io { path: dir.to_owned(), source };
        let mark = CommitMark::open(dir).map_err(io)?;
        let log = recover::open(dir, mark.read().map_err(io)?)?;
        reserve::keep(dir);
        let (syncs, jobs) = sync_channel(SYNC_QUEUE);
        let syncer = std::thread::Builder::new()
            .name("metadata-sync".to_owned())
            .spawn(move || sync_loop(&jobs))
            .map_err(io)?;
        let shared = Shared {
            log: Mutex::new(log),
            quorum: Mutex::new(quorum),
            quorum_file: QuorumStateFile::new(dir),
            mark,
            snapshot_end: Mutex::new(None),
            clock,
            syncs,
            syncer: Mutex::new(Some(syncer)),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether nothing was ever written.
    pub(crate) fn is_empty(&self) -> bool {
        self.shared.log.lock().last_id().is_none()
    }

    /// Writes the first entry of a new quorum, durably, before raft runs.
    pub(crate) fn bootstrap(&self, entry: Entry) -> io::Result<()> {
        let mut log = self.shared.log.lock();
        let leader = self.shared.quorum.lock().voted_id;
        log.append([entry], leader, (self.shared.clock)().wall)?;
        log.unsynced().sync_data()
    }

    /// Remembers where an installed snapshot ends, for the purge that follows.
    pub(crate) fn set_snapshot_end(&self, index: u64, end: Offset) {
        *self.shared.snapshot_end.lock() = Some((index, end));
    }

    /// Bytes written to the log so far; it only rises.
    pub(crate) fn written(&self) -> u64 {
        self.shared.log.lock().written
    }

    /// Whether the disk is so full that the log lives on its reserve.
    pub(crate) fn is_short_of_space(&self) -> bool {
        let dir = self.shared.log.lock().dir.clone();
        !reserve::keep(&dir)
    }

    /// Ends the syncing thread once everything appended is durable.
    pub(crate) fn stop(&self) {
        let Some(syncer) = self.shared.syncer.lock().take() else { return };
        if self.shared.syncs.send(SyncJob::Stop).is_ok() && syncer.join().is_err() {
            tracing::error!("the metadata log's syncing thread had panicked");
        }
        if let Err(error) = self.shared.mark.sync() {
            tracing::warn!(%error, "the metadata log's commit mark was not synced");
        }
    }
}

fn sync_loop(jobs: &Receiver<SyncJob>) {
    let mut failed: Option<io::ErrorKind> = None;
    while let Ok(first) = jobs.recv() {
        let mut waiting = Vec::new();
        let mut stop = false;
        let mut newest = None;
        for job in std::iter::once(first).chain(jobs.try_iter()) {
            match job {
                SyncJob::Appended { file, done } => {
                    newest = Some(file);
                    waiting.push(done);
                }
                SyncJob::Stop => stop = true,
            }
        }
        // An earlier segment was synced when it was closed, so the newest file covers all.
        if let (Some(file), None) = (newest, failed)
            && let Err(error) = file.sync_data()
        {
            tracing::error!(%error, "the metadata log could not be synced");
            failed = Some(error.kind());
        }
        for done in waiting {
            done.log_io_completed(failed.map_or(Ok(()), |kind| Err(io::Error::from(kind))));
        }
        if stop {
            return;
        }
    }
}

impl RaftLogReader<Types> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        let log = self.shared.log.lock();
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(start) => start + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(end) => end + 1,
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        let mut entries = Vec::new();
        for index in start.max(log.first_index())..end.min(log.next_index()) {
            let entry = log.read(index).map_err(|error| StorageIOError::read_logs(&error))?;
            entries.extend(entry);
        }
        Ok(entries)
    }
}

impl RaftLogStorage<Types> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let log = self.shared.log.lock();
        Ok(LogState {
            last_purged_log_id: log.purged.map(|purged| purged.id),
            last_log_id: log.last_id(),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let log = self.shared.log.lock();
        let mut quorum = self.shared.quorum.lock();
        let mut changed = quorum.clone();
        changed.set_vote(vote);
        // A vote must not become durable before the entries that were written ahead of it.
        log.unsynced()
            .sync_data()
            .and_then(|()| reserve::give_way(&log.dir, || self.shared.quorum_file.write(&changed)))
            .map_err(|error| StorageIOError::write_vote(&error))?;
        *quorum = changed;
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        Ok(self.shared.quorum.lock().vote())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        let committed = committed.and_then(|id| {
            let log = self.shared.log.lock();
            let end = log.position(id.index).map(|position| position.next);
            let purged = log.purged.filter(|purged| purged.id == id).map(|purged| purged.end);
            end.or(purged).map(|end| Committed { id, end })
        });
        let written = self.shared.mark.write(committed);
        written.map_err(|error| StorageIOError::write(&error).into())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        let mark = self.shared.mark.read().map_err(|error| StorageIOError::read(&error))?;
        Ok(mark.map(|committed| committed.id))
    }

    async fn append<I>(&mut self, entries: I, done: LogFlushed<Types>) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let file = {
            let mut log = self.shared.log.lock();
            let leader = self.shared.quorum.lock().voted_id;
            log.append(entries, leader, (self.shared.clock)().wall)
                .map_err(|error| StorageIOError::write_logs(&error))?;
            log.unsynced()
        };
        let job = SyncJob::Appended { file, done };
        self.shared.syncs.send(job).map_err(|_| {
            let stopped = io::Error::other("the metadata log is stopped");
            StorageIOError::write_logs(&stopped).into()
        })
    }

    async fn truncate(&mut self, from: LogId) -> Result<(), StorageError> {
        let truncated = self.shared.log.lock().truncate(from.index);
        truncated.map_err(|error| StorageIOError::write_logs(&error).into())
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), StorageError> {
        let snapshot = *self.shared.snapshot_end.lock();
        let end = snapshot.filter(|(index, _)| *index == upto.index).map(|(_, end)| end);
        let purged = self.shared.log.lock().purge(upto, end);
        purged.map_err(|error| StorageIOError::write_logs(&error).into())
    }
}
