//! A reader sees every offset from the earliest to the latest that ListOffsets names, none
//! missing, unless it is compacted, and none twice, and nothing keeps it from reading. (The topic
//! has no transactions.)
//!
//! Source: the README's durability table: a power loss takes the last records, so that what is
//! left has no hole; KIP-79 for what ListOffsets says.

use std::collections::BTreeMap;

use super::Promise;
use crate::faults::history::{History, Reading};

pub(super) fn check(history: &History, promise: &Promise) -> Vec<String> {
    let mut complaints = Vec::new();
    for reading in &history.readings {
        complaints.extend(reading.errors.iter().cloned());
        complaints.extend(holes(reading, promise));
        for (partition, (start, end)) in &reading.bounds {
            let asked = history.removals.get(partition).into_iter().flatten();
            let asked = asked.map(|asked| asked.what).max();
            let latest_start = promise.kept.map_or(0, |kept| (end - kept).max(0));
            let latest_start = latest_start.max(asked.unwrap_or(0));
            if *start > latest_start {
                complaints.push(format!("partition {partition} begins at {start}, ends at {end}"));
            }
        }
    }
    complaints
}

fn holes(reading: &Reading, promise: &Promise) -> Vec<String> {
    let mut next: BTreeMap<i32, i64> =
        reading.bounds.iter().map(|(partition, (start, _))| (*partition, *start)).collect();
    let mut complaints = Vec::new();
    for seen in &reading.records {
        let expected = next.insert(seen.partition, seen.offset + 1).unwrap_or(0);
        let right = seen.offset == expected || promise.keys.is_some() && seen.offset > expected;
        if !right {
            let (partition, offset) = (seen.partition, seen.offset);
            complaints.push(format!("partition {partition}: {offset} follows, not {expected}"));
        }
    }
    for (partition, (_, end)) in &reading.bounds {
        // A record may be written while the last one is read.
        if next[partition] < *end {
            complaints
                .push(format!("partition {partition}: read up to {} of {end}", next[partition]));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::tests::{good, read_otherwise};
    use super::*;

    #[test]
    fn holes_and_wrong_ends_are_found() {
        assert!(check(&good(), &Promise::default()).is_empty());
        let cases: &[(&[&str], &[&str])] = &[
            (&["R 0 1"], &[]),
            (&["R 0 2"], &[]),
            (&["R 0 0"], &[]),
            (&["B 1"], &["B 1 0 2"]),
            (&[], &["X 1 CORRUPT_MESSAGE"]),
            (&["R 0 0", "B 0"], &["B 0 1 3"]),
        ];
        for (without, with) in cases {
            let history = read_otherwise(without, with);
            let complaints = check(&history, &Promise::default());
            assert_eq!(complaints.len(), 1, "{without:?} {with:?}: {complaints:?}");
        }
    }

    #[test]
    fn retention_may_take_the_oldest_records_and_no_more() {
        let history = read_otherwise(&["R 0 0", "B 0"], &["B 0 1 3"]);
        assert!(check(&history, &Promise { kept: Some(2), ..Promise::default() }).is_empty());
        assert_eq!(check(&history, &Promise { kept: Some(3), ..Promise::default() }).len(), 1);
    }

    #[test]
    fn compaction_may_leave_holes_and_nothing_else() {
        let promise = Promise { keys: Some(2), ..Promise::default() };
        assert!(check(&read_otherwise(&["R 0 0"], &[]), &promise).is_empty());
        assert_eq!(check(&read_otherwise(&["R 0 2"], &[]), &promise).len(), 1, "the end");
        let twice = read_otherwise(&["R 0 2"], &["R 0 1 0 2 8 a2", "R 0 2 0 2 8 a2"]);
        assert_eq!(check(&twice, &promise).len(), 1);
    }
}
