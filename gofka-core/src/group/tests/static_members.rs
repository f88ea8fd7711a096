//! Static members (KIP-345, KIP-814).

use super::*;

fn static_join(member: &str, instance: &str, fresh: u8) -> Join {
    Join {
        instance: Some(InstanceId::new(instance)),
        fresh: Uuid::from_bytes([fresh; 16]),
        ..join(member, "c")
    }
}

/// A stable group of the static members `a` and `b`, the leader first.
fn stable_pair(world: &mut World) -> ([MemberId; 2], i32) {
    let first = world.join(static_join("", "a", 1));
    let a = world.joined(first).member;
    let second = world.join(static_join("", "b", 2));
    let again = world.join(static_join(a.as_str(), "a", 1));
    let generation = world.joined(again).generation.0;
    let b = world.joined(second).member;
    let shares = [(&a, "A"), (&b, "B")];
    for member in [&a, &b] {
        let to = world.sync(member, generation, &shares);
        assert_eq!(world.synced(to).error, ErrorCode::None);
    }
    ([a, b], generation)
}

#[test]
fn a_restarted_member_takes_over_without_a_rebalance() {
    let mut world = World::default();
    let ([_, former], generation) = stable_pair(&mut world);
    let before = world.rebalances().len();
    let to = world.join(static_join("", "b", 9));
    let reply = world.joined(to);
    assert_eq!((reply.error, reply.generation), (ErrorCode::None, Generation(generation)));
    assert_ne!(reply.member, former);
    let to = world.sync(&reply.member, generation, &[]);
    assert_eq!(&world.synced(to).assignment[..], b"B");
    assert_eq!(world.rebalances().len(), before);
    assert_eq!(world.heartbeat(&former, generation), ErrorCode::UnknownMemberId);

    let mut claim = member_of(&former, generation);
    claim.instance = Some(InstanceId::new("b"));
    let reply = world.ask(Command::Heartbeat(claim.clone()));
    assert_eq!(reply, Reply::Heartbeat(ErrorCode::FencedInstanceId));
    assert_eq!(world.commit(claim, "t", 5), ErrorCode::FencedInstanceId);
}

#[test]
fn a_restarted_leader_keeps_the_assignment() {
    for knows_skip_assignment in [true, false] {
        let mut world = World::default();
        let ([leader, _], _) = stable_pair(&mut world);
        let to = world.join(Join { knows_skip_assignment, ..static_join("", "a", 9) });
        let reply = world.joined(to);
        assert_eq!(reply.skip_assignment, knows_skip_assignment);
        if knows_skip_assignment {
            assert_eq!(reply.leader, Some(reply.member.clone()));
            assert_eq!(reply.members.len(), 2);
        } else {
            assert_eq!(reply.leader, Some(leader));
            assert!(reply.members.is_empty());
        }
        assert_eq!(world.state(), "Stable");
    }
}

#[test]
fn a_change_of_protocol_makes_the_group_rebalance() {
    let mut world = World::default();
    stable_pair(&mut world);
    let changed = Join { protocols: vec![protocol("roundrobin")], ..static_join("", "b", 9) };
    let to = world.join(changed);
    assert!(world.is_waiting(to));
    assert_eq!(world.rebalances().last(), Some(&RebalanceReason::StaticMemberReplaced));
}

#[test]
fn the_former_incarnation_is_fenced_while_it_waits() {
    let mut world = World::default();
    let ([a, b], _) = stable_pair(&mut world);
    let leader = world.join(static_join(a.as_str(), "a", 1));
    assert!(world.is_waiting(leader));
    let takeover = world.join(static_join("", "a", 9));
    assert_eq!(world.joined(leader).error, ErrorCode::FencedInstanceId);
    let other = world.join(static_join(b.as_str(), "b", 2));
    assert_eq!(world.joined(other).error, ErrorCode::None);
    assert_eq!(world.joined(takeover).error, ErrorCode::None);
    let to = world.join(static_join(a.as_str(), "a", 1));
    assert_eq!(world.joined(to).error, ErrorCode::FencedInstanceId);
}

#[test]
fn silent_static_members_stay_until_their_session_ends() {
    let mut world = World::default();
    let ([a, b], generation) = stable_pair(&mut world);
    let long =
        |to: &MemberId, i| Join { session_timeout_ms: 100_000, ..static_join(to.as_str(), i, 0) };
    let joins = [world.join(long(&a, "a")), world.join(long(&b, "b"))];
    let generation = joins.map(|to| world.joined(to).generation.0)[0].max(generation);
    for member in [&a, &b] {
        world.sync(member, generation, &[]);
    }
    let to = world.join(long(&a, "a"));
    world.pass(60_000);
    let reply = world.joined(to);
    assert_eq!((reply.error, reply.members.len()), (ErrorCode::None, 2));
}

#[test]
fn an_administrator_removes_a_member_by_its_instance() {
    let mut world = World::default();
    let ([_, b], generation) = stable_pair(&mut world);
    assert_eq!(world.leave(&[("", Some("b"))]), [ErrorCode::None]);
    assert_eq!(world.heartbeat(&b, generation), ErrorCode::UnknownMemberId);
    assert_eq!(world.leave(&[("stale", Some("a"))]), [ErrorCode::FencedInstanceId]);
    assert_eq!(world.leave(&[("stale", Some("b"))]), [ErrorCode::UnknownMemberId]);
}

#[test]
fn a_takeover_survives_a_restart() {
    let mut world = World::default();
    let (_, generation) = stable_pair(&mut world);
    let to = world.join(static_join("", "b", 9));
    let id = world.joined(to).member;
    world.restart();
    let mut claim = member_of(&id, generation);
    claim.instance = Some(InstanceId::new("b"));
    assert_eq!(world.ask(Command::Heartbeat(claim)), Reply::Heartbeat(ErrorCode::None));
}

#[test]
fn silent_static_members_without_a_rebalance_timeout_end_with_their_sessions() {
    let mut world = World::default();
    let hasty = |instance: &str, fresh| Join {
        rebalance_timeout_ms: 0,
        ..static_join("", instance, fresh)
    };
    let to = world.join(hasty("a", 1));
    let leader = world.joined(to);
    let to = world.sync(&leader.member, leader.generation.0, &[(&leader.member, "A")]);
    assert_eq!(world.synced(to).error, ErrorCode::None);
    // It joins while the other is silent, and leaves again: nobody is left to join.
    world.join(hasty("b", 2));
    world.leave(&[("", Some("b"))]);
    world.pass(100);
    assert_eq!(world.leave(&[("", Some("c"))]), [ErrorCode::UnknownMemberId], "it still answers");
    world.pass(60_000);
    assert_eq!(world.state(), "Empty");
}
