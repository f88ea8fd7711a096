//! Fetch's answer on the wire, versions 4-18, written by ourselves: records stay where they are
//! and go out as parts of their own, which the codec crate would copy.
//!
//! Checked against the codec crate's decoder at every version.

use bytes::{BufMut, BytesMut};
use gofka_core::error::ErrorCode;
use gofka_core::fetch_session::{NO_SESSION, PartitionKey, TopicKey};
use gofka_core::ids::NodeId;
use gofka_storage::Records;

use super::read::Outcome;
use crate::api::Part;
use crate::api::leader_hint::LeaderEndpoint;

const LOG_START_SINCE: i16 = 5;
const SESSION_SINCE: i16 = 7;
const PREFERRED_REPLICA_SINCE: i16 = 11;
const FLEXIBLE_SINCE: i16 = 12;
const TOPIC_ID_SINCE: i16 = 13;

/// Below this, copying records into the part before them is cheaper than a part of their own.
const COPIED_BYTES_MAX: usize = 512;

const DIVERGING_EPOCH_TAG: u32 = 0;
const CURRENT_LEADER_TAG: u32 = 1;
const NODE_ENDPOINTS_TAG: u32 = 0;

/// The partitions that the answer contains, in order.
pub(super) type Included<'a> = Vec<(&'a PartitionKey, &'a Outcome)>;

/// An answer that carries nothing but an error, which versions below 7 have no room for.
pub(super) fn encode_error(version: i16, code: ErrorCode) -> Vec<Part> {
    let mut out = Writer::new(version);
    out.head(code, NO_SESSION);
    out.array(0);
    out.no_tags();
    out.finish()
}

/// The whole answer.
pub(super) fn encode(
    version: i16,
    session_id: i32,
    included: &Included<'_>,
    endpoints: &[LeaderEndpoint],
) -> Vec<Part> {
    let mut out = Writer::new(version);
    out.head(ErrorCode::None, session_id);
    // Neighbours of one topic share its entry.
    let topics: Vec<_> = included.chunk_by(|one, other| one.0.topic == other.0.topic).collect();
    out.array(topics.len());
    for partitions in topics {
        out.topic(&partitions[0].0.topic);
        out.array(partitions.len());
        for (key, outcome) in partitions {
            out.partition(key, outcome);
        }
        out.no_tags();
    }
    out.endpoints(endpoints);
    out.finish()
}

struct Writer {
    version: i16,
    flexible: bool,
    parts: Vec<Part>,
    buffer: BytesMut,
}

impl Writer {
    fn new(version: i16) -> Self {
        let flexible = version >= FLEXIBLE_SINCE;
        Self { version, flexible, parts: Vec::new(), buffer: BytesMut::new() }
    }

    fn head(&mut self, code: ErrorCode, session_id: i32) {
        self.buffer.put_i32(0);
        if self.version >= SESSION_SINCE {
            self.buffer.put_i16(code.code());
            self.buffer.put_i32(session_id);
        }
    }

    fn topic(&mut self, topic: &TopicKey) {
        match topic {
            TopicKey::Id(id) => {
                debug_assert!(self.version >= TOPIC_ID_SINCE);
                self.buffer.put_slice(id.0.as_bytes());
            }
            TopicKey::Name(name) => self.string(name.as_str()),
        }
    }

    fn partition(&mut self, key: &PartitionKey, outcome: &Outcome) {
        self.buffer.put_i32(key.partition.0);
        self.buffer.put_i16(outcome.error.code());
        self.buffer.put_i64(outcome.high_watermark.0);
        self.buffer.put_i64(outcome.last_stable_offset.0);
        if self.version >= LOG_START_SINCE {
            self.buffer.put_i64(outcome.log_start_offset.0);
        }
        self.aborted(outcome);
        if self.version >= PREFERRED_REPLICA_SINCE {
            self.buffer.put_i32(-1);
        }
        self.records(&outcome.records);
        if self.flexible {
            self.partition_tags(outcome);
        }
    }

    fn aborted(&mut self, outcome: &Outcome) {
        let Some(aborted) = &outcome.aborted else {
            return self.null_array();
        };
        self.array(aborted.len());
        for transaction in aborted {
            self.buffer.put_i64(transaction.producer_id.0);
            self.buffer.put_i64(transaction.first_offset.0);
            self.no_tags();
        }
    }

    fn records(&mut self, records: &Records) {
        if self.flexible {
            self.unsigned_varint(records.len() as u32 + 1);
        } else {
            self.buffer.put_i32(records.len() as i32);
        }
        match records {
            Records::Loaded(bytes) if bytes.len() <= COPIED_BYTES_MAX => {
                self.buffer.put_slice(bytes);
            }
            other => {
                self.parts.push(self.buffer.split().freeze().into());
                self.parts.push(other.into());
            }
        }
    }

    fn partition_tags(&mut self, outcome: &Outcome) {
        let count = u32::from(outcome.diverging.is_some())
            + u32::from(outcome.leader_hint.is_some());
        self.unsigned_varint(count);
        if let Some((epoch, end)) = outcome.diverging {
            self.unsigned_varint(DIVERGING_EPOCH_TAG);
            self.unsigned_varint(13);
            self.buffer.put_i32(epoch.0);
            self.buffer.put_i64(end.0);
            self.no_tags();
        }
        if let Some(hint) = outcome.leader_hint {
            self.unsigned_varint(CURRENT_LEADER_TAG);
            self.unsigned_varint(9);
            self.buffer.put_i32(hint.leader.0);
            self.buffer.put_i32(hint.epoch.0);
            self.no_tags();
        }
    }

    fn endpoints(&mut self, endpoints: &[LeaderEndpoint]) {
        if !self.flexible {
            return;
        }
        if endpoints.is_empty() {
            return self.no_tags();
        }
        let mut field = Self::new(self.version);
        field.array(endpoints.len());
        for endpoint in endpoints {
            let NodeId(node) = endpoint.node;
            field.buffer.put_i32(node);
            field.string(&endpoint.host);
            field.buffer.put_i32(i32::from(endpoint.port));
            match &endpoint.rack {
                Some(rack) => field.string(rack),
                None => field.unsigned_varint(0),
            }
            field.no_tags();
        }
        self.unsigned_varint(1);
        self.unsigned_varint(NODE_ENDPOINTS_TAG);
        self.unsigned_varint(field.buffer.len() as u32);
        self.buffer.put_slice(&field.buffer);
    }

    fn array(&mut self, length: usize) {
        if self.flexible {
            self.unsigned_varint(length as u32 + 1);
        } else {
            self.buffer.put_i32(length as i32);
        }
    }

    fn null_array(&mut self) {
        if self.flexible {
            self.unsigned_varint(0);
        } else {
            self.buffer.put_i32(-1);
        }
    }

    fn string(&mut self, text: &str) {
        if self.flexible {
            self.unsigned_varint(text.len() as u32 + 1);
        } else {
            self.buffer.put_i16(text.len() as i16);
        }
        self.buffer.put_slice(text.as_bytes());
    }

    fn no_tags(&mut self) {
        if self.flexible {
            self.buffer.put_u8(0);
        }
    }

    fn unsigned_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.buffer.put_u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.buffer.put_u8(value as u8);
    }

    fn finish(mut self) -> Vec<Part> {
        if !self.buffer.is_empty() {
            self.parts.push(self.buffer.freeze().into());
        }
        self.parts
    }
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
