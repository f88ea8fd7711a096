//! Deadlines of one shard: joins, syncs and sessions, on the monotonic clock.
//!
//! Owned by `Shard`; its runtime asks for the next deadline and calls back when it has passed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::ids::{GroupId, MemberId};
use crate::time::MonotonicMs;

/// What a deadline is for. Scheduling the same key again moves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The join phase of the group ends, complete or not.
    Join(GroupId),
    /// Members that have not synced by now are removed.
    Sync(GroupId),
    /// The member's session ends without a heartbeat.
    Session(GroupId, MemberId),
}

/// The pending deadlines, earliest first.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeSet<(MonotonicMs, Timer)>,
    deadlines: BTreeMap<Timer, MonotonicMs>,
}

impl Timers {
    /// Sets `timer` to fire `delay` after `now`, replacing an earlier setting.
    pub(super) fn schedule(&mut self, timer: Timer, now: MonotonicMs, delay: Duration) {
        let deadline = now.after(delay);
        if let Some(old) = self.deadlines.insert(timer.clone(), deadline) {
            self.due.remove(&(old, timer.clone()));
        }
        self.due.insert((deadline, timer));
    }

    /// Forgets `timer`.
    pub(super) fn cancel(&mut self, timer: &Timer) {
        if let Some((timer, deadline)) = self.deadlines.remove_entry(timer) {
            self.due.remove(&(deadline, timer));
        }
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<MonotonicMs> {
        self.due.first().map(|(deadline, _)| *deadline)
    }

    /// Takes the earliest timer whose deadline has been reached.
    pub(super) fn pop_due(&mut self, now: MonotonicMs) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        let (_, timer) = self.due.pop_first()?;
        self.deadlines.remove(&timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(name: &str) -> Timer {
        Timer::Join(GroupId::new(name))
    }

    #[test]
    fn rescheduling_moves_a_deadline() {
        let mut timers = Timers::default();
        timers.schedule(join("a"), MonotonicMs(0), Duration::from_millis(10));
        timers.schedule(join("b"), MonotonicMs(0), Duration::from_millis(20));
        timers.schedule(join("a"), MonotonicMs(0), Duration::from_millis(30));
        assert_eq!(timers.next(), Some(MonotonicMs(20)));
        assert_eq!(timers.pop_due(MonotonicMs(19)), None);
        assert_eq!(timers.pop_due(MonotonicMs(30)), Some(join("b")));
        assert_eq!(timers.pop_due(MonotonicMs(30)), Some(join("a")));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_cancelled_timer_never_fires() {
        let mut timers = Timers::default();
        timers.schedule(join("a"), MonotonicMs(0), Duration::ZERO);
        timers.cancel(&join("a"));
        assert_eq!(timers.pop_due(MonotonicMs(1)), None);
    }
}
