//! Generations: joining again, syncing, silence, the initial delay.

use std::time::Duration;

use super::*;

#[test]
fn a_second_member_takes_both_into_a_new_generation() {
    let mut world = World::default();
    let (first, generation) = world.stable(1);
    let (second, to) = world.join_fresh("second");
    assert!(world.is_waiting(to));
    assert_eq!(world.heartbeat(&first[0], generation), ErrorCode::RebalanceInProgress);
    let again = world.join(join(first[0].as_str(), "c"));
    let leader = world.joined(again);
    assert_eq!((leader.generation, leader.members.len()), (Generation(2), 2));
    let follower = world.joined(to);
    assert_eq!((follower.generation, follower.members.len()), (Generation(2), 0));
    assert_eq!(follower.leader.as_ref(), Some(&first[0]));

    let waiting = world.sync(&second, 2, &[]);
    assert!(world.is_waiting(waiting));
    let shares = [(&first[0], "one"), (&second, "two")];
    let own = world.sync(&first[0], 2, &shares);
    assert_eq!(&world.synced(own).assignment[..], b"one");
    assert_eq!(&world.synced(waiting).assignment[..], b"two");
    assert_eq!(world.rebalances(), [RebalanceReason::MemberJoined; 2]);
}

#[test]
fn members_without_a_share_get_an_empty_one() {
    let mut world = World::default();
    let (member, to) = world.join_fresh("c");
    world.joined(to);
    let to = world.sync(&member, 1, &[]);
    let reply = world.synced(to);
    assert_eq!((reply.error, reply.assignment.len()), (ErrorCode::None, 0));
}

#[test]
fn a_follower_that_joins_again_unchanged_disturbs_nobody() {
    let mut world = World::default();
    let (members, generation) = world.stable(2);
    let to = world.join(join(members[1].as_str(), "c"));
    let reply = world.joined(to);
    assert_eq!((reply.error, reply.generation), (ErrorCode::None, Generation(generation)));
    assert_eq!(world.state(), "Stable");
}

#[test]
fn the_leader_or_new_metadata_starts_a_rebalance() {
    let changed = |member: &str| Join { protocols: vec![protocol("range")], ..join(member, "c") };
    for follower in [false, true] {
        let mut world = World::default();
        let (members, _) = world.stable(2);
        let to = if follower {
            world.join(changed(members[1].as_str()))
        } else {
            world.join(join(members[0].as_str(), "c"))
        };
        assert!(world.is_waiting(to));
        assert_eq!(world.state(), "PreparingRebalance");
        assert_eq!(world.rebalances().last(), Some(&RebalanceReason::MemberUpdated));
    }
}

#[test]
fn who_does_not_rejoin_in_time_is_left_behind() {
    let mut world = World::default();
    let (members, generation) = world.stable(2);
    let to = world.join(join(members[0].as_str(), "c"));
    for _ in 0..7 {
        world.pass(9_000);
        let alive = world.heartbeat(&members[1], generation);
        if world.is_waiting(to) {
            assert_eq!(alive, ErrorCode::RebalanceInProgress);
        } else {
            assert_eq!(alive, ErrorCode::UnknownMemberId);
        }
    }
    let reply = world.joined(to);
    assert_eq!((reply.error, reply.members.len()), (ErrorCode::None, 1));
}

#[test]
fn a_leader_that_does_not_rejoin_is_replaced() {
    let mut world = World::default();
    let (members, _) = world.stable(2);
    let changed = Join { protocols: vec![protocol("range")], ..join(members[1].as_str(), "c") };
    let to = world.join(changed);
    world.pass(60_000);
    let reply = world.joined(to);
    assert_eq!(reply.leader.as_ref(), Some(&members[1]));
    assert_eq!(reply.members.len(), 1);
}

#[test]
fn a_silent_member_is_removed_and_the_others_rebalance() {
    let mut world = World::default();
    let (members, generation) = world.stable(2);
    world.pass(9_000);
    assert_eq!(world.heartbeat(&members[0], generation), ErrorCode::None);
    world.pass(1_000);
    assert_eq!(world.state(), "PreparingRebalance");
    assert_eq!(world.rebalances().last(), Some(&RebalanceReason::SessionExpired));
    assert_eq!(world.heartbeat(&members[1], generation), ErrorCode::UnknownMemberId);
    assert_eq!(world.heartbeat(&members[0], generation), ErrorCode::RebalanceInProgress);
}

#[test]
fn waiting_for_the_group_counts_as_living() {
    let mut world = World::default();
    let (members, _) = world.stable(2);
    let to = world.join(join(members[0].as_str(), "c"));
    world.pass(60_000);
    assert_eq!(world.joined(to).error, ErrorCode::None);
}

