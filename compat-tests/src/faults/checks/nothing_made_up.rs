//! Whatever is read was sent, to that partition and with that value: no garbage, no record of
//! another life.
//!
//! Source: a torn tail is cut at its last valid batch (`docs/on-disk-format.md`). A send that
//! failed may be read; that it is not there twice is held by `once`.

use super::Promise;
use crate::faults::history::History;

pub(super) fn check(history: &History, _promise: &Promise) -> Vec<String> {
    let mut complaints = Vec::new();
    let read = history.readings.iter().flat_map(|reading| &reading.records);
    for seen in read.chain(history.live.iter().map(|(seen, _)| seen)) {
        match history.sent.get(&seen.id) {
            None => complaints.push(format!("{seen:?} was never sent")),
            Some(sent) if (sent.partition, sent.hash) != (seen.partition, seen.hash) => {
                complaints.push(format!("{seen:?} was sent as {sent:?}"));
            }
            Some(_) => {}
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::tests::{good, read_otherwise};
    use super::*;

    #[test]
    fn what_nobody_sent_is_found() {
        assert!(check(&good(), &Promise::default()).is_empty());
        for made_up in ["R 0 2 -1 -1 8 a2", "R 0 2 0 2 8 a3", "R 0 2 0 1 8 a1"] {
            let history = read_otherwise(&["R 0 2"], &[made_up]);
            assert_eq!(check(&history, &Promise::default()).len(), 1, "{made_up}");
        }
    }
}
