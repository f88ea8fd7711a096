//! Heartbeat (12), versions 0-4: a member is alive, and hears whether its group rebalances.
//!
//! Version notes: 3 brings static members (KIP-345).

use gofka_core::error::ErrorCode;
use gofka_core::group::command::MemberOf;
use gofka_core::group::{Command, Generation, Reply as GroupReply};
use kafka_protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use super::group_wire::{group_id, instance_id, member_id, unavailable};
use super::{Api, Outcome, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<HeartbeatRequest>(0, 4);

/// Answers at once.
pub async fn handle(context: &RequestContext, request: HeartbeatRequest) -> Outcome {
    let member = MemberOf {
        group: group_id(&request.group_id),
        member: member_id(&request.member_id),
        instance: instance_id(request.group_instance_id.as_ref()),
        generation: Generation(request.generation_id),
    };
    let group = member.group.clone();
    let pending =
        context.broker.groups.submit(&group, context.now, Command::Heartbeat(member));
    let error = match pending.reply().await {
        GroupReply::Heartbeat(error) => error,
        // The member may well be there: it is not to worry while the group is loaded.
        GroupReply::Unavailable(ErrorCode::CoordinatorLoadInProgress) => ErrorCode::None,
        other => unavailable(&other),
    };
    let response = HeartbeatResponse::default().with_error_code(error.code());
    Outcome::Now(context.reply(&response).with_error(error))
}
