//! A group's committed offset is one that was asked for, and not older than the last one that was
//! acknowledged.
//!
//! Source: Kafka's `offsets.commit.required.acks`: OffsetCommit waits as `acks=all` does.

use super::Promise;
use crate::faults::history::{Asked, History};

pub(super) fn check(history: &History, promise: &Promise) -> Vec<String> {
    let mut complaints = Vec::new();
    for (partition, commits) in &history.commits {
        let lasting = |asked: &&Asked<i64>| match (asked.acknowledged, &promise.loss) {
            (None, _) => false,
            (Some(at), Some(loss)) => at < loss.others_since || at > loss.at,
            (Some(_), None) => true,
        };
        let at_least = commits.iter().rfind(lasting).map(|asked| asked.what);
        let found = history.last().committed.get(partition).copied();
        if found < at_least {
            complaints.push(format!(
                "partition {partition}: {at_least:?} was acknowledged, {found:?} is there"
            ));
        }
        if let Some(found) = found
            && !commits.iter().any(|asked| asked.what == found)
        {
            complaints.push(format!("partition {partition}: nobody has committed {found}"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::super::tests::{lossy, read_otherwise};
    use super::*;

    #[test]
    fn an_older_or_unknown_offset_is_found() {
        let found =
            |with: &[&str], promise: &Promise| check(&read_otherwise(&["G"], with), promise).len();
        let promise = Promise::default();
        assert_eq!(found(&["G 0 2"], &promise), 0);
        assert_eq!(found(&["G 0 3"], &promise), 0, "asked for, and the answer was lost");
        assert_eq!(found(&["G 0 1"], &promise), 1);
        assert_eq!(found(&[], &promise), 1);
        assert_eq!(found(&["G 0 7"], &promise), 1);
    }

    #[test]
    fn a_power_loss_may_take_the_last_commits_only() {
        let mut promise = lossy(&[]);
        let loss = promise.loss.as_mut().unwrap();
        (loss.others_since, loss.at) = (55, 65);
        let history = |with: &str| read_otherwise(&["G"], &[with]);
        assert!(check(&history("G 0 1"), &promise).is_empty());
        assert_eq!(check(&history("G 0 0"), &promise).len(), 2, "too old, and never asked for");
    }
}
