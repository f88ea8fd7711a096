//! Every acknowledged record is read once the fault has healed; where a power loss may take the
//! newest ones, only those of the documented window, and only from the end of a partition.
//!
//! Source: Kafka's promise of `acks=all`, and the table of durability modes in the README.

use std::collections::HashSet;

use super::Promise;
use crate::faults::history::{Ack, History, Id};

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

/// What was acknowledged and is not in the last reading. What lies before the partition's start
/// counts only where retention is not at work.
pub(super) fn lost<'a>(history: &'a History, promise: &Promise) -> Vec<&'a Ack> {
    let reading = history.last();
    let read: HashSet<Id> = reading.records.iter().map(|seen| seen.id).collect();
    let removed =
        |ack: &Ack| promise.kept.is_some() && ack.offset < reading.bounds_of(ack.partition).0;
    history.acks.iter().filter(|ack| !read.contains(&ack.id) && !removed(ack)).collect()
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
        let moving = Promise { loss: None, kept: Some(1) };
        assert!(check(&history, &moving).is_empty());
        let history = read_otherwise(&["R 0 0", "R 0 1", "B 0"], &["B 0 1 3"]);
        assert_eq!(check(&history, &moving).len(), 1);
    }
}
