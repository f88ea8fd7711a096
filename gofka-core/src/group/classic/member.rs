//! One member of a classic group.
//!
//! Owned by its `ClassicGroup`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::group::command::{Join, Protocol};
use crate::group::ids::{InstanceId, MemberId};
use crate::group::record::{GroupMetadata, MemberMetadata};
use crate::group::reply::ReplyTo;

#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: MemberId,
    pub(super) instance: Option<InstanceId>,
    pub(super) client_id: Arc<str>,
    pub(super) client_host: Arc<str>,
    pub(super) session_timeout_ms: i32,
    pub(super) rebalance_timeout_ms: i32,
    /// Best first, no name twice.
    pub(super) protocols: Vec<Protocol>,
    pub(super) assignment: Bytes,
    pub(super) awaiting_join: Option<ReplyTo>,
    pub(super) awaiting_sync: Option<ReplyTo>,
    /// It has never been in a generation, so it cannot send heartbeats yet.
    pub(super) is_new: bool,
}

impl Member {
    /// A member that joins.
    pub(super) fn new(id: MemberId, join: &Join) -> Self {
        Self {
            id,
            instance: join.instance.clone(),
            client_id: join.client_id.clone(),
            client_host: join.client_host.clone(),
            session_timeout_ms: join.session_timeout_ms,
            rebalance_timeout_ms: join.rebalance_timeout_ms,
            protocols: distinct(&join.protocols),
            assignment: Bytes::new(),
            awaiting_join: None,
            awaiting_sync: None,
            is_new: true,
        }
    }

    /// A member as its group's record has it: known to support the chosen protocol only.
    pub(super) fn load(stored: &MemberMetadata, group: &GroupMetadata) -> Self {
        let name = group.protocol.clone().unwrap_or_default();
        Self {
            id: stored.member_id.clone(),
            instance: stored.instance_id.clone(),
            client_id: stored.client_id.clone(),
            client_host: stored.client_host.clone(),
            session_timeout_ms: stored.session_timeout_ms,
            rebalance_timeout_ms: stored.rebalance_timeout_ms,
            protocols: vec![Protocol { name, metadata: stored.subscription.clone() }],
            assignment: stored.assignment.clone(),
            awaiting_join: None,
            awaiting_sync: None,
            is_new: false,
        }
    }

    pub(super) fn to_metadata(&self, protocol: Option<&str>) -> MemberMetadata {
        MemberMetadata {
            member_id: self.id.clone(),
            instance_id: self.instance.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            session_timeout_ms: self.session_timeout_ms,
            subscription: self.metadata(protocol),
            assignment: self.assignment.clone(),
        }
    }

    /// Takes over what a rejoining member says of itself.
    pub(super) fn update(&mut self, join: &Join) {
        self.protocols = distinct(&join.protocols);
        self.rebalance_timeout_ms = join.rebalance_timeout_ms;
        self.session_timeout_ms = join.session_timeout_ms;
    }

    pub(super) fn is_static(&self) -> bool {
        self.instance.is_some()
    }

    pub(super) fn session_timeout(&self) -> Duration {
        millis(self.session_timeout_ms)
    }

    pub(super) fn rebalance_timeout(&self) -> Duration {
        millis(self.rebalance_timeout_ms)
    }

    pub(super) fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|own| &*own.name == protocol)
    }

    /// The member's metadata under `protocol`; empty if it has none.
    pub(super) fn metadata(&self, protocol: Option<&str>) -> Bytes {
        let own = self.protocols.iter().find(|own| Some(&*own.name) == protocol);
        own.map(|own| own.metadata.clone()).unwrap_or_default()
    }

    /// Whether a join says what the member has said before.
    pub(super) fn matches(&self, join: &Join) -> bool {
        self.protocols == distinct(&join.protocols)
    }

    /// Whether the member owes no heartbeat now: it is waiting for the group itself.
    pub(super) fn is_excused(&self) -> bool {
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }
}

fn millis(value: i32) -> Duration {
    Duration::from_millis(u64::try_from(value).unwrap_or(0))
}

fn distinct(protocols: &[Protocol]) -> Vec<Protocol> {
    let mut kept: Vec<Protocol> = Vec::with_capacity(protocols.len());
    for protocol in protocols {
        if !kept.iter().any(|known| known.name == protocol.name) {
            kept.push(protocol.clone());
        }
    }
    kept
}
