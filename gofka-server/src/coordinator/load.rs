//! Loading a shard: its log from the start, replayed.
//!
//! Called by `follow` in a task of its own; reading and decoding run on a blocking thread.

use std::sync::Arc;

use gofka_core::error::ErrorCode;
use gofka_core::group::record::Decoded;
use gofka_core::group::{GroupRecord, GroupSettings, Shard};
use gofka_core::ids::{Offset, ProducerId};
use gofka_core::record::{Batch, Record, records, split};

use crate::partition::{Isolation, Partition, ReadRequest, blocking};

const READ_BYTES: usize = 4 << 20;
/// Larger than any batch the topic takes, compressed or not.
const DECOMPRESSED_MAX: usize = 256 << 20;
const MARKER_COMMIT: i16 = 1;

/// Reads everything that the log holds, once all of it is committed.
pub(super) async fn load(
    partition: Arc<Partition>,
    settings: Arc<GroupSettings>,
) -> Result<Shard, ErrorCode> {
    let end = partition.log().log_end_offset();
    if end == partition.log().log_start_offset() {
        return Ok(Shard::new(settings));
    }
    partition.committed(end).await?;
    blocking(move || {
        let mut shard = Shard::new(settings);
        replay_log(&partition, end, &mut shard)?;
        Ok(shard)
    })
    .await
}

fn replay_log(partition: &Partition, end: Offset, shard: &mut Shard) -> Result<(), ErrorCode> {
    let mut from = partition.log().log_start_offset();
    while from < end {
        let request = ReadRequest {
            from,
            max_bytes: READ_BYTES,
            isolation: Isolation::ReadUncommitted,
            at_least_one_batch: true,
        };
        let read = partition.read(&request)?;
        let records = partition.load(read.records)?;
        let batches = split(records).map_err(|_| ErrorCode::CorruptMessage)?;
        // Compaction may have emptied the end of the log.
        let Some(last) = batches.last() else { return Ok(()) };
        from = last.header.next_offset();
        for batch in &batches {
            replay_batch(partition, batch, shard)?;
        }
    }
    Ok(())
}

fn replay_batch(partition: &Partition, batch: &Batch, shard: &mut Shard) -> Result<(), ErrorCode> {
    let attributes = batch.header.attributes;
    let producer = attributes.is_transactional().then_some(batch.header.producer_id);
    let decoded = records(batch, DECOMPRESSED_MAX).map_err(|error| {
        let (partition, offset) = (partition.name(), batch.header.base_offset);
        tracing::error!(%partition, %offset, %error, "a batch of group records does not open");
        ErrorCode::CorruptMessage
    })?;
    for record in decoded {
        if attributes.is_control() {
            replay_marker(batch.header.producer_id, &record, shard);
        } else {
            replay_record(partition, producer, &record, shard);
        }
    }
    Ok(())
}

/// A control record's key is its version and its type.
fn replay_marker(producer: ProducerId, record: &Record, shard: &mut Shard) {
    let key = record.key.as_deref().unwrap_or_default();
    if let [_, _, high, low, ..] = key {
        let committed = i16::from_be_bytes([*high, *low]) == MARKER_COMMIT;
        shard.replay_marker(record.offset, producer, committed);
    }
}

/// A record that cannot be read costs what it says, not the whole shard.
fn replay_record(
    partition: &Partition,
    producer: Option<ProducerId>,
    record: &Record,
    shard: &mut Shard,
) {
    match GroupRecord::decode(record.key.as_deref(), record.value.as_deref()) {
        Ok(Decoded::Known(known)) => shard.replay(record.offset, producer, known),
        Ok(Decoded::Other(record_type)) => {
            let (partition, offset) = (partition.name(), record.offset);
            tracing::debug!(%partition, %offset, record_type, "a record of other groups skipped");
        }
        Err(error) => {
            let (partition, offset) = (partition.name(), record.offset);
            tracing::error!(%partition, %offset, %error, "a group record was skipped");
        }
    }
}
