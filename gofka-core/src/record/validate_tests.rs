//! Batches that are refused, and why.

use super::super::{Attributes, BatchBuilder, BatchHeader, NewRecord, records, split};
use super::*;
use crate::ids::{ProducerEpoch, Sequence};
use bytes::Bytes;

const NOW: TimestampMs = TimestampMs(1_700_000_000_000);

fn rules() -> ValidationRules {
    ValidationRules {
        max_message_bytes: 10_000,
        max_decompressed_bytes: 1 << 20,
        timestamp_type: TimestampType::CreateTime,
        timestamp_before_max_ms: i64::MAX,
        timestamp_after_max_ms: 3_600_000,
        now: NOW,
        compacted: false,
        origin: Origin::Client,
        compression: TopicCompression::Producer,
    }
}

fn batch_at(codec: Compression, timestamps: &[i64]) -> Batch {
    let mut builder = BatchBuilder::new(Offset::ZERO, codec, TimestampType::CreateTime);
    for timestamp in timestamps {
        builder.push(&NewRecord {
            timestamp: TimestampMs(*timestamp),
            key: Some(b"key"),
            value: Some(b"value"),
            headers: &[(b"h", None)],
        });
    }
    builder.build_batch()
}

fn good(codec: Compression) -> Batch {
    batch_at(codec, &[NOW.0, NOW.0 + 5, NOW.0 + 2])
}

fn with_header(batch: &Batch, change: impl FnOnce(&mut BatchHeader)) -> Batch {
    let mut changed = batch.clone();
    change(&mut changed.header);
    changed.header.crc = changed.header.compute_crc(changed.payload());
    Batch::parse(changed.to_bytes()).unwrap()
}

fn refusal(batch: Batch, rules: &ValidationRules) -> BatchRejection {
    validate(vec![batch], rules).unwrap_err()
}

#[test]
fn a_good_batch_passes_untouched_in_every_codec() {
    for codec in Compression::ALL {
        let batch = good(codec);
        let passed = validate(vec![batch.clone()], &rules()).unwrap();
        assert_eq!(passed[0], batch, "{codec:?}");
        assert_eq!(passed[0].to_bytes().as_ptr(), batch.bytes.as_ptr(), "no copy");
    }
}

#[test]
fn framing_faults_have_kafkas_codes() {
    let bytes = good(Compression::None).bytes;
    let with = |at: usize, value: &[u8]| {
        let mut changed = bytes.to_vec();
        changed[at..at + value.len()].copy_from_slice(value);
        Bytes::from(changed)
    };
    let cases = [
        ("cut", bytes.slice(..bytes.len() - 1), ErrorCode::InvalidRecord),
        ("a few bytes", bytes.slice(..10), ErrorCode::InvalidRecord),
        ("longer than it is", with(8, &i32::MAX.to_be_bytes()), ErrorCode::InvalidRecord),
        ("no room for a header", with(8, &48i32.to_be_bytes()), ErrorCode::CorruptMessage),
        ("negative length", with(8, &(-1i32).to_be_bytes()), ErrorCode::CorruptMessage),
        ("magic 0", with(16, &[0]), ErrorCode::InvalidRecord),
        ("magic 1", with(16, &[1]), ErrorCode::InvalidRecord),
        ("magic 3", with(16, &[3]), ErrorCode::CorruptMessage),
        ("magic -1", with(16, &[0xff]), ErrorCode::CorruptMessage),
    ];
    for (name, records, expected) in cases {
        let refused = BatchRejection::from(split(records).unwrap_err());
        assert_eq!(refused.error, expected, "{name}");
    }
}

#[test]
fn header_faults_have_kafkas_codes() {
    let batch = good(Compression::None);
    let idempotent_without_sequence = |h: &mut BatchHeader| {
        h.producer_id = ProducerId(4);
        h.producer_epoch = ProducerEpoch(0);
        h.base_sequence = Sequence(-1);
    };
    let cases: [(&str, Batch, ErrorCode); 8] = [
        (
            "base offset",
            with_header(&batch, |h| h.base_offset = Offset(1)),
            ErrorCode::InvalidRecord,
        ),
        ("count", with_header(&batch, |h| h.record_count = 4), ErrorCode::InvalidRecord),
        ("no records", with_header(&batch, |h| h.record_count = 0), ErrorCode::InvalidRecord),
        (
            "delta",
            with_header(&batch, |h| h.last_offset_delta = i32::MAX),
            ErrorCode::InvalidRecord,
        ),
        ("negative", with_header(&batch, |h| h.last_offset_delta = -4), ErrorCode::InvalidRecord),
        (
            "control",
            with_header(&batch, |h| h.attributes = h.attributes.with_control(true)),
            ErrorCode::InvalidRecord,
        ),
        ("sequence", with_header(&batch, idempotent_without_sequence), ErrorCode::InvalidRecord),
        (
            "codec",
            with_header(&batch, |h| h.attributes = Attributes(7)),
            ErrorCode::UnknownServerError,
        ),
    ];
    for (name, batch, expected) in cases {
        assert_eq!(refusal(batch, &rules()).error, expected, "{name}");
    }
}

