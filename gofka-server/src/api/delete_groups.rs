//! DeleteGroups (42), versions 0-2: groups without members go, with their offsets (KIP-229).
//!
//! Version 3 is beyond the codec.

use gofka_core::group::{Command, Reply as GroupReply};
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse, GroupId};

use super::group_wire::{group_id, unavailable};
use super::{Api, Outcome, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<DeleteGroupsRequest>(0, 2);

/// Appends in stage one. A group named twice is deleted once.
pub async fn handle(context: &RequestContext, request: DeleteGroupsRequest) -> Outcome {
    let mut names: Vec<GroupId> = Vec::with_capacity(request.groups_names.len());
    let mut seen = std::collections::HashSet::new();
    for name in request.groups_names {
        if seen.insert(name.clone()) {
            names.push(name);
        }
    }
    let mut pending = Vec::with_capacity(names.len());
    for id in names {
        let group = group_id(&id);
        let command = Command::DeleteGroup(group.clone());
        pending.push((context.broker.groups.submit(&group, context.now, command), id));
    }
    let context = context.clone();
    Outcome::later(async move {
        let mut results = Vec::with_capacity(pending.len());
        let mut errors = Vec::new();
        for (pending, id) in pending {
            let error = match pending.reply().await {
                GroupReply::DeleteGroup(error) => error,
                other => unavailable(&other),
            };
            errors.push(error);
            results.push(
                DeletableGroupResult::default().with_group_id(id).with_error_code(error.code()),
            );
        }
        let response = DeleteGroupsResponse::default().with_results(results);
        context.reply(&response).with_errors(errors)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::group_wire::{assert_encodes, text};

    #[test]
    fn answers_encode_in_every_version() {
        let result = DeletableGroupResult::default()
            .with_group_id(GroupId(text("g")))
            .with_error_code(68);
        assert_encodes(&API, |_| {
            DeleteGroupsResponse::default().with_results(vec![result.clone()])
        });
    }
}
