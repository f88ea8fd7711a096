//! A validated batch into a real log, as the leader does it: offsets, producer state, the write,
//! index and end. In `page-cache` mode: what a sync costs is the disk's affair.

use std::path::PathBuf;
use std::sync::Arc;

use gofka_core::config::{Durability, TopicConfig};
use gofka_core::ids::{ProducerEpoch, ProducerId, Sequence, TopicId, TopicPartition, Uuid};
use gofka_core::record::Batch;
use gofka_storage::{Log, LogOptions};
use tempfile::TempDir;

use super::records::{self, EPOCH, LARGE, NOW, ONE, SMALL, Shape};
use super::{Operation, Work};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "append 128 KiB of 1 kB records",
        bytes: LARGE.batch_bytes,
        prepare: || Append::of(LARGE),
    },
    Operation {
        name: "append 16 KiB of 100 B records",
        bytes: SMALL.batch_bytes,
        prepare: || Append::of(SMALL),
    },
    Operation {
        name: "append one record of 1 kB",
        bytes: ONE.value_bytes,
        prepare: || Append::of(ONE),
    },
    Operation {
        name: "append one record of 1 kB, idempotent",
        bytes: ONE.value_bytes,
        prepare: || Box::new(Idempotent(Append::new(ONE))),
    },
];

/// A log of this size makes room for a new one, so that none fills the memory: pages are used
/// again, as they are where retention deletes.
pub(crate) const LOG_BYTES_MAX: u64 = 64 << 20;

/// A folder for logs on the disk that the build is on.
pub(crate) fn folder() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

/// A new log in `page-cache` mode.
pub(crate) fn new_log(dir: PathBuf) -> Log {
    let config = TopicConfig { durability: Durability::PageCache, ..TopicConfig::default() };
    Log::open(LogOptions {
        dir,
        partition: TopicPartition::new("t", 0),
        topic_id: TopicId(Uuid::from_u128(1)),
        config: Arc::new(config),
    })
    .expect("a new log")
}

struct Append {
    batch: Batch,
    log: Log,
    dir: TempDir,
}

impl Append {
    fn new(shape: Shape) -> Self {
        let dir = folder();
        let log = new_log(dir.path().join("t-0"));
        Self { batch: records::batch(shape), log, dir }
    }

    fn of(shape: Shape) -> Box<dyn Work> {
        Box::new(Self::new(shape))
    }

    fn append(&self) {
        let appended = self.log.append_as_leader(std::slice::from_ref(&self.batch), EPOCH, NOW);
        assert!(!appended.expect("the log takes it").duplicate);
    }
}

impl Work for Append {
    fn make_room(&mut self) {
        if self.log.size_bytes() > LOG_BYTES_MAX {
            self.dir = folder();
            self.log = new_log(self.dir.path().join("t-0"));
        }
    }

    fn run(&mut self) {
        self.append();
    }
}

/// Of one producer, whose sequence goes on.
struct Idempotent(Append);

impl Work for Idempotent {
    fn make_room(&mut self) {
        self.0.make_room();
    }

    fn run(&mut self) {
        // No checksum is looked at any more when a batch is appended.
        let header = &mut self.0.batch.header;
        (header.producer_id, header.producer_epoch) = (ProducerId(7), ProducerEpoch(0));
        // One record a batch, so that both go on together.
        header.base_sequence = Sequence(self.0.log.log_end_offset().0 as i32);
        self.0.append();
    }
}
