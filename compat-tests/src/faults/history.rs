//! What the clients of a run know, from the lines that `clients/go/faults` wrote: what was sent,
//! acknowledged, refused, and what was read, meanwhile and afterwards.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::str::{FromStr, SplitAsciiWhitespace};

/// Nanoseconds of the wall clock; all processes of a run are on one machine.
pub type Nanos = i64;

/// A record as its producer numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    pub producer: i64,
    pub sequence: i64,
}

/// A record that was given to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    pub partition: i32,
    pub hash: u64,
    pub at: Nanos,
}

impl Sent {
    /// Whether it deletes its key: it has no value, which the clients' hash of nothing says.
    pub fn is_tombstone(&self) -> bool {
        self.hash == 0
    }
}

/// A record that was acknowledged, and what its producer was told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    pub id: Id,
    pub partition: i32,
    pub offset: i64,
    pub timestamp: i64,
    pub at: Nanos,
}

/// A record that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub partition: i32,
    pub offset: i64,
    pub id: Id,
    pub timestamp: i64,
    pub hash: u64,
}

/// One reading of everything.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Earliest and latest offset of each partition, as ListOffsets says.
    pub bounds: BTreeMap<i32, (i64, i64)>,
    /// In the order of each partition.
    pub records: Vec<Seen>,
    /// The committed offset of each partition.
    pub committed: BTreeMap<i32, i64>,
    /// Name and id of each topic.
    pub topics: BTreeMap<String, String>,
    /// The values in each of the other topics, which have one partition.
    pub others: BTreeMap<String, Vec<u64>>,
    /// What the reader could not read.
    pub errors: Vec<String>,
}

/// Something that was asked for and, maybe, acknowledged. Offsets committed for a partition, say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<T> {
    pub what: T,
    /// When the answer came.
    pub acknowledged: Option<Nanos>,
}

/// A record that was written to a topic that was deleted and made again meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub acknowledged: Option<Nanos>,
    /// How many lives of the topic's name had been asked for when it was sent.
    pub sent_in: usize,
    /// And when it was acknowledged.
    pub acknowledged_in: usize,
}

/// Everything that the clients of one run know.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub sent: HashMap<Id, Sent>,
    pub acks: Vec<Ack>,
    /// Records whose producer was told that they failed. They may be there, once, or not.
    pub failed: usize,
    /// Read while others wrote, with the time.
    pub live: Vec<(Seen, Nanos)>,
    /// Offsets committed, by partition, in the order in which they were asked for.
    pub commits: BTreeMap<i32, Vec<Asked<i64>>>,
    /// Topics that were created, with the id where it is known. Of a name that was used before,
    /// its last life.
    pub created: BTreeMap<String, Asked<Option<String>>>,
    /// The one record that was written to each of them.
    pub firsts: BTreeMap<String, Asked<u64>>,
    /// Which of them were deleted.
    pub deleted: BTreeMap<String, Asked<()>>,
    /// When the deletion of which topic was acknowledged.
    deletions: Vec<(String, Nanos)>,
    /// Names that were used again after a deletion that a broker without power acknowledged.
    pub doubtful: BTreeSet<String>,
    /// The ids of all topics that had each name of `created`, in their order, where known.
    pub lives: BTreeMap<String, Vec<Option<String>>>,
    /// What was written to topics that were made again all the time, by the hash of its value.
    pub written: BTreeMap<String, HashMap<u64, Written>>,
    /// Up to where the records of each partition were deleted, in the order in which it was asked.
    pub removals: BTreeMap<i32, Vec<Asked<i64>>>,
    pub readings: Vec<Reading>,
}

