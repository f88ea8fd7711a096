//! A topic whose creation was acknowledged is there, with the id that was told; one whose deletion
//! was acknowledged is not. In every durability mode: metadata is always synced.
//!
//! Source: KIP-500 and KIP-516: metadata is a log that is committed before it is answered, and a
//! topic's id is its own for ever.

use super::Promise;
use crate::faults::history::History;

pub(super) fn check(history: &History, _promise: &Promise) -> Vec<String> {
    let there = &history.last().topics;
    let mut complaints = Vec::new();
    for (name, created) in &history.created {
        let gone = history.deleted.contains_key(name) || history.doubtful.contains(name);
        if created.acknowledged.is_none() || gone {
            continue;
        }
        match (there.get(name), &created.what) {
            (None, _) => complaints.push(format!("{name} was created and is not there")),
            (Some(found), Some(told)) if found != told => {
                complaints.push(format!("{name} was created as {told} and is {found}"));
            }
            (Some(_), _) => {}
        }
    }
    for (name, deleted) in &history.deleted {
        if deleted.acknowledged.is_some() && there.contains_key(name) {
            complaints.push(format!("{name} was deleted and is there"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::tests::{good, read_otherwise};
    use super::*;

    #[test]
    fn topics_that_went_or_came_back_are_found() {
        assert!(check(&good(), &Promise::default()).is_empty());
        for (without, with) in [("N x", ""), ("N x", "N x other"), ("", "N y id-y")] {
            let without: &[&str] = if without.is_empty() { &[] } else { &[without] };
            let with: &[&str] = if with.is_empty() { &[] } else { &[with] };
            let history = read_otherwise(without, with);
            assert_eq!(check(&history, &Promise::default()).len(), 1, "{without:?} {with:?}");
        }
    }
}
