//! Partitions, and their changes, to bytes and back.

use gofka_core::ids::{LeaderEpoch, NodeId, PartitionEpoch, PartitionIndex, TopicId};

use super::{MetadataRecord, Reader, Result, Writer, field, read_ids, write_ids, write_uuids};
use crate::image::PartitionImage;
use crate::record::PartitionChange;

const NO_LEADER: i32 = -1;
const LEADER_UNCHANGED: i32 = -2;

pub(super) fn write_partition(
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

pub(super) fn read_partition(input: &mut Reader<'_>, version: u32) -> Result<MetadataRecord> {
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

pub(super) fn change_fields(change: &PartitionChange) -> Vec<(u32, Vec<u8>)> {
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

pub(super) fn read_partition_change(input: &mut Reader<'_>) -> Result<MetadataRecord> {
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
