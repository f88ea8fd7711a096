//! Joining: ids, refusals, limits; leaving.

use super::*;

#[test]
fn a_new_member_comes_again_with_its_id() {
    let mut world = World::default();
    let to = world.join(join("", "client"));
    let reply = world.joined(to);
    assert_eq!(reply.error, ErrorCode::MemberIdRequired);
    assert!(reply.member.as_str().starts_with("client-"));
    let to = world.join(join(reply.member.as_str(), "client"));
    let reply = world.joined(to);
    assert_eq!((reply.error, reply.generation), (ErrorCode::None, Generation(1)));
    assert_eq!(reply.leader, Some(reply.member.clone()));
    assert_eq!(reply.members.len(), 1);
    assert_eq!(reply.protocol_name.as_deref(), Some("range"));
}

#[test]
fn an_old_client_joins_without_an_id() {
    let mut world = World::default();
    let to = world.join(Join { knows_member_id_required: false, ..join("", "old") });
    let reply = world.joined(to);
    assert_eq!((reply.error, reply.generation), (ErrorCode::None, Generation(1)));
}

#[test]
fn joins_are_refused_with_kafkas_errors() {
    let cases: Vec<(&str, Join, ErrorCode)> = vec![
        ("no group", Join { group: GroupId::new(""), ..join("", "c") }, ErrorCode::InvalidGroupId),
        (
            "session too short",
            Join { session_timeout_ms: 5_999, ..join("", "c") },
            ErrorCode::InvalidSessionTimeout,
        ),
        (
            "session too long",
            Join { session_timeout_ms: 1_800_001, ..join("", "c") },
            ErrorCode::InvalidSessionTimeout,
        ),
        ("a member of no group", join("m", "c"), ErrorCode::UnknownMemberId),
        (
            "no protocols",
            Join { protocols: Vec::new(), ..join("", "c") },
            ErrorCode::InconsistentGroupProtocol,
        ),
        (
            "no protocol type",
            Join { protocol_type: Arc::from(""), ..join("", "c") },
            ErrorCode::InconsistentGroupProtocol,
        ),
        (
            "a name that no record holds",
            Join { group: GroupId::new(&"g".repeat(32_768)), ..join("", "c") },
            ErrorCode::InvalidRequest,
        ),
    ];
    for (what, join, expected) in cases {
        let mut world = World::default();
        let to = world.join(join);
        assert_eq!(world.joined(to).error, expected, "{what}");
        assert_eq!(world.shard.group_count(), 0, "{what} leaves a group behind");
    }
}

#[test]
fn protocols_must_have_one_in_common() {
    let cases = [
        ("another type", "connect", "range", ErrorCode::InconsistentGroupProtocol),
        ("another protocol", "consumer", "sticky", ErrorCode::InconsistentGroupProtocol),
        ("the second choice", "consumer", "roundrobin", ErrorCode::MemberIdRequired),
    ];
    for (what, kind, name, expected) in cases {
        let mut world = World::default();
        world.stable(1);
        let other = Join {
            protocol_type: Arc::from(kind),
            protocols: vec![protocol(name)],
            ..join("", "c")
        };
        let to = world.join(other);
        assert_eq!(world.joined(to).error, expected, "{what}");
    }
}

#[test]
fn the_protocol_with_most_votes_wins() {
    let mut world = World::default();
    let (members, _) = world.stable(1);
    let mut waiting = vec![world.join(join(members[0].as_str(), "c"))];
    for client in ["a", "b"] {
        let prefers = vec![protocol("roundrobin"), protocol("range")];
        let to = world.join(Join { protocols: prefers.clone(), ..join("", client) });
        let id = world.joined(to).member;
        waiting.push(world.join(Join { protocols: prefers, ..join(id.as_str(), client) }));
    }
    waiting.push(world.join(join(members[0].as_str(), "c")));
    world.pass(60_000);
    let chosen: Vec<_> = waiting
        .into_iter()
        .map(|to| world.joined(to))
        .filter(|reply| reply.error == ErrorCode::None)
        .filter_map(|reply| Some((reply.generation.0, reply.protocol_name?)))
        .collect();
    assert_eq!(chosen.iter().max().unwrap().1.as_ref(), "roundrobin");
}

#[test]
fn a_full_group_takes_nobody_else() {
    let mut world = World::new(GroupSettings { members_max: 2, ..GroupSettings::default() });
    world.stable(2);
    let to = world.join(join("", "third"));
    let reply = world.joined(to);
    assert_eq!(reply.error, ErrorCode::GroupMaxSizeReached);
    assert!(reply.member.is_empty());
    assert_eq!(world.state(), "Stable");
}

#[test]
fn an_id_that_is_never_used_expires_with_its_group() {
    let mut world = World::default();
    world.join(join("", "c"));
    assert_eq!(world.shard.group_count(), 1);
    world.pass(10_000);
    assert_eq!(world.shard.group_count(), 0);
    assert!(world.log.is_empty());
}

#[test]
fn the_last_to_leave_empties_the_group() {
    let mut world = World::default();
    let (members, generation) = world.stable(1);
    assert_eq!(world.leave(&[(members[0].as_str(), None)]), [ErrorCode::None]);
    assert_eq!(world.state(), "Empty");
    assert_eq!(world.heartbeat(&members[0], generation), ErrorCode::UnknownMemberId);
    world.restart();
    assert_eq!(world.state(), "Empty");
}

#[test]
fn each_leaver_hears_of_itself() {
    let mut world = World::default();
    let (members, _) = world.stable(2);
    let pending = world.join(join("", "late"));
    let pending = world.joined(pending).member;
    let outcomes = world.leave(&[
        ("nobody", None),
        (members[1].as_str(), None),
        (members[1].as_str(), None),
        ("", Some("no such instance")),
        ("", None),
        (pending.as_str(), None),
    ]);
    let unknown = ErrorCode::UnknownMemberId;
    assert_eq!(outcomes, [unknown, ErrorCode::None, unknown, unknown, unknown, ErrorCode::None]);
    assert_eq!(world.state(), "PreparingRebalance");
}

#[test]
fn leaving_a_group_that_is_not_there_is_said_of_each_member() {
    let mut world = World::default();
    assert_eq!(world.leave(&[("m", None)]), [ErrorCode::UnknownMemberId]);
}

#[test]
fn a_member_that_leaves_while_joining_is_told() {
    let mut world = World::default();
    let (members, _) = world.stable(2);
    let (late, to) = world.join_fresh("late");
    assert!(world.is_waiting(to));
    assert_eq!(world.leave(&[(late.as_str(), None)]), [ErrorCode::None]);
    assert_eq!(world.joined(to).error, ErrorCode::UnknownMemberId);
    assert_eq!(world.heartbeat(&members[0], 2), ErrorCode::RebalanceInProgress);
}
