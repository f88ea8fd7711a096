//! Every acknowledged record is read once the fault has healed; where a power loss may take the
//! newest ones, only those of the documented window, and only from the end of a partition.
//!
//! Source: Kafka's promise of `acks=all`, and the table of durability modes in the README.

use std::collections::{HashMap, HashSet};

use super::Promise;
use crate::faults::history::{Ack, History, Id, Sent};

pub(super) fn check(history: &History, promise: &Promise) -> Vec<String> {
    let mut complaints = Vec::new();
    for ack in lost(history, promise) {
        let Ack { id, partition, offset, at, .. } = ack;
        if !promise.may_be_lost(*partition, *offset, *at) {
            complaints.push(format!("partition {partition} offset {offset}: {id:?} is lost"));
        } else if let Some(loss) = &promise.loss
            && *at < loss.acknowledged_since
        {
            let early = (loss.at - at) / 1_000_000;
            complaints.push(format!(
                "partition {partition} offset {offset}: {id:?} is lost, and was acknowledged \
                 {early} ms before the power was"
            ));
        }
    }
    complaints
}

/// What was acknowledged and is not in the last reading. What retention or compaction may have
/// taken does not count.
pub(super) fn lost<'a>(history: &'a History, promise: &Promise) -> Vec<&'a Ack> {
    let reading = history.last();
    let read: HashSet<Id> = reading.records.iter().map(|seen| seen.id).collect();
    let mut newest: HashMap<Id, i64> = HashMap::new();
    for id in &read {
        let sequence = newest.entry(promise.key(*id)).or_insert(id.sequence);
        *sequence = id.sequence.max(*sequence);
    }
    if promise.keys.is_some() {
        // One that deletes its key may be gone itself, and has taken what was before.
        for (id, _) in history.sent.iter().filter(|(_, sent)| sent.is_tombstone()) {
            let sequence = newest.entry(promise.key(*id)).or_insert(id.sequence);
            *sequence = id.sequence.max(*sequence);
        }
    }
    let expired =
        |ack: &Ack| promise.start_moves() && ack.offset < reading.bounds_of(ack.partition).0;
    let replaced = |ack: &Ack| {
        newest.get(&promise.key(ack.id)).is_some_and(|newest| *newest > ack.id.sequence)
    };
    let has_deleted = |ack: &Ack| {
        promise.keys.is_some() && history.sent.get(&ack.id).is_some_and(Sent::is_tombstone)
    };
    let gone = |ack: &&Ack| {
        !read.contains(&ack.id) && !expired(ack) && !replaced(ack) && !has_deleted(ack)
    };
    history.acks.iter().filter(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{lossy, read_otherwise};
    use super::*;

    #[test]
    fn a_lost_record_is_found() {
        let history = read_otherwise(&["R 0 2", "B 0"], &["B 0 0 2"]);
        assert_eq!(check(&history, &Promise::default()).len(), 1);
    }

    #[test]
    fn the_end_of_a_partition_may_be_lost_within_the_window() {
        let history = read_otherwise(&["R 0 2", "B 0"], &["B 0 0 2"]);
        assert!(check(&history, &lossy(&[(0, 2), (1, 1)])).is_empty());
    }

    #[test]
    fn what_was_acknowledged_before_the_window_may_not() {
        let history = read_otherwise(&["R 0 1", "R 0 2", "B 0"], &["B 0 0 1"]);
        assert_eq!(check(&history, &lossy(&[(0, 1), (1, 1)])).len(), 1);
    }

    #[test]
    fn a_hole_is_no_loss_at_the_end() {
        let history = read_otherwise(&["R 0 1"], &[]);
        assert_eq!(check(&history, &lossy(&[(0, 3), (1, 1)])).len(), 1);
    }

    #[test]
    fn what_retention_took_is_not_lost_but_all_after_it_is() {
        let history = read_otherwise(&["R 0 0", "B 0"], &["B 0 1 3"]);
        assert_eq!(check(&history, &Promise::default()).len(), 1);
        let moving = Promise { kept: Some(1), ..Promise::default() };
        assert!(check(&history, &moving).is_empty());
        let history = read_otherwise(&["R 0 0", "R 0 1", "B 0"], &["B 0 1 3"]);
        assert_eq!(check(&history, &moving).len(), 1);
    }

    #[test]
    fn what_a_later_record_of_its_key_replaced_is_not_lost() {
        // With two keys, 0/2 replaces 0/0.
        let promise = Promise { keys: Some(2), ..Promise::default() };
        assert!(check(&read_otherwise(&["R 0 0"], &[]), &promise).is_empty());
        assert_eq!(check(&read_otherwise(&["R 0 2"], &[]), &promise).len(), 1);
        assert_eq!(check(&read_otherwise(&["R 1 0"], &[]), &promise).len(), 1);
    }
}
