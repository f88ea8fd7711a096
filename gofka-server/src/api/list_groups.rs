//! ListGroups (16), versions 0-5: the groups that this broker coordinates.
//!
//! Version notes: 4 brings states (KIP-518); 5 types (KIP-848). Both can be filtered by, in any
//! case.

use gofka_core::error::ErrorCode;
use gofka_core::group::command::ListFilter;
use gofka_core::group::reply::ListedGroup;
use gofka_core::group::{Command, Reply as GroupReply};
use kafka_protocol::messages::{ListGroupsRequest, ListGroupsResponse, list_groups_response};
use kafka_protocol::protocol::StrBytes;

use super::group_wire::{text, unavailable, wire_group_id};
use super::{Api, Outcome, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<ListGroupsRequest>(0, 5);

/// Asks every shard. Groups that are still being loaded make the whole answer wait for another try.
pub async fn handle(context: &RequestContext, request: ListGroupsRequest) -> Outcome {
    let own = |texts: &[StrBytes]| texts.iter().map(|text| text.as_str().to_owned()).collect();
    let filter =
        ListFilter { states: own(&request.states_filter), types: own(&request.types_filter) };
    let pending = context.broker.groups.submit_all(context.now, &Command::List(filter));
    let context = context.clone();
    Outcome::later(async move {
        let mut response = ListGroupsResponse::default();
        let mut error = ErrorCode::None;
        for pending in pending {
            match pending.reply().await {
                GroupReply::List(groups) => {
                    let groups = groups.iter().map(|group| listed(context.api_version, group));
                    response.groups.extend(groups);
                }
                // Its new coordinator lists its groups.
                GroupReply::Unavailable(ErrorCode::NotCoordinator) => {}
                other => error = unavailable(&other),
            }
        }
        if error != ErrorCode::None {
            response = ListGroupsResponse::default().with_error_code(error.code());
        }
        context.reply(&response).with_error(error)
    })
}

fn listed(version: i16, group: &ListedGroup) -> list_groups_response::ListedGroup {
    let mut listed = list_groups_response::ListedGroup::default()
        .with_group_id(wire_group_id(&group.group))
        .with_protocol_type(text(&group.protocol_type));
    if version >= 4 {
        listed.group_state = text(group.state);
    }
    if version >= 5 {
        listed.group_type = text(group.group_type);
    }
    listed
}

#[cfg(test)]
mod tests {
    use gofka_core::group::GroupId;

    use super::*;
    use crate::api::group_wire::assert_encodes;

    #[test]
    fn answers_encode_in_every_version() {
        let group = ListedGroup {
            group: GroupId::new("g"),
            protocol_type: "consumer".into(),
            state: "Stable",
            group_type: "classic",
        };
        assert_encodes(&API, |version| {
            ListGroupsResponse::default().with_groups(vec![listed(version, &group)])
        });
    }
}
