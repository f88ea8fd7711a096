//! Kafka's small text files: a version, a count, then one line an entry.
//!
//! ```text
//! 0
//! 2
//! orders 0 117
//! orders 1 9
//! ```
//! Called by `dirs` (offsets of all partitions) and `epoch_cache`. A file that does not read as
//! it should counts as missing: everything in these files can be found out again from the logs.

use crate::disk::{self, Disk};
use crate::error::StorageError;
use gofka_core::ids::{Offset, TopicPartition};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

const VERSION: &str = "0";

/// Replaces the file with `entries`, one a line.
pub(crate) fn write_lines(
    disk: &Disk,
    path: &Path,
    entries: impl IntoIterator<Item = String>,
    sync: bool,
) -> Result<(), StorageError> {
    let mut body = String::new();
    let mut count = 0;
    for entry in entries {
        count += 1;
        body.push_str(&entry);
        body.push('\n');
    }
    disk.replace(path, format!("{VERSION}\n{count}\n{body}").as_bytes(), sync)
}

/// The lines of the file, where all of it reads as it should.
pub(crate) fn read_lines<T>(
    path: &Path,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<Vec<T>>, StorageError> {
    let Some(bytes) = disk::read_file(path)? else { return Ok(None) };
    let parsed = std::str::from_utf8(&bytes).ok().and_then(|text| parse_text(text, parse));
    if parsed.is_none() {
        tracing::warn!(path = %path.display(), "a damaged checkpoint is not used");
    }
    Ok(parsed)
}

fn parse_text<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let mut lines = text.lines();
    if lines.next()? != VERSION {
        return None;
    }
    let count: usize = lines.next()?.parse().ok()?;
    let entries: Option<Vec<T>> = lines.filter(|line| !line.is_empty()).map(parse).collect();
    entries.filter(|entries| entries.len() == count)
}

/// Writes one offset for each partition, and waits until it is on the disk.
pub(crate) fn write_offsets(
    disk: &Disk,
    path: &Path,
    offsets: &[(TopicPartition, Offset)],
) -> Result<(), StorageError> {
    let lines = offsets.iter().map(|(partition, offset)| {
        let mut line = String::with_capacity(partition.topic.as_str().len() + 16);
        let _ = write!(line, "{} {} {offset}", partition.topic, partition.partition);
        line
    });
    write_lines(disk, path, lines, true)
}

/// Reads them; `None` when the file is missing or damaged.
pub(crate) fn read_offsets(
    path: &Path,
) -> Result<Option<HashMap<TopicPartition, Offset>>, StorageError> {
    let lines = read_lines(path, |line| {
        let (rest, offset) = line.rsplit_once(' ')?;
        let (topic, partition) = rest.rsplit_once(' ')?;
        let partition = TopicPartition::new(topic, partition.parse().ok()?);
        let offset = Offset(offset.parse().ok()?);
        (offset >= Offset::ZERO).then_some((partition, offset))
    })?;
    Ok(lines.map(|lines| lines.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_written_as_kafka_writes_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("recovery-point-offset-checkpoint");
        let offsets = [
            (TopicPartition::new("orders", 0), Offset(117)),
            (TopicPartition::new("b", 2), Offset(9)),
        ];
        write_offsets(&Disk::new(2), &path, &offsets).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "0\n2\norders 0 117\nb 2 9\n");
        assert_eq!(read_offsets(&path).unwrap(), Some(HashMap::from(offsets)));
    }

    #[test]
    fn damaged_files_count_as_missing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("checkpoint");
        let good = "0\n1\norders 0 117\n";
        for text in [
            "",
            "0",
            "1\n1\na 0 1\n",
            "0\n2\na 0 1\n",
            "0\n1\na 0 x\n",
            "0\n1\na\n",
            "0\n1\na 0 -1\n",
            "\0\0",
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(read_offsets(&path).unwrap().is_none(), "{text:?}");
        }
        std::fs::write(&path, good).unwrap();
        assert_eq!(read_offsets(&path).unwrap().map(|offsets| offsets.len()), Some(1));
        assert!(read_offsets(&dir.path().join("none")).unwrap().is_none());
    }
}
