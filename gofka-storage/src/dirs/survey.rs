//! A look at the directories before anything in them is changed: what no start can make right by
//! itself is refused, in one line that says what a person has to do.
//!
//! Called by `open`. What cannot be read here is met again, and judged, when it is opened.

use super::load::read_topic_id;
use super::meta::MetaProperties;
use crate::error::OpenError;
use crate::names::{self, Folder};
use gofka_core::ids::{TopicId, TopicPartition};
use std::collections::HashMap;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

/// An error for directories that lack `meta.properties` beside their partitions, that lead out of
/// themselves, or of which two hold the same partition.
pub(super) fn survey(dirs: &[PathBuf], found: &[Option<MetaProperties>]) -> Result<(), OpenError> {
    let mut seen: HashMap<TopicPartition, PathBuf> = HashMap::new();
    for (dir, meta) in dirs.iter().zip(found) {
        let foreign = |problem| OpenError::Foreign { dir: dir.clone(), problem };
        for entry in entries(dir) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_metadata_log = name == names::METADATA_LOG;
            let partition = match names::parse_folder(&name) {
                Folder::Log(partition) => Some(partition),
                _ if is_metadata_log => None,
                _ => continue,
            };
            let folder = entry.path();
            if let Some(link) = link_in(&entry) {
                let link = link.strip_prefix(dir).unwrap_or(&link).display().to_string();
                return Err(foreign(format!(
                    "has a symbolic link, {link}, where a file or folder of its own has to be: \
                     put that in the place of the link"
                )));
            }
            if !folder.is_dir() {
                continue;
            }
            if meta.is_none() && !dir.join(names::META_PROPERTIES).exists() {
                return Err(foreign(format!(
                    "holds {name} but no meta.properties, which says whose it is: put that file \
                     back, or move what is there away"
                )));
            }
            let Some(partition) = partition.filter(|_| dirs.len() > 1) else { continue };
            if let Some(other) = seen.insert(partition, folder.clone())
                && may_be_same(&folder, &other)
            {
                let other = other.display();
                return Err(foreign(format!(
                    "holds {name}, and so does {other}: move away the one that is older"
                )));
            }
        }
    }
    Ok(())
}

/// A folder of another topic of that name is set aside later; one that does not say whose it is
/// may be anyone's.
fn may_be_same(folder: &Path, other: &Path) -> bool {
    let id = |folder| read_topic_id(folder).unwrap_or(TopicId::NONE);
    let (id, other) = (id(folder), id(other));
    id == other || id == TopicId::NONE || other == TopicId::NONE
}

/// The folder itself, or the first file in it, that is a symbolic link.
fn link_in(folder: &DirEntry) -> Option<PathBuf> {
    let is_link = |entry: &DirEntry| entry.file_type().is_ok_and(|kind| kind.is_symlink());
    if is_link(folder) {
        return Some(folder.path());
    }
    entries(&folder.path()).find(is_link).map(|entry| entry.path())
}

fn entries(dir: &Path) -> impl Iterator<Item = DirEntry> {
    fs::read_dir(dir).into_iter().flatten().flatten()
}
