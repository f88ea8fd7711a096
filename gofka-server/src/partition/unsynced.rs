//! The partitions that are to be synced by a certain time: those in `page-cache` mode with
//! records that have been in memory only for `flush.ms`, and those whose sync could not begin.
//!
//! Filled by appends and by the flusher, emptied by the flush task, which sleeps until the first
//! one is due, so that partitions without writes cost nothing. Times lie on a grid, a little before
//! they are due, so that one wake-up serves many partitions.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::replica::Partition;
use crate::clock::timer_now;

/// A time that far away never comes.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);
/// Cells of the grid in the time that a partition waits, and how large they may be.
const CELLS: u32 = 4;
const CELL_MAX: Duration = Duration::from_millis(250);

/// A list shared by all partitions; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Unsynced(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    started: Instant,
    /// `log.flush.scheduler.interval.ms`
    look_ms: i64,
    waiting: Mutex<Waiting>,
    /// There is one that is due before all others.
    earlier: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// By time and a number that tells those of one time apart. A partition that is deleted
    /// meanwhile is not kept.
    partitions: BTreeMap<(Instant, u64), Weak<Partition>>,
    added: u64,
}

impl Unsynced {
    /// `look_ms` is `log.flush.scheduler.interval.ms`.
    pub(super) fn new(look_ms: i64) -> Self {
        let (waiting, earlier) = (Mutex::default(), Notify::new());
        Self(Arc::new(Shared { started: timer_now(), look_ms, waiting, earlier }))
    }

    /// How long records may wait where `flush.ms` is `flush_ms`; `None` where time is no reason to
    /// sync.
    pub(super) fn wait(&self, flush_ms: u64) -> Option<Duration> {
        shorter(flush_ms, self.0.look_ms)
    }

    /// Adds a partition that is to be synced within `wait`; its own flag keeps it from being added
    /// twice.
    pub(super) fn add(&self, partition: &Arc<Partition>, wait: Duration) {
        let due = self.0.started + on_grid(self.0.started.elapsed(), wait.min(NEVER));
        let mut waiting = self.0.waiting.lock();
        let is_first = waiting.partitions.first_key_value().is_none_or(|(first, _)| due < first.0);
        waiting.added += 1;
        let key = (due, waiting.added);
        waiting.partitions.insert(key, Arc::downgrade(partition));
        drop(waiting);
        if is_first {
            self.0.earlier.notify_one();
        }
    }

    /// Hands those that are due at `now` to the flusher; when the next one is.
    pub(super) fn flush_due(&self, now: Instant) -> Option<Instant> {
        let (due, next) = {
            let mut waiting = self.0.waiting.lock();
            let later = waiting.partitions.split_off(&(now, u64::MAX));
            let due = std::mem::replace(&mut waiting.partitions, later);
            (due, waiting.partitions.first_key_value().map(|((next, _), _)| *next))
        };
        for partition in due.into_values().filter_map(|partition| partition.upgrade()) {
            partition.background_flush();
        }
        next
    }

    /// Hands all of them to the flusher.
    pub(super) fn flush(&self) {
        self.flush_due(timer_now() + 2 * NEVER);
    }

    /// Waits until one is added that is due before all others.
    pub(super) async fn earlier(&self) {
        self.0.earlier.notified().await;
    }
}

/// The shorter of the age in ms at which records are synced and the pause in ms between two looks
/// for such. As in Kafka, nobody looks again where the pause is not positive; where both never
/// come, the operating system decides.
fn shorter(flush_ms: u64, look_ms: i64) -> Option<Duration> {
    let look = u64::try_from(look_ms).ok().filter(|look| *look > 0);
    let wait = Duration::from_millis(look.unwrap_or(u64::MAX).min(flush_ms));
    Some(wait).filter(|wait| *wait < NEVER)
}

/// The last time on the grid that is within `wait` from `now`.
fn on_grid(now: Duration, wait: Duration) -> Duration {
    let cell = (wait / CELLS).min(CELL_MAX).as_millis().max(1);
    let due = (now + wait).as_millis();
    Duration::from_millis(u64::try_from(due - due % cell).unwrap_or(u64::MAX)).max(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_synced_by_age_or_look_and_never_where_neither_asks_for_it() {
        let cases = [
            (1_000, i64::MAX, Some(1_000)),
            (1_000, 200, Some(200)),
            (0, i64::MAX, Some(0)),
            (u64::MAX, 500, Some(500)),
            (u64::MAX, 0, None),
            (u64::MAX, -1, None),
            (700, 0, Some(700)),
        ];
        for (age, look, expected) in cases {
            assert_eq!(shorter(age, look), expected.map(Duration::from_millis), "{age} {look}");
        }
    }

    #[test]
    fn times_on_the_grid_are_within_the_wait_and_shared() {
        let ms = Duration::from_millis;
        let mut times = Vec::new();
        for now in 0..1000 {
            let due = on_grid(ms(now), ms(1000));
            assert!(due <= ms(now + 1000) && due > ms(now + 750));
            times.push(due);
        }
        times.dedup();
        assert!(times.len() <= 5, "{times:?}");
        assert_eq!(on_grid(ms(77), ms(0)), ms(77));
        assert_eq!(on_grid(ms(77), ms(3)), ms(80));
        let late = on_grid(ms(77), NEVER);
        assert!(late <= ms(77) + NEVER && late + ms(250) > NEVER);
    }
}
