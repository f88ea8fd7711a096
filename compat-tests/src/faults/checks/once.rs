//! No record stands at two offsets: an idempotent producer's retries are recognised, across
//! restarts too.
//!
//! Source: KIP-98.

use std::collections::HashMap;

use super::Promise;
use crate::faults::history::{History, Id};

pub(super) fn check(history: &History, _promise: &Promise) -> Vec<String> {
    let mut complaints = Vec::new();
    for reading in &history.readings {
        let mut places: HashMap<Id, (i32, i64)> = HashMap::new();
        for seen in &reading.records {
            let place = (seen.partition, seen.offset);
            if let Some(other) = places.insert(seen.id, place) {
                complaints.push(format!("{:?} is at {other:?} and at {place:?}", seen.id));
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
    fn a_record_that_is_there_twice_is_found() {
        assert!(check(&good(), &Promise::default()).is_empty());
        let history = read_otherwise(&["B 0"], &["B 0 0 4", "R 0 3 1 0 6 b0"]);
        assert_eq!(check(&history, &Promise::default()).len(), 1);
    }
}
