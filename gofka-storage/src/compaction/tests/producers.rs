//! What compaction keeps for producers and their transactions.

use super::*;
use gofka_core::ids::{ProducerEpoch, Sequence};

#[test]
fn the_last_batch_of_a_producer_stays_without_its_records() {
    let home = Home::new(compacted());
    let (dirs, log) = home.open();
    for n in 0..3 {
        append(&log, &idempotent(7, 0, n * 2, 2));
    }
    put(&log, "k", Some("last"));
    log.roll().unwrap();
    compact(&log, NOW.0).unwrap();
    assert_eq!(contents(&log).len(), 1);
    drop((dirs, log));
    for name in home.files().iter().filter(|name| name.ends_with(".snapshot")) {
        std::fs::remove_file(home.log_dir().join(name)).unwrap();
    }
    let (_dirs, log) = home.open();
    assert!(append(&log, &idempotent(7, 0, 4, 2)).duplicate);
    assert!(!append(&log, &idempotent(7, 0, 6, 1)).duplicate);
}

#[test]
fn aborted_records_go_and_do_not_count_as_the_latest() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    put(&log, "k", Some("committed"));
    let producer = (ProducerId(5), ProducerEpoch(0));
    let start = |sequence| {
        BatchBuilder::new(Offset(0), Compression::None, TimestampType::CreateTime)
            .producer(producer.0, producer.1, Sequence(sequence))
            .transactional()
    };
    let mut aborted = start(0);
    let (key, value) = (Some(&b"k"[..]), Some(&b"aborted"[..]));
    aborted.push(&NewRecord { timestamp: NOW, key, value, headers: &[] });
    append(&log, &aborted.build_batch());
    assert_eq!(log.last_stable_offset(), Offset(1));
    let mut marker = start(-1).control();
    let (key, value) = (Some(&[0u8, 0, 0, 0][..]), Some(&[0u8, 0, 0, 0, 0, 1][..]));
    marker.push(&NewRecord { timestamp: NOW, key, value, headers: &[] });
    append(&log, &marker.build_batch());
    log.note_high_watermark(Offset(3));
    assert_eq!(log.last_stable_offset(), Offset(3));
    log.roll().unwrap();
    let found = log.aborted_transactions(Offset(0), Offset(3)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].producer_id, found[0].first_offset), (ProducerId(5), Offset(1)));
    compact(&log, NOW.0).unwrap();
    let values: Vec<_> = contents(&log).into_iter().map(|(_, value, _)| value).collect();
    assert!(values.contains(&Some("committed".into())));
    assert!(!values.contains(&Some("aborted".into())));
    assert_eq!(log.aborted_transactions(Offset(0), Offset(3)).unwrap().len(), 1);
}

#[test]
fn a_batch_without_records_is_not_called_compressed() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
        let id = ProducerId(codec as i64);
        let mut batch = BatchBuilder::new(Offset(0), codec, TimestampType::CreateTime).producer(
            id,
            ProducerEpoch(0),
            Sequence(0),
        );
        batch.push(&NewRecord { timestamp: NOW, key: Some(b"k"), ..NewRecord::default() });
        append(&log, &batch.build_batch());
    }
    put(&log, "k", Some("last"));
    log.roll().unwrap();
    compact(&log, NOW.0).unwrap();
    let read = log.read(Offset(0), 1 << 20, log.log_end_offset(), true).unwrap();
    let batches = record::split(read.records.load().unwrap()).unwrap();
    let empty = batches.iter().filter(|batch| batch.header.record_count == 0);
    let codecs: Vec<_> = empty.map(|batch| batch.header.attributes.compression()).collect();
    assert_eq!(codecs, [Some(Compression::None); 4]);
}
