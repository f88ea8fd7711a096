//! The only place that calls the operating system for files: opening, positional reading and
//! writing, syncing, renaming. A test can stand between a call and the system ([`Faults`]).
//!
//! Called by every other module of the crate, from any thread; everything here blocks.

mod file_system;
mod handles;

pub(crate) use file_system::FileSystem;
pub(crate) use handles::FileSlot;

use crate::error::StorageError;
use handles::Handles;
use rustix::fs::{Advice, SeekFrom};
use rustix::io::{Errno, ReadWriteFlags};
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, IoSliceMut};
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A kind of call, for [`Faults`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Write,
    SetLength,
    Allocate,
    Sync,
    SyncDir,
    Rename,
    Remove,
}

/// What a test wants to happen instead of a call that changes the disk.
pub(crate) trait Faults: Send + Sync + std::fmt::Debug {
    /// `Ok(n)` lets at most `n` bytes of a write through (fewer than `len` fail the rest);
    /// `Err` lets nothing through.
    fn check(&self, operation: Operation, path: &Path, len: usize) -> io::Result<usize>;
}

/// The file system as this crate sees it, with a bound on the files it keeps open.
#[derive(Debug)]
pub(crate) struct Disk {
    faults: Option<Arc<dyn Faults>>,
    handles: Handles,
}

impl Disk {
    /// The real file system.
    pub(crate) fn new(max_open_files: usize) -> Arc<Self> {
        Arc::new(Self { faults: None, handles: Handles::new(max_open_files) })
    }

    /// The real file system, as far as `faults` lets calls through.
    #[cfg(test)]
    pub(crate) fn with_faults(faults: Arc<dyn Faults>) -> Arc<Self> {
        Arc::new(Self { faults: Some(faults), handles: Handles::new(64) })
    }

    fn allow(&self, operation: Operation, path: &Path, len: usize) -> io::Result<usize> {
        self.faults.as_ref().map_or(Ok(len), |faults| faults.check(operation, path, len))
    }

    fn gate(&self, operation: Operation, path: &Path) -> Result<(), StorageError> {
        self.allow(operation, path, 0).map_err(|e| StorageError::io(path, e))?;
        Ok(())
    }

