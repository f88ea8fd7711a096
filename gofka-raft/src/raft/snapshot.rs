//! Snapshots of the metadata as Kafka's `.checkpoint` files: `OFFSET-TERM.checkpoint`, a header
//! record, the records that make the image, a footer record. A file without its footer is none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use gofka_core::ids::{LeaderEpoch, Offset};
use gofka_core::record::{BatchBuilder, Compression, NewRecord, TimestampType, records, split};
use gofka_core::time::TimestampMs;
use serde::{Deserialize, Serialize};

use super::{SnapshotMeta, durable, entry, reserve};
use crate::image::MetadataImage;
use crate::options::StartError;
use crate::record::MetadataRecord;
use crate::record::control::Control;

const SUFFIX: &str = ".checkpoint";
const RECORDS_PER_BATCH: usize = 1000;

/// What the header says beyond Kafka's own fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    end_offset: i64,
    raft: SnapshotMeta,
}

/// A snapshot on disk.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) meta: SnapshotMeta,
    pub(super) end: Offset,
    pub(super) path: PathBuf,
}

/// The bytes of a snapshot of `image`.
pub(super) fn encode(image: &MetadataImage, meta: &SnapshotMeta, now: TimestampMs) -> Vec<u8> {
    let epoch = meta.last_log_id.map_or(0, |id| id.leader_id.term as i32);
    let builder = |offset: i64| {
        BatchBuilder::new(Offset(offset), Compression::None, TimestampType::CreateTime)
            .leader_epoch(LeaderEpoch(epoch))
    };
    let header = Header { end_offset: image.offset.0, raft: meta.clone() };
    let meta = serde_json::to_vec(&header).expect("a snapshot's header is plain data");
    let record = Control::SnapshotHeader { timestamp: now.0, meta };
    let mut bytes = entry::control(builder(0), &record, now).bytes.to_vec();
    let mut offset = 1;
    for chunk in image.to_records().chunks(RECORDS_PER_BATCH) {
        let mut batch = builder(offset);
        for record in chunk {
            let value = record.encode();
            let value = Some(value.as_slice());
            batch.push(&NewRecord { timestamp: now, value, ..NewRecord::default() });
        }
        bytes.extend_from_slice(&batch.build());
        offset += chunk.len() as i64;
    }
    let footer = entry::control(builder(offset), &Control::SnapshotFooter, now);
    bytes.extend_from_slice(&footer.bytes);
    bytes
}

/// What the bytes of a snapshot hold; a sentence when they are none.
pub(super) fn decode(
    bytes: Bytes,
    cluster_id: &Arc<str>,
) -> Result<(SnapshotMeta, MetadataImage), String> {
    let mut image = MetadataImage { cluster_id: cluster_id.clone(), ..MetadataImage::default() };
    let mut header: Option<Header> = None;
    let mut ended = false;
    for batch in split(bytes).map_err(|error| error.to_string())? {
        batch.check_crc().map_err(|error| error.to_string())?;
        let found = records(&batch, 0).map_err(|error| error.to_string())?;
        for record in found {
            let value = record.value.as_deref().unwrap_or_default();
            if ended {
                return Err("it goes on after its end".to_owned());
            }
            if batch.header.attributes.is_control() {
                let key = record.key.as_deref().unwrap_or_default();
                match Control::decode(key, value).map_err(|error| error.to_string())? {
                    Control::SnapshotHeader { meta, .. } => {
                        let meta = serde_json::from_slice(&meta);
                        header = Some(meta.map_err(|error| error.to_string())?);
                    }
                    Control::SnapshotFooter => ended = true,
                    other => return Err(format!("{other:?} in a snapshot")),
                }
            } else {
                let record = MetadataRecord::decode(value).map_err(|error| error.to_string())?;
                image.replay(&record).map_err(|error| error.to_string())?;
            }
        }
    }
    let header = header.filter(|_| ended).ok_or("it has no beginning or no end")?;
    image.offset = Offset(header.end_offset);
    Ok((header.raft, image))
}

/// Writes a snapshot durably, then removes the older ones.
pub(super) fn store(
    dir: &Path,
    bytes: &[u8],
    meta: &SnapshotMeta,
    end: Offset,
) -> io::Result<Stored> {
    let term = meta.last_log_id.map_or(0, |id| id.leader_id.term);
    let path = dir.join(format!("{:020}-{term:010}{SUFFIX}", end.0));
    reserve::give_way(dir, || durable::replace(&path, bytes))?;
    for older in list(dir)? {
        if older < path {
            fs::remove_file(older)?;
        }
    }
    Ok(Stored { meta: meta.clone(), end, path })
}

fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for item in fs::read_dir(dir)? {
        let path = item?.path();
        if path.to_str().is_some_and(|path| path.ends_with(SUFFIX)) {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

/// Loads the newest snapshot in `dir`, if there is one.
pub(super) fn load(
    dir: &Path,
    cluster_id: &Arc<str>,
) -> Result<Option<(Stored, MetadataImage)>, StartError> {
    let io = |source| StartError::Io { path: dir.to_owned(), source };
    let Some(path) = list(dir).map_err(io)?.pop() else { return Ok(None) };
    let bytes = fs::read(&path).map_err(io)?;
    match decode(Bytes::from(bytes), cluster_id) {
        Ok((meta, image)) => Ok(Some((Stored { meta, end: image.offset, path }, image))),
        Err(what) => Err(StartError::Corrupt { path, what }),
    }
}
