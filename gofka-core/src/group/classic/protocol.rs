//! Agreeing on a protocol, and reading what consumers subscribe to.
//!
//! Called by the join handlers and when a group is loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{ClassicGroup, ClassicState};
use crate::group::command::Join;
use crate::ids::TopicName;

impl ClassicGroup {
    /// Whether a join can agree with the members there are.
    pub(super) fn supports(&self, join: &Join) -> bool {
        if self.state == ClassicState::Empty {
            return !join.protocol_type.is_empty() && !join.protocols.is_empty();
        }
        self.protocol_type.as_ref() == Some(&join.protocol_type)
            && join.protocols.iter().any(|protocol| self.is_candidate(&protocol.name))
    }

    fn is_candidate(&self, protocol: &str) -> bool {
        self.members.values().all(|member| member.supports(protocol))
    }

    /// The protocol that most members prefer among those that all support; on a tie the one that
    /// the leader ranks higher.
    pub(super) fn select_protocol(&self) -> Arc<str> {
        let leader = self.leader.as_ref().and_then(|leader| self.members.get(leader));
        let leader = leader.or_else(|| self.members.values().next());
        let ranked = leader.map(|leader| leader.protocols.as_slice()).unwrap_or_default();
        let candidates: Vec<&Arc<str>> = ranked
            .iter()
            .map(|protocol| &protocol.name)
            .filter(|name| self.is_candidate(name))
            .collect();
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let choice = member.protocols.iter().find(|own| candidates.contains(&&own.name));
            if let Some(choice) = choice {
                *votes.entry(&choice.name).or_default() += 1;
            }
        }
        let mut best: Option<(&Arc<str>, usize)> = None;
        for name in candidates {
            let count = votes.get(&**name).copied().unwrap_or(0);
            if best.is_none_or(|(_, most)| count > most) {
                best = Some((name, count));
            }
        }
        best.map(|(name, _)| name.clone()).unwrap_or_default()
    }

    /// The topics that the members subscribe to; `None` when that cannot be known.
    pub(super) fn read_subscriptions(&self) -> Option<BTreeSet<TopicName>> {
        if !self.is_consumer() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol_name.as_deref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            topics.extend(subscription_topics(&member.metadata(Some(protocol)))?);
        }
        Some(topics)
    }
}

/// Topics of a consumer's subscription. Its layout begins alike in all versions: the version, then
/// the topics.
fn subscription_topics(metadata: &[u8]) -> Option<Vec<TopicName>> {
    let (_version, rest) = metadata.split_first_chunk::<2>()?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let count = usize::try_from(i32::from_be_bytes(*count)).ok()?;
    let mut topics = Vec::new();
    for _ in 0..count {
        let (length, tail) = rest.split_first_chunk::<2>()?;
        let length = usize::try_from(i16::from_be_bytes(*length)).ok()?;
        let (name, tail) = tail.split_at_checked(length)?;
        topics.push(TopicName::new(std::str::from_utf8(name).ok()?));
        rest = tail;
    }
    Some(topics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_read_whatever_follows_its_topics() {
        let metadata = b"\x00\x03\0\0\0\x02\0\x01a\0\x02bc\xff\xff\xff\xffmore";
        let expected = vec![TopicName::new("a"), TopicName::new("bc")];
        assert_eq!(subscription_topics(metadata), Some(expected));
    }

    #[test]
    fn a_subscription_that_lies_is_unknown() {
        for metadata in [
            b"".as_slice(),
            b"\x00\x00\x7f\xff\xff\xff",
            b"\x00\x00\xff\xff\xff\xff",
            b"\x00\x00\0\0\0\x01\0\x05abc",
            b"\x00\x00\0\0\0\x01\0\x01\xff",
        ] {
            assert_eq!(subscription_topics(metadata), None, "{metadata:?}");
        }
    }
}
