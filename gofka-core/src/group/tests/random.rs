//! Random commands: what the records say is what the shard knows, everybody is answered, and no
//! partition share is given out twice in a generation.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Action {
    Join { client: u8, fresh: u8, is_static: bool, known: bool },
    Sync { client: u8 },
    Heartbeat { client: u8 },
    Leave { client: u8 },
    Commit { client: u8, offset: i64 },
    OutsiderCommit { offset: i64 },
    DeleteOffsets,
    DeleteGroup,
    TopicDeleted,
    Expire,
    Pass { milliseconds: u64 },
    Restart,
}

fn action() -> impl Strategy<Value = Action> {
    let client = 0..4_u8;
    prop_oneof![
        6 => (client.clone(), any::<u8>(), any::<bool>(), any::<bool>()).prop_map(
            |(client, fresh, is_static, known)| Action::Join { client, fresh, is_static, known }
        ),
        6 => client.clone().prop_map(|client| Action::Sync { client }),
        2 => client.clone().prop_map(|client| Action::Heartbeat { client }),
        2 => client.clone().prop_map(|client| Action::Leave { client }),
        3 => (client, 0..100_i64).prop_map(|(client, offset)| Action::Commit { client, offset }),
        1 => (0..100_i64).prop_map(|offset| Action::OutsiderCommit { offset }),
        1 => Just(Action::DeleteOffsets),
        1 => Just(Action::DeleteGroup),
        1 => Just(Action::TopicDeleted),
        1 => Just(Action::Expire),
        4 => (0..30_000_u64).prop_map(|milliseconds| Action::Pass { milliseconds }),
        1 => Just(Action::Restart),
    ]
}

/// What a client believes of itself.
#[derive(Clone, Default)]
struct Belief {
    member: Option<MemberId>,
    instance: Option<InstanceId>,
    generation: i32,
    waiting: Option<ReplyTo>,
}

struct Clients {
    world: World,
    beliefs: [Belief; 4],
    open: BTreeSet<ReplyTo>,
    /// Shares that were handed out, by generation.
    shares: BTreeMap<(i32, Bytes), MemberId>,
}

impl Clients {
    fn new() -> Self {
        Self {
            world: World::default(),
            beliefs: Default::default(),
            open: BTreeSet::new(),
            shares: BTreeMap::new(),
        }
    }

    fn send(&mut self, client: Option<usize>, command: Command) {
        let to = self.world.send(command);
        self.open.insert(to);
        if let Some(client) = client {
            self.beliefs[client].waiting = Some(to);
        }
        self.collect();
    }

    /// Takes in the replies that have come.
    fn collect(&mut self) {
        if self.world.events.drain(..).any(|event| matches!(event, Event::GroupRemoved(_))) {
            // Its successor counts from the first generation again.
            self.shares.clear();
        }
        for (to, reply) in std::mem::take(&mut self.world.replies) {
            assert!(self.open.remove(&to), "{to:?} was answered twice");
            let Some(belief) = self.beliefs.iter_mut().find(|b| b.waiting == Some(to)) else {
                continue;
            };
            match reply {
                Reply::Join(reply) => match reply.error {
                    ErrorCode::None | ErrorCode::MemberIdRequired => {
                        belief.member = Some(reply.member);
                        belief.generation = reply.generation.0;
                    }
                    ErrorCode::RebalanceInProgress => {}
                    _ => belief.member = None,
                },
                Reply::Sync(reply) if reply.error == ErrorCode::None => {
                    let owner = belief.instance.as_ref().map(InstanceId::as_str);
                    let owner =
                        MemberId::new(owner.unwrap_or(belief.member.as_ref().unwrap().as_str()));
                    if !reply.assignment.is_empty() {
                        let share = (belief.generation, reply.assignment);
                        let earlier = self.shares.insert(share, owner.clone());
                        assert!(earlier.is_none_or(|earlier| earlier == owner), "two owners");
                    }
                }
                _ => {}
            }
        }
    }

