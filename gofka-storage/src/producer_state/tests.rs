//! Tables over the rules of idempotence and transactions.

use super::*;
use gofka_core::ids::LeaderEpoch;
use gofka_core::record::Attributes;

const NOW: TimestampMs = TimestampMs(5_000);

/// A batch of `count` records of producer 7.
fn batch(epoch: i16, sequence: i32, count: i32, base_offset: i64) -> BatchHeader {
    BatchHeader {
        base_offset: Offset(base_offset),
        batch_length: 49,
        leader_epoch: LeaderEpoch(0),
        magic: 2,
        crc: 0,
        attributes: Attributes(0),
        last_offset_delta: count - 1,
        base_timestamp: TimestampMs(1),
        max_timestamp: TimestampMs(2),
        producer_id: ProducerId(7),
        producer_epoch: ProducerEpoch(epoch),
        base_sequence: Sequence(sequence),
        record_count: count,
    }
}

fn transactional(mut header: BatchHeader) -> BatchHeader {
    header.attributes = header.attributes.with_transactional(true);
    header
}

fn control(epoch: i16, base_offset: i64) -> BatchHeader {
    let mut header = transactional(batch(epoch, -1, 1, base_offset));
    header.attributes = header.attributes.with_control(true);
    header
}

const ABORT: Option<Marker> = Some(Marker { commit: false, coordinator_epoch: 3 });

fn append(state: &mut ProducerState, header: &BatchHeader) -> Result<Verdict, ErrorCode> {
    let verdict = state.check(header, None, None).map_err(|error| error.code())?;
    if let Verdict::Next(next) = verdict {
        state.commit(header, None, next, NOW);
    }
    Ok(verdict)
}

fn accept(state: &mut ProducerState, header: &BatchHeader) {
    assert!(matches!(append(state, header), Ok(Verdict::Next(_))), "{header:?}");
}

#[test]
fn a_producer_nobody_knows_may_begin_anywhere() {
    let mut state = ProducerState::default();
    accept(&mut state, &batch(0, 42, 3, 0));
    accept(&mut state, &batch(0, 45, 1, 3));
}

#[test]
fn gaps_and_old_epochs_are_refused() {
    let mut state = ProducerState::default();
    accept(&mut state, &batch(1, 0, 3, 0));
    let refused =
        |state: &mut ProducerState, header: BatchHeader| append(state, &header).unwrap_err();
    assert_eq!(refused(&mut state, batch(1, 4, 1, 3)), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(refused(&mut state, batch(1, 1, 1, 3)), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(refused(&mut state, batch(0, 3, 1, 3)), ErrorCode::InvalidProducerEpoch);
    assert_eq!(refused(&mut state, batch(2, 3, 1, 3)), ErrorCode::OutOfOrderSequenceNumber);
    accept(&mut state, &batch(2, 0, 1, 3));
}

#[test]
fn the_last_five_batches_are_recognised() {
    let mut state = ProducerState::default();
    for n in 0..7 {
        accept(&mut state, &batch(0, n * 2, 2, i64::from(n) * 10));
    }
    for n in 0..7 {
        let again = append(&mut state, &batch(0, n * 2, 2, 100));
        match again {
            Ok(Verdict::Duplicate(span)) => {
                assert!(n >= 2);
                assert_eq!(span.first_offset(), Offset(i64::from(n) * 10));
            }
            other => {
                assert!(n < 2, "{n}");
                assert_eq!(other.unwrap_err(), ErrorCode::OutOfOrderSequenceNumber);
            }
        }
    }
}

#[test]
fn sequences_wrap() {
    let mut state = ProducerState::default();
    accept(&mut state, &batch(0, i32::MAX - 1, 4, 0));
    assert!(matches!(
        append(&mut state, &batch(0, i32::MAX - 1, 4, 9)),
        Ok(Verdict::Duplicate(span)) if span.last_sequence == Sequence(1)
    ));
    accept(&mut state, &batch(0, 2, 1, 4));
}

#[test]
fn an_aborted_transaction_is_reported_and_holds_back_readers_until_its_marker_is_replicated() {
    let mut state = ProducerState::default();
    accept(&mut state, &transactional(batch(0, 0, 2, 10)));
    accept(&mut state, &transactional(batch(0, 2, 2, 12)));
    assert_eq!(state.first_unstable_offset(), Some(Offset(10)));
    let code = append(&mut state, &batch(0, 4, 1, 14)).unwrap_err();
    assert_eq!(code, ErrorCode::InvalidTxnState);
    let marker = control(0, 14);
    let Verdict::Next(next) = state.check(&marker, ABORT, None).unwrap() else {
        panic!("a marker is no duplicate")
    };
    let completed = state.commit(&marker, ABORT, next, NOW).unwrap();
    assert!(completed.aborted);
    assert_eq!((completed.first_offset, completed.last_offset), (Offset(10), Offset(14)));
    assert_eq!(state.first_unstable_offset(), Some(Offset(10)));
    state.note_high_watermark(Offset(14));
    assert_eq!(state.first_unstable_offset(), Some(Offset(10)));
    state.note_high_watermark(Offset(15));
    assert_eq!(state.first_unstable_offset(), None);
    let older = Some(Marker { commit: true, coordinator_epoch: 2 });
    let code = state.check(&control(0, 15), older, None).unwrap_err().code();
    assert_eq!(code, ErrorCode::TransactionCoordinatorFenced);
}

#[test]
fn a_snapshot_keeps_the_last_batch_and_a_flipped_bit_is_noticed() {
    let mut state = ProducerState::default();
    accept(&mut state, &batch(3, 0, 2, 10));
    accept(&mut state, &transactional(batch(3, 2, 2, 12)));
    let bytes = state.to_snapshot();
    let loaded = ProducerState::from_snapshot(&bytes, NOW).unwrap();
    assert_eq!(loaded.describe(), state.describe());
    assert_eq!(loaded.first_unstable_offset(), Some(Offset(12)));
    assert_eq!(loaded.to_snapshot(), bytes);
    for bit in 0..bytes.len() * 8 {
        let mut broken = bytes.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        assert!(ProducerState::from_snapshot(&broken, NOW).is_err(), "bit {bit}");
    }
    for len in 0..bytes.len() {
        assert!(ProducerState::from_snapshot(&bytes[..len], NOW).is_err(), "length {len}");
    }
}

#[test]
fn silent_producers_are_forgotten() {
    let mut state = ProducerState::default();
    accept(&mut state, &batch(0, 0, 1, 0));
    state.expire(TimestampMs(NOW.0 + 99), 100);
    assert!(!state.describe().is_empty());
    state.expire(TimestampMs(NOW.0 + 100), 100);
    assert!(state.describe().is_empty());
}
