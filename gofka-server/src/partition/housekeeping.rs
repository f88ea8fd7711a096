//! What is done to logs in the background: flush, retention, checkpoints, compaction, expiry of
//! producers, removal of deleted folders.
//!
//! One task each, and for checkpoints one for each log directory, so that a slow one keeps no other
//! waiting; owned by `Partitions`, which cancels and joins them when it stops. The work blocks, so
//! it runs on a thread for that; a run that is late is not made up for.

use std::time::Duration;

use gofka_storage::{CompactionRun, StorageError};

use super::partitions::{Partitions, blocking};
use super::read::Isolation;
use super::replica::Partition;
use crate::clock::timer_now;

/// How often free space is looked at beside the looks of appends: a producer that waits for room
/// hears of it, and so does who watches the log.
const SPACE_INTERVAL: Duration = Duration::from_secs(1);
/// How often recovery points are written where they have moved: what was written since is read
/// whole by a start after a crash.
const RECOVERY_POINT_INTERVAL: Duration = Duration::from_secs(5);
/// How often deleted folders are looked for whose delay is over.
const PURGE_INTERVAL: Duration = Duration::from_secs(1);
/// Kafka takes intervals of nothing and of centuries.
const INTERVAL_MIN: Duration = Duration::from_millis(1);
const INTERVAL_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// Starts every task.
pub(super) fn spawn(partitions: &Partitions) {
    flush_when_due(partitions);
    every(partitions, |_| SPACE_INTERVAL, Work::Inline(look_at_space));
    every(partitions, |p| p.settings().retention_interval, Work::Blocking(apply_retention));
    for dir in 0..partitions.dirs().count() {
        let interval = |p: &Partitions| p.settings().checkpoint_interval;
        every(partitions, interval, Work::InDirectory(checkpoint, dir));
        // What a start has found and synced is not looked at again by the next one.
        let first = partitions.clone();
        partitions.tasks().0.spawn(blocking(move || checkpoint_recovery_points(&first, dir)));
        let work = Work::InDirectory(checkpoint_recovery_points, dir);
        every(partitions, |_| RECOVERY_POINT_INTERVAL, work);
    }
    every(partitions, |p| p.settings().producer_check_interval, Work::Blocking(expire_producers));
    every(partitions, |_| PURGE_INTERVAL, Work::Blocking(purge));
    if partitions.settings().cleaner_enabled {
        every(partitions, |p| p.millis_now("log.cleaner.backoff.ms"), Work::Blocking(compact));
    }
}

/// Hands partitions to the flusher as they become due.
fn flush_when_due(partitions: &Partitions) {
    let (tasks, stop) = partitions.tasks();
    let (unsynced, stop) = (partitions.unsynced().clone(), stop.clone());
    tasks.spawn(async move {
        loop {
            let now = timer_now();
            let next = unsynced.flush_due(now).unwrap_or(now + INTERVAL_MAX);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(next) => {}
                () = unsynced.earlier() => {}
            }
        }
    });
}

#[derive(Clone, Copy)]
enum Work {
    /// Short; done by the task itself.
    Inline(fn(&Partitions)),
    /// Waits for the disk.
    Blocking(fn(&Partitions)),
    /// Waits for the disk of one log directory, and for no other.
    InDirectory(fn(&Partitions, usize), usize),
}

/// Does `work` again and again, `interval` after it was done last. An interval that changes holds
/// from that moment on.
fn every(partitions: &Partitions, interval: fn(&Partitions) -> Duration, work: Work) {
    let (tasks, stop) = partitions.tasks();
    let (partitions, stop) = (partitions.clone(), stop.clone());
    let mut images = partitions.applied();
    tasks.spawn(async move {
        let mut last = timer_now();
        loop {
            let wait = interval(&partitions).clamp(INTERVAL_MIN, INTERVAL_MAX);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep_until(last + wait) => {}
                changed = images.changed() => if changed.is_ok() { continue } else { return },
            }
            match work {
                Work::Inline(work) => work(&partitions),
                Work::Blocking(work) => {
                    let partitions = partitions.clone();
                    blocking(move || work(&partitions)).await;
                }
                Work::InDirectory(work, dir) => {
                    let partitions = partitions.clone();
                    blocking(move || work(&partitions, dir)).await;
                }
            }
            last = timer_now();
        }
    });
}

fn apply_retention(partitions: &Partitions) {
    let now = partitions.now().wall;
    for partition in partitions.snapshot().here() {
        if stopping(partitions) {
            return;
        }
        let log = partition.log();
        let removed =
            log.roll_if_old(now).and_then(|_| log.apply_retention(now, partition.high_watermark()));
        match removed {
            // The log tells what it removes, or was deleted since it was looked up.
            Ok(_) | Err(StorageError::Closed) => {}
            Err(error) => {
                tracing::error!(partition = %partition.name(), %error, "retention failed");
            }
        }
    }
}

fn checkpoint(partitions: &Partitions, dir: usize) {
    let dirs = partitions.dirs();
    if let Err(error) = dirs.checkpoint(dir, |name| partitions.high_watermark_of(name)) {
        tracing::error!(%error, "checkpoints were not written");
    }
}

fn checkpoint_recovery_points(partitions: &Partitions, dir: usize) {
    match partitions.dirs().checkpoint_recovery_points(dir) {
        Err(error) if !error.is_transient() => {
            tracing::error!(%error, "recovery points were not written");
        }
        // A full disk was logged when it was met.
        _ => {}
    }
}

fn expire_producers(partitions: &Partitions) {
    let now = partitions.now().wall;
    let expiration = partitions.number_now("producer.id.expiration.ms").unwrap_or(i64::MAX);
    for partition in partitions.snapshot().here() {
        partition.log().expire_producers(now, expiration);
    }
}

fn look_at_space(partitions: &Partitions) {
    partitions.dirs().look_at_space();
}

fn purge(partitions: &Partitions) {
    partitions.dirs().purge_deleted(partitions.now().monotonic, || stopping(partitions));
}

fn compact(partitions: &Partitions) {
    let map = partitions.snapshot();
    for partition in map.here().filter(|p| p.config().cleanup_policy.compact) {
        if stopping(partitions) {
            return;
        }
        compact_one(partitions, partition);
    }
}

fn compact_one(partitions: &Partitions, partition: &Partition) {
    let up_to = partition.readable_end(Isolation::ReadCommitted);
    let map_bytes = partitions.number_now("log.cleaner.dedupe.buffer.size");
    let per_second =
        || partitions.number_now("log.cleaner.io.max.bytes.per.second").unwrap_or(f64::MAX);
    let now = || partitions.now().monotonic;
    let run = CompactionRun {
        now: partitions.now().wall,
        up_to,
        map_bytes: map_bytes.unwrap_or(usize::MAX),
        pace: &|bytes, wanted| partitions.cleaner_throttle().pass(bytes, per_second(), now, wanted),
    };
    match partitions.dirs().compact(partition.log(), &run) {
        // Deleted since it was looked up.
        Ok(None) | Err(StorageError::Closed) => {}
        Ok(Some(outcome)) => tracing::info!(
            partition = %partition.name(),
            before = outcome.bytes_before,
            after = outcome.bytes_after,
            "compacted"
        ),
        Err(error) => {
            tracing::error!(partition = %partition.name(), %error, "compaction failed");
        }
    }
}

fn stopping(partitions: &Partitions) -> bool {
    partitions.tasks().1.is_cancelled()
}
