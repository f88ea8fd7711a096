//! A topic that was made and written to a moment before the fault has that record, and a topic
//! whose name was used before has nothing of its earlier life.
//!
//! Source: the README's durability table, for logs whose folders and files are new; KIP-516, whose
//! topic ids tell two lives of a name apart.

use super::Promise;
use crate::faults::history::History;

pub(super) fn check(history: &History, promise: &Promise) -> Vec<String> {
    let mut complaints = Vec::new();
    let known = |name: &&String| {
        !history.deleted.contains_key(*name)
            && !history.doubtful.contains(*name)
            && !history.written.contains_key(*name)
    };
    for name in history.created.keys().filter(known) {
        let found = history.last().others.get(name).map_or(&[][..], Vec::as_slice);
        let first = history.firsts.get(name);
        let written = first.map(|first| first.what);
        match found {
            [] => {}
            [one] if Some(*one) == written => continue,
            _ => complaints.push(format!("{name} has {found:x?}, {written:x?} was written")),
        }
        let Some(at) = first.and_then(|first| first.acknowledged) else { continue };
        let may_be_lost =
            promise.loss.as_ref().is_some_and(|loss| (loss.others_since..=loss.at).contains(&at));
        if found.is_empty() && !may_be_lost {
            complaints.push(format!("{name} has lost its first record"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::tests::{good, lossy, read_otherwise};
    use super::*;

    #[test]
    fn a_lost_doubled_or_foreign_first_record_is_found() {
        assert!(check(&good(), &Promise::default()).is_empty());
        let cases: [&[&str]; 4] =
            [&[], &["H x 0 c0", "H x 1 c0"], &["H x 0 c1"], &["H x 0 c1", "H x 1 c0"]];
        for with in cases {
            let history = read_otherwise(&["H"], with);
            assert_eq!(check(&history, &Promise::default()).len(), 1, "{with:?}");
        }
    }

    #[test]
    fn nothing_comes_back_from_an_earlier_life() {
        let mut history = good();
        for line in ["d x", "D x 80", "t x", "T x id-x2 81"] {
            history.load_line(line).unwrap();
        }
        assert_eq!(check(&history, &Promise::default()).len(), 1);
        history.readings = read_otherwise(&["H"], &[]).readings;
        assert!(check(&history, &Promise::default()).is_empty());
    }

    #[test]
    fn a_power_loss_may_take_it_within_the_window() {
        let mut promise = lossy(&[]);
        promise.loss.as_mut().unwrap().at = 80;
        assert!(check(&read_otherwise(&["H"], &[]), &promise).is_empty());
        promise.loss.as_mut().unwrap().others_since = 75;
        assert_eq!(check(&read_otherwise(&["H"], &[]), &promise).len(), 1);
    }
}
