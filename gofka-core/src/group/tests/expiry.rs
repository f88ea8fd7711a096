//! Expiry of offsets and groups (KIP-211).

use super::*;

const RETENTION_MS: u64 = 10_080 * 60_000;

fn expire(world: &mut World) {
    assert_eq!(world.ask(Command::Expire), Reply::Done);
}

#[test]
fn offsets_without_members_expire_after_their_commit() {
    let mut world = World::default();
    world.commit(outsider(), "old", 1);
    world.pass(RETENTION_MS / 2);
    world.commit(outsider(), "new", 2);
    world.pass(RETENTION_MS / 2);
    expire(&mut world);
    assert_eq!(world.committed("old"), None);
    assert_eq!(world.committed("new"), Some(2));
    world.pass(RETENTION_MS / 2);
    expire(&mut world);
    assert_eq!(world.state(), "Dead");
    world.restart();
    assert_eq!(world.shard.group_count(), 0);
}

#[test]
fn a_groups_offsets_expire_after_its_last_member_left() {
    let mut world = World::default();
    let (members, generation) = world.stable(1);
    world.commit(member_of(&members[0], generation), "t", 1);
    world.move_clock(RETENTION_MS);
    world.heartbeat(&members[0], generation);
    world.leave(&[(members[0].as_str(), None)]);
    world.pass(RETENTION_MS - 1);
    expire(&mut world);
    assert_eq!(world.committed("t"), Some(1));
    world.pass(1);
    expire(&mut world);
    assert_eq!(world.committed("t"), None);
    assert_eq!(world.state(), "Dead");
}

#[test]
fn of_a_living_group_only_what_nobody_reads_expires() {
    let mut world = World::default();
    let (members, generation) = world.stable(1);
    for topic in ["read", "abandoned"] {
        world.commit(member_of(&members[0], generation), topic, 1);
    }
    world.move_clock(RETENTION_MS);
    world.heartbeat(&members[0], generation);
    expire(&mut world);
    assert_eq!(world.committed("read"), Some(1));
    assert_eq!(world.committed("abandoned"), None);
    assert_eq!(world.state(), "Stable");
}

#[test]
fn a_retention_time_of_the_clients_own_is_kept() {
    let mut world = World::default();
    let own = Commit { retention_ms: Some(1_000), ..commit(outsider(), "t", 1) };
    world.ask(Command::Commit(own));
    world.pass(999);
    expire(&mut world);
    assert_eq!(world.committed("t"), Some(1));
    world.restart();
    world.pass(1);
    expire(&mut world);
    assert_eq!(world.committed("t"), None);
}

#[test]
fn a_group_with_an_id_given_out_is_not_removed() {
    let mut world = World::default();
    let (members, _) = world.stable(1);
    world.leave(&[(members[0].as_str(), None)]);
    let to = world.join(join("", "c"));
    let id = world.joined(to).member;
    expire(&mut world);
    let to = world.join(join(id.as_str(), "c"));
    assert_eq!(world.joined(to).error, ErrorCode::None);
}
