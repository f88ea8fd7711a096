//! SyncGroup (14), versions 0-5: the leader brings the assignment, every member fetches its share.
//!
//! Behaviour: the reply leaves when the leader's assignment is stored and committed.
//!
//! Version notes: 3 brings static members (KIP-345); 5 the protocol's type and name (KIP-559),
//! without which the request is inconsistent.

use bytes::Bytes;
use gofka_core::error::ErrorCode;
use gofka_core::group::command::{MemberOf, Sync};
use gofka_core::group::reply::SyncReply;
use gofka_core::group::{Command, Generation, Reply as GroupReply};
use kafka_protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use super::group_wire::{group_id, instance_id, member_id, shared, text, unavailable};
use super::{Api, Outcome, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<SyncGroupRequest>(0, 5);

const NAMED_FROM: i16 = 5;

/// Syncs in stage one.
pub async fn handle(context: &RequestContext, request: SyncGroupRequest) -> Outcome {
    let unnamed = request.protocol_type.is_none() || request.protocol_name.is_none();
    if context.api_version >= NAMED_FROM && unnamed {
        let error = ErrorCode::InconsistentGroupProtocol;
        let response = SyncGroupResponse::default().with_error_code(error.code());
        return Outcome::Now(context.reply(&response).with_error(error));
    }
    let group = group_id(&request.group_id);
    let pending = context.broker.groups.submit(&group, context.now, command(&request));
    let context = context.clone();
    Outcome::later(async move {
        let (error, response) = match pending.reply().await {
            GroupReply::Sync(reply) => (reply.error, synced(context.api_version, reply)),
            other => {
                let error = unavailable(&other);
                (error, SyncGroupResponse::default().with_error_code(error.code()))
            }
        };
        context.reply(&response).with_error(error)
    })
}

fn synced(version: i16, reply: SyncReply) -> SyncGroupResponse {
    let mut response = SyncGroupResponse::default()
        .with_error_code(reply.error.code())
        .with_assignment(reply.assignment);
    if version >= NAMED_FROM {
        response.protocol_type = reply.protocol_type.as_deref().map(text);
        response.protocol_name = reply.protocol_name.as_deref().map(text);
    }
    response
}

fn command(request: &SyncGroupRequest) -> Command {
    Command::Sync(Sync {
        member: MemberOf {
            group: group_id(&request.group_id),
            member: member_id(&request.member_id),
            instance: instance_id(request.group_instance_id.as_ref()),
            generation: Generation(request.generation_id),
        },
        protocol_type: request.protocol_type.as_ref().map(shared),
        protocol_name: request.protocol_name.as_ref().map(shared),
        assignments: request
            .assignments
            .iter()
            .map(|a| (member_id(&a.member_id), Bytes::copy_from_slice(&a.assignment)))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::group_wire::assert_encodes;

    #[test]
    fn answers_encode_in_every_version() {
        let reply = SyncReply {
            error: ErrorCode::None,
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            assignment: Bytes::from_static(b"x"),
        };
        assert_encodes(&API, |version| synced(version, reply.clone()));
    }
}