impl History {
    /// Adds what a load has written. Its last line may be half written.
    pub fn add_load(&mut self, path: &Path) {
        let text = fs::read_to_string(path).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            self.load_line(line).unwrap_or_else(|| panic!("{}: {line:?}", path.display()));
        }
    }

    /// Adds one reading of everything.
    pub fn add_reading(&mut self, path: &Path) {
        let text = fs::read_to_string(path).expect("what the reader wrote");
        let mut reading = Reading::default();
        for line in text.lines() {
            reading.line(line).unwrap_or_else(|| panic!("{}: {line:?}", path.display()));
        }
        self.readings.push(reading);
    }

    /// Takes back what clients were told between two moments, when the broker ran on without power:
    /// no machine does. What was sent may be there or not. Where only one of its disks had no
    /// power, `lost` are the partitions on it; what was told of the others stays.
    pub fn forget_between(&mut self, from: Nanos, to: Nanos, lost: Option<&BTreeSet<i32>>) {
        let kept = |at: Nanos| !(from..=to).contains(&at);
        let is_lost = |partition| lost.is_none_or(|lost| lost.contains(&partition));
        self.acks.retain(|ack| kept(ack.at) || !is_lost(ack.partition));
        self.live.retain(|(seen, at)| kept(*at) || !is_lost(seen.partition));
        let commits = self.commits.values_mut().flatten().map(|asked| &mut asked.acknowledged);
        let created = self.created.values_mut().map(|asked| &mut asked.acknowledged);
        let firsts = self.firsts.values_mut().map(|asked| &mut asked.acknowledged);
        let deleted = self.deleted.values_mut().map(|asked| &mut asked.acknowledged);
        for acknowledged in commits.chain(created).chain(firsts).chain(deleted) {
            *acknowledged = acknowledged.filter(|at| kept(*at));
        }
        let removals = self.removals.values_mut().flatten().map(|asked| &mut asked.acknowledged);
        let written = self.written.values_mut().flat_map(HashMap::values_mut);
        let written = written.map(|record| &mut record.acknowledged);
        for acknowledged in removals.chain(written) {
            *acknowledged = acknowledged.filter(|at| kept(*at));
        }
        let doubtful = self.deletions.iter().filter(|(_, at)| !kept(*at));
        self.doubtful.extend(doubtful.map(|(name, _)| name.clone()));
    }

    /// What was read last.
    pub fn last(&self) -> &Reading {
        self.readings.last().expect("a run ends with a reading")
    }

    pub(crate) fn load_line(&mut self, line: &str) -> Option<()> {
        let mut words = Words(line.split_ascii_whitespace());
        match words.0.next()? {
            "S" => {
                let (id, partition) = (words.id()?, words.get()?);
                let (hash, at) = (words.hash()?, words.get()?);
                self.sent.insert(id, Sent { partition, hash, at });
            }
            "A" => {
                let (id, partition, offset) = (words.id()?, words.get()?, words.get()?);
                let (timestamp, at) = (words.get()?, words.get()?);
                self.acks.push(Ack { id, partition, offset, timestamp, at });
            }
            "F" => self.failed += 1,
            "L" => self.live.push((words.seen()?, words.get()?)),
            "o" => {
                let (partition, what) = (words.get()?, words.get()?);
                let asked = Asked { what, acknowledged: None };
                self.commits.entry(partition).or_default().push(asked);
            }
            "O" => {
                let asked = self.commits.get_mut(&words.get()?)?.last_mut()?;
                let offset: i64 = words.get()?;
                (asked.what == offset).then_some(())?;
                asked.acknowledged = Some(words.get()?);
            }
            "t" => {
                let name: String = words.get()?;
                self.deleted.remove(&name);
                self.firsts.remove(&name);
                self.lives.entry(name.clone()).or_default().push(None);
                self.created.insert(name, Asked { what: None, acknowledged: None });
            }
            "T" => {
                let name = words.0.next()?;
                let asked = self.created.get_mut(name)?;
                let id: String = words.get()?;
                asked.what = (id != "-").then_some(id);
                asked.acknowledged = Some(words.get()?);
                self.lives.get_mut(name)?.last_mut()?.clone_from(&asked.what);
            }
            "p" => {
                let (name, what) = (words.get()?, words.hash()?);
                self.firsts.insert(name, Asked { what, acknowledged: None });
            }
            "P" => {
                let asked = self.firsts.get_mut(words.0.next()?)?;
                asked.acknowledged = Some(words.get()?);
            }
            "d" => {
                self.deleted.insert(words.get()?, Asked { what: (), acknowledged: None });
            }
            "D" => {
                let name: String = words.get()?;
                let at = words.get()?;
                self.deleted.get_mut(&name)?.acknowledged = Some(at);
                self.deletions.push((name, at));
            }
            // How many a producer sent, when it ended by itself.
            "E" => {}
            other => return self.more(other, &mut words),
        }
        Some(())
    }

    /// The lines that only some loads have.
    fn more(&mut self, kind: &str, words: &mut Words) -> Option<()> {
        match kind {
            "w" => {
                let (name, hash): (String, u64) = (words.get()?, words.hash()?);
                let sent_in = self.lives.get(&name).map_or(0, Vec::len);
                let record = Written { acknowledged: None, sent_in, acknowledged_in: 0 };
                self.written.entry(name).or_default().insert(hash, record);
            }
            "W" => {
                let name = words.0.next()?;
                let acknowledged_in = self.lives.get(name).map_or(0, Vec::len);
                let record = self.written.get_mut(name)?.get_mut(&words.hash()?)?;
                record.acknowledged = Some(words.get()?);
                record.acknowledged_in = acknowledged_in;
            }
            "k" => {
                let (partition, what) = (words.get()?, words.get()?);
                let asked = Asked { what, acknowledged: None };
                self.removals.entry(partition).or_default().push(asked);
            }
            "K" => {
                let asked = self.removals.get_mut(&words.get()?)?.last_mut()?;
                let before: i64 = words.get()?;
                (asked.what == before).then_some(())?;
                asked.acknowledged = Some(words.get()?);
            }
            _ => return None,
        }
        Some(())
    }
}

