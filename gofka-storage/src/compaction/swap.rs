//! Putting a finished segment in the place of those that it was made from.
//!
//! ```text
//! 1  X.index.cleaned, X.timeindex.cleaned, X.txnindex.cleaned -> .swap
//! 2  X.log.cleaned -> X.log.swap         from here on the new segment counts
//! 3  the old segments' .log -> .log.deleted
//! 4  X.index.swap, X.timeindex.swap, X.txnindex.swap, then X.log.swap -> without .swap
//! 5  the old files are removed
//! ```
//! A start that finds `X.log.swap` goes on from step 3, as often as it takes; one that does not
//! removes what is unfinished. Called by `rewrite`, and by `recovery` before it looks at a folder.

use crate::disk::{self, Disk};
use crate::error::StorageError;
use crate::log::Log;
use crate::names;
use crate::segment::Segment;
use gofka_core::ids::Offset;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The files of a segment that are renamed; the log last, for it is the one that counts.
const EXTENSIONS: [&str; 4] = [names::INDEX, names::TIME_INDEX, names::TXN_INDEX, names::LOG];

/// One segment's file under a suffix, or without one when that is empty.
fn path(dir: &Path, base: Offset, extension: &str, suffix: &str) -> PathBuf {
    let name = names::file(base, extension);
    dir.join(if suffix.is_empty() { name } else { format!("{name}.{suffix}") })
}

impl Log {
    /// Replaces the segments of `group` by `cleaned`, whose files are synced.
    pub(super) fn swap_in(
        &self,
        group: &[Arc<Segment>],
        cleaned: &Segment,
    ) -> Result<(), StorageError> {
        let disk = self.health.disk();
        let (dir, base, size) = (&*self.dir, cleaned.base, cleaned.size());
        cleaned.retire();
        for extension in EXTENSIONS {
            let from = path(dir, base, extension, names::CLEANED);
            disk.rename(&from, &path(dir, base, extension, names::SWAP))?;
        }
        disk.sync_dir(dir).map_err(|error| self.health.fail(&error))?;
        self.replace(group, base, size).map_err(|error| self.health.fail(&error))?;
        for segment in group {
            remove_old(disk, dir, segment.base, segment.base != base)?;
        }
        self.writer.lock().new_entries = true;
        Ok(())
    }

    /// Steps 3 and 4, and the list of segments. Readers wait meanwhile: they must not meet a name
    /// whose file has changed.
    fn replace(&self, group: &[Arc<Segment>], base: Offset, size: u64) -> Result<(), StorageError> {
        let disk = self.health.disk();
        let mut segments = self.segments.write();
        for segment in group {
            segment.retire();
            let log = path(&self.dir, segment.base, names::LOG, "");
            disk.rename(&log, &path(&self.dir, segment.base, names::LOG, names::DELETED))?;
        }
        take_names(disk, &self.dir, base)?;
        let first = segments.partition_point(|segment| segment.base < base);
        let new = Arc::new(Segment::on_disk(disk, &self.dir, base, size));
        if let Some(next) = segments.get(first + group.len()) {
            new.ends_before(next.base);
        }
        if new.txns.entries()?.is_empty() {
            new.txns.reset()?;
        }
        segments.splice(first..first + group.len(), [new]);
        let before: u64 = group.iter().map(|segment| segment.size()).sum();
        self.published.size.fetch_add(size.wrapping_sub(before), Ordering::Relaxed);
        Ok(())
    }
}

/// Step 4.
fn take_names(disk: &Disk, dir: &Path, base: Offset) -> Result<(), StorageError> {
    for extension in EXTENSIONS {
        let from = path(dir, base, extension, names::SWAP);
        match disk.rename(&from, &path(dir, base, extension, "")) {
            // Done by a start that was interrupted later on.
            Err(error) if error.is_not_found() => {}
            other => other?,
        }
    }
    Ok(())
}

/// Step 5, for one segment. Its indexes go only where the new segment has another name.
fn remove_old(disk: &Disk, dir: &Path, base: Offset, indexes: bool) -> Result<(), StorageError> {
    disk.remove(&path(dir, base, names::LOG, names::DELETED))?;
    if indexes {
        for extension in [names::INDEX, names::TIME_INDEX, names::TXN_INDEX] {
            disk.remove(&path(dir, base, extension, ""))?;
        }
    }
    Ok(())
}

/// Finishes or undoes what a crash has interrupted, among the files `names` of a folder; whether
/// there was anything.
pub(crate) fn finish_swaps(
    disk: &Arc<Disk>,
    dir: &Path,
    names: &[String],
) -> Result<bool, StorageError> {
    let with_suffix = |suffix: &str| -> Vec<(Offset, &str, &String)> {
        let parsed = names.iter().filter_map(|name| {
            let (base, extension) = names::parse_file(name)?;
            let (extension, found) = extension.rsplit_once('.')?;
            (found == suffix).then_some((base, extension, name))
        });
        parsed.collect()
    };
    let (swaps, cleaned) = (with_suffix(names::SWAP), with_suffix(names::CLEANED));
    let is_decided = |base: Offset| swaps.iter().any(|(b, e, _)| *b == base && *e == names::LOG);
    for (.., name) in &cleaned {
        disk.remove(&dir.join(name))?;
    }
    for (base, extension, name) in &swaps {
        if !is_decided(*base) {
            disk.remove(&dir.join(name))?;
        } else if *extension == names::LOG {
            finish_swap(disk, dir, *base, names)?;
        }
    }
    Ok(!swaps.is_empty() || !cleaned.is_empty())
}

fn finish_swap(
    disk: &Arc<Disk>,
    dir: &Path,
    base: Offset,
    names: &[String],
) -> Result<(), StorageError> {
    let next = end_of_swap(disk, dir, base)?;
    for name in names {
        if let Some((old, names::LOG)) = names::parse_file(name)
            && old > base
            && old < next
        {
            disk.remove(&dir.join(name))?;
            remove_old(disk, dir, old, true)?;
        }
    }
    take_names(disk, dir, base)?;
    tracing::info!(dir = %dir.display(), %base, "finished a compaction that was interrupted");
    disk.sync_dir(dir)
}

/// The offset after the last batch of a `.log.swap`. Old segments below it are in it; older
/// copies above it, of which nothing stayed, do no harm until the next run.
fn end_of_swap(disk: &Arc<Disk>, dir: &Path, base: Offset) -> Result<Offset, StorageError> {
    let slot = disk::FileSlot::new(disk, path(dir, base, names::LOG, names::SWAP));
    let len = slot.file()?.metadata().map_err(|e| StorageError::io(slot.path(), e))?.len();
    let mut headers = crate::scan::Headers::new(&slot, 0, len, base)?;
    let mut next = base;
    while let Some(placed) = headers.next_header()? {
        next = placed.header.next_offset();
    }
    Ok(next)
}
