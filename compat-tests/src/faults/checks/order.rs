//! In each partition the records of one producer stand in the order in which it sent them.
//!
//! Source: KIP-98, with up to five requests in flight (KAFKA-5494).

use std::collections::HashMap;

use super::Promise;
use crate::faults::history::History;

pub(super) fn check(history: &History, _promise: &Promise) -> Vec<String> {
    let mut complaints = Vec::new();
    for reading in &history.readings {
        let mut last: HashMap<(i32, i64), i64> = HashMap::new();
        for seen in &reading.records {
            let sequence = seen.id.sequence;
            let before = last.insert((seen.partition, seen.id.producer), sequence);
            if let Some(before) = before.filter(|before| *before > sequence) {
                complaints.push(format!("{seen:?} comes after the producer's number {before}"));
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
    fn records_out_of_the_order_of_sending_are_found() {
        assert!(check(&good(), &Promise::default()).is_empty());
        let history = read_otherwise(&["R 0"], &["R 0 0 0 2 5 a2", "R 0 1 0 0 6 a0"]);
        assert_eq!(check(&history, &Promise::default()).len(), 1);
    }
}
