//! How many connections there may be: in all, from one address, and new ones a second.
//!
//! Asked by listeners for each connection that was accepted, as in Kafka; a connection holds its
//! slot until it ends. The limits change at run time, and hold for what comes after.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::options::ConnectionLimits;

/// Above this rate the pause is shorter than the timer can make it.
const RATE_MAX: u32 = 1_000_000;

/// The counts of all listeners together. Clones share them.
#[derive(Clone, Debug)]
pub struct ConnectionQuota(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// A slot is free, or the limits have changed.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    limits: ConnectionLimits,
    total: usize,
    by_address: HashMap<IpAddr, usize>,
    /// When the next connection may be served.
    next_at: Option<Instant>,
}

/// One connection's place; free again when dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    quota: ConnectionQuota,
    address: IpAddr,
}

/// When a connection may be served.
enum Turn {
    Now(ConnectionSlot),
    /// When another one ends.
    Later,
    /// Its address has all it may have.
    Never,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut state = self.quota.0.state.lock();
        state.total -= 1;
        if let Some(count) = state.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                state.by_address.remove(&self.address);
            }
        }
        drop(state);
        self.quota.0.changed.notify_one();
    }
}

impl ConnectionQuota {
    /// No connections yet.
    pub fn new(limits: ConnectionLimits) -> Self {
        let state = State { limits, total: 0, by_address: HashMap::new(), next_at: None };
        Self(Arc::new(Inner { state: Mutex::new(state), changed: Notify::new() }))
    }

    /// From now on, `limits`. Connections that are open stay open.
    pub fn set(&self, limits: ConnectionLimits) {
        let mut state = self.0.state.lock();
        if state.limits == limits {
            return;
        }
        tracing::info!(?limits, "limits of connections changed");
        state.limits = limits;
        state.next_at = None;
        drop(state);
        self.0.changed.notify_waiters();
    }

    /// The place of a connection from `address`, as soon as there is one; none at once when that
    /// address has all it may have.
    pub(super) async fn admit(&self, address: IpAddr) -> Option<ConnectionSlot> {
        let address = address.to_canonical();
        let mut woken = false;
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.try_admit(address) {
                Turn::Now(slot) => {
                    if let Some(at) = self.turn() {
                        tokio::time::sleep_until(at).await;
                    }
                    return Some(slot);
                }
                Turn::Later => {}
                Turn::Never => {
                    if woken {
                        // The free slot is for another listener, which sleeps until it is told.
                        self.0.changed.notify_one();
                    }
                    return None;
                }
            }
            changed.await;
            woken = true;
        }
    }

    fn try_admit(&self, address: IpAddr) -> Turn {
        let mut state = self.0.state.lock();
        let limits = &state.limits;
        let max = limits.per_ip_overrides.get(&address).copied().unwrap_or(limits.per_ip_max);
        if state.by_address.get(&address).copied().unwrap_or(0) >= max {
            return Turn::Never;
        }
        if state.total >= limits.total_max {
            return Turn::Later;
        }
        state.total += 1;
        *state.by_address.entry(address).or_insert(0) += 1;
        Turn::Now(ConnectionSlot { quota: self.clone(), address })
    }

    /// When a new connection may be served, where there is a rate to keep.
    fn turn(&self) -> Option<Instant> {
        let mut state = self.0.state.lock();
        let rate = state.limits.per_second_max;
        if rate >= RATE_MAX {
            return None;
        }
        let now = crate::clock::timer_now();
        let at = state.next_at.map_or(now, |at| at.max(now));
        state.next_at = Some(at + Duration::from_secs(1) / rate.max(1));
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn admit(quota: &ConnectionQuota, address: &str) -> Option<ConnectionSlot> {
        let slot = quota.admit(address.parse().unwrap()).now_or_never();
        slot.expect("nobody waits")
    }

    #[test]
    fn the_next_one_waits_at_the_total() {
        let quota = ConnectionQuota::new(ConnectionLimits { total_max: 1, ..Default::default() });
        let slot = admit(&quota, "::1").expect("one may come");
        let waiting = quota.admit("::1".parse().unwrap());
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(slot);
        assert!(waiting.now_or_never().flatten().is_some());
    }

    #[test]
    fn a_higher_total_lets_those_in_who_wait() {
        let quota = ConnectionQuota::new(ConnectionLimits { total_max: 1, ..Default::default() });
        let _first = admit(&quota, "::1").expect("one may come");
        let waiting = quota.admit("::1".parse().unwrap());
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        quota.set(ConnectionLimits { total_max: 2, ..Default::default() });
        assert!(waiting.now_or_never().flatten().is_some());
    }

    #[test]
    fn an_address_has_its_own_limit_also_when_mapped_into_ipv6() {
        let limits = ConnectionLimits {
            per_ip_max: 1,
            per_ip_overrides: [("127.0.0.2".parse().unwrap(), 0)].into(),
            ..Default::default()
        };
        let quota = ConnectionQuota::new(limits);
        let admit = |address| admit(&quota, address);
        let first = admit("127.0.0.1").expect("the first");
        assert!(admit("::ffff:127.0.0.1").is_none());
        assert!(admit("127.0.0.2").is_none(), "overridden to none");
        assert!(admit("127.0.0.3").is_some());
        drop(first);
        assert!(admit("127.0.0.1").is_some());
        let state = quota.0.state.lock();
        assert!(state.by_address.is_empty() && state.total == 0);
    }

    #[test]
    fn one_that_may_not_come_any_more_passes_its_turn_on() {
        let limits = ConnectionLimits { total_max: 2, per_ip_max: 1, ..Default::default() };
        let quota = ConnectionQuota::new(limits);
        let one = admit(&quota, "127.0.0.1").expect("one may come");
        let _two = admit(&quota, "127.0.0.2").expect("another may come");
        let late = quota.admit("127.0.0.3".parse().unwrap());
        let other = quota.admit("127.0.0.4".parse().unwrap());
        tokio::pin!(late, other);
        assert!(late.as_mut().now_or_never().is_none());
        assert!(other.as_mut().now_or_never().is_none());
        drop(one);
        quota.0.state.lock().by_address.insert("127.0.0.3".parse().unwrap(), 1);
        assert!(late.now_or_never().expect("it was woken").is_none());
        assert!(other.now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn new_connections_come_no_faster_than_allowed() {
        let limits = ConnectionLimits { per_second_max: 1_000, ..Default::default() };
        let quota = ConnectionQuota::new(limits);
        let since = crate::clock::timer_now();
        for _ in 0..11 {
            quota.admit("::1".parse().unwrap()).await.expect("no limit of numbers");
        }
        assert!(since.elapsed() >= Duration::from_millis(10));
    }
}
