//! Delayed operations (Kafka's purgatory): requests that wait for a partition to move on.
//!
//! An operation is registered with each partition that it watches; the partition tells how far
//! its high watermark rose. What an append costs here is one atomic load while nobody waits.
//! Operations that ended otherwise (deadline, closed connection) are dropped from the lists by
//! the next registrations, so that a list holds at most about twice what really waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use gofka_core::ids::Offset;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Below this a list is never searched for ended operations.
const PURGE_FROM: usize = 16;

/// One request that waits, shared by the partitions that may end its waiting.
#[derive(Debug)]
pub struct Delayed {
    bytes_missing: AtomicI64,
    done: AtomicBool,
    wake: Notify,
}

impl Delayed {
    /// Waits for `bytes` more to become readable, on all its partitions together.
    pub fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            bytes_missing: AtomicI64::new(i64::try_from(bytes).unwrap_or(i64::MAX)),
            done: AtomicBool::new(false),
            wake: Notify::new(),
        })
    }

    /// Ends the waiting, whoever comes first.
    pub fn complete(&self) {
        self.done.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Returns once the operation is complete; at once where it is already.
    pub async fn completed(&self) {
        while !self.is_done() {
            self.wake.notified().await;
        }
    }

    /// Whether nobody waits any more.
    pub fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    fn add_bytes(&self, bytes: i64) {
        if self.bytes_missing.fetch_sub(bytes, Ordering::AcqRel) <= bytes {
            self.complete();
        }
    }
}

/// Drops an operation's registrations when its request ends, however it ends.
#[derive(Debug)]
pub struct DelayedGuard(pub Arc<Delayed>);

impl Drop for DelayedGuard {
    fn drop(&mut self) {
        self.0.done.store(true, Ordering::Release);
    }
}

#[derive(Debug)]
struct Waiter {
    /// Waits for the high watermark to reach this; a fetch waits for bytes instead.
    up_to: Option<Offset>,
    operation: Arc<Delayed>,
}

/// The operations that watch one partition.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    waiting: AtomicUsize,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    waiters: Vec<Waiter>,
    purge_at: usize,
}

impl Waiters {
    /// Tells `operation` when the high watermark has reached `up_to`. The caller looks at the
    /// high watermark again afterwards, since it may have risen just before.
    pub(super) fn watch_offset(&self, up_to: Offset, operation: &Arc<Delayed>) {
        self.add(Waiter { up_to: Some(up_to), operation: operation.clone() });
    }

    /// Tells `operation` of all bytes that become readable. The caller looks at the high
    /// watermark again afterwards, since it may have risen just before.
    pub(super) fn watch_bytes(&self, operation: &Arc<Delayed>) {
        self.add(Waiter { up_to: None, operation: operation.clone() });
    }

    fn add(&self, waiter: Waiter) {
        let mut list = self.list.lock();
        if list.waiters.len() >= list.purge_at.max(PURGE_FROM) {
            list.waiters.retain(|waiter| !waiter.operation.is_done());
            list.purge_at = list.waiters.len() * 2;
        }
        list.waiters.push(waiter);
        self.waiting.store(list.waiters.len(), Ordering::SeqCst);
    }

    /// The high watermark is `high_watermark` now, and `bytes` more can be read.
    pub(super) fn raised(&self, high_watermark: Offset, bytes: u64) {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let mut list = self.list.lock();
        list.waiters.retain(|waiter| {
            match waiter.up_to {
                Some(up_to) if high_watermark >= up_to => waiter.operation.complete(),
                Some(_) => {}
                None => waiter.operation.add_bytes(bytes),
            }
            !waiter.operation.is_done()
        });
        self.waiting.store(list.waiters.len(), Ordering::SeqCst);
    }

    /// Ends all waiting: the partition failed or went away.
    pub(super) fn release_all(&self) {
        let mut list = self.list.lock();
        for waiter in list.waiters.drain(..) {
            waiter.operation.complete();
        }
        self.waiting.store(0, Ordering::SeqCst);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.list.lock().waiters.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_waited_for_exactly() {
        let waiters = Waiters::default();
        let operation = Delayed::new(0);
        waiters.watch_offset(Offset(10), &operation);
        waiters.raised(Offset(9), 1_000);
        assert!(!operation.is_done());
        waiters.raised(Offset(10), 1);
        assert!(operation.is_done());
        assert_eq!(waiters.len(), 0);
    }

    #[test]
    fn bytes_add_up_over_partitions() {
        let (one, two) = (Waiters::default(), Waiters::default());
        let operation = Delayed::new(100);
        one.watch_bytes(&operation);
        two.watch_bytes(&operation);
        one.raised(Offset(1), 60);
        assert!(!operation.is_done());
        two.raised(Offset(1), 40);
        assert!(operation.is_done());
    }

    #[test]
    fn ended_operations_leave_the_list() {
        let waiters = Waiters::default();
        for _ in 0..10_000 {
            let operation = DelayedGuard(Delayed::new(1));
            waiters.watch_bytes(&operation.0);
        }
        assert!(waiters.len() <= PURGE_FROM);
        let live: Vec<_> = (0..100).map(|_| Delayed::new(1)).collect();
        for operation in &live {
            waiters.watch_bytes(operation);
        }
        assert!((100..=200).contains(&waiters.len()));
        waiters.release_all();
        assert!(live.iter().all(|operation| operation.is_done()));
    }

    #[tokio::test]
    async fn completion_before_the_wait_is_not_lost() {
        let operation = Delayed::new(1);
        operation.complete();
        operation.completed().await;
    }
}
