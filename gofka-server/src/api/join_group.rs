//! JoinGroup (11), versions 0-9: a member enters the next generation of its group.
//!
//! Behaviour: the reply leaves when the join phase is complete. The leader, chosen among the
//! members, gets everyone's metadata and computes the assignment.
//!
//! Version notes: 1 brings the rebalance timeout (KIP-62); 4 MEMBER_ID_REQUIRED (KIP-394); 5 static
//! members (KIP-345); 7 the protocol type, and names that may be null (KIP-559); 8 the reason
//! (KIP-800); 9 the skipped assignment (KIP-814).

use bytes::Bytes;
use gofka_core::error::ErrorCode;
use gofka_core::group::command::{Join, Protocol};
use gofka_core::group::reply::{JoinReply, JoinedMember};
use gofka_core::group::{Command, Reply as GroupReply};
use gofka_core::ids::Uuid;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use kafka_protocol::protocol::StrBytes;

use super::group_wire::{group_id, instance_id, member_id, shared, text, unavailable};
use super::{Api, Outcome, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<JoinGroupRequest>(0, 9);

/// Joins in stage one; the reply may take as long as the members do.
pub async fn handle(context: &RequestContext, request: JoinGroupRequest) -> Outcome {
    let group = group_id(&request.group_id);
    let command = Command::Join(command(context, &request));
    let pending = context.broker.groups.submit(&group, context.now, command);
    let context = context.clone();
    Outcome::later(async move {
        let response = match pending.reply().await {
            GroupReply::Join(reply) => joined(context.api_version, reply),
            other => refused(context.api_version, unavailable(&other), request.member_id),
        };
        let error = ErrorCode::ALL.iter().find(|e| e.code() == response.error_code);
        context.reply(&response).with_errors(error.copied())
    })
}

fn command(context: &RequestContext, request: &JoinGroupRequest) -> Join {
    let version = context.api_version;
    Join {
        group: group_id(&request.group_id),
        member: member_id(&request.member_id),
        instance: instance_id(request.group_instance_id.as_ref()),
        protocol_type: shared(&request.protocol_type),
        protocols: request
            .protocols
            .iter()
            .map(|protocol| Protocol {
                name: shared(&protocol.name),
                metadata: Bytes::copy_from_slice(&protocol.metadata),
            })
            .collect(),
        session_timeout_ms: request.session_timeout_ms,
        // Version 0 has one timeout for both.
        rebalance_timeout_ms: if version == 0 {
            request.session_timeout_ms
        } else {
            request.rebalance_timeout_ms
        },
        client_id: context.client_id().into(),
        // As Java prints an address.
        client_host: format!("/{}", context.peer().ip().to_canonical()).into(),
        reason: request.reason.as_ref().map(|reason| reason.as_str().to_owned()),
        knows_member_id_required: version >= 4,
        knows_skip_assignment: version >= 9,
        fresh: Uuid::new_v4(),
    }
}

fn joined(version: i16, reply: JoinReply) -> JoinGroupResponse {
    let name = reply.protocol_name.as_deref();
    let mut response = JoinGroupResponse::default()
        .with_error_code(reply.error.code())
        .with_generation_id(reply.generation.0)
        .with_protocol_name(name_or_null(version, name))
        .with_leader(reply.leader.map(|leader| text(leader.as_str())).unwrap_or_default())
        .with_member_id(text(reply.member.as_str()));
    response.members = reply.members.into_iter().map(|m| member(version, m)).collect();
    if version >= 7 {
        response.protocol_type = reply.protocol_type.as_deref().map(text);
    }
    if version >= 9 {
        response.skip_assignment = reply.skip_assignment;
    }
    response
}

fn refused(version: i16, error: ErrorCode, member: StrBytes) -> JoinGroupResponse {
    JoinGroupResponse::default()
        .with_error_code(error.code())
        .with_generation_id(-1)
        .with_protocol_name(name_or_null(version, None))
        .with_member_id(member)
}

/// A name that is not there is null from version 7 on, empty before.
fn name_or_null(version: i16, name: Option<&str>) -> Option<StrBytes> {
    match name {
        None if version >= 7 => None,
        name => Some(text(name.unwrap_or_default())),
    }
}

fn member(version: i16, member: JoinedMember) -> JoinGroupResponseMember {
    let instance = member.instance.filter(|_| version >= 5);
    JoinGroupResponseMember::default()
        .with_member_id(text(member.member.as_str()))
        .with_group_instance_id(instance.map(|instance| text(instance.as_str())))
        .with_metadata(member.metadata)
}

#[cfg(test)]
mod tests {
    use gofka_core::group::{Generation, InstanceId, MemberId};

    use super::*;
    use crate::api::group_wire::assert_encodes;

    #[test]
    fn answers_encode_in_every_version() {
        let member = MemberId::new("m");
        let reply = JoinReply {
            error: ErrorCode::None,
            generation: Generation(1),
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            leader: Some(member.clone()),
            skip_assignment: true,
            member: member.clone(),
            members: vec![JoinedMember {
                member,
                instance: Some(InstanceId::new("i")),
                metadata: Bytes::from_static(b"x"),
            }],
        };
        assert_encodes(&API, |version| joined(version, reply.clone()));
        assert_encodes(&API, |version| {
            refused(version, ErrorCode::NotCoordinator, StrBytes::default())
        });
    }

    #[test]
    fn a_missing_protocol_name_is_empty_for_old_clients() {
        assert_eq!(name_or_null(6, None), Some(StrBytes::default()));
        assert_eq!(name_or_null(7, None), None);
    }
}
