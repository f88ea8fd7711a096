//! Which of the leader epochs that headers tell of are to be believed: a batch's epoch is outside
//! of its checksum.
//!
//! Used for what `leader-epoch-checkpoint` does not speak of: what is past the recovery point, or
//! everything where that file cannot be read. Epochs only rise along a log, so that one that a
//! single batch has, with older ones before and after it, is a changed header. The batch itself is
//! kept, for all else of it has passed its checksum.

use crate::epoch_cache::EpochCache;
use gofka_core::ids::{LeaderEpoch, Offset};
use std::path::{Path, PathBuf};

/// The epochs of a log while it is recovered.
#[derive(Clone, Debug, Default)]
pub(super) struct HeardEpochs {
    dir: PathBuf,
    believed: EpochCache,
    /// Everything below is known without asking a header.
    known_to: Offset,
    /// No epoch is newer, as far as the metadata tells.
    newest: Option<LeaderEpoch>,
    has_unreached: bool,
    /// What one batch alone has told.
    rise: Option<Rise>,
}

/// A batch's epoch, where it is newer than all before.
#[derive(Clone, Copy, Debug)]
struct Rise {
    epoch: LeaderEpoch,
    start: Offset,
    /// The next batch, where its epoch is older: one of the two has changed.
    denied_by: Option<(LeaderEpoch, Offset)>,
}

impl HeardEpochs {
    /// What the file in `dir` has told of everything below `known_to`, without epochs that the
    /// metadata has not reached.
    pub(super) fn new(
        dir: &Path,
        mut stored: EpochCache,
        known_to: Offset,
        newest: Option<LeaderEpoch>,
    ) -> Self {
        stored.truncate_from_end(known_to);
        if let Some(newest) = newest
            && stored.disown_above(newest)
        {
            let dir = dir.display();
            tracing::error!(%dir, %newest, "leader-epoch-checkpoint has epochs that never were");
        }
        let dir = dir.to_owned();
        Self { dir, believed: stored, known_to, newest, ..Self::default() }
    }

    /// Takes in the epoch of the batch at `start`, which comes after all that it was told of.
    pub(super) fn hear(&mut self, epoch: LeaderEpoch, start: Offset) {
        if epoch <= LeaderEpoch::NONE || start < self.known_to {
            return;
        }
        if let Some(newest) = self.newest.filter(|newest| epoch > *newest) {
            // Where one is, all may be: of another cluster's log, say.
            if !std::mem::replace(&mut self.has_unreached, true) {
                let dir = self.dir.display();
                tracing::error!(%dir, offset = %start, %epoch, %newest,
                    "not believed: the leader epoch of a batch has not been reached yet");
            }
            return;
        }
        match self.rise {
            None if epoch > self.believed.latest() => {
                self.rise = Some(Rise { epoch, start, denied_by: None });
            }
            None => {}
            Some(rise) if epoch < rise.epoch && rise.denied_by.is_none() => {
                self.rise = Some(Rise { denied_by: Some((epoch, start)), ..rise });
            }
            // It comes again: what was between has changed.
            Some(rise) if epoch == rise.epoch => self.believe(rise),
            Some(rise) => {
                self.settle(rise);
                self.hear(epoch, start);
            }
        }
    }

    fn believe(&mut self, rise: Rise) {
        self.believed.assign(rise.epoch, rise.start);
        self.rise = None;
    }

    /// Decides on what one batch alone has told, by the one that came after it.
    fn settle(&mut self, rise: Rise) {
        let Rise { epoch, start, denied_by } = rise;
        let Some((next, after)) = denied_by else { return self.believe(rise) };
        self.rise = None;
        let dir = self.dir.display();
        tracing::error!(%dir, offset = %start, %epoch, %next,
            "not believed: the leader epoch of a batch is above that of the next one");
        // The first batch of all is of no other epoch that is known.
        let is_first = self.believed.latest() == LeaderEpoch::NONE;
        self.hear(next, if is_first { start } else { after });
    }

