//! Syncing a whole file system at once (`syncfs`), where that tells of errors.
//!
//! It does since Linux 5.8, for who had the file system open before they happened: the handle is
//! opened with the directory and stays open. Only ext4 is known to keep that promise and to be
//! power-loss tested; an overlay, for one, does not hear of what its lower layers could not write.

use super::{Disk, Operation, fail};
use crate::error::StorageError;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What `statfs` calls ext2, ext3 and ext4.
const EXT4: u64 = 0xef53;
const REPORTS_ERRORS_SINCE: (u32, u32) = (5, 8);

/// The file system of a directory, open.
#[derive(Debug)]
pub(crate) struct FileSystem {
    dir: File,
    path: PathBuf,
}

impl FileSystem {
    /// That of `path`, where syncing it can be relied on.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        let dir = File::open(path)?;
        let kind = rustix::fs::fstatfs(&dir)?.f_type as u64;
        let kernel = version(&rustix::system::uname().release().to_string_lossy());
        let reliable = kind == EXT4 && kernel.is_some_and(|is| is >= REPORTS_ERRORS_SINCE);
        Ok(reliable.then(|| Self { dir, path: path.to_owned() }))
    }

    /// That of `path`, whatever it is.
    #[cfg(test)]
    pub(crate) fn of_any_kind(path: &Path) -> Self {
        Self { dir: File::open(path).unwrap(), path: path.to_owned() }
    }

    /// Waits until everything on it is on the disk. An error may be that of another's file; whose
    /// it was is not known.
    pub(crate) fn sync(&self, disk: &Disk) -> Result<(), StorageError> {
        disk.gate(Operation::Sync, &self.path)?;
        rustix::fs::syncfs(&self.dir).map_err(|errno| fail(&self.path, errno.into()))
    }
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (release, known) in [
            ("6.1.0-18-amd64", Some((6, 1))),
            ("5.10", Some((5, 10))),
            ("5.8-rc1", Some((5, 8))),
            ("unknown", None),
        ] {
            assert_eq!(version(release), known, "{release}");
        }
        assert!((5, 10) >= REPORTS_ERRORS_SINCE && (5, 7) < REPORTS_ERRORS_SINCE);
    }
}
