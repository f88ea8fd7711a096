//! When the flusher syncs whole file systems instead of the logs that wait, one by one.
//!
//! Numbers from docs/adr/0005. Kept by the flusher under its lock; no clock of its own.

use std::time::Duration;

use gofka_core::time::MonotonicMs;

/// With fewer logs waiting, syncing them one by one on a few threads is as fast.
const LOGS_MIN: usize = 64;
/// What a log costs at most when it is synced beside others. A round that takes longer than that
/// for each of its logs has waited for what others have written to the file system.
const LOG_COST: Duration = Duration::from_millis(1);
/// After such a round there is none for so many times as long as it took.
const REST: u32 = 16;

/// The choice, and what it has learned.
#[derive(Debug)]
pub(super) struct Rounds {
    possible: bool,
    not_before: MonotonicMs,
}

impl Rounds {
    /// `possible` where the directory's file system can be relied on for it.
    pub(super) fn new(possible: bool) -> Self {
        Self { possible, not_before: MonotonicMs(0) }
    }

    /// Whether `waiting` logs should be synced in one round.
    pub(super) fn wanted(&self, waiting: usize, now: impl FnOnce() -> MonotonicMs) -> bool {
        self.possible && waiting >= LOGS_MIN && now() >= self.not_before
    }

    /// Learns from a round that ended at `now`.
    pub(super) fn ended(&mut self, logs: usize, took: Duration, now: MonotonicMs) {
        if took > LOG_COST.saturating_mul(u32::try_from(logs).unwrap_or(u32::MAX)) {
            self.not_before = now.after(took.saturating_mul(REST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_for_many_logs_and_where_it_can_be_relied_on() {
        let rounds = Rounds::new(true);
        assert!(!rounds.wanted(LOGS_MIN - 1, || MonotonicMs(5)));
        assert!(rounds.wanted(LOGS_MIN, || MonotonicMs(5)));
        assert!(!Rounds::new(false).wanted(5000, || MonotonicMs(5)));
    }

    #[test]
    fn after_a_slow_round_there_is_none_for_a_while() {
        let mut rounds = Rounds::new(true);
        rounds.ended(100, Duration::from_millis(100), MonotonicMs(1_000));
        assert!(rounds.wanted(100, || MonotonicMs(1_000)));
        rounds.ended(100, Duration::from_millis(200), MonotonicMs(1_000));
        assert!(!rounds.wanted(100, || MonotonicMs(4_199)));
        assert!(rounds.wanted(100, || MonotonicMs(4_200)));
    }
}
