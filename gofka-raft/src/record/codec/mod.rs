//! Records to bytes and back. The larger ones have a file of their own.

mod broker;
mod partition;
#[cfg(test)]
mod tests;

use broker::{read_broker, read_registration_change, registration_change_fields, write_broker};
use gofka_core::ids::{NodeId, ProducerId, TopicId, TopicName, Uuid};
use partition::{change_fields, read_partition, read_partition_change, write_partition};

use super::MetadataRecord;
use super::wire::{DecodeError, Reader, Writer, field};
use crate::image::{ConfigResource, ResourceKind};

const FRAME_VERSION: u32 = 1;

type Result<T> = std::result::Result<T, DecodeError>;

/// Type and version that a record is written with.
fn header_of(record: &MetadataRecord) -> (u32, u32) {
    match record {
        MetadataRecord::RegisterBroker(_) => (0, 3),
        MetadataRecord::UnregisterBroker { .. } => (1, 0),
        MetadataRecord::Topic { .. } => (2, 0),
        MetadataRecord::Partition { .. } => (3, 2),
        MetadataRecord::Config { .. } => (4, 0),
        MetadataRecord::PartitionChange { .. } => (5, 2),
        MetadataRecord::RemoveTopic { .. } => (9, 0),
        MetadataRecord::FeatureLevel { .. } => (12, 0),
        MetadataRecord::ProducerIds { .. } => (15, 0),
        MetadataRecord::BrokerRegistrationChange { .. } => (17, 2),
        MetadataRecord::NoOp => (20, 0),
    }
}

pub(super) fn encode(record: &MetadataRecord) -> Vec<u8> {
    let (kind, version) = header_of(record);
    let mut out = Writer::default();
    out.uvarint(FRAME_VERSION);
    out.uvarint(kind);
    out.uvarint(version);
    match record {
        MetadataRecord::RegisterBroker(broker) => write_broker(&mut out, broker),
        MetadataRecord::UnregisterBroker { id, epoch } => {
            out.i32(id.0);
            out.i64(*epoch);
            out.no_tags();
        }
        MetadataRecord::Topic { name, id } => {
            out.string(name.as_str());
            out.uuid(id.0);
            out.no_tags();
        }
        MetadataRecord::Partition { topic, index, partition } => {
            write_partition(&mut out, *topic, *index, partition);
        }
        MetadataRecord::Config { resource, name, value } => {
            out.i8(resource.kind as i8);
            out.string(&resource.name);
            out.string(name);
            out.nullable_string(value.as_deref());
            out.no_tags();
        }
        MetadataRecord::PartitionChange { topic, index, change } => {
            out.i32(index.0);
            out.uuid(topic.0);
            out.tags(&change_fields(change));
        }
        MetadataRecord::RemoveTopic { id } => {
            out.uuid(id.0);
            out.no_tags();
        }
        MetadataRecord::FeatureLevel { name, level } => {
            out.string(name);
            out.i16(*level);
            out.no_tags();
        }
        MetadataRecord::ProducerIds { broker, broker_epoch, next } => {
            out.i32(broker.0);
            out.i64(*broker_epoch);
            out.i64(next.0);
            out.no_tags();
        }
        MetadataRecord::BrokerRegistrationChange {
            id,
            epoch,
            fenced,
            in_controlled_shutdown,
            log_dirs,
        } => {
            out.i32(id.0);
            out.i64(*epoch);
            out.tags(&registration_change_fields(*fenced, *in_controlled_shutdown, log_dirs));
        }
        MetadataRecord::NoOp => out.no_tags(),
    }
    out.bytes
}

pub(super) fn decode(bytes: &[u8]) -> Result<MetadataRecord> {
    let mut input = Reader::new(bytes);
    if input.uvarint()? != FRAME_VERSION {
        return Err(DecodeError::Truncated);
    }
    let kind = input.uvarint()?;
    let version = input.uvarint()?;
    let highest = match kind {
        0 => 4,
        1 | 2 | 4 | 9 | 12 | 15 | 20 => 0,
        3 | 5 => 2,
        17 => 3,
        _ => return Err(DecodeError::UnknownType(kind)),
    };
    if version > highest {
        return Err(DecodeError::UnknownVersion { kind, version });
    }
    match kind {
        0 => read_broker(&mut input, version).map(MetadataRecord::RegisterBroker),
        3 => read_partition(&mut input, version),
        5 => read_partition_change(&mut input),
        17 => read_registration_change(&mut input),
        _ => read_small(&mut input, kind),
    }
}

/// Records of a few fixed fields; their tagged fields, if any, are of no use here.
fn read_small(input: &mut Reader<'_>, kind: u32) -> Result<MetadataRecord> {
    let record = match kind {
        1 => MetadataRecord::UnregisterBroker { id: NodeId(input.i32()?), epoch: input.i64()? },
        2 => MetadataRecord::Topic {
            name: TopicName::new(&input.string()?),
            id: TopicId(input.uuid()?),
        },
        4 => MetadataRecord::Config {
            resource: ConfigResource {
                kind: ResourceKind::from_number(input.i8()?).ok_or(DecodeError::BadText)?,
                name: input.string()?,
            },
            name: input.string()?,
            value: input.nullable_string()?,
        },
        9 => MetadataRecord::RemoveTopic { id: TopicId(input.uuid()?) },
        12 => MetadataRecord::FeatureLevel { name: input.string()?, level: input.i16()? },
        15 => MetadataRecord::ProducerIds {
            broker: NodeId(input.i32()?),
            broker_epoch: input.i64()?,
            next: ProducerId(input.i64()?),
        },
        _ => MetadataRecord::NoOp,
    };
    input.skip_tags()?;
    Ok(record)
}

fn write_ids(out: &mut Writer, ids: &[NodeId]) {
    out.array(ids, |out, id| out.i32(id.0));
}

fn read_ids(input: &mut Reader<'_>) -> Result<Vec<NodeId>> {
    input.array(|input| input.i32().map(NodeId))
}

fn write_uuids(out: &mut Writer, ids: &[Uuid]) {
    out.array(ids, |out, id| out.uuid(*id));
}
