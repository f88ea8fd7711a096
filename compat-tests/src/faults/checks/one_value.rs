//! One value for each partition and offset, for ever and for everybody: whoever read an offset
//! while others wrote, after a fault, or later, read the same. Only what a power loss may take
//! may be given again.
//!
//! Source: KIP-101 states it for replicas; an offset names one record.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Promise;
use crate::faults::history::{History, Seen};

pub(super) fn check(history: &History, promise: &Promise) -> Vec<String> {
    let mut values: HashMap<(i32, i64), &Seen> = HashMap::new();
    let mut complaints = Vec::new();
    let lasting = |seen: &Seen, at| !promise.may_be_lost(seen.partition, seen.offset, at);
    let live = history.live.iter().filter(|(seen, at)| lasting(seen, *at)).map(|(seen, _)| seen);
    let readings = history.readings.iter().flat_map(|reading| &reading.records);
    for seen in live.chain(readings) {
        match values.entry((seen.partition, seen.offset)) {
            Entry::Vacant(place) => {
                place.insert(seen);
            }
            Entry::Occupied(place) if **place.get() != *seen => {
                complaints.push(format!("{seen:?} was {:?} for another reader", place.get()));
            }
            Entry::Occupied(_) => {}
        }
    }
    complaints.extend(vanished(history, promise));
    complaints
}

/// What somebody read meanwhile and nobody reads any more.
fn vanished(history: &History, promise: &Promise) -> Vec<String> {
    let reading = history.last();
    let mut complaints = Vec::new();
    for (seen, at) in &history.live {
        let (start, end) = reading.bounds_of(seen.partition);
        let removed = promise.start_moves() && seen.offset < start;
        let there = (start..end).contains(&seen.offset) || removed;
        if !there && !promise.may_be_lost(seen.partition, seen.offset, *at) {
            complaints.push(format!("{seen:?} was read, and is gone"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::tests::{good, lossy, read_otherwise, reading};
    use super::*;

    #[test]
    fn another_value_for_another_reader_is_found() {
        let history = read_otherwise(&["R 0 1"], &["R 0 1 1 0 6 ff"]);
        assert_eq!(check(&history, &Promise::default()).len(), 1);
    }

    #[test]
    fn what_somebody_read_stays() {
        let history = read_otherwise(&["R 0 2", "B 0"], &["B 0 0 2"]);
        assert_eq!(check(&history, &Promise::default()).len(), 1);
        // It was read at 45, after the power was lost.
        assert_eq!(check(&history, &lossy(&[(0, 2)])).len(), 1);
        let mut early = history;
        early.live[2].1 = 41;
        assert!(check(&early, &lossy(&[(0, 2)])).is_empty());
    }

    #[test]
    fn two_readings_agree() {
        let mut history = good();
        history.readings.push(reading(&["B 0 0 3", "R 0 0 0 0 9 a0"]));
        assert_eq!(check(&history, &Promise::default()).len(), 1, "another timestamp");
    }
}
