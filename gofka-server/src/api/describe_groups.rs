//! DescribeGroups (15), versions 0-6: classic groups with their members.
//!
//! Behaviour: members' subscriptions are shown once the group is stable. A group that is named
//! twice is answered once. Groups beyond what one answer may hold are refused one by one.
//!
//! Version notes: 3 brings authorized operations (KIP-430), which are all while nobody is refused
//! any; 4 static members (KIP-345); 6 GROUP_ID_NOT_FOUND, where before a group that is not there is
//! `Dead` (KIP-1043).

use std::collections::HashSet;

use gofka_core::error::ErrorCode;
use gofka_core::group::reply::{DescribedGroup, DescribedMember};
use gofka_core::group::{Command, Reply as GroupReply};
use kafka_protocol::messages::describe_groups_response::{self, DescribedGroupMember};
use kafka_protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse, GroupId};

use super::budget::{AnswerBudget, TOO_MUCH};
use super::group_wire::{group_id, text, unavailable};
use super::{Api, Outcome, RequestContext, operations};
use crate::coordinator::Pending;

/// The row of the table.
pub const API: Api = Api::new::<DescribeGroupsRequest>(0, 6);

const STATE_DEAD: &str = "Dead";

/// Reads in stage one, as much as the answer has room for.
pub async fn handle(context: &RequestContext, request: DescribeGroupsRequest) -> Outcome {
    let operations =
        operations::of_group(request.include_authorized_operations && context.api_version >= 3);
    let mut pending = Vec::with_capacity(request.groups.len());
    let mut seen = HashSet::new();
    let mut budget = AnswerBudget::default();
    for id in request.groups {
        if !seen.insert(id.clone()) {
            continue;
        }
        budget.turn().await;
        pending.push((submit_within(&mut budget, context, &id), id));
    }
    let context = context.clone();
    Outcome::later(async move {
        let mut groups = Vec::with_capacity(pending.len());
        let mut errors = Vec::new();
        for (pending, id) in pending {
            let described = match pending {
                Ok(pending) => match pending.reply().await {
                    GroupReply::Describe(group) => Ok(group),
                    other => Err(unavailable(&other)),
                },
                Err(error) => Err(error),
            };
            errors.extend(described.as_ref().err());
            groups.push(group(context.api_version, id, described, operations));
        }
        let response = DescribeGroupsResponse::default().with_groups(groups);
        context.reply(&response).with_errors(errors)
    })
}

/// Asks for a group if the answer has room for it: what does not fit is not kept until the others
/// may be seen.
fn submit_within(
    budget: &mut AnswerBudget,
    context: &RequestContext,
    id: &GroupId,
) -> Result<Pending, ErrorCode> {
    if budget.is_spent() {
        return Err(ErrorCode::InvalidRequest);
    }
    let group = group_id(id);
    let command = Command::Describe(group.clone());
    let mut pending = context.broker.groups.submit(&group, context.now, command);
    match pending.decided() {
        Some(GroupReply::Describe(group)) if !fits(budget, group.as_ref()) => {
            Err(ErrorCode::InvalidRequest)
        }
        _ => Ok(pending),
    }
}

fn fits(budget: &mut AnswerBudget, group: Option<&DescribedGroup>) -> bool {
    let members = group.map_or(&[][..], |group| &group.members);
    let texts = |member: &DescribedMember| {
        let ids = member.member.as_str().len() + member.client_id.len() + member.client_host.len();
        ids + member.metadata.len() + member.assignment.len()
    };
    budget.take(1 + members.len(), members.iter().map(texts).sum())
}

fn group(
    version: i16,
    id: GroupId,
    described: Result<Option<DescribedGroup>, ErrorCode>,
    operations: i32,
) -> describe_groups_response::DescribedGroup {
    let message = format!("Group {} not found.", id.as_str());
    let mut group = describe_groups_response::DescribedGroup::default()
        .with_group_id(id)
        .with_authorized_operations(operations::NOT_ASKED);
    match described {
        Ok(Some(described)) => {
            group.group_state = text(described.state);
            group.protocol_type = text(&described.protocol_type);
            group.protocol_data = text(&described.protocol);
            group.authorized_operations = operations;
            group.members = described.members.into_iter().map(|m| member(version, m)).collect();
        }
        Ok(None) => {
            group.group_state = text(STATE_DEAD);
            if version >= 6 {
                group.error_code = ErrorCode::GroupIdNotFound.code();
                group.error_message = Some(text(&message));
            } else {
                group.authorized_operations = operations;
            }
        }
        Err(error) => {
            group.error_code = error.code();
            if version >= 6 && error == ErrorCode::InvalidRequest {
                group.error_message = Some(text(TOO_MUCH));
            }
        }
    }
    group
}

fn member(version: i16, member: DescribedMember) -> DescribedGroupMember {
    let instance = member.instance.filter(|_| version >= 4);
    DescribedGroupMember::default()
        .with_member_id(text(member.member.as_str()))
        .with_group_instance_id(instance.map(|instance| text(instance.as_str())))
        .with_client_id(text(&member.client_id))
        .with_client_host(text(&member.client_host))
        .with_member_metadata(member.metadata)
        .with_member_assignment(member.assignment)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use gofka_core::group::{InstanceId, MemberId};

    use super::*;
    use crate::api::group_wire::assert_encodes;

    #[test]
    fn answers_encode_in_every_version() {
        let described = DescribedGroup {
            state: "Stable",
            protocol_type: "consumer".into(),
            protocol: "range".into(),
            members: vec![DescribedMember {
                member: MemberId::new("m"),
                instance: Some(InstanceId::new("i")),
                client_id: "c".into(),
                client_host: "/127.0.0.1".into(),
                metadata: Bytes::from_static(b"x"),
                assignment: Bytes::from_static(b"y"),
            }],
        };
        for described in [Ok(Some(described)), Ok(None), Err(ErrorCode::NotCoordinator)] {
            assert_encodes(&API, |version| {
                // Asked for from version 3 on.
                let operations = operations::of_group(version >= 3);
                let id = GroupId(text("g"));
                let group = group(version, id, described.clone(), operations);
                DescribeGroupsResponse::default().with_groups(vec![group])
            });
        }
    }

    #[test]
    fn a_group_that_is_not_there_is_an_error_from_version_6_on() {
        for (version, error) in [(5, ErrorCode::None), (6, ErrorCode::GroupIdNotFound)] {
            let group = group(version, GroupId(text("g")), Ok(None), operations::NOT_ASKED);
            assert_eq!(group.error_code, error.code());
            assert_eq!(group.group_state.as_str(), "Dead");
        }
    }
}
