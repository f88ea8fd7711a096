//! Control records of the metadata log and of its snapshots, in KRaft's schemas.
//!
//! What raft needs beyond those schemas travels in tagged fields, which other readers skip.

use super::wire::{DecodeError, Reader, Writer, field};

/// Our tag; far from those that the schemas may come to use.
const TAG: u32 = 10_000;
const VERSION: i16 = 0;

const LEADER_CHANGE: i16 = 2;
const SNAPSHOT_HEADER: i16 = 3;
const SNAPSHOT_FOOTER: i16 = 4;
const KRAFT_VOTERS: i16 = 6;

/// A control record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// The first record of a term.
    LeaderChange {
        /// Who leads it.
        leader: i32,
    },
    /// The quorum's members from here on.
    Voters {
        /// Their ids.
        voters: Vec<i32>,
        /// The membership as raft writes it.
        membership: Vec<u8>,
    },
    /// The first record of a snapshot.
    SnapshotHeader {
        /// Time of the last record that it covers.
        timestamp: i64,
        /// What raft says about the snapshot.
        meta: Vec<u8>,
    },
    /// The last record of a snapshot.
    SnapshotFooter,
}

impl Control {
    /// The record's key and value.
    pub(crate) fn encode(&self) -> ([u8; 4], Vec<u8>) {
        let kind = match self {
            Self::LeaderChange { .. } => LEADER_CHANGE,
            Self::Voters { .. } => KRAFT_VOTERS,
            Self::SnapshotHeader { .. } => SNAPSHOT_HEADER,
            Self::SnapshotFooter => SNAPSHOT_FOOTER,
        };
        let mut key = [0; 4];
        key[2..].copy_from_slice(&kind.to_be_bytes());
        let mut out = Writer::default();
        out.i16(VERSION);
        match self {
            Self::LeaderChange { leader } => {
                out.i32(*leader);
                out.array::<i32>(&[], |_, _| {});
                out.array::<i32>(&[], |_, _| {});
                out.no_tags();
            }
            Self::Voters { voters, membership } => {
                out.array(voters, |out, id| write_voter(out, *id));
                out.tags(&[(TAG, membership.clone())]);
            }
            Self::SnapshotHeader { timestamp, meta } => {
                out.i64(*timestamp);
                out.tags(&[(TAG, meta.clone())]);
            }
            Self::SnapshotFooter => out.no_tags(),
        }
        (key, out.bytes)
    }

    /// Reads a control record.
    pub(crate) fn decode(key: &[u8], value: &[u8]) -> Result<Self, DecodeError> {
        let mut key = Reader::new(key);
        key.i16()?;
        let kind = key.i16()?;
        let mut input = Reader::new(value);
        input.i16()?;
        match kind {
            LEADER_CHANGE => Ok(Self::LeaderChange { leader: input.i32()? }),
            KRAFT_VOTERS => {
                let voters = input.array(read_voter)?;
                Ok(Self::Voters { voters, membership: our_field(&mut input)? })
            }
            SNAPSHOT_HEADER => {
                let timestamp = input.i64()?;
                Ok(Self::SnapshotHeader { timestamp, meta: our_field(&mut input)? })
            }
            SNAPSHOT_FOOTER => Ok(Self::SnapshotFooter),
            _ => Err(DecodeError::UnknownType(kind as u32)),
        }
    }
}

fn write_voter(out: &mut Writer, id: i32) {
    out.i32(id);
    out.uuid(gofka_core::ids::Uuid::nil());
    out.array::<i32>(&[], |_, _| {});
    let kraft_version = field(|out| {
        out.i16(0);
        out.i16(1);
        out.no_tags();
    });
    out.bytes.extend_from_slice(&kraft_version);
    out.no_tags();
}

fn read_voter(input: &mut Reader<'_>) -> Result<i32, DecodeError> {
    let id = input.i32()?;
    input.uuid()?;
    input.array(|input| {
        input.string()?;
        input.string()?;
        input.u16()?;
        input.skip_tags()
    })?;
    input.i16()?;
    input.i16()?;
    input.skip_tags()?;
    input.skip_tags()?;
    Ok(id)
}

fn our_field(input: &mut Reader<'_>) -> Result<Vec<u8>, DecodeError> {
    let mut ours = None;
    input.tags(|tag, field| {
        if tag == TAG {
            ours = Some(field.rest().to_vec());
        }
        Ok(())
    })?;
    ours.ok_or(DecodeError::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_records_come_back_as_written() {
        let records = [
            Control::LeaderChange { leader: 3 },
            Control::Voters { voters: vec![1, 2], membership: b"m".to_vec() },
            Control::SnapshotHeader { timestamp: 5, meta: b"meta".to_vec() },
            Control::SnapshotFooter,
        ];
        for record in records {
            let (key, value) = record.encode();
            assert_eq!(Control::decode(&key, &value), Ok(record));
        }
    }
}
