//! LeaveGroup (13), versions 0-5: members leave, or are removed by an administrator.
//!
//! Version notes: 3 brings several members, by id or by instance (KIP-345), each with its own
//! error; 5 the reason (KIP-800).

use gofka_core::error::ErrorCode;
use gofka_core::group::command::{Leave, Leaver};
use gofka_core::group::{Command, InstanceId, MemberId, Reply as GroupReply};
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

use super::group_wire::{group_id, instance_id, member_id, text, unavailable};
use super::{Api, Outcome, Reply, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<LeaveGroupRequest>(0, 5);

const BATCHED_FROM: i16 = 3;

/// Leaves in stage one; the answer waits for the record of a group that became empty.
pub async fn handle(context: &RequestContext, request: LeaveGroupRequest) -> Outcome {
    let group = group_id(&request.group_id);
    let members = leavers(context.api_version, &request);
    let command = Command::Leave(Leave { group: group.clone(), members });
    let pending = context.broker.groups.submit(&group, context.now, command);
    let context = context.clone();
    Outcome::later(async move {
        let outcome = match pending.reply().await {
            GroupReply::Leave(outcome) => outcome,
            other => Err(unavailable(&other)),
        };
        answer(&context, outcome)
    })
}

fn leavers(version: i16, request: &LeaveGroupRequest) -> Vec<Leaver> {
    if version < BATCHED_FROM {
        let member = member_id(&request.member_id);
        return vec![Leaver { member, instance: None, reason: None }];
    }
    request
        .members
        .iter()
        .map(|member| Leaver {
            member: member_id(&member.member_id),
            instance: instance_id(member.group_instance_id.as_ref()),
            reason: member.reason.as_ref().map(|reason| reason.as_str().to_owned()),
        })
        .collect()
}

type Left = Result<Vec<(MemberId, Option<InstanceId>, ErrorCode)>, ErrorCode>;

fn answer(context: &RequestContext, outcome: Left) -> Reply {
    let errors: Vec<ErrorCode> = match &outcome {
        Ok(members) => members.iter().map(|(_, _, error)| *error).collect(),
        Err(error) => vec![*error],
    };
    context.reply(&left(context.api_version, outcome)).with_errors(errors)
}

fn left(version: i16, outcome: Left) -> LeaveGroupResponse {
    let response = LeaveGroupResponse::default();
    match outcome {
        Err(error) => response.with_error_code(error.code()),
        // Its one member's error is the request's.
        Ok(members) if version < BATCHED_FROM => {
            let error = members.first().map_or(ErrorCode::None, |(_, _, error)| *error);
            response.with_error_code(error.code())
        }
        Ok(members) => {
            let members = members.into_iter().map(|(member, instance, error)| {
                MemberResponse::default()
                    .with_member_id(text(member.as_str()))
                    .with_group_instance_id(instance.map(|i| text(i.as_str())))
                    .with_error_code(error.code())
            });
            response.with_members(members.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::group_wire::assert_encodes;

    #[test]
    fn answers_encode_in_every_version() {
        let gone = || (MemberId::new("m"), Some(InstanceId::new("i")), ErrorCode::UnknownMemberId);
        assert_encodes(&API, |version| left(version, Ok(vec![gone()])));
        assert_encodes(&API, |version| left(version, Err(ErrorCode::NotCoordinator)));
    }

    #[test]
    fn one_members_error_is_the_answers_for_old_clients() {
        let gone = (MemberId::new("m"), None, ErrorCode::UnknownMemberId);
        let response = left(2, Ok(vec![gone]));
        assert_eq!(response.error_code, ErrorCode::UnknownMemberId.code());
        assert!(response.members.is_empty());
    }
}
