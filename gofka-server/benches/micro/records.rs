//! Batches as producers send them, and the time at which everything happens.

use gofka_core::ids::{LeaderEpoch, Offset};
use gofka_core::record::{Batch, BatchBuilder, Compression, NewRecord, TimestampType};
use gofka_core::time::TimestampMs;

pub(crate) const NOW: TimestampMs = TimestampMs(1_700_000_000_000);
pub(crate) const EPOCH: LeaderEpoch = LeaderEpoch(4);

/// What a batch holds.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Records are added up to this size, and one in any case.
    pub(crate) batch_bytes: usize,
    /// Of each record's value; there is no key.
    pub(crate) value_bytes: usize,
}

/// What a producer with `batch.size` 128 KiB sends under load.
pub(crate) const LARGE: Shape = Shape { batch_bytes: 128 << 10, value_bytes: 1000 };
/// What one with Kafka's default `batch.size` sends of small records.
pub(crate) const SMALL: Shape = Shape { batch_bytes: 16 << 10, value_bytes: 100 };
/// What one that waits for each acknowledgement sends.
pub(crate) const ONE: Shape = Shape { batch_bytes: 0, value_bytes: 1000 };

/// A batch of random values.
pub(crate) fn batch(shape: Shape) -> Batch {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    build(shape, Compression::None, move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    })
}

/// A batch that compresses to a fraction of its size.
pub(crate) fn compressed(shape: Shape, codec: Compression) -> Batch {
    let mut words = b"what is the same in each record ".iter().cycle();
    build(shape, codec, move || *words.next().expect("a cycle has no end"))
}

fn build(shape: Shape, codec: Compression, mut byte: impl FnMut() -> u8) -> Batch {
    /// A record's length, offset, timestamp and the like take less.
    const FRAMING: usize = 16;
    let mut builder = BatchBuilder::new(Offset::ZERO, codec, TimestampType::CreateTime);
    let room = |builder: &BatchBuilder| {
        builder.uncompressed_size() + shape.value_bytes + FRAMING <= shape.batch_bytes
    };
    while builder.record_count() == 0 || room(&builder) {
        let value: Vec<u8> = (0..shape.value_bytes).map(|_| byte()).collect();
        let timestamp = TimestampMs(NOW.0 + i64::from(builder.record_count()));
        builder.push(&NewRecord { timestamp, value: Some(&value), ..NewRecord::default() });
    }
    builder.build_batch()
}
