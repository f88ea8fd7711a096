//! What a restart brings back.

use super::*;

#[test]
fn a_restart_shorter_than_a_session_disturbs_nobody() {
    let mut world = World::default();
    let (members, generation) = world.stable(2);
    world.commit(member_of(&members[0], generation), "t", 9);
    world.pass(8_000);
    world.restart();
    world.pass(8_000);
    for member in &members {
        assert_eq!(world.heartbeat(member, generation), ErrorCode::None);
        let to = world.sync(member, generation, &[]);
        assert_eq!(&world.synced(to).assignment[..], member.as_str().as_bytes());
    }
    assert_eq!(world.committed("t"), Some(9));
    assert_eq!(world.state(), "Stable");
}

#[test]
fn members_that_do_not_come_back_expire() {
    let mut world = World::default();
    let (members, generation) = world.stable(2);
    world.restart();
    world.pass(9_000);
    assert_eq!(world.heartbeat(&members[0], generation), ErrorCode::None);
    world.pass(1_000);
    assert_eq!(world.heartbeat(&members[0], generation), ErrorCode::RebalanceInProgress);
    let to = world.join(join(members[0].as_str(), "c"));
    let reply = world.joined(to);
    assert_eq!((reply.error, reply.generation), (ErrorCode::None, Generation(generation + 1)));
    assert_eq!(reply.members.len(), 1);
}

#[test]
fn requests_that_wait_are_sent_away_when_the_shard_stops() {
    let mut world = World::default();
    let (members, _) = world.stable(2);
    let to = world.join(join(members[0].as_str(), "c"));
    world.restart();
    let gone = Reply::Unavailable(ErrorCode::NotCoordinator);
    assert_eq!(world.replies.remove(&to), Some(gone));
}

#[test]
fn a_group_over_its_limit_rebalances_when_it_is_loaded() {
    let mut world = World::default();
    let (members, generation) = world.stable(3);
    world.settings = Arc::new(GroupSettings { members_max: 2, ..GroupSettings::default() });
    world.restart();
    assert_eq!(world.rebalances().last(), Some(&RebalanceReason::OverCapacity));
    let replies: Vec<ReplyTo> =
        members.iter().map(|member| world.join(join(member.as_str(), "c"))).collect();
    world.pass(60_000);
    let errors: Vec<ErrorCode> = replies.into_iter().map(|to| world.joined(to).error).collect();
    assert_eq!(errors, [ErrorCode::None, ErrorCode::None, ErrorCode::GroupMaxSizeReached]);
    assert_eq!(world.heartbeat(&members[2], generation), ErrorCode::UnknownMemberId);
}
