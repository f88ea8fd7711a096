//! How fast the cleaner may go (`log.cleaner.io.max.bytes.per.second`).
//!
//! Used by the cleaner's one thread. Waits on a condition, so that a stop need not wait for it.

use std::time::Duration;

use gofka_core::time::MonotonicMs;
use parking_lot::{Condvar, Mutex};

/// What was let through since when.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// From when on `bytes` counts.
    since: MonotonicMs,
    bytes: f64,
    stop: bool,
}

impl Throttle {
    /// Bytes are counted at least so long, so that a pause does not earn a burst.
    const WINDOW: Duration = Duration::from_secs(1);

    /// How often a wait looks whether it is still wanted.
    const SLICE: Duration = Duration::from_millis(100);

    /// Lets `bytes` through once their time has come; false when they are not wanted any more, or
    /// all waiting is over.
    pub(super) fn pass(
        &self,
        bytes: u64,
        per_second: f64,
        now: impl Fn() -> MonotonicMs,
        wanted: &dyn Fn() -> bool,
    ) -> bool {
        let mut state = self.state.lock();
        if state.stop {
            return false;
        }
        let mut wait = state.wait_for(bytes, per_second, now());
        while !wait.is_zero() && !state.stop && wanted() {
            let slice = wait.min(Self::SLICE);
            self.stopped.wait_for(&mut state, slice);
            wait -= slice;
        }
        let passed = wait.is_zero() && !state.stop;
        if !passed {
            // The next log does not wait for what was not read.
            state.bytes -= bytes as f64;
        }
        passed
    }

    /// Lets nothing through any more.
    pub(super) fn stop(&self) {
        self.state.lock().stop = true;
        self.stopped.notify_all();
    }
}

impl State {
    fn wait_for(&mut self, bytes: u64, per_second: f64, now: MonotonicMs) -> Duration {
        const LONGEST: f64 = 3600.0;
        let elapsed = now.since(self.since);
        let owed = self.bytes / per_second.max(1.0);
        if elapsed > Throttle::WINDOW && owed <= elapsed.as_secs_f64() {
            (self.since, self.bytes) = (now, 0.0);
        }
        self.bytes += bytes as f64;
        let owed = (self.bytes / per_second.max(1.0)).min(LONGEST);
        Duration::from_secs_f64(owed).saturating_sub(now.since(self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_take_their_time_and_pauses_earn_nothing() {
        let mut state = State::default();
        let mut wait = |bytes, now| state.wait_for(bytes, 1000.0, MonotonicMs(now)).as_millis();
        assert_eq!(wait(500, 0), 500);
        assert_eq!(wait(500, 500), 500);
        assert_eq!(wait(100, 1000), 100);
        assert_eq!(wait(1000, 60_000), 1000);
        assert_eq!(wait(1000, 61_000), 1000);
    }

    #[test]
    fn no_limit_never_waits_and_a_stop_ends_the_waiting() {
        let throttle = Throttle::default();
        assert!(throttle.pass(1 << 40, f64::MAX, || MonotonicMs(0), &|| true));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| throttle.pass(1 << 40, 1.0, || MonotonicMs(0), &|| true));
            throttle.stop();
            assert!(!waiting.join().unwrap());
        });
    }

    #[test]
    fn a_wait_that_is_not_wanted_any_more_ends_and_costs_nothing() {
        let throttle = Throttle::default();
        let looks = std::cell::Cell::new(0);
        let wanted = || {
            looks.set(looks.get() + 1);
            looks.get() < 3
        };
        assert!(!throttle.pass(1 << 40, 1.0, || MonotonicMs(0), &wanted));
        assert_eq!(looks.get(), 3);
        assert!(throttle.state.lock().wait_for(0, 1.0, MonotonicMs(0)).is_zero());
    }
}