#[test]
fn who_does_not_sync_in_time_is_removed() {
    let mut world = World::default();
    let (members, _) = world.stable(2);
    let again = world.join(join(members[0].as_str(), "c"));
    let other = world.join(join(members[1].as_str(), "c"));
    let generation = world.joined(again).generation.0;
    world.joined(other);
    let shares = [(&members[0], "a"), (&members[1], "b")];
    let to = world.sync(&members[0], generation, &shares);
    assert_eq!(world.synced(to).error, ErrorCode::None);
    assert_eq!(world.state(), "Stable");
    for _ in 0..12 {
        world.pass(5_000);
        for member in &members {
            world.heartbeat(member, generation);
        }
    }
    assert_eq!(world.rebalances().last(), Some(&RebalanceReason::SyncExpired));
    assert_eq!(world.heartbeat(&members[1], generation), ErrorCode::UnknownMemberId);
}

#[test]
fn syncs_are_refused_with_kafkas_errors() {
    let mut world = World::default();
    let (members, generation) = world.stable(1);
    let nobody = MemberId::new("nobody");
    for (member, generation, expected) in [
        (&nobody, generation, ErrorCode::UnknownMemberId),
        (&members[0], generation + 1, ErrorCode::IllegalGeneration),
        (&members[0], generation - 1, ErrorCode::IllegalGeneration),
        (&members[0], generation, ErrorCode::None),
    ] {
        let to = world.sync(member, generation, &[]);
        assert_eq!(world.synced(to).error, expected, "{member} in {generation}");
    }
    let other = Sync {
        member: member_of(&members[0], generation),
        protocol_type: Some(Arc::from("consumer")),
        protocol_name: Some(Arc::from("sticky")),
        assignments: Vec::new(),
    };
    let to = world.send(Command::Sync(other));
    assert_eq!(world.synced(to).error, ErrorCode::InconsistentGroupProtocol);
    world.join_fresh("second");
    let to = world.sync(&members[0], generation, &[]);
    assert_eq!(world.synced(to).error, ErrorCode::RebalanceInProgress);
}

#[test]
fn a_join_calls_off_the_syncs_under_way() {
    let mut world = World::default();
    let (members, _) = world.stable(2);
    let joins = [0, 1].map(|index| world.join(join(members[index].as_str(), "c")));
    let generation = world.joined(joins[0]).generation.0;
    let waiting = world.sync(&members[1], generation, &[]);
    world.join_fresh("third");
    assert_eq!(world.synced(waiting).error, ErrorCode::RebalanceInProgress);
}

#[test]
fn a_repeated_request_releases_the_earlier_one() {
    let mut world = World::default();
    let (members, _) = world.stable(2);
    let first = world.join(join(members[0].as_str(), "c"));
    let second = world.join(join(members[0].as_str(), "c"));
    assert_eq!(world.joined(first).error, ErrorCode::RebalanceInProgress);
    assert!(world.is_waiting(second));
}

#[test]
fn an_assignment_too_large_to_store_reaches_nobody() {
    let settings = GroupSettings { record_bytes_max: 1_000, ..GroupSettings::default() };
    let mut world = World::new(settings);
    let (member, to) = world.join_fresh("c");
    world.joined(to);
    let to = world.sync(&member, 1, &[(&member, &"x".repeat(1_000))]);
    assert_eq!(world.synced(to).error, ErrorCode::UnknownServerError);
    assert_eq!(world.state(), "PreparingRebalance");
    assert!(world.log.is_empty());
}

#[test]
fn an_empty_group_waits_for_more_members_to_come() {
    let initial_rebalance_delay = Duration::from_secs(3);
    let mut world =
        World::new(GroupSettings { initial_rebalance_delay, ..GroupSettings::default() });
    let (_, first) = world.join_fresh("a");
    world.pass(2_000);
    let (_, second) = world.join_fresh("b");
    world.pass(1_500);
    assert!(world.is_waiting(first), "the delay is drawn out for the second");
    world.pass(3_000);
    assert_eq!(world.joined(first).generation, Generation(1));
    assert_eq!(world.joined(second).generation, Generation(1));
}

#[test]
fn the_initial_delay_ends_with_the_rebalance_timeout() {
    let initial_rebalance_delay = Duration::from_secs(3);
    let mut world =
        World::new(GroupSettings { initial_rebalance_delay, ..GroupSettings::default() });
    let quick = |member: &str| Join { rebalance_timeout_ms: 7_000, ..join(member, "c") };
    let mut waiting = Vec::new();
    for fresh in 0..9 {
        let fresh = Uuid::from_bytes([fresh; 16]);
        let to = world.join(Join { knows_member_id_required: false, fresh, ..quick("") });
        waiting.push(to);
        if !world.is_waiting(waiting[0]) {
            break;
        }
        world.pass(1_000);
    }
    let reply = world.joined(waiting[0]);
    assert_eq!((reply.error, reply.generation), (ErrorCode::None, Generation(1)));
}
