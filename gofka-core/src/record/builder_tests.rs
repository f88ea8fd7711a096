//! Batches that are built read back as they were.

use super::super::{Batch, records, split};
use super::*;
use proptest::prelude::*;

type OwnedRecord = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(Vec<u8>, Option<Vec<u8>>)>);

fn build(codec: Compression, input: &[OwnedRecord]) -> Batch {
    let mut builder = BatchBuilder::new(Offset(100), codec, TimestampType::CreateTime);
    for (timestamp, key, value, headers) in input {
        let headers: Vec<_> = headers.iter().map(|(k, v)| (&k[..], v.as_deref())).collect();
        builder.push(&NewRecord {
            timestamp: TimestampMs(*timestamp),
            key: key.as_deref(),
            value: value.as_deref(),
            headers: &headers,
        });
    }
    builder.build_batch()
}

proptest! {
    #[test]
    fn records_come_back_as_they_went_in(
        input in prop::collection::vec(any::<OwnedRecord>(), 1..20),
        codec in prop::sample::select(&Compression::ALL[..]),
    ) {
        let batch = build(codec, &input);
        prop_assert_eq!(batch.check_crc(), Ok(()));
        let parsed = split(batch.to_bytes()).unwrap();
        prop_assert_eq!(&parsed, &vec![batch]);
        let out = records(&parsed[0], 1 << 20).unwrap();
        prop_assert_eq!(out.len(), input.len());
        for (index, (record, expected)) in out.iter().zip(&input).enumerate() {
            prop_assert_eq!(record.offset, Offset(100 + index as i64));
            prop_assert_eq!(record.timestamp.0, expected.0);
            prop_assert_eq!(record.key.as_deref(), expected.1.as_deref());
            prop_assert_eq!(record.value.as_deref(), expected.2.as_deref());
            prop_assert_eq!(record.headers.len(), expected.3.len());
            for ((name, value), (expected_name, expected_value)) in
                record.headers.iter().zip(&expected.3)
            {
                prop_assert_eq!(&name[..], &expected_name[..]);
                prop_assert_eq!(value.as_deref(), expected_value.as_deref());
            }
        }
    }

    #[test]
    fn no_bytes_make_the_readers_panic(garbage in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(batches) = split(Bytes::from(garbage)) {
            for batch in batches {
                let _ = records(&batch, 1000);
            }
        }
    }

    #[test]
    fn a_damaged_payload_is_read_or_refused_but_never_panics(
        at in 0usize..200, byte: u8, codec in prop::sample::select(&Compression::ALL[..]),
    ) {
        let record = (5, Some(vec![1; 20]), Some(vec![2; 150]), vec![(b"h".to_vec(), None)]);
        let mut bytes = build(codec, &[record.clone(), record]).bytes.to_vec();
        let at = BATCH_HEADER_SIZE + at % (bytes.len() - BATCH_HEADER_SIZE);
        bytes[at] = byte;
        let batch = Batch::parse(Bytes::from(bytes)).unwrap();
        let _ = records(&batch, 1000);
    }
}

#[test]
fn a_compacted_batch_keeps_its_range_and_its_gaps() {
    let mut builder = BatchBuilder::new(Offset(10), Compression::None, TimestampType::CreateTime)
        .delete_horizon(TimestampMs(5_000));
    builder.push_at(3, &NewRecord { timestamp: TimestampMs(7), ..NewRecord::default() });
    builder.set_last_offset_delta(9);
    let batch = builder.build_batch();
    assert_eq!(batch.header.last_offset(), Offset(19));
    assert_eq!(batch.header.base_timestamp, TimestampMs(5_000));
    let out = records(&batch, 0).unwrap();
    assert_eq!((out[0].offset, out[0].timestamp), (Offset(13), TimestampMs(7)));
}
