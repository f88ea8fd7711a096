//! From records to batches in the shard's log.
//!
//! Called under the shard's lock, so that the log's order is the order of decisions.

use std::sync::Arc;

use bytes::Bytes;
use gofka_core::error::ErrorCode;
use gofka_core::group::GroupRecord;
use gofka_core::ids::Offset;
use gofka_core::record::{BATCH_HEADER_SIZE, BatchBuilder, Compression, NewRecord, TimestampType};
use gofka_core::time::TimestampMs;

use crate::partition::{AppendOptions, Partition};

/// Varints and attributes around a record's key and value.
const RECORD_OVERHEAD_MAX: usize = 40;

/// Appends `records`, in as few batches as the topic's largest message allows, and gives the offset
/// of the first. Offsets are consecutive.
pub(super) fn append(
    partition: &Arc<Partition>,
    records: &[GroupRecord],
    compression: Compression,
    now: TimestampMs,
) -> Result<Offset, ErrorCode> {
    let limit = partition.config().max_message_bytes as usize;
    let mut first = None;
    let mut batch = Batch::new(compression);
    for record in records {
        let (key, value) = record.encode();
        let size = key.len() + value.as_ref().map_or(0, Bytes::len) + RECORD_OVERHEAD_MAX;
        if batch.bytes + size > limit && batch.bytes > BATCH_HEADER_SIZE {
            let full = std::mem::replace(&mut batch, Batch::new(compression));
            first.get_or_insert(full.append_to(partition, now)?);
        }
        batch.push(&key, value.as_deref(), size, now);
    }
    if batch.bytes > BATCH_HEADER_SIZE {
        first.get_or_insert(batch.append_to(partition, now)?);
    }
    Ok(first.expect("only called with records"))
}

struct Batch {
    builder: BatchBuilder,
    /// What it takes at most, uncompressed.
    bytes: usize,
}

impl Batch {
    fn new(compression: Compression) -> Self {
        let builder = BatchBuilder::new(Offset::ZERO, compression, TimestampType::CreateTime);
        Self { builder, bytes: BATCH_HEADER_SIZE }
    }

    fn push(&mut self, key: &[u8], value: Option<&[u8]>, size: usize, now: TimestampMs) {
        self.builder.push(&NewRecord { timestamp: now, key: Some(key), value, headers: &[] });
        self.bytes += size;
    }

    fn append_to(self, partition: &Arc<Partition>, now: TimestampMs) -> Result<Offset, ErrorCode> {
        match partition.append(self.builder.build(), AppendOptions::internal(now)) {
            Ok(appended) => Ok(appended.first_offset),
            Err(rejection) => {
                let (name, message) = (partition.name(), &rejection.message);
                tracing::warn!(%name, code = %rejection.error, message, "group records refused");
                Err(rejection.error)
            }
        }
    }
}
