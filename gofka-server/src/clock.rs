//! The one place that reads the machine's clocks; everything else takes a `Now`.
//!
//! Called by the broker's wiring and by the network layer; any thread.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

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

    /// Both clocks, now.
    pub fn now(&self) -> Now {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        Now {
            monotonic: MonotonicMs(
                u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            ),
            wall: TimestampMs(wall),
        }
    }
}
