//! The timers of all shards, on the monotonic clock, and the periodic look for expired offsets.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gofka_core::group::Command;
use gofka_core::ids::PartitionIndex;
use gofka_core::time::MonotonicMs;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Inner;

/// Which shard wants to be woken when. A shard may be woken for nothing: it then says when again.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    queue: Mutex<BTreeSet<(MonotonicMs, PartitionIndex)>>,
    earlier: Notify,
}

impl Alarm {
    /// Wakes the shard `index` at `at`.
    pub(super) fn set(&self, at: MonotonicMs, index: PartitionIndex) {
        let mut queue = self.queue.lock();
        let is_first = queue.first().is_none_or(|(first, _)| at < *first);
        queue.insert((at, index));
        if is_first {
            self.earlier.notify_one();
        }
    }

    fn take_due(&self, now: MonotonicMs) -> Vec<PartitionIndex> {
        let mut queue = self.queue.lock();
        let mut due = Vec::new();
        while let Some(&(at, index)) = queue.first().filter(|(at, _)| *at <= now) {
            queue.remove(&(at, index));
            due.push(index);
        }
        due
    }

    fn next(&self) -> Option<MonotonicMs> {
        self.queue.lock().first().map(|(at, _)| *at)
    }
}

/// Rings until the coordinator stops.
pub(super) async fn run(inner: Arc<Inner>) {
    let clock = inner.options.clock;
    let mut next_expiry = clock.now().monotonic.after(inner.settings.expiry_interval);
    loop {
        let now = clock.now();
        for index in inner.alarm.take_due(now.monotonic) {
            if let Some(shard) = inner.shard(index) {
                shard.on_alarm(now);
            }
        }
        if next_expiry <= now.monotonic {
            next_expiry = now.monotonic.after(inner.settings.expiry_interval);
            for shard in inner.all_shards() {
                // The records speak for themselves; nobody waits for the reply.
                drop(shard.submit(now, Command::Expire));
            }
        }
        let next = inner.alarm.next().map_or(next_expiry, |at| at.min(next_expiry));
        // The clock counts whole milliseconds: not to wake up just before one begins.
        let pause = next.since(clock.now().monotonic) + Duration::from_millis(1);
        tokio::select! {
            () = inner.stop.cancelled() => return,
            () = inner.alarm.earlier.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_woken_in_the_order_of_their_deadlines() {
        let alarm = Alarm::default();
        alarm.set(MonotonicMs(20), PartitionIndex(1));
        alarm.set(MonotonicMs(10), PartitionIndex(2));
        alarm.set(MonotonicMs(30), PartitionIndex(1));
        assert_eq!(alarm.next(), Some(MonotonicMs(10)));
        assert_eq!(alarm.take_due(MonotonicMs(20)), [PartitionIndex(2), PartitionIndex(1)]);
        assert_eq!(alarm.next(), Some(MonotonicMs(30)));
    }
}
