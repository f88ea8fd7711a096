//! Any bytes as the records of a produce: split, validated under every kind of rules, and opened.
//!
//! The first byte chooses the rules. The checksum is made to fit, or nothing would get past it.
//! What validation lets through must be readable, and be what it says it is.

use bytes::Bytes;
use gofka_core::ids::Offset;
use gofka_core::record::{
    BATCH_HEADER_SIZE, BatchBuilder, Compression, CompressionLevel, NewRecord, Origin,
    TimestampType, TopicCompression, ValidationRules, records, split, validate,
};
use gofka_core::time::TimestampMs;

const CRC: std::ops::Range<usize> = 17..21;
const LENGTH: std::ops::Range<usize> = 8..12;
const OPENED_MAX: usize = 1 << 20;

fn rules(choice: u8) -> ValidationRules {
    let target = Compression::ALL[choice as usize % Compression::ALL.len()];
    ValidationRules {
        max_message_bytes: 1 << 20,
        max_decompressed_bytes: OPENED_MAX,
        timestamp_type: match choice & 0x10 {
            0 => TimestampType::CreateTime,
            _ => TimestampType::LogAppendTime,
        },
        timestamp_before_max_ms: i64::MAX,
        timestamp_after_max_ms: 3_600_000,
        now: TimestampMs(1_700_000_000_000),
        compacted: choice & 0x20 != 0,
        origin: if choice & 0x40 == 0 { Origin::Client } else { Origin::Internal },
        compression: match choice & 0x80 {
            0 => TopicCompression::Producer,
            _ => TopicCompression::Fixed(target, CompressionLevel::Default),
        },
    }
}

pub(crate) fn seeds() -> impl Iterator<Item = Vec<u8>> {
    Compression::ALL.into_iter().flat_map(|codec| {
        [0u8, 0x11, 0x22, 0x81, 0xb4, 0xf3].into_iter().map(move |choice| {
            let mut batch = BatchBuilder::new(Offset::ZERO, codec, TimestampType::CreateTime);
            for index in 0..4 {
                let text: &[u8] = b"some value that repeats that repeats that repeats";
                batch.push(&NewRecord {
                    timestamp: TimestampMs(1_700_000_000_000 + index),
                    key: Some(b"key"),
                    value: Some(text),
                    headers: &[],
                });
            }
            [&[choice], &batch.build()[..]].concat()
        })
    })
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    let [choice, bytes @ ..] = data else { return };
    let mut bytes = bytes.to_vec();
    if bytes.len() >= BATCH_HEADER_SIZE {
        let length = u32::from_be_bytes(bytes[LENGTH].try_into().expect("four bytes"));
        let end = (length as usize).saturating_add(12).min(bytes.len());
        if end > CRC.end {
            let crc = crc32c::crc32c(&bytes[CRC.end..end]);
            bytes[CRC].copy_from_slice(&crc.to_be_bytes());
        }
    }
    let Ok(batches) = split(Bytes::from(bytes)) else { return };
    let rules = rules(*choice);
    let Ok(stored) = validate(batches, &rules) else { return };
    for batch in stored {
        assert!(batch.check_crc().is_ok(), "stored with a checksum that does not fit");
        assert_eq!(batch.bytes.len(), batch.header.size());
        let opened = records(&batch, OPENED_MAX);
        if rules.origin == Origin::Client
            && (rules.compacted || batch.header.attributes.compression() == Some(Compression::None))
        {
            let opened = opened.expect("what was walked can be read");
            assert_eq!(opened.len(), batch.header.record_count as usize);
        }
    }
}
