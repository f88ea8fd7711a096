//! Which client is a member of which group, so that what it fetches can be counted by group: a
//! fetch itself names none.
//!
//! Asked by the fetch handler at each answer. The index is made anew by the first one who asks
//! after members came or went; otherwise a look-up takes no lock and allocates nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use super::GroupFigures;

/// The index and the number of changes it is to follow.
#[derive(Debug, Default)]
pub(super) struct Consumers {
    changes: AtomicU64,
    index: ArcSwap<Index>,
}

#[derive(Debug, Default)]
struct Index {
    /// The number of changes that it contains.
    changes: u64,
    by_client_id: HashMap<Arc<str>, Vec<Consumer>>,
}

#[derive(Debug)]
struct Consumer {
    address: IpAddr,
    /// None when members of several groups call themselves the same.
    group: Option<Arc<str>>,
}

impl Consumers {
    /// Members came or went.
    pub(super) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// The one group of a client. `figures` is asked when the index is out of date.
    pub(super) fn group_of(
        &self,
        client_id: &str,
        address: IpAddr,
        figures: impl FnOnce() -> Vec<GroupFigures>,
    ) -> Option<Arc<str>> {
        let changes = self.changes.load(Ordering::Acquire);
        if self.index.load().changes != changes {
            self.index.store(Arc::new(Index::new(changes, figures())));
        }
        let index = self.index.load();
        let consumers = index.by_client_id.get(client_id)?;
        consumers.iter().find(|consumer| consumer.address == address)?.group.clone()
    }
}

impl Index {
    fn new(changes: u64, figures: Vec<GroupFigures>) -> Self {
        let mut by_client_id: HashMap<Arc<str>, Vec<Consumer>> = HashMap::new();
        for figures in figures {
            let group: Arc<str> = figures.group.as_str().into();
            for (client_id, host) in figures.clients {
                // Kafka writes a client's host with a slash before it.
                let Ok(address) = host.trim_start_matches('/').parse() else { continue };
                let consumers = by_client_id.entry(client_id).or_default();
                match consumers.iter_mut().find(|consumer| consumer.address == address) {
                    Some(consumer) if consumer.group.as_ref() != Some(&group) => {
                        consumer.group = None;
                    }
                    Some(_) => {}
                    None => consumers.push(Consumer { address, group: Some(group.clone()) }),
                }
            }
        }
        Self { changes, by_client_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gofka_core::group::GroupId;

    fn group(name: &str, clients: &[(&str, &str)]) -> GroupFigures {
        GroupFigures {
            group: GroupId::new(name),
            state: "Stable",
            members: clients.len(),
            clients: clients.iter().map(|(id, host)| ((*id).into(), (*host).into())).collect(),
            offsets: Vec::new(),
        }
    }

    #[test]
    fn a_client_in_one_group_is_found_and_in_two_it_is_not() {
        let consumers = Consumers::default();
        consumers.changed();
        let groups = || {
            vec![
                group("g", &[("a", "/127.0.0.1"), ("a", "/127.0.0.1"), ("b", "/127.0.0.1")]),
                group("h", &[("b", "/127.0.0.1"), ("b", "/10.0.0.1"), ("c", "/::1")]),
            ]
        };
        let of = |client_id: &str, address: &str| {
            consumers.group_of(client_id, address.parse().unwrap(), groups)
        };
        assert_eq!(of("a", "127.0.0.1").as_deref(), Some("g"));
        assert_eq!(of("b", "127.0.0.1"), None);
        assert_eq!(of("b", "10.0.0.1").as_deref(), Some("h"));
        assert_eq!(of("c", "::1").as_deref(), Some("h"));
        assert_eq!(of("d", "127.0.0.1"), None);
    }

    #[test]
    fn the_index_is_made_anew_only_after_a_change() {
        let consumers = Consumers::default();
        let address: IpAddr = "127.0.0.1".parse().unwrap();
        let one = || vec![group("g", &[("a", "/127.0.0.1")])];
        assert_eq!(consumers.group_of("a", address, || panic!("nothing changed")), None);
        consumers.changed();
        assert_eq!(consumers.group_of("a", address, one).as_deref(), Some("g"));
        let again = consumers.group_of("a", address, || panic!("nothing changed"));
        assert_eq!(again.as_deref(), Some("g"));
    }
}
