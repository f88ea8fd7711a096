//! Group commit: syncs the logs of one directory that were appended to, on threads of its own.
//!
//! A partition is queued by its first append after a sync began; all appends until its turn comes
//! share that one sync. Different partitions sync in parallel, on as many threads as there is
//! work for, up to a limit. Where very many wait, one thread takes all of them and syncs their
//! file system in one round, and the others let the next round gather meanwhile. Owned by
//! `Partitions`, which has one for each directory, so that a slow disk keeps nobody waiting who
//! writes to another, and joins the threads when it stops; what is queued then is synced first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;

use gofka_storage::{Log, sync_together};
use parking_lot::{Condvar, Mutex};

use super::replica::Partition;
use super::rounds::Rounds;
use crate::clock::Clock;

const IDLE: u8 = 0;
const QUEUED: u8 = 1;
const SYNCING: u8 = 2;
const SYNCING_AND_DIRTY: u8 = 3;

/// Where one partition stands with the flusher.
#[derive(Debug, Default)]
pub(super) struct FlushState(AtomicU8);

impl FlushState {
    /// Notes an append; whether the partition must be queued for it.
    fn note_append(&self) -> bool {
        let next = |state| match state {
            IDLE => Some(QUEUED),
            SYNCING => Some(SYNCING_AND_DIRTY),
            _ => None,
        };
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) == Ok(IDLE)
    }

    fn begin(&self) {
        self.0.store(SYNCING, Ordering::Release);
    }

    /// Notes the end of a sync; whether the partition must be queued again.
    fn end(&self) -> bool {
        let next = |state| Some(if state == SYNCING_AND_DIRTY { QUEUED } else { IDLE });
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) == Ok(SYNCING_AND_DIRTY)
    }
}

/// A cheap handle; clones share the threads.
#[derive(Clone, Debug)]
pub(super) struct Flusher {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    threads_max: usize,
    clock: Clock,
    queue: Mutex<Queue>,
    work: Condvar,
}

#[derive(Debug)]
struct Queue {
    partitions: VecDeque<Arc<Partition>>,
    rounds: Rounds,
    /// A round is under way.
    in_round: bool,
    idle: usize,
    threads: Vec<JoinHandle<()>>,
    stopping: bool,
}

/// What a thread does next.
enum Work {
    One(Arc<Partition>),
    Round(VecDeque<Arc<Partition>>),
}

impl Flusher {
    /// No thread starts before there is work. `in_rounds` where the file system can be synced as a
    /// whole.
    pub(super) fn new(threads_max: usize, in_rounds: bool, clock: Clock) -> Self {
        let queue = Queue {
            partitions: VecDeque::new(),
            rounds: Rounds::new(in_rounds),
            in_round: false,
            idle: 0,
            threads: Vec::new(),
            stopping: false,
        };
        let (queue, work) = (Mutex::new(queue), Condvar::new());
        Self { shared: Arc::new(Shared { threads_max, clock, queue, work }) }
    }

    /// Has `partition` synced soon. Whatever was appended to it before this call is covered.
    pub(super) fn request(&self, partition: &Arc<Partition>) {
        if partition.flush_state().note_append() {
            self.push(partition.clone());
        }
    }

    fn push(&self, partition: Arc<Partition>) {
        let mut queue = self.shared.queue.lock();
        queue.partitions.push_back(partition);
        if queue.idle >= queue.partitions.len() || queue.threads.len() >= self.shared.threads_max {
            self.shared.work.notify_one();
            return;
        }
        let flusher = self.clone();
        let name = format!("sync-{}", queue.threads.len());
        match std::thread::Builder::new().name(name).spawn(move || flusher.run()) {
            Ok(thread) => queue.threads.push(thread),
            Err(error) if queue.threads.is_empty() => {
                // Nobody would ever sync, and every producer would wait for its time-out.
                tracing::error!(%error, "no thread for syncing could be started");
            }
            Err(_) => {
                self.shared.work.notify_one();
            }
        }
    }

    fn run(&self) {
        while let Some(work) = self.next() {
            match work {
                Work::One(partition) => {
                    partition.flush_state().begin();
                    partition.note_sync(partition.log().sync());
                    if partition.flush_state().end() {
                        // Nobody is woken: this thread takes it next, or what waits before it.
                        self.shared.queue.lock().partitions.push_back(partition);
                    }
                }
                Work::Round(partitions) => self.round(partitions),
            }
        }
    }

    fn round(&self, partitions: VecDeque<Arc<Partition>>) {
        let watch = self.shared.clock.stopwatch();
        for partition in &partitions {
            partition.flush_state().begin();
        }
        let logs: Vec<&Log> = partitions.iter().map(|partition| &**partition.log()).collect();
        let results = sync_together(&logs);
        {
            let mut queue = self.shared.queue.lock();
            queue.in_round = false;
            let now = self.shared.clock.monotonic();
            queue.rounds.ended(partitions.len(), watch.elapsed(), now);
        }
        self.shared.work.notify_all();
        for (partition, result) in partitions.into_iter().zip(results) {
            partition.note_sync(result);
            if partition.flush_state().end() {
                self.push(partition);
            }
        }
    }

    fn next(&self) -> Option<Work> {
        let mut queue = self.shared.queue.lock();
        loop {
            if !queue.in_round {
                let waiting = queue.partitions.len();
                if queue.rounds.wanted(waiting, || self.shared.clock.monotonic()) {
                    queue.in_round = true;
                    return Some(Work::Round(std::mem::take(&mut queue.partitions)));
                }
                if let Some(partition) = queue.partitions.pop_front() {
                    return Some(Work::One(partition));
                }
                if queue.stopping {
                    return None;
                }
            }
            queue.idle += 1;
            self.shared.work.wait(&mut queue);
            queue.idle -= 1;
        }
    }

    /// Nothing is taken from the queue while this is held.
    #[cfg(test)]
    pub(super) fn hold(&self) -> impl Drop + use<'_> {
        self.shared.queue.lock()
    }

    /// Syncs what is queued, then ends the threads and waits for them. Blocks.
    pub(super) fn stop(&self) {
        loop {
            let threads = {
                let mut queue = self.shared.queue.lock();
                queue.stopping = true;
                std::mem::take(&mut queue.threads)
            };
            self.shared.work.notify_all();
            if threads.is_empty() {
                return;
            }
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a syncing thread panicked");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_during_a_sync_are_covered_by_another() {
        let state = FlushState::default();
        assert!(state.note_append());
        assert!(!state.note_append(), "queued already");
        state.begin();
        assert!(!state.note_append(), "not queued twice");
        assert!(state.end(), "queued again");
        state.begin();
        assert!(!state.end());
        assert!(state.note_append());
    }
}