#[test]
fn a_flipped_bit_anywhere_after_the_checksum_is_corrupt() {
    for codec in [Compression::None, Compression::Zstd] {
        let bytes = good(codec).bytes;
        for at in 21..bytes.len() {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 0x10;
            let batch = Batch::parse(Bytes::from(flipped)).unwrap();
            assert_eq!(refusal(batch, &rules()).error, ErrorCode::CorruptMessage, "byte {at}");
        }
    }
}

#[test]
fn a_count_that_lies_together_with_its_offsets_is_refused() {
    for (count, delta) in [(2, 1), (4, 3), (1, 0)] {
        let lie = with_header(&good(Compression::None), |h| {
            h.record_count = count;
            h.last_offset_delta = delta;
        });
        assert_eq!(refusal(lie, &rules()).error, ErrorCode::InvalidRecord, "{count} records");
    }
}

#[test]
fn offsets_within_the_batch_follow_each_other() {
    let mut builder = BatchBuilder::new(Offset::ZERO, Compression::None, TimestampType::CreateTime);
    builder.push_at(1, &NewRecord { timestamp: NOW, ..NewRecord::default() });
    let shifted = with_header(&builder.build_batch(), |h| h.last_offset_delta = 0);
    assert_eq!(refusal(shifted, &rules()).error, ErrorCode::InvalidRecord);
}

#[test]
fn too_many_too_few_and_too_large() {
    let batch = good(Compression::None);
    let none = validate(vec![], &rules()).unwrap_err();
    let two = validate(vec![batch.clone(), batch.clone()], &rules()).unwrap_err();
    assert_eq!((none.error, two.error), (ErrorCode::InvalidRecord, ErrorCode::InvalidRecord));
    let size = batch.header.size();
    let limit = |max_message_bytes| ValidationRules { max_message_bytes, ..rules() };
    assert_eq!(refusal(batch.clone(), &limit(size - 1)).error, ErrorCode::MessageTooLarge);
    assert!(validate(vec![batch], &limit(size)).is_ok());
}

#[test]
fn wild_timestamps_name_the_records() {
    let wild = [NOW.0, NOW.0 + 4_000_000, -1, NOW.0 + 5_000_000];
    for codec in [Compression::None, Compression::Gzip] {
        let refused = refusal(batch_at(codec, &wild), &rules());
        assert_eq!(refused.error, ErrorCode::InvalidTimestamp);
        let indexes: Vec<_> = refused.record_errors.iter().map(|e| e.batch_index).collect();
        assert_eq!(indexes, [1, 3], "{codec:?}");
    }
    let old = ValidationRules { timestamp_before_max_ms: 10, ..rules() };
    let refused = refusal(batch_at(Compression::Snappy, &[NOW.0 - 11, NOW.0]), &old);
    assert_eq!(refused.error, ErrorCode::InvalidTimestamp);
    assert!(validate(vec![batch_at(Compression::Snappy, &[NOW.0 - 10])], &old).is_ok());
}

#[test]
fn extreme_timestamps_do_not_overflow() {
    for extreme in [i64::MIN, i64::MAX] {
        for codec in [Compression::None, Compression::Lz4] {
            let strict = ValidationRules { timestamp_before_max_ms: 10, ..rules() };
            let refused = refusal(batch_at(codec, &[extreme]), &strict);
            assert_eq!(refused.error, ErrorCode::InvalidTimestamp, "{extreme}");
        }
    }
}

