//! Opening the directories: whose they are is settled before anything in them is changed.

use super::lock::DirLock;
use super::meta::{self, MetaProperties};
use super::survey::survey;
use super::{Dir, DirOptions, LogDirs};
use crate::checkpoint;
use crate::disk::{self, Disk};
use crate::error::{OpenError, StorageError};
use crate::health::DirHealth;
use crate::names;
use gofka_core::ids::Uuid;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

impl LogDirs {
    /// Locks and checks the directories, making those that are missing. A directory that cannot
    /// be used is offline from the start, as long as another one can.
    pub fn open(dirs: &[PathBuf], options: &DirOptions) -> Result<Self, OpenError> {
        let found: Vec<Option<MetaProperties>> =
            dirs.iter().map(|dir| look(dir, options)).collect::<Result<_, _>>()?;
        let cluster_id = agree(dirs, &found, options)?;
        survey(dirs, &found)?;
        let locks = lock_existing(dirs)?;
        let disk = Disk::new(options.max_open_files);
        let mut opened = Vec::with_capacity(dirs.len());
        for ((path, meta), lock) in dirs.iter().zip(found).zip(locks) {
            let health = DirHealth::new(path.clone(), Arc::clone(&disk), options.min_free_bytes);
            let meta = meta.unwrap_or_else(|| MetaProperties {
                cluster_id: cluster_id.clone(),
                node_id: options.node_id,
                directory_id: Uuid::new_v4(),
            });
            let lock = match prepare(&disk, path, &meta, lock) {
                Ok(Some(lock)) => Some(lock),
                Ok(None) => return Err(OpenError::Locked { dir: path.clone() }),
                Err(error) if dirs.len() == 1 => return Err(unusable(path, &error)),
                Err(error) => {
                    health.fail(&error);
                    None
                }
            };
            health.open_file_system();
            let id = meta.directory_id;
            opened.push(Dir {
                health,
                id,
                _lock: lock,
                written: Mutex::default(),
                recovery_points: Mutex::default(),
                checkpointed_sum: AtomicI64::new(0),
            });
        }
        if opened.iter().all(|dir| dir.health.offline().is_some()) {
            let dir = dirs.first().cloned().unwrap_or_default();
            let problem = opened.first().and_then(|dir| dir.health.offline().cloned());
            let problem = problem.map_or("none is given".to_owned(), |reason| reason.to_string());
            return Err(OpenError::Unusable { dir, problem });
        }
        Ok(Self {
            dirs: opened,
            cluster_id,
            threads: options.recovery_threads.max(1),
            logs: RwLock::new(HashMap::new()),
            high_watermarks: RwLock::new(HashMap::new()),
            deleted: Mutex::default(),
        })
    }
}

/// Reads `meta.properties` where there is one, and compares it with what is wanted.
fn look(dir: &Path, options: &DirOptions) -> Result<Option<MetaProperties>, OpenError> {
    let foreign = |problem| OpenError::Foreign { dir: dir.to_owned(), problem };
    // What cannot be read is met again, and judged, when the directory is prepared.
    let Ok(Some(bytes)) = disk::read_file(&dir.join(names::META_PROPERTIES)) else {
        return Ok(None);
    };
    let meta = MetaProperties::parse(&String::from_utf8_lossy(&bytes)).map_err(foreign)?;
    if meta.node_id != options.node_id {
        let problem = format!("belongs to node {}, not to {}", meta.node_id, options.node_id);
        return Err(foreign(problem));
    }
    Ok(Some(meta))
}

/// The one cluster that all of them belong to.
fn agree(
    dirs: &[PathBuf],
    found: &[Option<MetaProperties>],
    options: &DirOptions,
) -> Result<String, OpenError> {
    let mut agreed = options.cluster_id.clone();
    for (dir, meta) in dirs.iter().zip(found) {
        let Some(meta) = meta else { continue };
        match &agreed {
            Some(cluster) if *cluster != meta.cluster_id => {
                let problem = format!("belongs to cluster {}, not to {cluster}", meta.cluster_id);
                return Err(OpenError::Foreign { dir: dir.clone(), problem });
            }
            _ => agreed = Some(meta.cluster_id.clone()),
        }
    }
    Ok(agreed.unwrap_or_else(|| meta::encode_id(Uuid::new_v4())))
}

/// Takes the locks that there are, so that one that is taken is met before any directory changes.
fn lock_existing(dirs: &[PathBuf]) -> Result<Vec<Option<DirLock>>, OpenError> {
    let lock = |dir: &PathBuf| {
        let path = dir.join(names::LOCK);
        if !path.exists() {
            return Ok(None);
        }
        match DirLock::take(&path) {
            Ok(Some(lock)) => Ok(Some(lock)),
            Ok(None) => Err(OpenError::Locked { dir: dir.clone() }),
            // Met again, and judged, when the directory is prepared.
            Err(_) => Ok(None),
        }
    };
    dirs.iter().map(lock).collect()
}

/// Makes, locks and marks a directory; `None` when another process has it.
fn prepare(
    disk: &Disk,
    path: &Path,
    meta: &MetaProperties,
    lock: Option<DirLock>,
) -> Result<Option<DirLock>, StorageError> {
    disk.create_dir(path)?;
    let lock_path = path.join(names::LOCK);
    let lock = match lock {
        Some(lock) => lock,
        None => match DirLock::take(&lock_path).map_err(|e| StorageError::io(&lock_path, e))? {
            Some(lock) => lock,
            None => return Ok(None),
        },
    };
    let file = path.join(names::META_PROPERTIES);
    if disk::read_file(&file)?.is_none() {
        // Where it is missing later, it is not known any more what was on the disk.
        checkpoint::write_offsets(disk, &path.join(names::RECOVERY_POINTS), &[])?;
        disk.replace(&file, meta.to_text().as_bytes(), true)?;
    }
    Ok(Some(lock))
}

fn unusable(path: &Path, error: &StorageError) -> OpenError {
    let problem = match error {
        StorageError::Io { source, .. } => match source.kind() {
            ErrorKind::ReadOnlyFilesystem => {
                "its file system is mounted read-only: mount it read-write".to_owned()
            }
            ErrorKind::PermissionDenied => {
                let user = rustix::process::geteuid().as_raw();
                format!("user {user} may not write there: give it the directory (chown)")
            }
            _ => source.to_string(),
        },
        other => other.to_string(),
    };
    OpenError::Unusable { dir: path.to_owned(), problem }
}
