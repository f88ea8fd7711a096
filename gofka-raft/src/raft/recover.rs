//! Opening the metadata log: reading it through, and telling a torn end from damage.
//!
//! A crash can leave a torn end that nobody was promised: it is cut. Anything else that does not
//! read was acknowledged once; then the log is refused with a sentence, and nothing is touched.

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use gofka_core::ids::Offset;
use gofka_core::record::{BATCH_HEADER_SIZE, Batch, BatchHeader};

use super::durable::{Committed, read_purged};
use super::log_file::{LogFile, Position, Segment};
use crate::options::StartError;

/// Opens the log in `dir`; `committed` is how far it was promised.
pub(super) fn open(dir: &Path, committed: Option<Committed>) -> Result<LogFile, StartError> {
    let io = |source| StartError::Io { path: dir.to_owned(), source };
    let purged = read_purged(dir)?;
    let mut log = LogFile {
        dir: dir.to_owned(),
        segments: Vec::new(),
        purged,
        entries: VecDeque::new(),
        written: 0,
    };
    let bases = segment_bases(dir)?;
    let promised = committed.map_or(Offset::ZERO, |committed| committed.end);
    for (position, base) in bases.iter().enumerate() {
        let is_last = position + 1 == bases.len();
        load_segment(&mut log, *base, is_last, promised)?;
    }
    if log.segments.is_empty() {
        log.begin_segment().map_err(io)?;
    }
    if log.next_offset() < promised {
        return Err(StartError::Corrupt {
            path: dir.to_owned(),
            what: format!("it ends at offset {}, but {promised} was promised", log.next_offset()),
        });
    }
    Ok(log)
}

fn segment_bases(dir: &Path) -> Result<Vec<Offset>, StartError> {
    let io = |source| StartError::Io { path: dir.to_owned(), source };
    let mut bases = Vec::new();
    for item in fs::read_dir(dir).map_err(io)? {
        let name = item.map_err(io)?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(".log"));
        if let Some(Ok(base)) = digits.map(str::parse) {
            bases.push(Offset(base));
        }
    }
    bases.sort_unstable();
    Ok(bases)
}

fn load_segment(
    log: &mut LogFile,
    base: Offset,
    is_last: bool,
    promised: Offset,
) -> Result<(), StartError> {
    let path = super::log_file::segment_path(&log.dir, base);
    let io = |source| StartError::Io { path: path.clone(), source };
    let corrupt = |what: String| StartError::Corrupt { path: path.clone(), what };
    let bytes = Bytes::from(fs::read(&path).map_err(io)?);
    let mut at = 0;
    let mut next = base;
    while at < bytes.len() {
        match batch_at(&bytes.slice(at..), next) {
            Ok(batch) => {
                push(log, &batch, base, at as u64).map_err(corrupt)?;
                next = batch.header.next_offset();
                at += batch.bytes.len();
            }
            Err(what) => {
                let torn = is_last && next >= promised && !goes_on_after(&bytes, at, next);
                if !torn {
                    return Err(corrupt(format!("offset {next}, byte {at}: {what}")));
                }
                tracing::warn!(offset = %next, byte = at, "cut a torn metadata log: {what}");
                break;
            }
        }
    }
    let file = OpenOptions::new().read(true).write(true).open(&path).map_err(io)?;
    if at < bytes.len() {
        file.set_len(at as u64).and_then(|()| file.sync_all()).map_err(io)?;
    }
    log.segments.push(Segment { base, path: path.clone(), file: Arc::new(file), size: at as u64 });
    Ok(())
}

/// The batch at the front of `bytes`, which must start at `expected`.
fn batch_at(bytes: &Bytes, expected: Offset) -> Result<Batch, String> {
    let header = BatchHeader::parse(bytes).map_err(|error| error.to_string())?;
    if header.base_offset != expected {
        return Err(format!("batch of offset {}", header.base_offset));
    }
    if header.size() > bytes.len() {
        return Err("the batch is cut short".to_owned());
    }
    let batch = Batch::parse(bytes.slice(..header.size())).map_err(|error| error.to_string())?;
    batch.check_crc().map_err(|error| error.to_string())?;
    Ok(batch)
}