    fn act(&mut self, action: &Action) {
        let group = GroupId::new(GROUP);
        match *action {
            Action::Join { client, fresh, is_static, known } => {
                self.join(usize::from(client), fresh, is_static, known);
            }
            Action::Sync { client } => self.sync(usize::from(client)),
            Action::Heartbeat { client } => {
                if let Some(claim) = self.claim(usize::from(client)) {
                    self.send(None, Command::Heartbeat(claim));
                }
            }
            Action::Leave { client } => {
                let belief = std::mem::take(&mut self.beliefs[usize::from(client)]);
                let member = belief.member.unwrap_or_else(|| MemberId::new(""));
                let members = vec![Leaver { member, instance: belief.instance, reason: None }];
                self.send(None, Command::Leave(Leave { group, members }));
            }
            Action::Commit { client, offset } => {
                if let Some(claim) = self.claim(usize::from(client)) {
                    self.send(None, Command::Commit(commit(claim, "read", offset)));
                }
            }
            Action::OutsiderCommit { offset } => {
                self.send(None, Command::Commit(commit(outsider(), "other", offset)));
            }
            Action::DeleteOffsets => {
                let topics = vec![(TopicName::new("other"), vec![(PartitionIndex(0), ())])];
                self.send(None, Command::DeleteOffsets { group, topics });
            }
            Action::DeleteGroup => self.send(None, Command::DeleteGroup(group)),
            Action::TopicDeleted => {
                self.send(None, Command::TopicsDeleted(vec![TopicName::new("read")]));
            }
            Action::Expire => self.send(None, Command::Expire),
            Action::Pass { milliseconds } => {
                self.world.pass(milliseconds);
                self.collect();
            }
            Action::Restart => {
                self.world.restart();
                self.collect();
                assert!(self.open.is_empty(), "a request outlived its shard unanswered");
            }
        }
    }

    fn claim(&self, client: usize) -> Option<MemberOf> {
        let belief = &self.beliefs[client];
        let member = member_of(belief.member.as_ref()?, belief.generation);
        Some(MemberOf { instance: belief.instance.clone(), ..member })
    }

    fn join(&mut self, client: usize, fresh: u8, is_static: bool, known: bool) {
        let belief = &mut self.beliefs[client];
        if !known || belief.member.is_none() {
            belief.member = None;
            belief.instance = is_static.then(|| InstanceId::new(&format!("i{client}")));
        }
        let id = belief.member.as_ref().map_or("", |member| member.as_str()).to_owned();
        let mut fresh_id = [fresh; 16];
        fresh_id[..8].copy_from_slice(&self.world.next_reply.to_be_bytes());
        let join = Join {
            instance: belief.instance.clone(),
            fresh: Uuid::from_bytes(fresh_id),
            ..join(&id, &format!("c{client}"))
        };
        self.send(Some(client), Command::Join(join));
    }

    /// Every client brings an assignment; only the leader's counts.
    fn sync(&mut self, client: usize) {
        let Some(member) = self.claim(client) else { return };
        let everyone = self.beliefs.iter().filter_map(|belief| belief.member.clone());
        let shares = everyone.enumerate().map(|(index, id)| {
            (id, Bytes::from(format!("share {index} of {}", member.generation)))
        });
        let assignments = shares.collect();
        let sync = Sync { member, protocol_type: None, protocol_name: None, assignments };
        self.send(Some(client), Command::Sync(sync));
    }

    fn check(&self) {
        assert_eq!(&replayed(&self.world.log), self.world.shard.durable());
        let live: BTreeSet<_> = self.world.shard.summaries().map(|g| g.group.clone()).collect();
        for (id, _) in self.world.shard.durable().groups() {
            assert!(live.contains(id), "{id} is stored but not alive");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn records_add_up_to_what_the_shard_knows(actions in prop::collection::vec(action(), 1..80)) {
        let mut clients = Clients::new();
        for action in &actions {
            clients.act(action);
            clients.check();
        }
        // Whoever waits is answered once nobody comes any more.
        clients.world.pass(1_000_000);
        clients.collect();
        prop_assert!(clients.open.is_empty(), "still waiting: {:?}", clients.open);
        let state = clients.world.state();
        prop_assert!(matches!(state, "Empty" | "Dead"), "ended {state}");
        prop_assert_eq!(clients.world.shard.next_deadline(), None);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(
        key in prop::collection::vec(any::<u8>(), 0..40),
        value in prop::collection::vec(any::<u8>(), 0..200),
        kind in 0..3_i16,
        version in 0..6_i16,
    ) {
        let key = [&kind.to_be_bytes()[..], b"\0\x01g\0\x01t\0\0\0\0", &key].concat();
        let value = [&version.to_be_bytes()[..], &value].concat();
        let _ = GroupRecord::decode(Some(&key), Some(&value));
    }
}
