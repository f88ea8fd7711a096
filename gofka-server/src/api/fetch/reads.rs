//! What a fetch reads: at once where it is in memory, on a blocking thread where the disk may have
//! to be waited for.
//!
//! Records that are in the page cache, and known to be good, stay there: the answer names their
//! place in the file. Those that come from the disk are loaded, with memory taken before, and
//! their checksums compared.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::Fetch;
use super::read::{Outcome as Read, read_all};
use crate::net::MemoryPermit;
use crate::partition::blocking;

/// How long a fetch waits for the memory that its records need.
const MEMORY_WAIT_MAX: Duration = Duration::from_secs(5);

/// What was read, and the memory that it takes where that was much.
pub(super) struct Reads {
    pub(super) all: Vec<Read>,
    pub(super) permit: Option<MemoryPermit>,
}

impl Reads {
    pub(super) fn bytes(&self) -> usize {
        self.all.iter().map(|read| read.records.len()).sum()
    }
}

impl Fetch {
    /// Reads every partition, where that needs no waiting for the disk.
    pub(super) fn read_at_once(&self) -> Option<Reads> {
        let mut targets = self.plan.targets.iter().zip(&self.sources);
        if !targets.all(|((_, target), source)| source.is_hot(target.offset, &self.limits)) {
            return None;
        }
        let all = read_all(&self.plan.targets, &self.sources, &self.limits);
        all.iter().all(Read::is_warm).then_some(Reads { all, permit: None })
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
        let (mut all, cold) = blocking(move || {
            let all = read_all(&fetch.plan.targets, &fetch.sources, &fetch.limits);
            let cold: Vec<usize> = (0..all.len()).filter(|at| !all[*at].is_warm()).collect();
            (all, cold)
        })
        .await;
        if cold.is_empty() {
            return Reads { all, permit: None };
        }
        let in_memory = all.iter().enumerate().filter(|(at, read)| {
            !read.is_in_file() || cold.binary_search(at).is_ok()
        });
        let bytes = in_memory.map(|(_, read)| read.records.len()).sum();
        let mut permit = self.memory.permit();
        if timeout(MEMORY_WAIT_MAX, permit.hold(bytes)).await.is_err() {
            // The client asks again; answers behind this one do not hold their memory meanwhile.
            for at in cold {
                all[at].leave_out();
            }
            return Reads { all, permit: None };
        }
        let fetch = self.clone();
        let all = blocking(move || {
            for at in cold {
                all[at].load(&fetch.sources[at]);
            }
            all
        })
        .await;
        Reads { all, permit: Some(permit) }
    }
}
