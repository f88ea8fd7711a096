//! When a connection last did what, and when it has therefore waited long enough.
//!
//! Written by a connection's reader and writer, read by its watchdog; all on one task.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use gofka_core::time::MonotonicMs;

/// A frame that has begun has this long to arrive, and longer as its bytes do.
const FRAME_GRACE: Duration = Duration::from_secs(30);
/// The slowest a sender may be on average once the grace is used up.
const FRAME_BYTES_PER_MS_MIN: u64 = 16;
/// The same while memory for requests is short.
const FRAME_GRACE_WHEN_SHORT: Duration = Duration::from_secs(5);
/// How long a client may leave its answers unread while memory for answers is short.
const UNREAD_WHEN_SHORT: Duration = Duration::from_secs(10);
/// The same while the answers of others wait for that memory.
const UNREAD_WHEN_AWAITED: Duration = Duration::from_secs(1);
/// How long answers may still leave after the client has ended its side, or was refused.
const DRAIN: Duration = Duration::from_secs(5);

/// Zero means "not now" in the points of time below.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// The last byte in or out, or the last request done.
    last_ms: AtomicU64,
    /// Since when a frame that has begun is being waited for.
    frame_since_ms: AtomicU64,
    frame_bytes: AtomicU64,
    /// Since when the client has not taken a byte of what waits for it.
    unread_since_ms: AtomicU64,
    /// Since when answers that are ready wait behind one that is not.
    parked_since_ms: AtomicU64,
    draining_since_ms: AtomicU64,
    /// A request is between its last byte and the end of its stage one.
    in_stage_one: AtomicBool,
}

/// Why a connection is closed for taking too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    Idle,
    SlowSender,
    SlowReader,
    Drained,
}

/// Which memory is short.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Short {
    pub(super) requests: bool,
    pub(super) replies: bool,
    /// Answers wait for it.
    pub(super) replies_awaited: bool,
}

fn point(now: MonotonicMs) -> u64 {
    now.0.max(1)
}

impl Activity {
    pub(super) fn touch(&self, now: MonotonicMs) {
        self.last_ms.store(point(now), Relaxed);
    }

    /// Part of a frame is here, `bytes` of it, and more is awaited.
    pub(super) fn frame_waits(&self, now: MonotonicMs, bytes: usize) {
        self.frame_bytes.store(bytes as u64, Relaxed);
        let _ = self.frame_since_ms.compare_exchange(0, point(now), Relaxed, Relaxed);
    }

    /// No frame is awaited: it is whole, or we ourselves have stopped reading.
    pub(super) fn frame_rests(&self) {
        self.frame_since_ms.store(0, Relaxed);
    }

    pub(super) fn stage_one(&self, runs: bool) {
        self.in_stage_one.store(runs, Relaxed);
    }

    pub(super) fn is_in_stage_one(&self) -> bool {
        self.in_stage_one.load(Relaxed)
    }

    /// The client has bytes to take, and took some just now.
    pub(super) fn unread(&self, now: MonotonicMs) {
        self.unread_since_ms.store(point(now), Relaxed);
    }

    pub(super) fn all_read(&self) {
        self.unread_since_ms.store(0, Relaxed);
    }

    /// Whether answers hold memory behind one that is not ready.
    pub(super) fn parks(&self, parks: bool, now: MonotonicMs) {
        if parks {
            let _ = self.parked_since_ms.compare_exchange(0, point(now), Relaxed, Relaxed);
        } else {
            self.parked_since_ms.store(0, Relaxed);
        }
    }

    pub(super) fn drains(&self, now: MonotonicMs) {
        let _ = self.draining_since_ms.compare_exchange(0, point(now), Relaxed, Relaxed);
    }

