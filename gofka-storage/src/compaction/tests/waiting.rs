//! What happens to a log while its compaction is held up by its pace.

use super::*;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);

/// A pace that holds a run up at its `at`-th step: it says so, and waits until it is told to go
/// on or the log is not wanted any more.
struct Gate {
    at: usize,
    steps: AtomicUsize,
    reached: mpsc::SyncSender<()>,
    open: AtomicBool,
}

impl Gate {
    fn new(at: usize) -> (Self, mpsc::Receiver<()>) {
        let (reached, is_reached) = mpsc::sync_channel(1);
        let (steps, open) = (AtomicUsize::new(0), AtomicBool::new(false));
        (Self { at, steps, reached, open }, is_reached)
    }

    fn pace(&self, _: u64, wanted: StillWanted<'_>) -> bool {
        if self.steps.fetch_add(1, Ordering::AcqRel) == self.at {
            self.reached.send(()).unwrap();
            let deadline = Instant::now() + LONG;
            while wanted() && !self.open.load(Ordering::Acquire) {
                assert!(Instant::now() < deadline, "nobody ends the wait");
                std::thread::yield_now();
            }
        }
        true
    }
}

/// Compacts `log` on another thread, and does `meanwhile` once it is held up at `gate`.
fn while_it_waits(
    log: &Log,
    gate: &Gate,
    is_reached: &mpsc::Receiver<()>,
    meanwhile: impl FnOnce(),
) -> Option<CompactionOutcome> {
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let pace = |bytes, wanted: StillWanted<'_>| gate.pace(bytes, wanted);
            let (now, up_to) = (NOW, log.log_end_offset());
            log.compact(&CompactionRun { now, up_to, map_bytes: MAP_BYTES, pace: &pace })
        });
        is_reached.recv_timeout(LONG).unwrap();
        meanwhile();
        running.join().unwrap().unwrap()
    })
}

#[test]
fn a_log_is_deleted_while_its_compaction_waits() {
    for is_mapped in [false, true] {
        let home = Home::new(compacted());
        let (dirs, log) = home.open();
        (0..60).for_each(|n| put(&log, "k", Some(&n.to_string())));
        log.roll().unwrap();
        // While keys are noted, and while segments are written anew: a step for each segment.
        let at = if is_mapped { log.segment_count() } else { 1 };
        let (gate, is_reached) = Gate::new(at);
        let outcome = while_it_waits(&log, &gate, &is_reached, || {
            dirs.delete(&partition(), gofka_core::time::MonotonicMs(0)).unwrap();
        });
        assert_eq!(outcome, None);
        assert_eq!(gate.steps.load(Ordering::Acquire), at + 1);
        assert!(!home.log_dir().exists());
    }
}

#[test]
fn retention_and_delete_records_wait_for_no_compaction() {
    let home = Home::new(compacted_and_expiring());
    let (_dirs, log) = home.open();
    (0..60).for_each(|n| put(&log, &n.to_string(), Some("v")));
    log.roll().unwrap();
    let (late, up_to) = (TimestampMs(NOW.0 + 2000), log.log_end_offset());
    let (gate, is_reached) = Gate::new(1);
    let outcome = while_it_waits(&log, &gate, &is_reached, || {
        assert_eq!(log.apply_retention(late, up_to).unwrap(), 0);
        log.set_log_start_offset(Offset(59)).unwrap();
        assert_eq!(log.log_start_offset(), Offset(59));
        gate.open.store(true, Ordering::Release);
    });
    assert!(outcome.is_some());
    assert_eq!(contents(&log).len(), 1);
    // The next run begins with what retention has left out.
    compact(&log, late.0);
    assert_eq!((log.segment_count(), log.log_start_offset()), (1, Offset(60)));
}