impl Reading {
    pub(crate) fn line(&mut self, line: &str) -> Option<()> {
        let mut words = Words(line.split_ascii_whitespace());
        match words.0.next()? {
            "B" => {
                self.bounds.insert(words.get()?, (words.get()?, words.get()?));
            }
            "R" => self.records.push(words.seen()?),
            "G" => {
                self.committed.insert(words.get()?, words.get()?);
            }
            "N" => {
                self.topics.insert(words.get()?, words.get()?);
            }
            "H" => {
                let (name, _offset): (String, i64) = (words.get()?, words.get()?);
                self.others.entry(name).or_default().push(words.hash()?);
            }
            "X" => self.errors.push(line.to_owned()),
            _ => return None,
        }
        Some(())
    }

    /// Where a partition begins and ends; an unknown one is empty.
    pub fn bounds_of(&self, partition: i32) -> (i64, i64) {
        self.bounds.get(&partition).copied().unwrap_or_default()
    }
}

/// The words of a line.
struct Words<'a>(SplitAsciiWhitespace<'a>);

impl Words<'_> {
    fn get<T: FromStr>(&mut self) -> Option<T> {
        self.0.next()?.parse().ok()
    }

    fn id(&mut self) -> Option<Id> {
        Some(Id { producer: self.get()?, sequence: self.get()? })
    }

    fn hash(&mut self) -> Option<u64> {
        u64::from_str_radix(self.0.next()?, 16).ok()
    }

    fn seen(&mut self) -> Option<Seen> {
        let (partition, offset, id) = (self.get()?, self.get()?, self.id()?);
        Some(Seen { partition, offset, id, timestamp: self.get()?, hash: self.hash()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_what_they_say() {
        let mut history = History::default();
        let lines =
            ["S 0 7 1 ff 100", "A 0 7 1 3 50 200", "o 2 9", "O 2 9 300", "t a", "T a - 5", "d a"];
        for line in lines {
            assert_eq!(history.load_line(line), Some(()), "{line}");
        }
        let id = Id { producer: 0, sequence: 7 };
        assert_eq!(history.sent[&id], Sent { partition: 1, hash: 255, at: 100 });
        let ack = Ack { id, partition: 1, offset: 3, timestamp: 50, at: 200 };
        assert_eq!(history.acks, [ack]);
        assert_eq!(history.commits[&2], [Asked { what: 9, acknowledged: Some(300) }]);
        assert_eq!(history.created["a"], Asked { what: None, acknowledged: Some(5) });
        assert_eq!(history.deleted["a"].acknowledged, None);
    }

    #[test]
    fn what_was_told_without_power_is_forgotten() {
        let mut history = History::default();
        let lines = [
            "S 0 7 1 ff 100",
            "A 0 7 1 3 50 200",
            "L 1 3 0 7 50 ff 200",
            "o 2 9",
            "O 2 9 200",
            "t a",
            "T a - 200",
            "p a ff",
            "P a 200",
            "d a",
            "D a 200",
        ];
        for line in lines {
            history.load_line(line).expect(line);
        }
        let mut later = history.clone();
        later.forget_between(201, 300, None);
        assert_eq!((later.acks.len(), later.live.len()), (1, 1));
        assert_eq!(later.deleted["a"].acknowledged, Some(200));
        history.forget_between(200, 200, None);
        assert_eq!((history.acks.len(), history.live.len(), history.sent.len()), (0, 0, 1));
        assert_eq!(history.commits[&2], [Asked { what: 9, acknowledged: None }]);
        assert_eq!(history.created["a"].acknowledged, None);
        assert_eq!(history.firsts["a"].acknowledged, None);
        assert_eq!(history.deleted["a"].acknowledged, None);
    }

    #[test]
    fn a_line_that_lacks_a_word_is_not_taken() {
        for line in ["", "A 0 7 1 3 50", "S 0 7 1 zz 100", "O 2 9 300", "W 1"] {
            assert_eq!(History::default().load_line(line), None, "{line:?}");
        }
    }
}