    /// The epochs of a log that begins and ends there.
    pub(super) fn finish(mut self, start: Offset, end: Offset) -> EpochCache {
        while let Some(rise) = self.rise {
            self.settle(rise);
        }
        self.believed.truncate_from_start(start);
        self.believed.truncate_from_end(end);
        self.believed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is believed of batches with these epochs, the first one of which is at offset 10.
    fn believed(newest: Option<i32>, epochs: &[i32]) -> Vec<(i32, i64)> {
        let newest = newest.map(LeaderEpoch);
        let mut heard =
            HeardEpochs::new(Path::new("t-0"), EpochCache::default(), Offset(10), newest);
        for (offset, epoch) in (10..).zip(epochs) {
            heard.hear(LeaderEpoch(*epoch), Offset(offset));
        }
        let end = Offset(10 + epochs.len() as i64);
        let cache = heard.finish(Offset(10), end);
        let at = |offset: i64| cache.epoch_of(Offset(offset)).0;
        let mut found: Vec<(i32, i64)> = (10..end.0).map(|offset| (at(offset), offset)).collect();
        found.dedup_by_key(|(epoch, _)| *epoch);
        found
    }

    #[test]
    fn an_epoch_that_one_batch_has_between_older_ones_is_not_believed() {
        let check = |epochs: &[i32], expected: &[(i32, i64)]| {
            assert_eq!(believed(None, epochs), expected, "{epochs:?}");
        };
        check(&[3, 3, 3], &[(3, 10)]);
        check(&[3, 3, 4, 4, 6], &[(3, 10), (4, 12), (6, 14)]);
        check(&[3, 4, 5, 6], &[(3, 10), (4, 11), (5, 12), (6, 13)]);
        check(&[3, 3, 7, 3, 3], &[(3, 10)]);
        check(&[3, 3, 7, 3], &[(3, 10)]);
        check(&[7, 3, 3, 3], &[(3, 10)]);
        check(&[3, 7, 4, 4], &[(3, 10), (4, 12)]);
        check(&[3, 7, 4, 5], &[(3, 10), (4, 12), (5, 13)]);
        check(&[3, 7, 4], &[(3, 10), (4, 12)]);
        check(&[3, 7, 5, 4, 4, 4], &[(3, 10), (4, 13)]);
        check(&[3, 3, 7, 3, 3, 9, 3, 4, 4], &[(3, 10), (4, 17)]);
        // One that has become lower says nothing, also right after a true rise.
        check(&[3, 3, 1, 3], &[(3, 10)]);
        check(&[3, 7, 3, 7, 7], &[(3, 10), (7, 11)]);
        check(&[3, 7, 3, 9], &[(3, 10), (9, 13)]);
        check(&[3, -1, 3, -2], &[(3, 10)]);
        check(&[], &[]);
    }

    #[test]
    fn an_epoch_that_the_metadata_has_not_reached_is_not_believed() {
        assert_eq!(believed(Some(5), &[3, 3, 7]), [(3, 10)]);
        assert_eq!(believed(Some(5), &[3, 7, 7, 5]), [(3, 10), (5, 13)]);
        assert_eq!(believed(None, &[3, 3, 7]), [(3, 10), (7, 12)]);
        assert_eq!(believed(Some(7), &[3, 3, 7]), [(3, 10), (7, 12)]);
    }

    #[test]
    fn below_what_the_file_tells_no_header_is_asked() {
        let mut stored = EpochCache::default();
        for (epoch, start) in [(1, 0), (3, 20), (9, 40)] {
            stored.assign(LeaderEpoch(epoch), Offset(start));
        }
        let newest = Some(LeaderEpoch(4));
        let mut heard = HeardEpochs::new(Path::new("t-0"), stored, Offset(50), newest);
        for (epoch, start) in [(2, 10), (2, 15), (4, 49), (4, 50)] {
            heard.hear(LeaderEpoch(epoch), Offset(start));
        }
        let cache = heard.finish(Offset(0), Offset(60));
        let at = [0, 19, 20, 49, 50].map(|offset| cache.epoch_of(Offset(offset)).0);
        assert_eq!(at, [1, 1, 3, 3, 4]);
    }
}