    /// The next moment at which the connection is overdue if nothing happens before, and why.
    /// `answers_wait`: requests are in work.
    pub(super) fn deadline(
        &self,
        idle_max: Option<Duration>,
        answers_wait: bool,
        short: Short,
    ) -> Option<(MonotonicMs, Overdue)> {
        let at = |cell: &AtomicU64| Some(cell.load(Relaxed)).filter(|ms| *ms > 0).map(MonotonicMs);
        let drained =
            at(&self.draining_since_ms).map(|since| (since.after(DRAIN), Overdue::Drained));
        let frame = at(&self.frame_since_ms).map(|since| {
            let earned = self.frame_bytes.load(Relaxed) / FRAME_BYTES_PER_MS_MIN;
            let grace = if short.requests { FRAME_GRACE_WHEN_SHORT } else { FRAME_GRACE };
            (since.after(grace + Duration::from_millis(earned)), Overdue::SlowSender)
        });
        let unread_max = match short {
            Short { replies_awaited: true, .. } => Some(UNREAD_WHEN_AWAITED),
            Short { replies: true, .. } => Some(UNREAD_WHEN_SHORT),
            _ => idle_max,
        };
        let held = [&self.unread_since_ms, &self.parked_since_ms].into_iter().filter_map(at).min();
        let unread =
            held.zip(unread_max).map(|(since, max)| (since.after(max), Overdue::SlowReader));
        let idle = match (unread, answers_wait) {
            (None, false) => at(&self.last_ms).zip(idle_max),
            _ => None,
        }
        .map(|(since, max)| (since.after(max), Overdue::Idle));
        [drained, frame, unread, idle].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Option<Duration> = Some(Duration::from_secs(600));

    fn deadline(activity: &Activity) -> Option<(u64, Overdue)> {
        activity.deadline(IDLE, false, Short::default()).map(|(at, why)| (at.0, why))
    }

    #[test]
    fn an_idle_connection_ends_after_its_last_byte() {
        let activity = Activity::default();
        activity.touch(MonotonicMs(5_000));
        assert_eq!(deadline(&activity), Some((605_000, Overdue::Idle)));
        assert_eq!(activity.deadline(IDLE, true, Short::default()), None, "a request is in work");
        assert_eq!(activity.deadline(None, false, Short::default()), None, "no limit is set");
    }

    #[test]
    fn a_frame_earns_time_by_its_bytes_but_not_by_starting_again() {
        let activity = Activity::default();
        activity.frame_waits(MonotonicMs(1_000), 1);
        activity.frame_waits(MonotonicMs(20_000), 16_000);
        assert_eq!(deadline(&activity), Some((32_000, Overdue::SlowSender)));
        let short = Short { requests: true, ..Short::default() };
        let hurried = activity.deadline(IDLE, false, short);
        assert_eq!(hurried, Some((MonotonicMs(7_000), Overdue::SlowSender)));
        activity.frame_rests();
        assert_eq!(deadline(&activity), None);
    }

    #[test]
    fn a_client_that_does_not_read_has_less_time_when_memory_is_short() {
        let activity = Activity::default();
        activity.touch(MonotonicMs(1_000));
        activity.unread(MonotonicMs(1_000));
        assert_eq!(deadline(&activity), Some((601_000, Overdue::SlowReader)));
        let mut short = Short { replies: true, ..Short::default() };
        let deadline_if = |short| activity.deadline(IDLE, true, short);
        assert_eq!(deadline_if(short), Some((MonotonicMs(11_000), Overdue::SlowReader)));
        short.replies_awaited = true;
        assert_eq!(deadline_if(short), Some((MonotonicMs(2_000), Overdue::SlowReader)));
        activity.all_read();
        assert_eq!(deadline(&activity), Some((601_000, Overdue::Idle)));
        activity.parks(true, MonotonicMs(5_000));
        activity.parks(true, MonotonicMs(6_000));
        assert_eq!(deadline_if(short), Some((MonotonicMs(6_000), Overdue::SlowReader)));
        activity.parks(false, MonotonicMs(6_000));
        assert_eq!(deadline_if(short), None);
    }

    #[test]
    fn draining_is_short() {
        let activity = Activity::default();
        activity.drains(MonotonicMs(1_000));
        activity.drains(MonotonicMs(4_000));
        assert_eq!(deadline(&activity), Some((6_000, Overdue::Drained)));
    }
}
