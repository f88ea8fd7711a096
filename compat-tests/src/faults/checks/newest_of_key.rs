//! On a compacted topic the newest record of a key that was acknowledged holds, or a later one
//! that was sent: a value is there, and of a key that was deleted nothing older is.
//!
//! Source: Kafka's documentation of log compaction: a reader of the whole log sees at least the
//! last value of each key, and a tombstone goes only after all that it deletes.

use std::collections::HashMap;

use super::Promise;
use crate::faults::history::{Ack, History, Id, Seen, Sent};

pub(super) fn check(history: &History, promise: &Promise) -> Vec<String> {
    if promise.keys.is_none() {
        return Vec::new();
    }
    // Of each key: what was acknowledged last, and what a reader of everything keeps.
    let mut acknowledged: HashMap<Id, &Ack> = HashMap::new();
    for ack in history.acks.iter().filter(|ack| lasts(ack, promise)) {
        let newest = acknowledged.entry(promise.key(ack.id)).or_insert(ack);
        if ack.id.sequence > newest.id.sequence {
            *newest = ack;
        }
    }
    let mut held: HashMap<Id, &Seen> = HashMap::new();
    for seen in &history.last().records {
        held.insert(promise.key(seen.id), seen);
    }
    let mut deleted_by: HashMap<Id, i64> = HashMap::new();
    for (id, _) in history.sent.iter().filter(|(_, sent)| sent.is_tombstone()) {
        let newest = deleted_by.entry(promise.key(*id)).or_insert(id.sequence);
        *newest = id.sequence.max(*newest);
    }
    let mut complaints = Vec::new();
    for (key, ack) in acknowledged {
        let newest = ack.id.sequence;
        let is_deleted = history.sent.get(&ack.id).is_some_and(Sent::is_tombstone);
        let deleted_later = deleted_by.get(&key).is_some_and(|deleted| *deleted > newest);
        match held.get(&key) {
            Some(seen) if seen.id.sequence >= newest => {}
            Some(seen) if is_deleted => complaints.push(format!("{ack:?} deleted {seen:?}")),
            Some(seen) => complaints.push(format!("{seen:?} holds, and {ack:?} came later")),
            None if is_deleted || deleted_later => {}
            None => complaints.push(format!("{ack:?} was the last of its key and is gone")),
        }
    }
    complaints
}

fn lasts(ack: &Ack, promise: &Promise) -> bool {
    !promise.may_be_lost(ack.partition, ack.offset, ack.at)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{lossy, read_otherwise};
    use super::*;

    /// With two keys, 0/2 comes after 0/0, and here it deletes it.
    fn deleted(without: &[&str], with: &[&str]) -> History {
        let mut history = read_otherwise(without, with);
        history.load_line("S 0 2 0 0 31").unwrap();
        history
    }

    fn promise() -> Promise {
        Promise { keys: Some(2), ..Promise::default() }
    }

    #[test]
    fn the_newest_value_of_a_key_holds() {
        assert!(check(&read_otherwise(&["R 0 0"], &[]), &promise()).is_empty());
        assert_eq!(check(&read_otherwise(&["R 0 2"], &[]), &promise()).len(), 1, "an older one");
        assert_eq!(check(&read_otherwise(&["R 0"], &[]), &promise()).len(), 2, "none");
        assert!(check(&read_otherwise(&["R 0 2"], &[]), &Promise::default()).is_empty());
        let lost = Promise { keys: Some(2), ..lossy(&[(0, 2), (1, 1)]) };
        assert!(check(&read_otherwise(&["R 0 2"], &[]), &lost).is_empty(), "it may be lost");
    }

    #[test]
    fn a_deleted_key_stays_deleted() {
        assert!(check(&deleted(&[], &[]), &promise()).is_empty());
        assert!(check(&deleted(&["R 0 0", "R 0 2"], &[]), &promise()).is_empty(), "both are gone");
        assert_eq!(check(&deleted(&["R 0 2"], &[]), &promise()).len(), 1);
    }

    #[test]
    fn an_unanswered_deletion_may_have_been_done() {
        let mut history = read_otherwise(&["R 0 0", "R 0 2"], &[]);
        history.load_line("S 0 4 0 0 50").unwrap();
        assert!(check(&history, &promise()).is_empty());
    }
}
