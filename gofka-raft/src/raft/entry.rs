//! An entry of raft as a batch of the metadata log, and back.

use gofka_core::ids::{LeaderEpoch, Offset};
use gofka_core::record::{Batch, BatchBuilder, Compression, NewRecord, TimestampType, records};
use gofka_core::time::TimestampMs;
use openraft::EntryPayload;

use super::{Command, Entry, log_id};
use crate::record::control::Control;

/// No metadata batch is compressed, so nothing is ever expanded.
const MAX_DECOMPRESSED: usize = 0;

/// How many offsets of the log `entry` takes.
pub(super) fn offsets_of(entry: &Entry) -> i64 {
    match &entry.payload {
        EntryPayload::Normal(command) => command.records.len().max(1) as i64,
        EntryPayload::Blank | EntryPayload::Membership(_) => 1,
    }
}

/// The batch of `entry` at `offset`; `leader` is who leads its term.
pub(super) fn encode(entry: &Entry, offset: Offset, leader: i32, now: TimestampMs) -> Batch {
    let epoch = LeaderEpoch(entry.log_id.leader_id.term as i32);
    let builder =
        BatchBuilder::new(offset, Compression::None, TimestampType::CreateTime).leader_epoch(epoch);
    match &entry.payload {
        EntryPayload::Normal(command) if !command.records.is_empty() => {
            let mut builder = builder;
            for value in &command.records {
                let value = Some(value.as_slice());
                builder.push(&NewRecord { timestamp: now, value, ..NewRecord::default() });
            }
            builder.build_batch()
        }
        EntryPayload::Normal(_) => {
            let nothing = crate::record::MetadataRecord::NoOp.encode();
            let mut builder = builder;
            let value = Some(nothing.as_slice());
            builder.push(&NewRecord { timestamp: now, value, ..NewRecord::default() });
            builder.build_batch()
        }
        EntryPayload::Blank => control(builder, &Control::LeaderChange { leader }, now),
        EntryPayload::Membership(membership) => {
            let record = Control::Voters {
                voters: membership.voter_ids().map(|id| id as i32).collect(),
                membership: serde_json::to_vec(membership).expect("a membership is plain data"),
            };
            control(builder, &record, now)
        }
    }
}

/// A batch of one control record.
pub(super) fn control(builder: BatchBuilder, record: &Control, now: TimestampMs) -> Batch {
    let mut builder = builder.control();
    let (key, value) = record.encode();
    builder.push(&NewRecord {
        timestamp: now,
        key: Some(&key),
        value: Some(&value),
        ..NewRecord::default()
    });
    builder.build_batch()
}

/// The entry that `batch` holds at `index`; a sentence when it holds none.
pub(super) fn decode(batch: &Batch, index: u64) -> Result<Entry, String> {
    let term = u64::try_from(batch.header.leader_epoch.0)
        .map_err(|_| format!("batch without a term at offset {}", batch.header.base_offset))?;
    let found = records(batch, MAX_DECOMPRESSED).map_err(|error| error.to_string())?;
    let payload = if batch.header.attributes.is_control() {
        let record = found.first().ok_or("a control batch without a record")?;
        let key = record.key.as_deref().unwrap_or_default();
        let value = record.value.as_deref().unwrap_or_default();
        match Control::decode(key, value).map_err(|error| error.to_string())? {
            Control::LeaderChange { .. } => EntryPayload::Blank,
            Control::Voters { membership, .. } => EntryPayload::Membership(
                serde_json::from_slice(&membership).map_err(|error| error.to_string())?,
            ),
            other => return Err(format!("{other:?} outside a snapshot")),
        }
    } else {
        let values = found.into_iter().map(|record| record.value.unwrap_or_default().to_vec());
        EntryPayload::Normal(Command { records: values.collect() })
    };
    Ok(Entry { log_id: log_id(term, index), payload })
}
