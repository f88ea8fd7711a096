//! While one of two disks is away, partitions on the other are written to: each acknowledges
//! something meanwhile.
//!
//! Source: KIP-112: a failed log directory takes its own partitions and nothing else.

use std::collections::BTreeSet;

use super::Promise;
use crate::faults::history::History;

pub(super) fn check(history: &History, promise: &Promise) -> Vec<String> {
    let Some(outage) = &promise.outage else { return Vec::new() };
    let others: BTreeSet<i32> = history.last().bounds.keys().copied().collect();
    let meanwhile = |at: i64| (outage.from..=outage.to).contains(&at);
    let at_work = history.acks.iter().filter(|ack| meanwhile(ack.at)).map(|ack| ack.partition);
    let at_work: BTreeSet<i32> = at_work.collect();
    let mut complaints = Vec::new();
    if outage.lost.is_empty() || outage.lost.is_superset(&others) {
        complaints.push(format!("of {others:?}, {:?} are on the disk that failed", outage.lost));
    }
    for partition in others.iter().filter(|partition| !outage.lost.contains(partition)) {
        if !at_work.contains(partition) {
            complaints.push(format!("partition {partition} stood still with the other disk"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::Outage;
    use super::super::tests::good;
    use super::*;

    #[test]
    fn a_partition_that_stands_still_is_found() {
        let found = |from, to, lost: &[i32]| {
            let outage = Some(Outage { from, to, lost: lost.iter().copied().collect() });
            check(&good(), &Promise { outage, ..Promise::default() }).len()
        };
        // Partition 0 is answered at 20, 21 and 41, partition 1 at 40.
        assert_eq!(found(41, 50, &[1]), 0);
        assert_eq!(found(42, 50, &[1]), 1);
        assert_eq!(found(41, 50, &[0]), 1);
        assert_eq!(found(0, 50, &[]), 1, "nothing was on the disk");
        assert_eq!(found(0, 50, &[0, 1]), 1, "everything was");
        assert!(check(&good(), &Promise::default()).is_empty());
    }
}
