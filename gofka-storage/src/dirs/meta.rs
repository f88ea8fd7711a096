//! `meta.properties` of a directory and `partition.metadata` of a log, as Kafka writes them.
//!
//! Ids are 22 characters of URL-safe base64 without padding.

use gofka_core::ids::{NodeId, TopicId, Uuid};
use std::fmt::Write as _;

const VERSION: &str = "1";

/// Whose directory it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_field_names)] // as the properties are called
pub(super) struct MetaProperties {
    pub(super) cluster_id: String,
    pub(super) node_id: NodeId,
    pub(super) directory_id: Uuid,
}

impl MetaProperties {
    pub(super) fn to_text(&self) -> String {
        let mut text = String::from("#\n");
        let _ = writeln!(text, "cluster.id={}", self.cluster_id);
        let _ = writeln!(text, "directory.id={}", encode_id(self.directory_id));
        let _ = writeln!(text, "node.id={}", self.node_id);
        let _ = writeln!(text, "version={VERSION}");
        text
    }

    /// Reads the file; the error says what is wrong with it, to follow the directory's name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let find = |key: &str| {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            pairs.filter(|(k, _)| k.trim() == key).map(|(_, value)| value.trim()).next_back()
        };
        let need = |key: &str| find(key).ok_or_else(|| format!("has no {key} in meta.properties"));
        let version = need("version")?;
        if version != VERSION {
            return Err(format!("has version {version} in meta.properties, not {VERSION}"));
        }
        let node_id = need("node.id")?;
        let node_id = node_id
            .parse()
            .map_err(|_| format!("has the node id {node_id:?} in meta.properties"))?;
        Ok(Self {
            cluster_id: need("cluster.id")?.to_owned(),
            node_id: NodeId(node_id),
            directory_id: find("directory.id").and_then(decode_id).unwrap_or_else(Uuid::new_v4),
        })
    }
}

/// The text of `partition.metadata`.
pub(super) fn partition_metadata(id: TopicId) -> String {
    format!("version: 0\ntopic_id: {}\n", encode_id(id.0))
}

/// The topic's id in `partition.metadata`.
pub(super) fn parse_partition_metadata(text: &str) -> Option<TopicId> {
    let mut lines = text.lines();
    if lines.next()? != "version: 0" {
        return None;
    }
    decode_id(lines.next()?.strip_prefix("topic_id: ")?).map(TopicId)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const ID_CHARACTERS: usize = 22;

/// An id as Kafka prints it.
pub(super) fn encode_id(id: Uuid) -> String {
    // 128 bits are 21 groups of six and one of two, filled up with zeros.
    let bits = id.as_u128();
    let group = |at: usize| match 122usize.checked_sub(6 * at) {
        Some(shift) => bits >> shift,
        None => bits << 4,
    };
    (0..ID_CHARACTERS).map(|at| ALPHABET[(group(at) & 63) as usize] as char).collect()
}

/// An id from what Kafka prints.
pub(super) fn decode_id(text: &str) -> Option<Uuid> {
    if text.len() != ID_CHARACTERS {
        return None;
    }
    let mut bits = 0u128;
    for (at, character) in text.bytes().enumerate() {
        let value = ALPHABET.iter().position(|known| *known == character)? as u128;
        bits = if at + 1 < ID_CHARACTERS { bits << 6 | value } else { bits << 2 | value >> 4 };
    }
    Some(Uuid::from_u128(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_kafkas() {
        assert_eq!(encode_id(Uuid::nil()), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(encode_id(Uuid::from_u128(1)), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(encode_id(Uuid::from_u128(u128::MAX)), "_____________________w");
        for id in (0..100).map(|_| Uuid::new_v4()) {
            assert_eq!(decode_id(&encode_id(id)), Some(id));
        }
        for wrong in ["", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAA+/"] {
            assert_eq!(decode_id(wrong), None);
        }
    }

    #[test]
    fn properties_come_back_and_others_are_refused() {
        let meta = MetaProperties {
            cluster_id: "abc".into(),
            node_id: NodeId(0),
            directory_id: Uuid::from_u128(7),
        };
        assert_eq!(MetaProperties::parse(&meta.to_text()), Ok(meta));
        let old = "#\n#Mon\nversion=0\nbroker.id=1\ncluster.id=x\n";
        assert!(MetaProperties::parse(old).unwrap_err().contains("version 0"));
        assert!(MetaProperties::parse("").is_err());
    }

    #[test]
    fn partition_metadata_is_kafkas() {
        let id = TopicId(Uuid::from_u128(1));
        let text = partition_metadata(id);
        assert_eq!(text, "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n");
        assert_eq!(parse_partition_metadata(&text), Some(id));
        for broken in ["", "version: 1\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n", "version: 0\n"] {
            assert_eq!(parse_partition_metadata(broken), None);
        }
    }
}
