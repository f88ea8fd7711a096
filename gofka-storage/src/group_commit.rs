//! One sync for many logs: above so many files, that of their file system is cheaper than theirs
//! (docs/adr/0005).
//!
//! Called by the server's flusher with the logs that wait. **Invariant:** an error counts for all
//! logs of the directory, since nobody knows whose file it was, and takes it offline.

use crate::error::StorageError;
use crate::flush::Unsynced;
use crate::log::Log;
use gofka_core::ids::Offset;
use std::sync::Arc;

/// Brings everything appended to `logs` so far to the disk, each log once and all of one directory;
/// their results, in the same order, as those of [`Log::sync`]. Other files of the same file system
/// are synced as well.
pub fn sync_together(logs: &[&Log]) -> Vec<Result<Offset, StorageError>> {
    let Some(first) = logs.first() else { return Vec::new() };
    let health = &first.health;
    let of_it = |log: &&Log| Arc::ptr_eq(&log.health, health);
    assert!(logs.iter().all(of_it), "logs of one directory share a sync");
    let Some(file_system) = health.file_system() else {
        return logs.iter().map(|log| log.sync()).collect();
    };
    // Only this function holds more than one of these at a time, and a log is in one round only.
    let _alone: Vec<_> = logs.iter().map(|log| log.syncing.lock()).collect();
    let usable: Vec<_> = logs.iter().map(|log| log.check_usable()).collect();
    let take = |(log, usable): (&&Log, &Result<(), StorageError>)| {
        usable.is_ok().then(|| log.take_unsynced()).flatten()
    };
    let taken: Vec<Option<Unsynced>> = logs.iter().zip(&usable).map(take).collect();
    let synced = health.sync_folders_with(|| {
        taken.iter().flatten().try_for_each(Unsynced::check)?;
        health.sync_file_system(file_system)
    });
    let synced = synced.map_err(|error| health.judge_sync(error));
    let mut results = Vec::with_capacity(logs.len());
    for ((log, usable), taken) in logs.iter().zip(usable).zip(taken) {
        match (taken, &synced) {
            (Some(taken), Ok(())) => log.note_safe(&taken),
            (Some(taken), Err(_)) => log.put_back(taken),
            (None, _) => {}
        }
        results.push(usable.and_then(|()| synced.clone()).map(|()| log.safe_offset()));
    }
    results
}
