//! Leader epochs in headers that have changed, at starts after a stop that was not clean.

use crate::dirs::Claim;
use crate::testing::*;
use gofka_core::config::TopicConfig;
use gofka_core::ids::{LeaderEpoch, Offset};
use gofka_core::record::BatchHeader;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a batch has its leader epoch.
const EPOCH_AT: usize = 12;

/// Of ten batches of a record each.
const EPOCHS: [i32; 10] = [3, 3, 3, 3, 4, 4, 4, 11, 11, 11];

/// A log without a clean stop, whose recovery point is as given, and its file.
fn left_behind(home: &Home, synced: usize) -> (PathBuf, Vec<u8>) {
    let (dirs, log) = home.open();
    let append = |epochs: &[i32]| {
        for epoch in epochs {
            log.append_as_leader(&[batch("x", 1)], LeaderEpoch(*epoch), NOW).unwrap();
        }
    };
    append(&EPOCHS[..synced]);
    if synced > 0 {
        log.sync().unwrap();
        dirs.checkpoint_recovery_points(0).unwrap();
    }
    append(&EPOCHS[synced..]);
    let path = home.log_dir().join(format!("{:020}.log", 0));
    let bytes = fs::read(&path).unwrap();
    (path, bytes)
}

/// Opens the log with what the metadata tells of its leader epoch: the epoch of each record.
fn found(home: &Home, leader_epoch: Option<i32>) -> Vec<i32> {
    let dirs = open_dirs(home.root.path());
    let wanted = |_: &_, topic_id| Claim::Wanted {
        topic_id,
        config: Arc::clone(&home.config),
        leader_epoch: leader_epoch.map(LeaderEpoch),
    };
    let (_, log) = dirs.load(wanted, NOW).unwrap().pop().unwrap();
    assert_eq!(log.log_end_offset(), Offset(10), "no record is lost");
    assert_eq!(read_all(&log, Offset(0), 300).len(), 10);
    (0..10).map(|at| log.epoch_of(Offset(at)).0).collect()
}

fn one_segment() -> Home {
    Home::new(TopicConfig { segment_bytes: 1 << 20, ..config() })
}

#[test]
fn no_bit_of_any_batchs_leader_epoch_moves_another_ones() {
    for synced in [0, 3, 5, 10] {
        let home = one_segment();
        let (path, bytes) = left_behind(&home, synced);
        let file = home.log_dir().join("leader-epoch-checkpoint");
        let stored = fs::read(&file).ok();
        let mut position = 0;
        for batch in 0..10 {
            for bit in 0..32 {
                let mut changed = bytes.clone();
                changed[position + EPOCH_AT + bit / 8] ^= 1 << (bit % 8);
                fs::write(&path, changed).unwrap();
                if let Some(stored) = &stored {
                    fs::write(&file, stored).unwrap();
                }
                let mut epochs = found(&home, Some(11));
                if batch >= synced {
                    // Of the batch itself nothing else tells, but that epochs rise.
                    assert!(epochs.is_sorted(), "{epochs:?}");
                    epochs[batch] = EPOCHS[batch];
                }
                assert_eq!(epochs, EPOCHS, "bit {bit} of batch {batch}, {synced} synced");
            }
            position += BatchHeader::parse(&bytes[position..]).unwrap().size();
        }
    }
}

/// Raises the leader epoch of the last batch, by the bit of 16.
fn raise_last(path: &PathBuf, bytes: &[u8]) {
    let mut changed = bytes.to_vec();
    let last = bytes.len() / 10 * 9;
    changed[last + EPOCH_AT + 3] ^= 16;
    fs::write(path, changed).unwrap();
}

#[test]
fn an_epoch_of_the_last_batch_alone_is_believed_as_far_as_the_metadata_goes() {
    let home = one_segment();
    let (path, bytes) = left_behind(&home, 0);
    raise_last(&path, &bytes);
    assert_eq!(found(&home, Some(26)), EPOCHS);
    assert_eq!(found(&home, None)[..9], EPOCHS[..9]);
    assert_eq!(found(&home, None)[9], 27);
}

#[test]
fn a_leader_forgets_epochs_newer_than_its_own() {
    let home = one_segment();
    let (path, bytes) = left_behind(&home, 0);
    raise_last(&path, &bytes);
    let (_dirs, log) = home.open();
    assert_eq!(log.latest_epoch(), LeaderEpoch(27));
    log.append_as_leader(&[batch("x", 1)], LeaderEpoch(12), NOW).unwrap();
    let end = |epoch| log.end_offset_for_epoch(LeaderEpoch(epoch));
    assert_eq!(end(11), (LeaderEpoch(11), Offset(10)));
    assert_eq!(end(12), (LeaderEpoch(12), Offset(11)));
    assert_eq!(end(4), (LeaderEpoch(4), Offset(7)));
}

#[test]
fn a_cut_asks_no_header_for_epochs_that_are_known() {
    let home = one_segment();
    let (path, bytes) = left_behind(&home, 0);
    let (dirs, log) = home.open();
    let mut changed = bytes.clone();
    changed[bytes.len() / 10 * 7 + EPOCH_AT + 3] ^= 16;
    fs::write(&path, changed).unwrap();
    dirs.truncate(&log, Offset(8), NOW).unwrap();
    assert_eq!((log.log_end_offset(), log.latest_epoch()), (Offset(8), LeaderEpoch(11)));
    assert_eq!(log.end_offset_for_epoch(LeaderEpoch(4)), (LeaderEpoch(4), Offset(7)));
}
