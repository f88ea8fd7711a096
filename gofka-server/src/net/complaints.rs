//! One log line per connection-level problem, and few enough that a flood of bad clients is not
//! a flood of lines.
//!
//! Called by connections and listeners, also the internal one, and by handlers that have a hint for
//! the owner of a client; any thread.

use std::fmt::Display;

use gofka_core::time::MonotonicMs;
use parking_lot::Mutex;

const WINDOW_MS: u64 = 1_000;
const LINES_PER_WINDOW: u32 = 20;

#[derive(Debug, Default)]
struct Window {
    began: MonotonicMs,
    lines: u32,
    left_out: u64,
}

/// The lines of the current window.
#[derive(Debug, Default)]
pub struct Complaints(Mutex<Window>);

impl Complaints {
    /// Says that `peer` did something that ends its connection, or keeps it from being made, or
    /// that it asked for what it cannot have.
    pub fn say(&self, now: MonotonicMs, peer: impl Display, problem: impl Display) {
        let Some(left_out) = self.admit(now) else { return };
        if left_out > 0 {
            tracing::warn!(left_out, "more clients had problems than there are lines about");
        }
        tracing::warn!(%peer, "{problem}");
    }

    /// Whether a line may be written, and how many were left out before it.
    fn admit(&self, now: MonotonicMs) -> Option<u64> {
        let mut window = self.0.lock();
        if now.0 >= window.began.0 + WINDOW_MS {
            let left_out = window.left_out;
            *window = Window { began: now, lines: 1, left_out: 0 };
            return Some(left_out);
        }
        if window.lines >= LINES_PER_WINDOW {
            window.left_out += 1;
            return None;
        }
        window.lines += 1;
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted() {
        let complaints = Complaints::default();
        let at = |ms| complaints.admit(MonotonicMs(ms));
        let said = (0..100).filter(|_| at(5).is_some()).count();
        assert_eq!(said, LINES_PER_WINDOW as usize);
        assert_eq!(at(1_500), Some(100 - u64::from(LINES_PER_WINDOW)));
        assert_eq!(at(1_501), Some(0));
    }
}
