//! A record is read at the partition and offset, and with the timestamp, that its producer was
//! told.
//!
//! Source: Kafka's `RecordMetadata`. (An answer to a produce names no leader epoch.)

use std::collections::HashMap;

use super::Promise;
use crate::faults::history::{History, Id, Seen};

pub(super) fn check(history: &History, promise: &Promise) -> Vec<String> {
    let read: HashMap<Id, &Seen> =
        history.last().records.iter().map(|seen| (seen.id, seen)).collect();
    let mut complaints = Vec::new();
    let mut told: HashMap<(i32, i64), Id> = HashMap::new();
    for ack in &history.acks {
        let place = (ack.partition, ack.offset);
        if let Some(seen) = read.get(&ack.id)
            && ((seen.partition, seen.offset), seen.timestamp) != (place, ack.timestamp)
        {
            complaints.push(format!("{ack:?} was told, {seen:?} was read"));
        }
        if promise.may_be_lost(ack.partition, ack.offset, ack.at) {
            continue;
        }
        if let Some(other) = told.insert(place, ack.id) {
            complaints.push(format!("{place:?} was told of {other:?} and of {:?}", ack.id));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::tests::{good, lossy, read_otherwise};
    use super::*;

    #[test]
    fn another_offset_or_timestamp_than_was_told_is_found() {
        assert!(check(&good(), &Promise::default()).is_empty());
        let moved = read_otherwise(&["R 1 0", "B 1"], &["B 1 0 2", "R 1 1 0 1 7 a1"]);
        assert_eq!(check(&moved, &Promise::default()).len(), 1);
        let stamped = read_otherwise(&["R 1 0"], &["R 1 0 0 1 9 a1"]);
        assert_eq!(check(&stamped, &Promise::default()).len(), 1);
    }

    #[test]
    fn an_offset_is_told_once_unless_its_record_may_be_lost() {
        let mut history = good();
        history.load_line("A 1 5 0 2 8 90").unwrap();
        assert_eq!(check(&history, &Promise::default()).len(), 1);
        assert!(check(&history, &lossy(&[(0, 2)])).is_empty());
    }
}
