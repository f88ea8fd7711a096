//! A record that was sent after another was acknowledged has the higher offset in its partition,
//! whoever the producers are.
//!
//! Source: appends to a partition are linearizable; Jepsen's checkers of logs ask the same.

use std::collections::HashMap;

use super::Promise;
use crate::faults::history::{History, Id, Nanos};

pub(super) fn check(history: &History, _promise: &Promise) -> Vec<String> {
    let acknowledged: HashMap<Id, Nanos> =
        history.acks.iter().map(|ack| (ack.id, ack.at)).collect();
    let mut complaints = Vec::new();
    for reading in &history.readings {
        // The latest time at which something with a lower offset was sent.
        let mut sent_before: HashMap<i32, (Nanos, Id)> = HashMap::new();
        for seen in &reading.records {
            let earlier = sent_before.entry(seen.partition).or_insert((Nanos::MIN, seen.id));
            if acknowledged.get(&seen.id).is_some_and(|at| *at < earlier.0) {
                let other = earlier.1;
                complaints.push(format!("{seen:?} was acknowledged before {other:?} was sent"));
            }
            if let Some(sent) = history.sent.get(&seen.id).filter(|sent| sent.at > earlier.0) {
                *earlier = (sent.at, seen.id);
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::tests::{good, read_otherwise};
    use super::*;

    #[test]
    fn an_offset_below_that_of_an_older_record_is_found() {
        assert!(check(&good(), &Promise::default()).is_empty());
        // 0/2 was sent at 31; 1/0 was acknowledged at 21.
        let history = read_otherwise(&["R 0"], &["R 0 0 0 2 5 a2", "R 0 1 1 0 6 b0"]);
        assert_eq!(check(&history, &Promise::default()).len(), 1);
    }
}
