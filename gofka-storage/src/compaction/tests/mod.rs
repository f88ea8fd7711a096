//! Compaction over real files, by theme, and what all of the themes use.

mod damaged;
mod ended_early;
mod histories;
mod kept;
mod producers;
mod rewritten;
mod waiting;

use super::*;
use crate::disk;
use crate::testing::*;
use gofka_core::config::CleanupPolicy;
use gofka_core::record::{self, BatchBuilder, Compression, NewRecord, Record, TimestampType};
use std::collections::BTreeMap;

const MAP_BYTES: usize = 1 << 20;

/// Records go after a second, too.
fn compacted_and_expiring() -> TopicConfig {
    let cleanup_policy = CleanupPolicy { delete: true, compact: true };
    TopicConfig { cleanup_policy, retention_ms: Some(1000), ..compacted() }
}

fn compact(log: &Log, now: i64) -> Option<CompactionOutcome> {
    compact_log(log, TimestampMs(now), log.log_end_offset(), MAP_BYTES).unwrap()
}

/// Key, value and offset of every record.
fn contents(log: &Log) -> Vec<(String, Option<String>, i64)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let triple = |record: &Record| {
        let key = record.key.as_deref().map(text).unwrap_or_default();
        (key, record.value.as_deref().map(text), record.offset.0)
    };
    read_all(log, log.log_start_offset(), 1000).iter().map(triple).collect()
}

/// The last value of each key; keys that were deleted last have none.
fn latest(contents: &[(String, Option<String>, i64)]) -> BTreeMap<String, Option<String>> {
    contents.iter().map(|(key, value, _)| (key.clone(), value.clone())).collect()
}

fn put(log: &Log, key: &str, value: Option<&str>) {
    append(log, &batch_of(&[(key, value, NOW.0)]));
}

#[test]
fn groups_keep_within_a_segment() {
    let dir = tempfile::tempdir().unwrap();
    let disk = disk::Disk::new(4);
    let segments: Vec<Arc<Segment>> = [(0, 400), (10, 400), (20, 400), (30, 900), (40, 0)]
        .map(|(base, size)| Arc::new(Segment::on_disk(&disk, dir.path(), Offset(base), size)))
        .into();
    crate::log::note_ends(&segments, Offset(40));
    let sizes: Vec<usize> = groups(&segments, &config()).map(<[_]>::len).collect();
    assert_eq!(sizes, [2, 1, 2]);
}
