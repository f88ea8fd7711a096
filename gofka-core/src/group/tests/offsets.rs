//! Commits: who may, what is kept, what is told; deleting.

use super::*;

#[test]
fn commits_are_checked_against_the_membership() {
    let mut world = World::default();
    let (members, generation) = world.stable(1);
    let nobody = MemberId::new("nobody");
    let none = MemberId::new("");
    for (member, generation, expected) in [
        (&members[0], generation, ErrorCode::None),
        (&members[0], generation + 1, ErrorCode::IllegalGeneration),
        (&members[0], -1, ErrorCode::IllegalGeneration),
        (&nobody, generation, ErrorCode::UnknownMemberId),
        (&none, -1, ErrorCode::UnknownMemberId),
    ] {
        let claim = member_of(member, generation);
        assert_eq!(world.commit(claim, "t", 1), expected, "{member} in {generation}");
    }
    world.join_fresh("second");
    assert_eq!(world.commit(member_of(&members[0], generation), "t", 2), ErrorCode::None);
    let to = world.join(join(members[0].as_str(), "c"));
    let next = world.joined(to).generation.0;
    let claim = member_of(&members[0], next);
    assert_eq!(world.commit(claim, "t", 3), ErrorCode::RebalanceInProgress);
    assert_eq!(world.committed("t"), Some(2));
}

#[test]
fn anyone_may_commit_to_a_group_without_members() {
    let mut world = World::default();
    assert_eq!(world.commit(outsider(), "t", 7), ErrorCode::None);
    assert_eq!(world.committed("t"), Some(7));
    assert_eq!(world.state(), "Empty");
    assert_eq!(world.committed("other"), None);
}

#[test]
fn a_generation_of_no_group_is_refused_by_what_the_client_knows() {
    for (knows, expected) in
        [(true, ErrorCode::GroupIdNotFound), (false, ErrorCode::IllegalGeneration)]
    {
        let mut world = World::default();
        let claim = member_of(&MemberId::new("m"), 3);
        let commit = Commit { knows_group_id_not_found: knows, ..commit(claim, "t", 1) };
        assert_eq!(world.ask(Command::Commit(commit)), Reply::Commit(Err(expected)));
        assert_eq!(world.shard.group_count(), 0);
    }
}

#[test]
fn a_text_that_is_too_long_is_refused_alone() {
    let mut world =
        World::new(GroupSettings { offset_metadata_max: 3, ..GroupSettings::default() });
    for (text, expected) in [
        ("abc", ErrorCode::None),
        ("abcd", ErrorCode::OffsetMetadataTooLarge),
        ("äöü", ErrorCode::None),
        ("😀😀", ErrorCode::OffsetMetadataTooLarge),
    ] {
        let mut commit = commit(outsider(), "t", 1);
        commit.topics[0].1[0].1.metadata = Some(text.to_owned());
        let Reply::Commit(Ok(topics)) = world.ask(Command::Commit(commit)) else {
            panic!("refused as a whole")
        };
        assert_eq!(topics[0].1[0].1, expected, "{text}");
    }
}

#[test]
fn a_refused_text_leaves_no_group_behind() {
    let mut world =
        World::new(GroupSettings { offset_metadata_max: 3, ..GroupSettings::default() });
    assert_eq!(world.commit(outsider(), "t", 1), ErrorCode::OffsetMetadataTooLarge);
    assert_eq!(world.shard.group_count(), 0);
}

#[test]
fn a_commit_keeps_the_session() {
    let mut world = World::default();
    let (members, generation) = world.stable(1);
    for offset in 0..4 {
        world.pass(8_000);
        let claim = member_of(&members[0], generation);
        assert_eq!(world.commit(claim, "t", offset), ErrorCode::None);
    }
    assert_eq!(world.state(), "Stable");
}

#[test]
fn offsets_of_topics_that_are_read_are_not_deleted() {
    let mut world = World::default();
    let (members, generation) = world.stable(1);
    for topic in ["read", "other"] {
        world.commit(member_of(&members[0], generation), topic, 5);
    }
    let group = GroupId::new(GROUP);
    let both = ["read", "other"].map(|t| (TopicName::new(t), vec![(PartitionIndex(0), ())]));
    let reply = world.ask(Command::DeleteOffsets { group, topics: both.to_vec() });
    let Reply::DeleteOffsets(Ok(topics)) = reply else { panic!("refused as a whole") };
    assert_eq!(topics[0].1[0].1, ErrorCode::GroupSubscribedToTopic);
    assert_eq!(topics[1].1[0].1, ErrorCode::None);
    assert_eq!(world.committed("read"), Some(5));
    assert_eq!(world.committed("other"), None);
}

#[test]
fn offsets_of_other_kinds_of_members_are_not_deleted_while_they_live() {
    let mut world = World::default();
    let kind = Join { protocol_type: Arc::from("connect"), ..join("", "worker") };
    let to = world.join(Join { knows_member_id_required: false, ..kind });
    world.joined(to);
    let delete =
        |group: &str| Command::DeleteOffsets { group: GroupId::new(group), topics: Vec::new() };
    for (group, expected) in [
        (GROUP, ErrorCode::NonEmptyGroup),
        ("none", ErrorCode::GroupIdNotFound),
        ("", ErrorCode::InvalidGroupId),
    ] {
        assert_eq!(world.ask(delete(group)), Reply::DeleteOffsets(Err(expected)), "{group}");
    }
}

#[test]
fn a_group_is_deleted_with_its_offsets_once_it_is_empty() {
    let mut world = World::default();
    let (members, generation) = world.stable(1);
    world.commit(member_of(&members[0], generation), "t", 5);
    let delete = || Command::DeleteGroup(GroupId::new(GROUP));
    assert_eq!(world.ask(delete()), Reply::DeleteGroup(ErrorCode::NonEmptyGroup));
    world.leave(&[(members[0].as_str(), None)]);
    assert_eq!(world.ask(delete()), Reply::DeleteGroup(ErrorCode::None));
    assert_eq!(world.ask(delete()), Reply::DeleteGroup(ErrorCode::GroupIdNotFound));
    assert_eq!(world.committed("t"), None);
    assert_eq!(world.state(), "Dead");
    world.restart();
    assert_eq!(world.shard.group_count(), 0);
}

#[test]
fn a_deleted_topic_takes_its_offsets_along() {
    let mut world = World::default();
    world.commit(outsider(), "t", 5);
    world.commit(outsider(), "kept", 6);
    world.ask(Command::TopicsDeleted(vec![TopicName::new("t")]));
    assert_eq!(world.committed("t"), None);
    assert_eq!(world.committed("kept"), Some(6));
}

#[test]
fn a_listing_is_filtered_by_state_and_type() {
    let mut world = World::default();
    world.stable(1);
    for (states, types, expected) in [
        (vec![], vec![], 1),
        (vec!["stable"], vec![], 1),
        (vec!["Empty", "STABLE"], vec!["Classic"], 1),
        (vec!["empty"], vec![], 0),
        (vec![], vec!["consumer"], 0),
        (vec!["no such state"], vec![], 0),
    ] {
        let own = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let filter = super::super::command::ListFilter { states: own(&states), types: own(&types) };
        let Reply::List(groups) = world.ask(Command::List(filter)) else { panic!("no listing") };
        assert_eq!(groups.len(), expected, "{states:?} {types:?}");
    }
}
