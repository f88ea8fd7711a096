//! What becomes of a batch of which a part stays, and of batches of any size.

use super::*;
use gofka_core::ids::{LeaderEpoch, ProducerEpoch, Sequence};

/// The batches of the log, read from its start.
fn batches(log: &Log) -> Vec<record::Batch> {
    let read = log.read(Offset(0), 16 << 20, log.log_end_offset(), true).unwrap();
    record::split(read.records.load().unwrap()).unwrap()
}

#[test]
fn what_stays_of_a_batch_is_as_it_was() {
    let headers: &[(&[u8], Option<&[u8]>)] = &[(b"h", Some(b"1")), (b"h", None)];
    for codec in Compression::ALL {
        for kind in [TimestampType::CreateTime, TimestampType::LogAppendTime] {
            let home = Home::new(compacted());
            let (_dirs, log) = home.open();
            let mut builder = BatchBuilder::new(Offset(0), codec, kind)
                .producer(ProducerId(9), ProducerEpoch(2), Sequence(5))
                .leader_epoch(LeaderEpoch(3));
            // Neighbours and single ones stay, the first and the last do not; time goes back, too.
            for (at, key) in ["x", "a", "b", "x", "c", "x", "x"].iter().enumerate() {
                let timestamp = TimestampMs(NOW.0 + [10, 0, 400, 900, 70, 2, 3][at]);
                let (key, value) = (Some(key.as_bytes()), Some(&b"value"[..]));
                builder.push(&NewRecord { timestamp, key, value, headers });
            }
            append(&log, &builder.build_batch());
            put(&log, "x", Some("last"));
            log.roll().unwrap();
            let (before, old) = (read_all(&log, Offset(0), 1 << 20), batches(&log)[0].header);
            compact(&log, NOW.0).unwrap();
            let after = read_all(&log, Offset(0), 1 << 20);
            assert_eq!(
                after,
                [1, 2, 4, 7].map(|at: usize| before[at].clone()),
                "{codec:?} {kind:?}"
            );
            let new = batches(&log)[0].header;
            let largest = match kind {
                TimestampType::CreateTime => TimestampMs(NOW.0 + 400),
                TimestampType::LogAppendTime => old.max_timestamp,
            };
            let expected = record::BatchHeader {
                batch_length: new.batch_length,
                crc: new.crc,
                max_timestamp: largest,
                record_count: 3,
                ..old
            };
            assert_eq!(new, expected);
        }
    }
}

/// Smaller and larger than what is read and written at once, and across its ends.
#[test]
fn batches_of_any_size_are_rewritten() {
    let config = TopicConfig { segment_bytes: 6 << 20, ..compacted() };
    let home = Home::new(config);
    let (_dirs, log) = home.open();
    let value = |n: usize, len: usize| {
        let mut text = format!("{n} ");
        text.extend(std::iter::repeat_n((b'a' + (n % 26) as u8) as char, len));
        text
    };
    let mut model = BTreeMap::new();
    for (n, kib) in [100, 700, 3, 1, 255, 256, 257, 513, 90, 170, 2000, 5, 300, 40, 40, 40]
        .into_iter()
        .cycle()
        .take(48)
        .enumerate()
    {
        // Of each batch the first half is out of date, except for one record of the round.
        let mine = |at: usize| if at == n % 10 { format!("k{n}") } else { format!("k{}", at % 5) };
        let records: Vec<(String, String)> =
            (0..10).map(|at| (mine(at), value(100 * n + at, kib * 1024 / 10))).collect();
        let views: Vec<_> =
            records.iter().map(|(key, value)| (&key[..], Some(&value[..]), NOW.0)).collect();
        append(&log, &batch_of(&views));
        model.extend(records.into_iter().map(|(key, value)| (key, Some(value))));
    }
    log.roll().unwrap();
    let before = contents(&log);
    let outcome = compact_log(&log, NOW, log.log_end_offset(), 64 << 20).unwrap().unwrap();
    assert!(outcome.bytes_after < outcome.bytes_before / 3, "{outcome:?}");
    let after = contents(&log);
    assert_eq!(latest(&after), model);
    assert_eq!(after.len(), model.len());
    assert!(after.iter().all(|record| before.contains(record)));
}

#[test]
fn a_segment_of_which_everything_stays_is_read_and_not_written() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    (0..60).for_each(|n| put(&log, &format!("key{n}"), Some("value of some length")));
    log.roll().unwrap();
    let (segments, size) = (log.segment_count(), log.size_bytes());
    let told = std::cell::Cell::new(0);
    let pace = |bytes, _: StillWanted<'_>| {
        told.set(told.get() + bytes);
        true
    };
    let (now, up_to) = (NOW, log.log_end_offset());
    let run = CompactionRun { now, up_to, map_bytes: MAP_BYTES, pace: &pace };
    let outcome = log.compact(&run).unwrap().unwrap();
    assert_eq!((outcome.bytes_before, outcome.bytes_after), (size, size));
    assert_eq!((log.segment_count(), log.size_bytes()), (segments, size));
    // Once for the keys, and once to look whether anything goes.
    assert_eq!(told.get(), 2 * size);
}

/// Two segments whose offsets are together more than a segment's indexes can count, by so little
/// that the second one's base does not tell.
#[test]
fn segments_that_span_too_many_offsets_together_stay_apart() {
    const FAR: i64 = (1 << 31) - 3;
    let home = Home::new(compacted());
    let (dirs, log) = home.open();
    put(&log, "a", Some("1"));
    put(&log, "b", Some("1"));
    log.roll().unwrap();
    (0..6).for_each(|n| put(&log, &format!("far{n}"), Some("1")));
    put(&log, "a", Some("2"));
    log.roll().unwrap();
    put(&log, "last", Some("1"));
    dirs.close(no_watermark).unwrap();
    drop((dirs, log));
    // The second and the third segment are moved far from the first.
    let file = |offset: i64| home.log_dir().join(crate::names::file(Offset(offset), "log"));
    for (from, to) in [(2, FAR), (9, FAR + 7)] {
        let mut bytes = std::fs::read(file(from)).unwrap();
        let mut at = 0;
        while at < bytes.len() {
            let header = record::BatchHeader::parse(&bytes[at..]).unwrap();
            let moved = header.base_offset.0 + to - from;
            bytes[at..at + 8].copy_from_slice(&moved.to_be_bytes());
            at += header.size();
        }
        std::fs::write(file(to), bytes).unwrap();
        std::fs::remove_file(file(from)).unwrap();
    }
    let (dirs, log) = home.open();
    assert_eq!(log.log_end_offset(), Offset(FAR + 8));
    let mut expected = contents(&log);
    assert_eq!(expected.len(), 10);
    compact(&log, NOW.0).unwrap();
    expected.remove(0);
    assert_eq!(contents(&log), expected);
    drop((dirs, log));
    let (_dirs, log) = home.open();
    assert_eq!(contents(&log), expected);
}
