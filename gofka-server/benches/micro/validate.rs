//! What a produce checks of a batch: framing, header, size, checksum and, where nothing is
//! compressed, each record's lengths and timestamp.

use std::hint::black_box;

use gofka_core::record::{
    Batch, Compression, Origin, TimestampType, TopicCompression, ValidationRules, split, validate,
};

use super::records::{self, LARGE, NOW, ONE, SMALL};
use super::{Operation, Work};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "validate 128 KiB of 1 kB records",
        bytes: LARGE.batch_bytes,
        prepare: || of(&records::batch(LARGE)),
    },
    Operation {
        name: "validate 16 KiB of 100 B records",
        bytes: SMALL.batch_bytes,
        prepare: || of(&records::batch(SMALL)),
    },
    Operation {
        name: "validate one record of 1 kB",
        bytes: ONE.value_bytes,
        prepare: || of(&records::batch(ONE)),
    },
    Operation {
        name: "validate 128 KiB of 1 kB records in lz4",
        bytes: 0,
        prepare: || of(&records::compressed(LARGE, Compression::Lz4)),
    },
];

/// Those of a topic on which nothing was set.
const RULES: ValidationRules = ValidationRules {
    max_message_bytes: 1_048_588,
    max_decompressed_bytes: 32 << 20,
    timestamp_type: TimestampType::CreateTime,
    timestamp_before_max_ms: i64::MAX,
    timestamp_after_max_ms: 3_600_000,
    now: NOW,
    compacted: false,
    origin: Origin::Client,
    compression: TopicCompression::Producer,
};

fn of(batch: &Batch) -> Box<dyn Work> {
    let bytes = batch.bytes.clone();
    Box::new(move || {
        let batches = split(black_box(bytes.clone())).expect("whole batches");
        black_box(validate(batches, &RULES).expect("a good batch"));
    })
}
