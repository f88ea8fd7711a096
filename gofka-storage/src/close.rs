//! Closing a log: what it has in memory is written and synced, so that a start after that reads no
//! batch.
//!
//! Called by `dirs` at the end of it all, in two steps, so that many logs share a sync; and by who
//! has a log that stands alone.

use crate::error::StorageError;
use crate::log::{Log, Writer};

impl Log {
    /// Writes indexes and producer state, syncs, and refuses everything from here on.
    pub fn close(&self) -> Result<(), StorageError> {
        self.seal()?;
        self.finish_close()
    }

    /// Writes everything that a clean start reads, and refuses everything from here on.
    pub(crate) fn seal(&self) -> Result<(), StorageError> {
        let _alone = self.maintenance.lock();
        let mut writer = self.writer.lock();
        self.check_usable()?;
        self.write_derived(&mut writer).map_err(|error| self.health.judge_write(error))?;
        self.refuse();
        Ok(())
    }

    /// Syncs what `seal` has written.
    pub(crate) fn finish_close(&self) -> Result<(), StorageError> {
        self.sync_files()?;
        self.store_epochs(true)?;
        self.close_files();
        Ok(())
    }

    fn write_derived(&self, writer: &mut Writer) -> Result<(), StorageError> {
        let active = self.segments.read().last().cloned();
        if let Some(active) = active {
            active.write_indexes(&writer.growth)?;
            active.give_back()?;
            for slot in [active.offsets.slot(), active.times.slot()] {
                writer.note_dirty(slot);
            }
            self.snapshot_producers(writer, self.log_end_offset())?;
        }
        Ok(())
    }
}
