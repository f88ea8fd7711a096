//! Records whose deletion was acknowledged stay deleted: a partition begins where DeleteRecords
//! was told that it does, or at a later offset that was asked for, and in every durability mode.
//!
//! Source: KIP-107: the log start offset is checkpointed before the answer.

use super::Promise;
use crate::faults::history::History;

pub(super) fn check(history: &History, _promise: &Promise) -> Vec<String> {
    let mut complaints = Vec::new();
    for (partition, removals) in &history.removals {
        let acknowledged = removals.iter().filter(|asked| asked.acknowledged.is_some());
        let at_least = acknowledged.map(|asked| asked.what).max().unwrap_or(0);
        let (start, _) = history.last().bounds_of(*partition);
        if start < at_least {
            complaints.push(format!(
                "partition {partition} begins at {start}; all before {at_least} was deleted"
            ));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read_otherwise, reading};
    use super::super::{acknowledged, no_hole, one_value};
    use super::*;

    fn removed(start: &str, without: &[&str]) -> History {
        let mut all = vec!["B 0"];
        all.extend(without);
        let mut history = read_otherwise(&all, &[start]);
        for line in ["k 0 1", "K 0 1 50", "k 0 2"] {
            history.load_line(line).expect(line);
        }
        history
    }

    #[test]
    fn what_was_deleted_stays_deleted() {
        let promise = Promise { removals: true, ..Promise::default() };
        for (start, without) in [("B 0 1 3", &["R 0 0"][..]), ("B 0 2 3", &["R 0 0", "R 0 1"])] {
            let history = removed(start, without);
            for check in [check, acknowledged::check, no_hole::check, one_value::check] {
                assert_eq!(check(&history, &promise), Vec::<String>::new(), "{start}");
            }
        }
        assert_eq!(check(&removed("B 0 0 3", &[]), &promise).len(), 1);
        let mut empty = removed("B 0 1 3", &[]);
        empty.readings = vec![reading(&[])];
        assert_eq!(check(&empty, &promise).len(), 1, "the partition begins anew");
    }

    #[test]
    fn no_more_was_deleted_than_was_asked_for() {
        let history = removed("B 0 3 3", &["R 0"]);
        assert_eq!(no_hole::check(&history, &Promise::default()).len(), 1);
    }

    #[test]
    fn where_nothing_is_deleted_a_later_start_is_a_loss() {
        let history = removed("B 0 1 3", &["R 0 0"]);
        assert_eq!(acknowledged::check(&history, &Promise::default()).len(), 1);
    }
}
