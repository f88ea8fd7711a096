//! Space kept free for the metadata log, so that a full disk neither ends raft nor keeps topics
//! from being deleted.
//!
//! A file that holds the space gives way to the first write that finds none, and is made again
//! once there is room.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

const RESERVE_BYTES: u64 = 4 << 20;
const RESERVE: &str = "reserve";

/// Runs `write`; when the disk is full, once more without the reserve.
pub(super) fn give_way<T>(dir: &Path, mut write: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    match write() {
        Err(error) if error.kind() == io::ErrorKind::StorageFull => {
            tracing::error!("no space for the metadata log, using its reserve");
            fs::remove_file(dir.join(RESERVE)).map_err(|_| error)?;
            write()
        }
        other => other,
    }
}

/// Takes the space if it is not taken yet; whether it is there now.
pub(super) fn keep(dir: &Path) -> bool {
    let path = dir.join(RESERVE);
    if path.exists() {
        return true;
    }
    let kept = OpenOptions::new().create(true).truncate(true).write(true).open(&path);
    match kept.and_then(|file| allocate(&file)) {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "no space can be kept in reserve for the metadata log");
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(%error, "an empty reserve is left behind");
            }
            false
        }
    }
}

fn allocate(file: &File) -> io::Result<()> {
    let flags = rustix::fs::FallocateFlags::empty();
    rustix::fs::fallocate(file, flags, 0, RESERVE_BYTES).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_gets_the_reserve_once() {
        let dir = tempfile::tempdir().unwrap();
        assert!(keep(dir.path()));
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let mut tries = 0;
        let written = give_way(dir.path(), || {
            tries += 1;
            if tries == 1 { Err(full()) } else { Ok(tries) }
        });
        assert_eq!(written.unwrap(), 2);
        assert!(!dir.path().join(RESERVE).exists());
        let refused = give_way(dir.path(), || Err::<(), _>(full()));
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(keep(dir.path()));
    }
}