    /// Opens a file for reading and writing, making it where `create` says so. The kernel brings
    /// what is read into memory and nothing beside it: see `trust::Trust`, and [`read_ahead`].
    pub(crate) fn open(&self, path: &Path, create: bool) -> Result<File, StorageError> {
        if create {
            self.gate(Operation::Create, path)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create).truncate(false);
        let file = self.open_with(&options, path)?;
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::Random);
        Ok(file)
    }

    /// Where the process has too many files open, some of the idle ones make room.
    fn open_with(&self, options: &OpenOptions, path: &Path) -> Result<File, StorageError> {
        match options.open(path).map_err(|e| fail(path, e)) {
            Err(StorageError::OpenFiles { .. }) if self.handles.make_room() => {
                options.open(path).map_err(|e| fail(path, e))
            }
            other => other,
        }
    }

    /// Writes all slices, one after the other, from `position` on.
    pub(crate) fn write_at(
        &self,
        file: &File,
        path: &Path,
        mut slices: &mut [IoSlice<'_>],
        mut position: u64,
    ) -> Result<(), StorageError> {
        let len = slices.iter().map(|slice| slice.len()).sum();
        let allowed = self.allow(Operation::Write, path, len).map_err(|e| fail(path, e))?;
        if allowed < len {
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            file.write_all_at(&all[..allowed], position).map_err(|e| fail(path, e))?;
            return Err(fail(path, io::Error::other("the write was torn")));
        }
        // What is empty would look as if nothing could be written.
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            let count = slices.len().min(MAX_SLICES);
            match rustix::io::pwritev(file, &slices[..count], position) {
                Ok(0) => return Err(fail(path, io::ErrorKind::WriteZero.into())),
                Ok(written) => {
                    position += written as u64;
                    IoSlice::advance_slices(&mut slices, written);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(fail(path, errno.into())),
            }
        }
        Ok(())
    }

    /// Cuts or extends a file.
    pub(crate) fn set_len(&self, file: &File, path: &Path, len: u64) -> Result<(), StorageError> {
        self.gate(Operation::SetLength, path)?;
        file.set_len(len).map_err(|e| fail(path, e))
    }

    /// Takes blocks for `len` bytes from `position` on; the file's length stays.
    pub(crate) fn allocate(
        &self,
        file: &File,
        path: &Path,
        position: u64,
        len: u64,
    ) -> Result<(), StorageError> {
        self.gate(Operation::Allocate, path)?;
        let flags = rustix::fs::FallocateFlags::KEEP_SIZE;
        rustix::fs::fallocate(file, flags, position, len).map_err(|e| fail(path, e.into()))
    }

    /// Waits until a file's bytes and length are on the disk.
    pub(crate) fn sync_file(&self, file: &File, path: &Path) -> Result<(), StorageError> {
        self.gate(Operation::Sync, path)?;
        file.sync_data().map_err(|e| fail(path, e))
    }

    /// Waits until a folder's entries are on the disk.
    pub(crate) fn sync_dir(&self, path: &Path) -> Result<(), StorageError> {
        self.gate(Operation::SyncDir, path)?;
        let dir = self.open_with(OpenOptions::new().read(true), path)?;
        dir.sync_all().map_err(|e| fail(path, e))
    }

    /// Renames a file or folder.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<(), StorageError> {
        self.gate(Operation::Rename, from)?;
        fs::rename(from, to).map_err(|e| fail(from, e))
    }

    /// Removes a folder with all that is in it; fine when it is not there.
    pub(crate) fn remove_dir_all(&self, path: &Path) -> Result<(), StorageError> {
        self.gate(Operation::Remove, path)?;
        match fs::remove_dir_all(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(fail(path, e)),
            _ => Ok(()),
        }
    }

    /// Removes a file; fine when it is not there.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), StorageError> {
        self.gate(Operation::Remove, path)?;
        match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(fail(path, e)),
            _ => Ok(()),
        }
    }

    /// Makes a folder; whether it was not there.
    pub(crate) fn create_new_dir(&self, path: &Path) -> Result<bool, StorageError> {
        self.gate(Operation::Create, path)?;
        match fs::create_dir(path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(fail(path, e)),
        }
    }

    /// Writes a new small file; a crash may leave a part of it.
    pub(crate) fn write_new(&self, path: &Path, text: &[u8]) -> Result<(), StorageError> {
        let file = self.open(path, true)?;
        self.write_at(&file, path, &mut [IoSlice::new(text)], 0)
    }

    /// Makes a folder and those above it; fine when it is there.
    pub(crate) fn create_dir(&self, path: &Path) -> Result<(), StorageError> {
        self.gate(Operation::Create, path)?;
        fs::create_dir_all(path).map_err(|e| fail(path, e))
    }

    /// Replaces a small file in one step: a crash leaves the old text or the new. With `sync`
    /// the new text is on the disk when this returns.
    pub(crate) fn replace(&self, path: &Path, text: &[u8], sync: bool) -> Result<(), StorageError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".tmp");
        let tmp = PathBuf::from(name);
        self.remove(&tmp)?;
        let file = self.open(&tmp, true)?;
        self.write_at(&file, &tmp, &mut [IoSlice::new(text)], 0)?;
        if sync {
            self.sync_file(&file, &tmp)?;
        }
        self.rename(&tmp, path)?;
        match path.parent() {
            Some(dir) if sync => self.sync_dir(dir),
            _ => Ok(()),
        }
    }
}

/// Linux takes at most this many slices in one call (`IOV_MAX`).
const MAX_SLICES: usize = 1024;

fn fail(path: &Path, error: io::Error) -> StorageError {
    StorageError::io(path, error)
}

