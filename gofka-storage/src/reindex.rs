//! Making the indexes of a sealed segment anew, where they are missing or do not tell the truth.
//!
//! Called by `lookup`, `survey` and `timestamps`.

use crate::error::StorageError;
use crate::scan::{Batches, Found};
use crate::segment::{Growth, Segment};
use std::path::Path;

/// Bytes between two entries of an index that is rebuilt: `index.interval.bytes` as shipped.
pub(crate) const INDEX_INTERVAL: u64 = 4096;

impl Segment {
    /// Whether the log can tell what an index on disk did not.
    pub(crate) fn blames_index(&self, problem: &StorageError) -> bool {
        let path = match problem {
            StorageError::Corrupt { path, .. } => path,
            StorageError::Io { path, .. } if problem.is_not_found() => path,
            _ => return false,
        };
        !self.offsets.is_growing() && *path != self.log.path()
    }

    /// Writes both indexes anew from the batches of a sealed segment, having compared them.
    pub(crate) fn rebuild_indexes(&self, problem: &StorageError) -> Result<(), StorageError> {
        let _alone = self.rebuilding.lock();
        tracing::warn!(%problem, "rebuilding the indexes of {}", self.log.path().display());
        let scratch = Self::with(self.log.disk(), Path::new(""), self.base, 0, true);
        let mut growth = Growth::default();
        let range = self.base..self.end_offset();
        // What this brings into memory is checked here, and not for others.
        self.trust.forget(0..u64::MAX);
        let mut batches = Batches::new(&self.log, 0, self.size(), range)?;
        loop {
            match batches.next_batch()? {
                Found::Batch(position, batch) => {
                    scratch.index(&mut growth, &batch.header, position, INDEX_INTERVAL);
                }
                Found::Bad(problem) => {
                    let what = format!("the indexes cannot be made anew: {problem}");
                    return Err(StorageError::corrupt(self.log.path(), what));
                }
                Found::Zeros | Found::End => break,
            }
        }
        scratch.push_time(growth.largest);
        self.offsets.replace(&scratch.offsets.entries()?)?;
        self.times.replace(&scratch.times.entries()?)
    }
}