#[test]
fn log_append_time_changes_header_and_checksum_and_copies_no_record() {
    let append_time = ValidationRules { timestamp_type: TimestampType::LogAppendTime, ..rules() };
    for codec in Compression::ALL {
        let batch = batch_at(codec, &[5, 6]);
        let stored = validate(vec![batch.clone()], &append_time).unwrap().remove(0);
        assert_eq!(stored.payload().as_ptr(), batch.payload().as_ptr());
        let reread = Batch::parse(stored.to_bytes()).unwrap();
        assert_eq!(reread.check_crc(), Ok(()));
        let times: Vec<_> =
            records(&reread, 1000).unwrap().iter().map(|record| record.timestamp).collect();
        assert_eq!(times, [NOW, NOW]);
        let pretending = with_header(&batch, |h| {
            h.attributes = h.attributes.with_timestamp_type(TimestampType::LogAppendTime);
        });
        assert_eq!(refusal(pretending, &append_time).error, ErrorCode::InvalidTimestamp);
    }
}

#[test]
fn a_wrong_largest_timestamp_is_put_right() {
    let lie = with_header(&good(Compression::None), |h| h.max_timestamp = TimestampMs(1));
    let stored = validate(vec![lie], &rules()).unwrap().remove(0);
    assert_eq!(stored.header.max_timestamp, TimestampMs(NOW.0 + 5));
    assert_eq!(stored.check_crc(), Ok(()));
}

#[test]
fn a_compacted_topic_wants_keys_also_inside_compressed_batches() {
    let compacted = ValidationRules { compacted: true, ..rules() };
    for codec in Compression::ALL {
        let mut builder = BatchBuilder::new(Offset::ZERO, codec, TimestampType::CreateTime);
        for key in [Some(&b"k"[..]), None, Some(b""), None] {
            builder.push(&NewRecord { timestamp: NOW, key, ..NewRecord::default() });
        }
        let refused = refusal(builder.build_batch(), &compacted);
        assert_eq!(refused.error, ErrorCode::InvalidRecord);
        let indexes: Vec<_> = refused.record_errors.iter().map(|e| e.batch_index).collect();
        assert_eq!(indexes, [1, 3], "{codec:?}");
        assert!(validate(vec![good(codec)], &compacted).is_ok());
    }
}

#[test]
fn recompression_keeps_every_record() {
    for from in Compression::ALL {
        for to in Compression::ALL {
            let fixed = TopicCompression::Fixed(to, CompressionLevel::Default);
            let topic = ValidationRules { compression: fixed, ..rules() };
            let batch = good(from);
            let stored = validate(vec![batch.clone()], &topic).unwrap().remove(0);
            assert_eq!(stored.header.attributes.compression(), Some(to));
            let reread = Batch::parse(stored.to_bytes()).unwrap();
            assert_eq!(reread.check_crc(), Ok(()));
            assert_eq!(records(&reread, 1000), records(&batch, 1000), "{from:?} to {to:?}");
            assert_eq!(from == to, stored == batch);
        }
    }
}

#[test]
fn a_bomb_that_must_be_opened_is_refused_within_the_limit() {
    let value = vec![0; 8 << 20];
    for codec in [Compression::Gzip, Compression::Lz4, Compression::Zstd] {
        let mut builder = BatchBuilder::new(Offset::ZERO, codec, TimestampType::CreateTime);
        builder.push(&NewRecord { timestamp: NOW, value: Some(&value), ..NewRecord::default() });
        let bomb = builder.build_batch();
        let topic = ValidationRules { compacted: true, max_message_bytes: 1 << 20, ..rules() };
        assert_eq!(refusal(bomb, &topic).error, ErrorCode::MessageTooLarge, "{codec:?}");
    }
}

#[test]
fn the_brokers_own_batches_may_be_several_and_control() {
    let mut control = BatchBuilder::new(Offset(7), Compression::None, TimestampType::CreateTime)
        .transactional()
        .control();
    control.push(&NewRecord { timestamp: NOW, key: Some(&[0; 4]), ..NewRecord::default() });
    let internal = ValidationRules { origin: Origin::Internal, compacted: true, ..rules() };
    let batches = vec![good(Compression::None), control.build_batch()];
    assert_eq!(validate(batches.clone(), &internal), Ok(batches));
}

#[test]
fn a_batch_of_many_bad_records_lists_only_the_first() {
    let refused = refusal(batch_at(Compression::None, &[i64::MAX; 300]), &rules());
    assert_eq!(refused.record_errors.len(), RECORD_ERRORS_MAX);
}
