//! Records to bytes and back; a function pair for each of the larger ones.

use std::collections::BTreeMap;

use gofka_core::ids::{
    LeaderEpoch, NodeId, PartitionEpoch, PartitionIndex, ProducerId, TopicId, TopicName, Uuid,
};

use super::wire::{DecodeError, Reader, Writer, field};
use super::{MetadataRecord, PartitionChange};
use crate::image::{BrokerImage, ConfigResource, Endpoint, PartitionImage, ResourceKind};

const FRAME_VERSION: u32 = 1;
const NO_LEADER: i32 = -1;
const LEADER_UNCHANGED: i32 = -2;

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

fn write_broker(out: &mut Writer, broker: &BrokerImage) {
    out.i32(broker.id.0);
    out.bool(false); // migrating from ZooKeeper, never
    out.uuid(broker.incarnation);
    out.i64(broker.epoch);
    out.array(&broker.endpoints, |out, endpoint| {
        out.string(&endpoint.listener);
        out.string(&endpoint.host);
        out.u16(endpoint.port);
        out.i16(endpoint.security_protocol);
        out.no_tags();
    });
    let features: Vec<_> = broker.features.iter().collect();
    out.array(&features, |out, (name, (min, max))| {
        out.string(name);
        out.i16(*min);
        out.i16(*max);
        out.no_tags();
    });
    out.nullable_string(broker.rack.as_deref());
    out.bool(broker.fenced);
    out.bool(broker.in_controlled_shutdown);
    match broker.log_dirs.as_slice() {
        [] => out.no_tags(),
        dirs => out.tags(&[(0, field(|out| write_uuids(out, dirs)))]),
    }
}

fn read_broker(input: &mut Reader<'_>, version: u32) -> Result<BrokerImage> {
    let id = NodeId(input.i32()?);
    if version >= 2 {
        input.bool()?;
    }
    let incarnation = input.uuid()?;
    let epoch = input.i64()?;
    let endpoints = input.array(|input| {
        let endpoint = Endpoint {
            listener: input.string()?,
            host: input.string()?,
            port: input.u16()?,
            security_protocol: input.i16()?,
        };
        input.skip_tags()?;
        Ok(endpoint)
    })?;
    let features = input.array(|input| {
        let feature = (input.string()?, (input.i16()?, input.i16()?));
        input.skip_tags()?;
        Ok(feature)
    })?;
    let mut broker = BrokerImage {
        id,
        epoch,
        incarnation,
        endpoints,
        rack: input.nullable_string()?,
        features: features.into_iter().collect::<BTreeMap<_, _>>(),
        log_dirs: Vec::new(),
        fenced: input.bool()?,
        in_controlled_shutdown: version >= 1 && input.bool()?,
    };
    input.tags(|tag, input| {
        if tag == 0 {
            broker.log_dirs = input.array(Reader::uuid)?;
        }
        Ok(())
    })?;
    Ok(broker)
}

fn write_partition(
    out: &mut Writer,
    topic: TopicId,
    index: PartitionIndex,
    partition: &PartitionImage,
) {
    out.i32(index.0);
    out.uuid(topic.0);
    write_ids(out, &partition.replicas);
    write_ids(out, &partition.isr);
    write_ids(out, &partition.removing);
    write_ids(out, &partition.adding);
    out.i32(partition.leader.map_or(NO_LEADER, |leader| leader.0));
    out.i32(partition.leader_epoch.0);
    out.i32(partition.partition_epoch.0);
    write_uuids(out, &partition.directories);
    let mut tags = Vec::new();
    if !partition.elr.is_empty() {
        tags.push((1, field(|out| write_ids(out, &partition.elr))));
    }
    if !partition.last_known_elr.is_empty() {
        tags.push((2, field(|out| write_ids(out, &partition.last_known_elr))));
    }
    out.tags(&tags);
}

