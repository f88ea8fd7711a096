//! Disk blocks taken ahead of appends, so that a sync has fewer to look for (docs/adr/0006).
//!
//! Called while appending in `fsync` mode, and where a segment is sealed or closed. The file is as
//! long as what was written to it: nobody finds zeros after the last batch, neither tools nor a
//! start after a crash. Small logs take nothing ahead, and none do where space is short.

use crate::error::StorageError;
use crate::log::Log;
use crate::segment::Segment;
use std::sync::atomic::Ordering;

/// A shorter file takes no blocks ahead.
const FIRST: u64 = 1 << 20;
/// As much of what a file holds is taken ahead of it, up to a limit.
const SHARE: u64 = 4;
const STEP_MAX: u64 = 16 << 20;
/// File systems hold a little more than what was written.
const SLACK: u64 = 64 << 10;

impl Log {
    /// Takes blocks for the active segment, which is about to be `end` bytes long and may get
    /// `limit`. It is no error when there are none: the write that needs them will tell.
    pub(crate) fn preallocate(&self, active: &Segment, end: u64, limit: u64) {
        let allocated = active.allocated.load(Ordering::Relaxed);
        if end < FIRST || end <= allocated {
            return;
        }
        let (from, up_to) = (active.size(), wanted(end, limit));
        // Also where none are taken: the next attempt is a step later.
        active.allocated.store(up_to, Ordering::Relaxed);
        if !self.health.space().has_plenty(self.health.path(), up_to - from) {
            return;
        }
        let Ok(file) = active.log.file() else { return };
        let taken = self.health.disk().allocate(&file, active.log.path(), from, up_to - from);
        if let Err(error) = taken {
            tracing::debug!(%error, "no blocks are taken ahead");
        }
    }
}

impl Segment {
    /// Notes that the file was found with `held` bytes of blocks: what a process took ahead that
    /// did not end in order is used, or given back.
    pub(crate) fn note_found(&self, held: u64) {
        if held > self.size() + SLACK {
            self.allocated.store(held, Ordering::Relaxed);
        }
    }

    /// Gives back blocks that were taken and not written.
    pub(crate) fn give_back(&self) -> Result<(), StorageError> {
        if self.allocated.swap(0, Ordering::Relaxed) <= self.size() {
            return Ok(());
        }
        let file = self.log.file()?;
        self.log.disk().set_len(&file, self.log.path(), self.size())
    }
}

fn wanted(end: u64, limit: u64) -> u64 {
    (end + (end / SHARE).min(STEP_MAX)).min(limit).max(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, Faults, Operation};
    use crate::error::AppendError;
    use crate::health::DirHealth;
    use crate::log::{LogOptions, LogPlace, Opened};
    use crate::testing::*;
    use gofka_core::config::{Durability, TopicConfig};
    use gofka_core::ids::Offset;
    use std::io;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;
    use std::sync::Arc;

    #[test]
    fn steps_grow_with_the_file_and_end_with_the_segment() {
        const MIB: u64 = 1 << 20;
        for (end, limit, up_to) in [
            (MIB, 1024 * MIB, MIB + MIB / 4),
            (16 * MIB, 1024 * MIB, 20 * MIB),
            (200 * MIB, 1024 * MIB, 216 * MIB),
            (1020 * MIB, 1024 * MIB, 1024 * MIB),
            (1024 * MIB, 1024 * MIB, 1024 * MIB),
            (3 * MIB, 2 * MIB, 3 * MIB),
        ] {
            assert_eq!(wanted(end, limit), up_to, "{end} of {limit}");
        }
    }

    /// Counts allocations, and lets none through.
    #[derive(Debug, Default)]
    struct NoBlocks(std::sync::atomic::AtomicUsize);

    impl Faults for NoBlocks {
        fn check(&self, operation: Operation, _: &Path, len: usize) -> io::Result<usize> {
            if operation == Operation::Allocate {
                self.0.fetch_add(1, Ordering::Relaxed);
                return Err(io::Error::from_raw_os_error(28));
            }
            Ok(len)
        }
    }

    fn log(dir: &Path, disk: Arc<Disk>, durability: Durability) -> Log {
        let config = TopicConfig { durability, segment_bytes: 8 << 20, ..TopicConfig::default() };
        let place = LogPlace {
            partition: partition(),
            topic_id: TOPIC_ID,
            dir: dir.to_owned(),
            health: DirHealth::new(dir.to_owned(), disk, 0),
            config: Arc::new(config),
        };
        Log::assemble(place, Opened::default())
    }

    fn fill(log: &Log, bytes: u64) -> Result<(), AppendError> {
        let batch = batch(&"x".repeat(100_000), 1);
        while log.size_bytes() < bytes {
            log.append_as_leader(std::slice::from_ref(&batch), EPOCH, NOW)?;
        }
        Ok(())
    }

    /// Length of the first segment, and what the disk holds for it.
    fn first_segment(dir: &Path) -> (u64, u64) {
        let file = std::fs::metadata(dir.join("00000000000000000000.log")).unwrap();
        (file.len(), file.blocks() * 512)
    }

    #[test]
    fn blocks_are_taken_in_fsync_mode_and_given_back() {
        let end_by_roll: fn(&Log) = |log| log.roll().unwrap();
        let end_by_close: fn(&Log) = |log| log.close().unwrap();
        for end in [end_by_roll, end_by_close] {
            let dir = tempfile::tempdir().unwrap();
            let log = log(dir.path(), Disk::new(8), Durability::Fsync);
            fill(&log, 900_000).unwrap();
            log.sync().unwrap();
            let (len, held) = first_segment(dir.path());
            assert!(held < len + 64 * 1024, "{held} bytes for {len}");
            fill(&log, 4 << 20).unwrap();
            log.sync().unwrap();
            let (len, held) = first_segment(dir.path());
            assert_eq!(len, log.size_bytes());
            assert!(held > len + 256 * 1024, "{held} bytes for {len}");
            end(&log);
            let (len, held) = first_segment(dir.path());
            assert_eq!(len, log.size_bytes());
            assert!(held < len + 64 * 1024, "{held} bytes for {len}");
        }
    }

    #[test]
    fn blocks_that_a_killed_process_has_taken_are_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let killed = log(dir.path(), Disk::new(8), Durability::Fsync);
        fill(&killed, 5 << 20).unwrap();
        killed.sync().unwrap();
        let (len, held) = first_segment(dir.path());
        assert!(held > len + 256 * 1024, "{held} bytes for {len}");
        let options = LogOptions {
            dir: dir.path().to_owned(),
            partition: partition(),
            topic_id: TOPIC_ID,
            config: killed.config(),
        };
        drop(killed);
        let log = Log::open(options).unwrap();
        log.roll().unwrap();
        let (len, held) = first_segment(dir.path());
        assert_eq!(len, log.size_bytes());
        assert!(held < len + 64 * 1024, "{held} bytes for {len}");
    }

    #[test]
    fn without_blocks_to_take_appends_go_on_and_the_disk_is_not_asked_each_time() {
        for (durability, most) in [(Durability::Fsync, 20), (Durability::PageCache, 0)] {
            let dir = tempfile::tempdir().unwrap();
            let faults = Arc::new(NoBlocks::default());
            let log = log(dir.path(), Disk::with_faults(Arc::clone(&faults) as _), durability);
            fill(&log, 7 << 20).unwrap();
            let asked = faults.0.load(Ordering::Relaxed);
            assert!(asked <= most && (most == 0 || asked > 2), "asked {asked} times");
            log.close().unwrap();
            assert!(log.log_end_offset() > Offset(60));
        }
    }
}
