//! What administrators see of a group.
//!
//! Called by `Shard` for ListGroups and DescribeGroups.

use super::{ClassicGroup, ClassicState, Member};
use crate::group::reply::{DescribedGroup, DescribedMember, ListedGroup};

impl ClassicGroup {
    pub(crate) fn list(&self) -> ListedGroup {
        ListedGroup {
            group: self.id.clone(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            state: self.state.name(),
            group_type: "classic",
        }
    }

    /// The group in full; subscriptions only once everybody agreed on a protocol.
    pub(crate) fn describe(&self) -> DescribedGroup {
        let stable = self.state == ClassicState::Stable;
        let protocol = self.protocol_name.clone().filter(|_| stable);
        let describe = |member: &Member| DescribedMember {
            member: member.id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            metadata: member.metadata(protocol.as_deref()),
            assignment: member.assignment.clone(),
        };
        DescribedGroup {
            state: self.state.name(),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            members: self.members.values().map(describe).collect(),
            protocol: protocol.unwrap_or_default(),
        }
    }
}
