//! Small files beside the log: vote, commit mark and purge point.
//!
//! The vote and the purge point are replaced whole (write, sync, rename, sync the folder). The
//! commit mark is written in place and not synced: it may be stale after a power loss, never ahead
//! of the log, and a torn one reads as none.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use gofka_core::ids::Offset;
use serde::{Deserialize, Serialize};

use super::{LogId, Vote, log_id};
use crate::options::StartError;

/// Kafka's name.
const QUORUM_STATE: &str = "quorum-state";
const COMMITTED: &str = "committed";
const PURGED: &str = "purged";

/// Who this node is and how it voted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuorumState {
    /// The cluster.
    pub(crate) cluster_id: String,
    /// This node.
    pub(crate) node_id: i32,
    /// The word that `node.id` was, if it was one.
    pub(crate) node_name: Option<String>,
    /// The term voted in; Kafka calls it the leader's epoch.
    pub(crate) leader_epoch: u64,
    /// Who got the vote, -1 being nobody.
    pub(crate) voted_id: i32,
    /// The one voted for is known to lead.
    pub(crate) leader_known: bool,
    /// Kafka's version of this file.
    #[serde(rename = "data_version")]
    pub(crate) data_version: i32,
}

impl QuorumState {
    pub(crate) fn vote(&self) -> Option<Vote> {
        if self.voted_id < 0 {
            return None;
        }
        let mut vote = Vote::new(self.leader_epoch, self.voted_id as u64);
        vote.committed = self.leader_known;
        Some(vote)
    }

    pub(crate) fn set_vote(&mut self, vote: &Vote) {
        self.leader_epoch = vote.leader_id.term;
        self.voted_id = vote.leader_id.voted_for.map_or(-1, |id| id as i32);
        self.leader_known = vote.committed;
    }
}

/// The file of [`QuorumState`]: one line of JSON, and one of its CRC-32C.
#[derive(Clone, Debug)]
pub(crate) struct QuorumStateFile {
    path: PathBuf,
}

impl QuorumStateFile {
    pub(crate) fn new(partition_dir: &Path) -> Self {
        Self { path: partition_dir.join(QUORUM_STATE) }
    }

    pub(crate) fn read(&self) -> Result<Option<QuorumState>, StartError> {
        let corrupt = |what: String| StartError::Corrupt { path: self.path.clone(), what };
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StartError::Io { path: self.path.clone(), source }),
        };
        let text = String::from_utf8(text).map_err(|_| corrupt("it is no text".to_owned()))?;
        let (json, checksum) = text
            .trim_end()
            .split_once('\n')
            .ok_or_else(|| corrupt("its checksum is missing".to_owned()))?;
        if format!("{:08x}", crc32c::crc32c(json.as_bytes())) != checksum {
            return Err(corrupt("its checksum does not fit".to_owned()));
        }
        serde_json::from_str(json).map(Some).map_err(|error| corrupt(error.to_string()))
    }

    pub(crate) fn write(&self, state: &QuorumState) -> io::Result<()> {
        let json = serde_json::to_string(state).map_err(io::Error::other)?;
        let checksum = crc32c::crc32c(json.as_bytes());
        replace(&self.path, format!("{json}\n{checksum:08x}\n").as_bytes())
    }
}

/// How far the log is known to be committed.
#[derive(Debug)]
pub(super) struct CommitMark {
    file: File,
}

/// A committed entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Committed {
    /// The last entry.
    pub(super) id: LogId,
    /// The offset after it.
    pub(super) end: Offset,
}

const MARK_SIZE: usize = 28;

impl CommitMark {
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join(COMMITTED);
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        Ok(Self { file })
    }

    pub(super) fn read(&self) -> io::Result<Option<Committed>> {
        let mut bytes = [0; MARK_SIZE];
        match self.file.read_exact_at(&mut bytes, 0) {
            Ok(()) => Ok(decode_position(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn write(&self, committed: Option<Committed>) -> io::Result<()> {
        let bytes = committed.map_or([0; MARK_SIZE], |committed| encode_position(&committed));
        self.file.write_all_at(&bytes, 0)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn encode_position(position: &Committed) -> [u8; MARK_SIZE] {
    let mut bytes = [0; MARK_SIZE];
    bytes[..8].copy_from_slice(&position.id.index.to_be_bytes());
    bytes[8..16].copy_from_slice(&position.id.leader_id.term.to_be_bytes());
    bytes[16..24].copy_from_slice(&position.end.0.to_be_bytes());
    let checksum = crc32c::crc32c(&bytes[..24]);
    bytes[24..].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

fn decode_position(bytes: &[u8; MARK_SIZE]) -> Option<Committed> {
    let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    // All zeros is "none", and its checksum would be 0 too.
    if bytes.iter().all(|byte| *byte == 0) {
        return None;
    }
    let checksum = u32::from_be_bytes(bytes[24..].try_into().expect("4 bytes"));
    (crc32c::crc32c(&bytes[..24]) == checksum)
        .then(|| Committed { id: log_id(number(8), number(0)), end: Offset(number(16) as i64) })
}

/// Reads up to where the log was purged.
pub(super) fn read_purged(dir: &Path) -> Result<Option<Committed>, StartError> {
    let path = dir.join(PURGED);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StartError::Io { path, source }),
    };
    let position = bytes.try_into().ok().and_then(|bytes| decode_position(&bytes));
    position
        .map(Some)
        .ok_or_else(|| StartError::Corrupt { path, what: "its checksum does not fit".to_owned() })
}

/// Remembers up to where the log is purged.
pub(super) fn write_purged(dir: &Path, purged: &Committed) -> io::Result<()> {
    replace(&dir.join(PURGED), &encode_position(purged))
}

/// Replaces a file so that after a crash it is the old or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&temporary, path)?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// Makes the names in a folder durable.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> QuorumState {
        QuorumState {
            cluster_id: "c".to_owned(),
            node_id: 1,
            node_name: None,
            leader_epoch: 3,
            voted_id: 1,
            leader_known: true,
            data_version: 1,
        }
    }

    #[test]
    fn a_vote_with_a_flipped_bit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = QuorumStateFile::new(dir.path());
        assert_eq!(file.read().unwrap(), None);
        file.write(&state()).unwrap();
        assert_eq!(file.read().unwrap(), Some(state()));
        let path = dir.path().join(QUORUM_STATE);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() - 1 {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, bad).unwrap();
            assert!(matches!(file.read(), Err(StartError::Corrupt { .. })), "bit at byte {at}");
        }
    }

    #[test]
    fn a_torn_commit_mark_reads_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let mark = CommitMark::open(dir.path()).unwrap();
        assert_eq!(mark.read().unwrap(), None);
        let committed = Committed { id: log_id(2, 7), end: Offset(20) };
        mark.write(Some(committed)).unwrap();
        assert_eq!(mark.read().unwrap(), Some(committed));
        mark.file.write_all_at(&[9], 3).unwrap();
        assert_eq!(mark.read().unwrap(), None);
    }
}