/// Takes `batch` into the index, unless it was purged.
fn push(log: &mut LogFile, batch: &Batch, segment: Offset, at: u64) -> Result<(), String> {
    let header = &batch.header;
    if log.purged.is_some_and(|purged| header.base_offset < purged.end) {
        return Ok(());
    }
    if header.base_offset != log.next_offset() {
        return Err(format!("offset {} is missing", log.next_offset()));
    }
    let term = u64::try_from(header.leader_epoch.0).map_err(|_| "a batch without a term")?;
    let last_term = log.last_id().map_or(0, |last| last.leader_id.term);
    if term < last_term {
        return Err(format!("term {term} after term {last_term}"));
    }
    log.entries.push_back(Position {
        term,
        offset: header.base_offset,
        next: header.next_offset(),
        segment,
        at,
        size: batch.bytes.len() as u32,
    });
    log.written += batch.bytes.len() as u64;
    Ok(())
}

/// Whether a whole batch of a later offset follows what does not read at `at`. A page that never
/// reached the disk reads as zeros; then what follows was never promised either.
fn goes_on_after(bytes: &Bytes, at: usize, next: Offset) -> bool {
    let never_written = bytes[at..].iter().take(BATCH_HEADER_SIZE).all(|byte| *byte == 0);
    if never_written {
        return false;
    }
    (at + 1..bytes.len().saturating_sub(BATCH_HEADER_SIZE)).any(|start| {
        let rest = bytes.slice(start..);
        BatchHeader::parse(&rest).is_ok_and(|header| {
            header.base_offset > next && batch_at(&rest, header.base_offset).is_ok()
        })
    })
}

#[cfg(test)]
mod tests {
    use gofka_core::time::TimestampMs;
    use openraft::EntryPayload;

    use super::super::{Command, Entry, log_id};
    use super::*;
    use crate::record::MetadataRecord;

    fn entry(index: u64) -> Entry {
        let records = vec![MetadataRecord::NoOp.encode(); 2];
        Entry { log_id: log_id(1, index), payload: EntryPayload::Normal(Command { records }) }
    }

    fn written(dir: &Path, count: u64) -> LogFile {
        let mut log = open(dir, None).unwrap();
        for index in 0..count {
            log.append([entry(index)], 1, TimestampMs(5)).unwrap();
        }
        log
    }

    fn promised(end: i64) -> Committed {
        Committed { id: log_id(1, 0), end: Offset(end) }
    }

    #[test]
    fn what_was_appended_is_there_after_opening_again() {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), 3);
        let log = open(dir.path(), Some(promised(6))).unwrap();
        assert_eq!((log.next_index(), log.next_offset()), (3, Offset(6)));
        assert_eq!(log.read(1).unwrap(), Some(entry(1)));
        assert_eq!(log.last_id(), Some(log_id(1, 2)));
    }

    #[test]
    fn a_torn_end_is_cut_and_a_promised_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let log = written(dir.path(), 3);
        let file = log.unsynced();
        file.set_len(log.written - 5).unwrap();
        assert!(matches!(open(dir.path(), Some(promised(6))), Err(StartError::Corrupt { .. })));
        let log = open(dir.path(), Some(promised(4))).unwrap();
        assert_eq!(log.next_index(), 2);
        file.set_len(log.written + 100).unwrap();
        assert_eq!(open(dir.path(), None).unwrap().next_index(), 2);
    }

    #[test]
    fn damage_in_the_middle_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let log = written(dir.path(), 3);
        let path = log.segments[0].path.clone();
        let mut bytes = fs::read(&path).unwrap();
        let at = log.entries[1].at as usize;
        bytes[at + 70] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(matches!(open(dir.path(), None), Err(StartError::Corrupt { .. })));
    }

    #[test]
    fn truncated_and_purged_entries_stay_away() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = written(dir.path(), 5);
        log.truncate(4).unwrap();
        log.purge(log_id(1, 1), None).unwrap();
        for log in [log, open(dir.path(), None).unwrap()] {
            assert_eq!((log.first_index(), log.next_index()), (2, 4));
            assert_eq!(log.next_offset(), Offset(8));
            assert_eq!(log.read(1).unwrap(), None);
            assert_eq!(log.read(3).unwrap(), Some(entry(3)));
        }
    }

    #[test]
    fn a_log_purged_whole_goes_on_where_it_ended() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = written(dir.path(), 3);
        log.purge(log_id(1, 2), None).unwrap();
        log.append([entry(3)], 1, TimestampMs(5)).unwrap();
        let log = open(dir.path(), Some(promised(8))).unwrap();
        assert_eq!((log.first_index(), log.next_index()), (3, 4));
        assert_eq!(log.read(3).unwrap(), Some(entry(3)));
    }
}
