//! What a fetch reads: at once where it is in memory, on a blocking thread where the disk may have
//! to be waited for.
//!
//! Records that are in the page cache, and known to be good, stay there: the answer names their
//! place in the file. Those that come from the disk are loaded, with memory taken before, and
//! their checksums compared.

use std::sync::Arc;
use std::time::Duration;

use gofka_storage::LOADED_BYTES_MAX;
use tokio::time::timeout;

use super::Fetch;
use super::plan::Limits;
use super::read::{Outcome as Read, read_all};
use crate::net::MemoryPermit;
use crate::partition::blocking;

/// How long a fetch waits for the memory that its records need.
const MEMORY_WAIT_MAX: Duration = Duration::from_secs(5);

/// What a fetch reads without memory taken before, or when there is none.
const SHORT_BYTES_MAX: usize = 64 << 10;

/// What was read, and the memory that it takes where that was much.
pub(super) struct Reads {
    pub(super) all: Vec<Read>,
    pub(super) permit: Option<MemoryPermit>,
    /// Less was read than was asked for, for want of memory.
    pub(super) is_short: bool,
}

/// How much is read, and the memory for what of it is loaded at once.
struct Funds {
    limits: Limits,
    permit: Option<MemoryPermit>,
    is_short: bool,
}

impl Funds {
    /// With what was read. Records that found no memory wait for it in the connection's queue.
    fn reads(self, all: Vec<Read>) -> Reads {
        let loaded = all.iter().filter(|read| !read.is_in_file());
        let bytes = loaded.map(|read| read.records.len()).sum();
        let permit = self.permit.and_then(|mut permit| {
            let held = bytes > 0 && permit.try_hold(bytes);
            permit.release_to(bytes);
            held.then_some(permit)
        });
        Reads { all, permit, is_short: self.is_short }
    }
}

impl Reads {
    pub(super) fn bytes(&self) -> usize {
        self.all.iter().map(|read| read.records.len()).sum()
    }
}

impl Fetch {
    /// Takes memory for the small reads of many partitions before they are done. Where others hold
    /// all of it, little is read: clients that do not read their answers cannot stop those that do.
    fn funds(&self) -> Funds {
        let mut limits = self.limits;
        let most = LOADED_BYTES_MAX.saturating_mul(self.sources.len()).min(limits.max_bytes);
        if most <= SHORT_BYTES_MAX {
            return Funds { limits, permit: None, is_short: false };
        }
        let mut permit = self.memory.permit();
        if !permit.try_hold(most) {
            let left = self.memory.available_bytes() / 2;
            limits.max_bytes = limits.max_bytes.min(left.max(SHORT_BYTES_MAX));
            permit.try_hold(limits.max_bytes.min(most));
        }
        let is_short = limits.max_bytes < self.limits.max_bytes;
        Funds { limits, permit: Some(permit), is_short }
    }

    /// Reads every partition, where that needs no waiting for the disk.
    pub(super) fn read_at_once(&self) -> Option<Reads> {
        let mut targets = self.plan.targets.iter().zip(&self.sources);
        if !targets.all(|((_, target), source)| source.is_hot(target.offset, &self.limits)) {
            return None;
        }
        let funds = self.funds();
        let all = read_all(&self.plan.targets, &self.sources, &funds.limits);
        all.iter().all(Read::is_warm).then(|| funds.reads(all))
    }

    /// Reads every partition.
    pub(super) async fn read(self: &Arc<Self>) -> Reads {
        match self.read_at_once() {
            Some(reads) => reads,
            None => self.read_from_disk().await,
        }
    }

    async fn read_from_disk(self: &Arc<Self>) -> Reads {
        let fetch = self.clone();
        let (reads, cold) = blocking(move || {
            let funds = fetch.funds();
            let all = read_all(&fetch.plan.targets, &fetch.sources, &funds.limits);
            let cold: Vec<usize> = (0..all.len()).filter(|at| !all[*at].is_warm()).collect();
            (funds.reads(all), cold)
        })
        .await;
        if cold.is_empty() {
            return reads;
        }
        let Reads { mut all, permit: held, is_short } = reads;
        let in_memory = all.iter().enumerate().filter(|(at, read)| {
            !read.is_in_file() || cold.binary_search(at).is_ok()
        });
        let bytes = in_memory.map(|(_, read)| read.records.len()).sum();
        let has_some = held.is_some();
        let mut permit = held.unwrap_or_else(|| self.memory.permit());
        if timeout(MEMORY_WAIT_MAX, permit.hold(bytes)).await.is_err() {
            // The client asks again; answers behind this one do not hold their memory meanwhile.
            for at in cold {
                all[at].leave_out();
            }
            return Reads { all, permit: has_some.then_some(permit), is_short };
        }
        let fetch = self.clone();
        let all = blocking(move || {
            for at in cold {
                all[at].load(&fetch.sources[at]);
            }
            all
        })
        .await;
        Reads { all, permit: Some(permit), is_short }
    }
}