fn read_partition(input: &mut Reader<'_>, version: u32) -> Result<MetadataRecord> {
    let index = PartitionIndex(input.i32()?);
    let topic = TopicId(input.uuid()?);
    let mut partition = PartitionImage {
        replicas: read_ids(input)?,
        isr: read_ids(input)?,
        removing: read_ids(input)?,
        adding: read_ids(input)?,
        leader: node_or_none(input.i32()?),
        leader_epoch: LeaderEpoch(input.i32()?),
        partition_epoch: PartitionEpoch(input.i32()?),
        ..PartitionImage::default()
    };
    if version >= 1 {
        partition.directories = input.array(Reader::uuid)?;
    }
    input.tags(|tag, input| {
        match tag {
            1 => partition.elr = read_ids(input)?,
            2 => partition.last_known_elr = read_ids(input)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(MetadataRecord::Partition { topic, index, partition })
}

fn node_or_none(number: i32) -> Option<NodeId> {
    (number >= 0).then_some(NodeId(number))
}

fn change_fields(change: &PartitionChange) -> Vec<(u32, Vec<u8>)> {
    let mut fields = Vec::new();
    let ids = |ids: &Vec<NodeId>| field(|out| write_ids(out, ids));
    let lists = [
        (0, &change.isr),
        (2, &change.replicas),
        (3, &change.removing),
        (4, &change.adding),
        (6, &change.elr),
        (7, &change.last_known_elr),
    ];
    for (tag, list) in lists {
        if let Some(list) = list {
            fields.push((tag, ids(list)));
        }
    }
    if let Some(leader) = change.leader {
        let number = leader.map_or(NO_LEADER, |leader| leader.0);
        fields.push((1, field(|out| out.i32(number))));
    }
    if let Some(directories) = &change.directories {
        fields.push((8, field(|out| write_uuids(out, directories))));
    }
    fields.sort_by_key(|(tag, _)| *tag);
    fields
}

fn read_partition_change(input: &mut Reader<'_>) -> Result<MetadataRecord> {
    let index = PartitionIndex(input.i32()?);
    let topic = TopicId(input.uuid()?);
    let mut change = PartitionChange::default();
    input.tags(|tag, input| {
        match tag {
            0 => change.isr = Some(read_ids(input)?),
            1 => match input.i32()? {
                LEADER_UNCHANGED => {}
                number => change.leader = Some(node_or_none(number)),
            },
            2 => change.replicas = Some(read_ids(input)?),
            3 => change.removing = Some(read_ids(input)?),
            4 => change.adding = Some(read_ids(input)?),
            6 => change.elr = Some(read_ids(input)?),
            7 => change.last_known_elr = Some(read_ids(input)?),
            8 => change.directories = Some(input.array(Reader::uuid)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(MetadataRecord::PartitionChange { topic, index, change })
}

fn registration_change_fields(
    fenced: Option<bool>,
    in_controlled_shutdown: bool,
    log_dirs: &[Uuid],
) -> Vec<(u32, Vec<u8>)> {
    let mut fields = Vec::new();
    if let Some(fenced) = fenced {
        fields.push((0, field(|out| out.i8(if fenced { 1 } else { -1 }))));
    }
    if in_controlled_shutdown {
        fields.push((1, field(|out| out.i8(1))));
    }
    if !log_dirs.is_empty() {
        fields.push((2, field(|out| write_uuids(out, log_dirs))));
    }
    fields
}

fn read_registration_change(input: &mut Reader<'_>) -> Result<MetadataRecord> {
    let id = NodeId(input.i32()?);
    let epoch = input.i64()?;
    let mut fenced = None;
    let mut in_controlled_shutdown = false;
    let mut log_dirs = Vec::new();
    input.tags(|tag, input| {
        match tag {
            0 => match input.i8()? {
                0 => {}
                number => fenced = Some(number > 0),
            },
            1 => in_controlled_shutdown = input.i8()? > 0,
            2 => log_dirs = input.array(Reader::uuid)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(MetadataRecord::BrokerRegistrationChange {
        id,
        epoch,
        fenced,
        in_controlled_shutdown,
        log_dirs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record: &MetadataRecord) {
        let bytes = record.encode();
        assert_eq!(MetadataRecord::decode(&bytes).as_ref(), Ok(record));
        for end in 0..bytes.len() {
            assert!(MetadataRecord::decode(&bytes[..end]).is_err(), "{record:?} cut at {end}");
        }
    }

    fn partition() -> PartitionImage {
        PartitionImage {
            replicas: vec![NodeId(1), NodeId(2)],
            isr: vec![NodeId(1)],
            elr: vec![NodeId(2)],
            last_known_elr: vec![NodeId(1)],
            adding: vec![],
            removing: vec![NodeId(2)],
            directories: vec![Uuid::from_u128(1), Uuid::from_u128(2)],
            leader: Some(NodeId(1)),
            leader_epoch: LeaderEpoch(3),
            partition_epoch: PartitionEpoch(4),
        }
    }

    #[test]
    fn records_come_back_as_written_and_cut_ones_are_refused() {
        let topic = TopicId(Uuid::from_u128(7));
        let index = PartitionIndex(5);
        check(&MetadataRecord::Topic { name: TopicName::new("orders"), id: topic });
        check(&MetadataRecord::Partition { topic, index, partition: partition() });
        check(&MetadataRecord::PartitionChange {
            topic,
            index,
            change: PartitionChange {
                isr: Some(vec![NodeId(2)]),
                leader: Some(None),
                directories: Some(vec![Uuid::from_u128(1)]),
                ..PartitionChange::default()
            },
        });
        check(&MetadataRecord::RemoveTopic { id: topic });
        check(&MetadataRecord::Config {
            resource: ConfigResource::topic("orders"),
            name: "retention.ms".to_owned(),
            value: None,
        });
        check(&MetadataRecord::FeatureLevel { name: "metadata.version".to_owned(), level: 29 });
        check(&MetadataRecord::ProducerIds {
            broker: NodeId(1),
            broker_epoch: 9,
            next: ProducerId(2000),
        });
        check(&MetadataRecord::UnregisterBroker { id: NodeId(1), epoch: 3 });
        check(&MetadataRecord::BrokerRegistrationChange {
            id: NodeId(1),
            epoch: 3,
            fenced: Some(false),
            in_controlled_shutdown: true,
            log_dirs: vec![Uuid::from_u128(3)],
        });
        check(&MetadataRecord::NoOp);
    }

    #[test]
    fn a_broker_comes_back_as_registered() {
        check(&MetadataRecord::RegisterBroker(BrokerImage {
            id: NodeId(1),
            epoch: 12,
            incarnation: Uuid::from_u128(8),
            endpoints: vec![Endpoint {
                listener: "PLAINTEXT".to_owned(),
                host: "localhost".to_owned(),
                port: 9092,
                security_protocol: 0,
            }],
            rack: Some("r1".to_owned()),
            features: [("metadata.version".to_owned(), (1, 29))].into(),
            log_dirs: vec![Uuid::from_u128(4)],
            fenced: true,
            in_controlled_shutdown: false,
        }));
    }

    #[test]
    fn a_topic_record_has_krafts_bytes() {
        let record =
            MetadataRecord::Topic { name: TopicName::new("ab"), id: TopicId(Uuid::from_u128(1)) };
        let mut expected = vec![1, 2, 0, 3, b'a', b'b'];
        expected.extend_from_slice(&1_u128.to_be_bytes());
        expected.push(0);
        assert_eq!(record.encode(), expected);
    }
}
