//! The partitions in `page-cache` mode that have something to sync in the background.
//!
//! Filled by appends, emptied by the flush task each `log.flush.interval.ms`, so that partitions
//! without writes cost nothing.

use std::sync::Arc;

use parking_lot::Mutex;

use super::replica::Partition;

/// A list shared by all partitions; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsynced(Arc<Mutex<Vec<Arc<Partition>>>>);

impl Unsynced {
    /// Adds a partition; its own flag keeps it from being added twice.
    pub(super) fn add(&self, partition: Arc<Partition>) {
        self.0.lock().push(partition);
    }

    /// Hands all of them to the flusher.
    pub(super) fn flush(&self) {
        let partitions = std::mem::take(&mut *self.0.lock());
        for partition in partitions {
            partition.background_flush();
        }
    }
}
