//! Budgets of memory that requests and replies take before they grow.
//!
//! The network layer takes a request's bytes here before it reads them; handlers that make large
//! replies take theirs. Any thread.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const KIB: usize = 1024;

/// A number of bytes that all holders share.
///
/// When it is used up, holders wait; one of them at a time may go on beyond it (the overdraft),
/// so that holders who each wait for a little more never block each other for ever. The most
/// that is ever held is thus the budget and one holder's own limit.
#[derive(Clone)]
pub struct MemoryBudget {
    kibibytes: Arc<Semaphore>,
    overdraft: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    total_kib: usize,
}

impl MemoryBudget {
    /// A budget of `bytes`, rounded up to 1 KiB.
    pub fn new(bytes: usize) -> Self {
        let total_kib = bytes.div_ceil(KIB).clamp(1, u32::MAX as usize / 2);
        Self {
            kibibytes: Arc::new(Semaphore::new(total_kib)),
            overdraft: Arc::new(Semaphore::new(1)),
            waiting: Arc::default(),
            total_kib,
        }
    }

    /// A permit that holds nothing yet.
    pub fn permit(&self) -> MemoryPermit {
        MemoryPermit { budget: self.clone(), kib: 0, overdraft: None }
    }

    /// Whether less than an eighth is left: time to part with whoever holds without using.
    pub fn is_short(&self) -> bool {
        self.kibibytes.available_permits() * 8 <= self.total_kib
    }

    /// Whether somebody waits for what others hold.
    pub fn is_awaited(&self) -> bool {
        self.waiting.load(Relaxed) > 0
    }

    /// Bytes that nobody holds.
    pub fn available_bytes(&self) -> usize {
        self.kibibytes.available_permits() * KIB
    }
}

impl fmt::Debug for MemoryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryBudget({} of {} KiB left)", self.available_bytes() / KIB, self.total_kib)
    }
}

/// Bytes held of a budget, given back when dropped.
#[derive(Debug)]
pub struct MemoryPermit {
    budget: MemoryBudget,
    kib: usize,
    overdraft: Option<OwnedSemaphorePermit>,
}

impl MemoryPermit {
    /// Holds at least `bytes` in all, if that needs no waiting.
    pub fn try_hold(&mut self, bytes: usize) -> bool {
        let missing = self.missing_kib(bytes);
        if missing == 0 {
            return true;
        }
        let missing_permits = u32::try_from(missing).unwrap_or(u32::MAX);
        let Ok(permit) = self.budget.kibibytes.try_acquire_many(missing_permits) else {
            return false;
        };
        permit.forget();
        self.kib += missing;
        true
    }

    fn missing_kib(&self, bytes: usize) -> usize {
        if self.overdraft.is_some() {
            return 0;
        }
        bytes.div_ceil(KIB).saturating_sub(self.kib)
    }

    /// Waits until at least `bytes` are held in all.
    pub async fn hold(&mut self, bytes: usize) {
        let missing = self.missing_kib(bytes);
        if missing == 0 {
            return;
        }
        let missing_permits = u32::try_from(missing).unwrap_or(u32::MAX);
        let _waiting = Waiting::new(&self.budget.waiting);
        tokio::select! {
            biased;
            permit = self.budget.kibibytes.acquire_many(missing_permits) => {
                permit.expect("the semaphore is never closed").forget();
                self.kib += missing;
            }
            overdraft = self.budget.overdraft.clone().acquire_owned() => {
                self.overdraft = Some(overdraft.expect("the semaphore is never closed"));
            }
        }
    }

    /// Gives back what is held beyond `bytes`.
    pub fn release_to(&mut self, bytes: usize) {
        let excess = self.kib.saturating_sub(bytes.div_ceil(KIB));
        self.kib -= excess;
        self.budget.kibibytes.add_permits(excess);
    }
}

/// Counted among those who wait, until dropped.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Drop for MemoryPermit {
    fn drop(&mut self) {
        self.budget.kibibytes.add_permits(self.kib);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn gives_back_what_it_held() {
        let budget = MemoryBudget::new(10 * KIB);
        let mut permit = budget.permit();
        permit.hold(4 * KIB + 1).now_or_never().expect("there is room");
        assert_eq!(budget.available_bytes(), 5 * KIB);
        permit.release_to(KIB);
        assert_eq!(budget.available_bytes(), 9 * KIB);
        drop(permit);
        assert_eq!(budget.available_bytes(), 10 * KIB);
    }

    #[test]
    fn one_holder_goes_beyond_and_the_next_waits() {
        let budget = MemoryBudget::new(2 * KIB);
        let (mut first, mut second, mut third) =
            (budget.permit(), budget.permit(), budget.permit());
        first.hold(2 * KIB).now_or_never().expect("there is room");
        second.hold(KIB).now_or_never().expect("the overdraft is free");
        second.hold(100 * KIB).now_or_never().expect("and has no end");
        assert!(!budget.is_awaited());
        assert!(third.hold(KIB).now_or_never().is_none());
        let mut waits = Box::pin(third.hold(KIB));
        assert!(waits.as_mut().now_or_never().is_none() && budget.is_awaited());
        drop(waits);
        assert!(!budget.is_awaited());
        drop(second);
        third.hold(KIB).now_or_never().expect("the overdraft is free again");
        assert!(budget.is_short());
    }
}
