//! A topic that is written to while it is deleted and made again has, under the id of its last
//! life, every record that was sent and acknowledged in that life, and nothing that was
//! acknowledged in an earlier one.
//!
//! Source: KIP-516, whose topic ids tell two lives of a name apart; a deletion that was
//! acknowledged is committed metadata (KIP-500), in every durability mode.

use std::collections::HashSet;

use super::Promise;
use crate::faults::history::{History, Written};

pub(super) fn check(history: &History, promise: &Promise) -> Vec<String> {
    let reading = history.last();
    let mut complaints = Vec::new();
    for (name, written) in &history.written {
        // That a topic is there, or is not, is held by `topics`.
        let Some(id) = reading.topics.get(name) else { continue };
        let lives = history.lives.get(name).map_or(&[][..], Vec::as_slice);
        let Some(life) = number_of(lives, id) else { continue };
        let read = reading.others.get(name).map_or(&[][..], Vec::as_slice);
        let mut known = HashSet::new();
        for hash in read {
            if !known.insert(*hash) {
                complaints.push(format!("{name} has {hash:x} twice"));
            }
            match written.get(hash) {
                None => complaints.push(format!("{name} has {hash:x}, which nobody sent")),
                Some(record) if is_of_earlier(record, life) => {
                    complaints.push(format!("{name}, life {life}: {hash:x} came back: {record:?}"));
                }
                Some(_) => {}
            }
        }
        for (hash, record) in written {
            if must_be_there(record, life, promise) && !known.contains(hash) {
                complaints.push(format!("{name}, life {life}: {hash:x} is lost: {record:?}"));
            }
        }
    }
    complaints
}

/// Which life, counted from one, has this id. One whose id nobody was told must be the last.
fn number_of(lives: &[Option<String>], id: &str) -> Option<usize> {
    let told = lives.iter().position(|life| life.as_deref() == Some(id)).map(|at| at + 1);
    let last_is_untold = matches!(lives, [.., Some(_), None] | [None]);
    told.or_else(|| last_is_untold.then_some(lives.len()))
}

/// It was acknowledged before that life was asked for.
fn is_of_earlier(record: &Written, life: usize) -> bool {
    record.acknowledged.is_some() && record.acknowledged_in < life
}

/// It was sent when that life had been asked for, after the one before was deleted.
fn must_be_there(record: &Written, life: usize, promise: &Promise) -> bool {
    let lasting = |at| match &promise.loss {
        Some(loss) => at < loss.others_since || at > loss.at,
        None => true,
    };
    record.sent_in >= life && record.acknowledged.is_some_and(lasting)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{good, lossy, reading};
    use super::*;

    /// A name in its second life: one record of the first, two of the second.
    fn recreated(read: &[&str]) -> History {
        let mut history = good();
        let lines = [
            "t n",
            "T n one 10",
            "w n a1 11",
            "W n a1 12",
            "w n a2 12",
            "d n",
            "D n 13",
            "W n a2 13",
            "t n",
            "T n two 14",
            "w n b1 15",
            "W n b1 16",
            "w n b2 17",
            "W n b2 40",
            "w n b3 41",
        ];
        for line in lines {
            history.load_line(line).expect(line);
        }
        history.readings = vec![reading(read)];
        history
    }

    #[test]
    fn what_the_last_life_was_given_is_there() {
        let promise = Promise::default();
        let good = ["N n two", "H n 0 b1", "H n 1 b2"];
        assert!(check(&recreated(&good), &promise).is_empty());
        let unanswered = ["N n two", "H n 0 b1", "H n 1 b2", "H n 2 b3"];
        assert!(check(&recreated(&unanswered), &promise).is_empty(), "it may be there");
        assert_eq!(check(&recreated(&good[..2]), &promise).len(), 1);
        assert!(check(&recreated(&good[..2]), &lossy(&[])).is_empty(), "within the window");
        assert_eq!(check(&recreated(&["N n two", "H n 0 b2"]), &lossy(&[])).len(), 1);
        let twice = ["N n two", "H n 0 b1", "H n 1 b2", "H n 2 b2"];
        assert_eq!(check(&recreated(&twice), &promise).len(), 1);
    }

    #[test]
    fn nothing_of_an_earlier_life_comes_back() {
        for back in ["H n 2 a1", "H n 2 a2", "H n 2 ff"] {
            let read = ["N n two", "H n 0 b1", "H n 1 b2", back];
            assert_eq!(check(&recreated(&read), &Promise::default()).len(), 1, "{back}");
        }
    }

    #[test]
    fn the_id_says_which_life_it_is() {
        // The second creation did not last: nobody had to be told of it.
        let read = ["N n one", "H n 0 a1", "H n 1 b1", "H n 2 b2"];
        let complaints = check(&recreated(&read), &Promise::default());
        assert_eq!(complaints.len(), 1, "a2 is lost: {complaints:?}");
        assert!(check(&recreated(&["N n other", "H n 0 a1"]), &Promise::default()).is_empty());
    }
}
