//! A fetch's worth of a warm log, as a fetch reads it: whether the disk has to be waited for, the
//! place or a copy of the records, whether they are still in memory.

use std::hint::black_box;
use std::sync::Arc;

use gofka_core::ids::Offset;
use gofka_storage::{Log, Records};
use tempfile::TempDir;

use super::append::{folder, new_log};
use super::records::{self, EPOCH, LARGE, NOW, ONE, SMALL, Shape};
use super::{Operation, Work};

/// What a consumer asks of a partition at most, unless told otherwise.
const FETCH_BYTES: usize = 1 << 20;
const LOG_BYTES: u64 = 32 << 20;

pub(crate) const OPERATIONS: &[Operation] = &[
    // The kernel sends them: no byte of them is touched here.
    Operation { name: "read 1 MiB: found, to be sent from its file", bytes: 0, prepare: find },
    Operation { name: "read 1 MiB: loaded, checksums compared", bytes: FETCH_BYTES, prepare: load },
    Operation {
        name: "read the last 16 KiB of 100 B records",
        bytes: SMALL.batch_bytes,
        prepare: || copy_last(SMALL),
    },
    Operation {
        name: "read the last record of 1 kB",
        bytes: ONE.value_bytes,
        prepare: || copy_last(ONE),
    },
];

/// A log that was written just now, and what one read looks for.
struct Warm {
    log: Log,
    from: Offset,
    _dir: TempDir,
}

impl Warm {
    fn of(shape: Shape) -> Self {
        let dir = folder();
        let log = new_log(dir.path().join("t-0"));
        let batch = records::batch(shape);
        while log.size_bytes() < LOG_BYTES {
            let appended = log.append_as_leader(std::slice::from_ref(&batch), EPOCH, NOW);
            appended.expect("the log takes it");
        }
        Self { log, from: Offset::ZERO, _dir: dir }
    }

    fn read(&self) -> Records {
        assert!(self.log.is_hot(self.from));
        let read = self.log.read(self.from, FETCH_BYTES, self.log.log_end_offset(), true);
        read.expect("it can be read").records
    }
}

fn in_the_middle() -> Arc<Warm> {
    let mut warm = Warm::of(LARGE);
    warm.from = Offset(warm.log.log_end_offset().0 / 2);
    Arc::new(warm)
}

fn find() -> Box<dyn Work> {
    let warm = in_the_middle();
    Box::new(move || {
        let Records::InFile(range) = warm.read() else { panic!("it is too large for a copy") };
        assert!(range.is_warm());
        black_box(range);
    })
}

fn load() -> Box<dyn Work> {
    let warm = in_the_middle();
    Box::new(move || {
        black_box(warm.read().load().expect("the checksums fit"));
    })
}

fn copy_last(shape: Shape) -> Box<dyn Work> {
    let mut warm = Warm::of(shape);
    let count = records::batch(shape).header.record_count;
    warm.from = warm.log.log_end_offset().plus(-i64::from(count));
    Box::new(move || {
        let Records::Loaded(bytes) = warm.read() else { panic!("it is small") };
        black_box(bytes);
    })
}
