//! How many connections there may be: in all, from one address, and new ones a second.
//!
//! Asked by listeners; a connection holds its slot until it ends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::options::NetOptions;

/// The counts of all listeners together.
#[derive(Debug)]
pub(super) struct ConnectionQuota {
    total: Arc<Semaphore>,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    per_ip_max: usize,
    per_ip_overrides: HashMap<IpAddr, usize>,
    interval: Option<Duration>,
    next_at: Mutex<Option<Instant>>,
}

/// Leave to accept one connection.
#[derive(Debug)]
pub(super) struct AcceptSlot {
    _total: OwnedSemaphorePermit,
}

/// One connection's place; free again when dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    _accept: AcceptSlot,
    address: IpAddr,
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut by_address = self.by_address.lock();
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

impl ConnectionQuota {
    pub(super) fn new(options: &NetOptions) -> Self {
        let rate = options.connections_per_second_max;
        Self {
            total: Arc::new(Semaphore::new(options.connections_max.min(Semaphore::MAX_PERMITS))),
            by_address: Arc::default(),
            per_ip_max: options.connections_per_ip_max,
            per_ip_overrides: options.connections_per_ip_overrides.clone(),
            // Above this the pause is shorter than the timer can make it.
            interval: (rate < 1_000_000).then(|| Duration::from_secs(1) / rate.max(1)),
            next_at: Mutex::new(None),
        }
    }

    /// Waits until one more connection may be accepted.
    pub(super) async fn accept(&self) -> AcceptSlot {
        let total = self.total.clone().acquire_owned().await;
        if let Some(interval) = self.interval {
            let at = {
                let mut next_at = self.next_at.lock();
                let now = crate::clock::timer_now();
                let at = next_at.map_or(now, |at| at.max(now));
                *next_at = Some(at + interval);
                at
            };
            tokio::time::sleep_until(at).await;
        }
        AcceptSlot { _total: total.expect("the semaphore is never closed") }
    }

    /// The place of a connection from `address`, unless that address has all it may have.
    pub(super) fn admit(&self, accept: AcceptSlot, address: IpAddr) -> Option<ConnectionSlot> {
        let address = address.to_canonical();
        let max = self.per_ip_overrides.get(&address).copied().unwrap_or(self.per_ip_max);
        let mut by_address = self.by_address.lock();
        let count = by_address.entry(address).or_insert(0);
        if *count >= max {
            if *count == 0 {
                by_address.remove(&address);
            }
            return None;
        }
        *count += 1;
        let by_address = self.by_address.clone();
        Some(ConnectionSlot { _accept: accept, address, by_address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn quota(options: &NetOptions) -> ConnectionQuota {
        ConnectionQuota::new(options)
    }

    #[test]
    fn accepting_pauses_at_the_total() {
        let quota = quota(&NetOptions { connections_max: 1, ..NetOptions::default() });
        let slot = quota.accept().now_or_never().expect("one may come");
        assert!(quota.accept().now_or_never().is_none());
        drop(slot);
        assert!(quota.accept().now_or_never().is_some());
    }

    #[test]
    fn an_address_has_its_own_limit_also_when_mapped_into_ipv6() {
        let other: IpAddr = "127.0.0.2".parse().unwrap();
        let options = NetOptions {
            connections_per_ip_max: 1,
            connections_per_ip_overrides: [(other, 0)].into(),
            ..NetOptions::default()
        };
        let quota = quota(&options);
        let admit = |address: &str| {
            let accept = quota.accept().now_or_never().expect("there is no total limit");
            quota.admit(accept, address.parse().unwrap())
        };
        let first = admit("127.0.0.1").expect("the first");
        assert!(admit("::ffff:127.0.0.1").is_none());
        assert!(admit("127.0.0.2").is_none(), "overridden to none");
        assert!(admit("127.0.0.3").is_some());
        drop(first);
        assert!(admit("127.0.0.1").is_some());
        assert!(quota.by_address.lock().is_empty());
    }
}