/// Reads at most `len` bytes from `position`; fewer only where the file ends.
pub(crate) fn read_at(file: &File, position: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut buffer = Vec::with_capacity(len);
    while buffer.len() < len {
        let at = position + buffer.len() as u64;
        match rustix::io::pread(file, rustix::buffer::spare_capacity(&mut buffer), at) {
            Ok(0) => break,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    buffer.truncate(len);
    Ok(buffer)
}

/// Fills as much of `buffer` as the file has from `position` on; how much that was.
pub(crate) fn fill_at(file: &File, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], position + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// Fills as much of `buffer` as is in memory from `position` on; how much that was, and all of it
/// where the file system cannot tell.
pub(crate) fn fill_from_memory(file: &File, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut slices = [IoSliceMut::new(buffer)];
    match rustix::io::preadv2(file, &mut slices, position, ReadWriteFlags::NOWAIT) {
        Ok(filled) => Ok(filled),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => fill_at(file, position, buffer),
        // Whatever else there is to say is said when the disk is waited for.
        Err(_) => Ok(0),
    }
}

/// Whether the page at `position` can be read without waiting for the disk. A file system that
/// cannot tell is taken at its best.
pub(crate) fn is_in_memory(file: &File, position: u64) -> bool {
    let mut byte = [0];
    let mut slices = [IoSliceMut::new(&mut byte)];
    let read = rustix::io::preadv2(file, &mut slices, position, ReadWriteFlags::NOWAIT);
    matches!(read, Ok(1) | Err(Errno::OPNOTSUPP | Errno::NOSYS))
}

/// Has the kernel bring bytes into memory that will be wanted soon. A file system that cannot does
/// not say so.
pub(crate) fn read_ahead(file: &File, bytes: Range<u64>) {
    if let Some(len) = NonZeroU64::new(bytes.end - bytes.start) {
        let _ = rustix::fs::fadvise(file, bytes.start, Some(len), Advice::WillNeed);
    }
}

/// Whether a file holds nothing but zeros in `position..end`. What was never written is not read.
pub(crate) fn is_zero(file: &File, mut position: u64, end: u64) -> io::Result<bool> {
    const CHUNK: u64 = 256 << 10;
    while position < end {
        position = match rustix::fs::seek(file, SeekFrom::Data(position)) {
            Ok(data) => data,
            Err(rustix::io::Errno::NXIO) => return Ok(true),
            // A file system that does not know its holes.
            Err(_) => position,
        };
        let len = end.saturating_sub(position).min(CHUNK) as usize;
        let bytes = read_at(file, position, len)?;
        if bytes.iter().fold(0, |all, byte| all | byte) != 0 {
            return Ok(false);
        }
        position += len as u64;
    }
    Ok(true)
}

/// A whole small file; `None` when it is not there.
pub(crate) fn read_file(path: &Path) -> Result<Option<Vec<u8>>, StorageError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(fail(path, e)),
    }
}

/// Names of what is in a folder, sorted. Names that are not UTF-8 are none of ours.
pub(crate) fn list(path: &Path) -> Result<Vec<String>, StorageError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(|e| fail(path, e))? {
        let entry = entry.map_err(|e| fail(path, e))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_written_one_after_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let disk = Disk::new(4);
        let file = disk.open(&path, true).unwrap();
        let many: Vec<[u8; 3]> = (0..3000u16).map(|i| [i as u8, (i >> 8) as u8, 7]).collect();
        let mut slices: Vec<IoSlice<'_>> = many.iter().map(|part| IoSlice::new(part)).collect();
        disk.write_at(&file, &path, &mut slices, 2).unwrap();
        assert_eq!(read_at(&file, 2, 1 << 20).unwrap(), many.concat());
        assert_eq!(read_at(&file, 1, 2).unwrap(), [0, 0]);
    }

    #[test]
    fn a_replaced_file_has_the_new_text_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let disk = Disk::new(4);
        disk.replace(&path, b"long old text", true).unwrap();
        disk.replace(&path, b"new", true).unwrap();
        assert_eq!(read_file(&path).unwrap().unwrap(), b"new");
        assert_eq!(list(dir.path()).unwrap(), ["f"]);
    }
}
