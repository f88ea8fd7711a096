//! What must hold after a fault, one assertion a file. Each names where it comes from, and its
//! tests plant the fault that it is there to find.

mod acknowledged;
mod as_told;
mod committed;
mod first_record;
mod lives;
mod lives_on;
mod newest_of_key;
mod no_hole;
mod nothing_made_up;
mod once;
mod one_value;
mod order;
mod real_time;
mod start_stays;
mod topics;

use std::collections::{BTreeMap, BTreeSet};

use super::history::{History, Id, Nanos};

/// What a broker promises of a run.
#[derive(Clone, Debug, Default)]
pub struct Promise {
    /// Where a power loss may take the newest records.
    pub loss: Option<Loss>,
    /// Where retention takes the oldest records: how many of the newest it leaves, at least.
    pub kept: Option<i64>,
    /// Where compaction takes records that have a later one of their key: how many keys each
    /// producer uses, one after the other.
    pub keys: Option<i64>,
    /// Whether clients delete the oldest records.
    pub removals: bool,
    /// Where one of two disks failed and the broker went on.
    pub outage: Option<Outage>,
}

/// One disk of two that failed while the broker went on.
#[derive(Clone, Debug)]
pub struct Outage {
    /// When it was away.
    pub from: Nanos,
    pub to: Nanos,
    /// The partitions that are on it.
    pub lost: BTreeSet<i32>,
}

/// What a power loss may take from a broker that does not wait for the disk.
#[derive(Clone, Debug)]
pub struct Loss {
    /// What was acknowledged before is there.
    pub acknowledged_since: Nanos,
    /// The same of other topics than the one that is written to all the time.
    pub others_since: Nanos,
    /// When the power was gone.
    pub at: Nanos,
    /// Where each partition ended when it was read first after that.
    pub ends: BTreeMap<i32, i64>,
}

impl Promise {
    /// Whether what a client learned at `at` of an offset may be gone, and its offset given again.
    fn may_be_lost(&self, partition: i32, offset: i64, at: Nanos) -> bool {
        let Some(loss) = &self.loss else { return false };
        at <= loss.at && offset >= loss.ends.get(&partition).copied().unwrap_or(0)
    }

    /// Whether a partition may begin later than it did.
    fn start_moves(&self) -> bool {
        self.kept.is_some() || self.removals
    }

    /// A record's key: its producer's, or one that it alone has.
    fn key(&self, id: Id) -> Id {
        Id { sequence: self.keys.map_or(id.sequence, |keys| id.sequence % keys), ..id }
    }
}

type Check = fn(&History, &Promise) -> Vec<String>;

/// Every assertion: its name, and where it is.
const CHECKS: &[(&str, Check)] = &[
    ("acknowledged", acknowledged::check),
    ("once", once::check),
    ("one value", one_value::check),
    ("order", order::check),
    ("real time", real_time::check),
    ("as told", as_told::check),
    ("no hole", no_hole::check),
    ("nothing made up", nothing_made_up::check),
    ("committed", committed::check),
    ("topics", topics::check),
    ("first record", first_record::check),
    ("lives", lives::check),
    ("newest of key", newest_of_key::check),
    ("start stays", start_stays::check),
    ("lives on", lives_on::check),
];

/// How many complaints of one check are printed.
const SHOWN: usize = 4;

/// Everything that is wrong, a few lines for each check.
pub fn complaints(history: &History, promise: &Promise) -> Vec<String> {
    let mut all = Vec::new();
    for (name, check) in CHECKS {
        let mut found = check(history, promise);
        let count = found.len();
        found.truncate(SHOWN);
        all.extend(found.into_iter().map(|complaint| format!("{name}: {complaint}")));
        if count > SHOWN {
            all.push(format!("{name}: and {} more", count - SHOWN));
        }
    }
    all
}

/// What was acknowledged and is not there: how much, and when the first of it was acknowledged.
pub fn lost(history: &History, promise: &Promise) -> (usize, Option<Nanos>) {
    let lost = acknowledged::lost(history, promise);
    (lost.len(), lost.iter().map(|ack| ack.at).min())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::history::Reading;

    /// What is read back after the good run.
    const READING: &[&str] = &[
        "B 0 0 3",
        "B 1 0 1",
        "R 0 0 0 0 5 a0",
        "R 0 1 1 0 6 b0",
        "R 0 2 0 2 8 a2",
        "R 1 0 0 1 7 a1",
        "G 0 3",
        "N load id",
        "N x id-x",
        "H x 0 c0",
    ];

    /// A run without any fault in it: two producers, two partitions.
    pub(super) fn good() -> History {
        let mut history = History::default();
        for line in [
            "S 0 0 0 a0 10",
            "S 1 0 0 b0 11",
            "A 0 0 0 0 5 20",
            "A 1 0 0 1 6 21",
            "S 0 1 1 a1 30",
            "S 0 2 0 a2 31",
            "A 0 1 1 0 7 40",
            "A 0 2 0 2 8 41",
            "L 0 0 0 0 5 a0 25",
            "L 0 1 1 0 6 b0 26",
            "L 0 2 0 2 8 a2 45",
            "o 0 1",
            "O 0 1 50",
            "o 0 2",
            "O 0 2 60",
            "o 0 3",
            "t x",
            "T x id-x 70",
            "p x c0",
            "P x 73",
            "t y",
            "T y id-y 71",
            "d y",
            "D y 72",
            "t z",
        ] {
            history.load_line(line).expect(line);
        }
        history.readings.push(reading(READING));
        history
    }

    pub(super) fn reading(lines: &[&str]) -> Reading {
        let mut reading = Reading::default();
        for line in lines {
            reading.line(line).expect(line);
        }
        reading
    }

    /// The good run, with its last reading changed: lines that begin so are left out, others
    /// are added at the end.
    pub(super) fn read_otherwise(without: &[&str], with: &[&str]) -> History {
        let mut history = good();
        let kept = READING.iter().copied().filter(|l| !without.iter().any(|w| l.starts_with(w)));
        let lines: Vec<&str> = kept.chain(with.iter().copied()).collect();
        history.readings = vec![reading(&lines)];
        history
    }

    /// Power that was lost at 42, where what was acknowledged from 35 on may go.
    pub(super) fn lossy(ends: &[(i32, i64)]) -> Promise {
        let ends = ends.iter().copied().collect();
        let loss = Loss { acknowledged_since: 35, others_since: 35, at: 42, ends };
        Promise { loss: Some(loss), ..Promise::default() }
    }

    #[test]
    fn a_good_run_has_nothing_to_complain_of() {
        assert_eq!(complaints(&good(), &Promise::default()), Vec::<String>::new());
        assert_eq!(lost(&good(), &Promise::default()), (0, None));
    }

    #[test]
    fn many_complaints_of_one_kind_are_counted() {
        let mut history = read_otherwise(&["R", "B"], &[]);
        history.acks.extend(history.acks.clone());
        let all = complaints(&history, &Promise::default());
        assert!(all.contains(&"acknowledged: and 4 more".to_owned()), "{all:?}");
        assert_eq!(lost(&history, &Promise::default()), (8, Some(20)));
    }
}
