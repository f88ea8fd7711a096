//! The one place that reads the machine's clocks; everything else takes a `Now`.
//!
//! Called by the broker's wiring and by the network layer; any thread.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gofka_core::time::{MonotonicMs, Now, TimestampMs};

/// Reads the wall clock and the monotonic clock. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// A clock whose monotonic zero is this moment.
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// The monotonic clock, now.
    pub fn monotonic(&self) -> MonotonicMs {
        self.monotonic_at(self.stopwatch())
    }

    /// The monotonic clock when `stopwatch` was started.
    pub fn monotonic_at(&self, stopwatch: Stopwatch) -> MonotonicMs {
        let since = stopwatch.0.saturating_duration_since(self.started);
        MonotonicMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// Measures from this moment on, finer than milliseconds.
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Both clocks, now.
    pub fn now(&self) -> Now {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        Now { monotonic: self.monotonic(), wall: TimestampMs(wall) }
    }
}

/// This moment on the runtime's timer, for whoever sleeps until a point in time.
pub fn timer_now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// How long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// The time since it was started.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// The time from when `earlier` was started until this one was.
    pub fn since(&self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// When it was started, on the runtime's timer, for whoever sleeps until a point in time.
    pub fn on_timer(&self) -> tokio::time::Instant {
        self.0.into()
    }
}
