//! The list of what is measured: for each work how, in which mode, and what Gofka owes. The order
//! is that of the table.

use super::run::Run;
use super::steady::Batches;
use super::{disk, life, steady};

pub(super) struct Work {
    /// For `--only`.
    pub(super) name: &'static str,
    /// Part of `cargo xtask bench` too.
    pub(super) short: bool,
    pub(super) repeat: Repeat,
    pub(super) mode: Mode,
    pub(super) measure: fn(&mut Run<'_>) -> Result<(), String>,
    pub(super) rows: &'static [Row],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// One round of A B B A: it takes minutes.
    Once,
    EveryRound,
}

/// What an acknowledgement promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The record is in memory: Kafka as it is shipped.
    PageCache,
    /// The record is on disk: Kafka with `flush.messages=1`.
    Fsync,
}

/// One line of the table.
pub(super) struct Row {
    /// What the measuring function calls it.
    pub(super) key: &'static str,
    /// What it is, with its unit.
    pub(super) name: &'static str,
    pub(super) goal: Goal,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    None,
    Most(f64),
    Least(f64),
    /// Gofka's value to Kafka's.
    RatioMost(f64),
    RatioLeast(f64),
}

use Goal::{Least, Most, RatioLeast, RatioMost};
use Mode::{Fsync, PageCache};
use Repeat::{EveryRound, Once};

const fn row(key: &'static str, name: &'static str, goal: Goal) -> Row {
    Row { key, name, goal }
}

pub(super) const WORKS: &[Work] = &[
    Work {
        name: "start",
        short: true,
        repeat: Once,
        mode: PageCache,
        measure: life::start_and_idle,
        rows: &[
            row("acknowledged", "start to first acknowledged record, ms", Most(50.0)),
            row("memory", "idle: resident memory, MB", Most(12.0)),
            row("cpu", "idle: % of one core", Most(0.5)),
            row("connections", "connections opened one by one, s", Most(5.0)),
            row("connection", "memory of each connection, kB", Most(10.0)),
        ],
    },
    Work {
        name: "1kb",
        short: true,
        repeat: EveryRound,
        mode: PageCache,
        measure: |run| steady::batches(run, Batches { size: 1000, codec: "none", consume: true }),
        rows: &[
            row("produce", "produce 1 kB records: broker CPU-s/GB", RatioMost(0.25)),
            row("produce-client", "produce 1 kB records: client CPU-s/GB", Goal::None),
            row("produce-rate", "produce 1 kB records: MB/s at the client", Goal::None),
            row("consume", "consume 1 kB records, warm: broker CPU-s/GB", RatioMost(0.5)),
            row("consume-client", "consume 1 kB records, warm: client CPU-s/GB", Goal::None),
            row("consume-rate", "consume 1 kB records, warm: MB/s at the client", Goal::None),
            row("apart", "the same, broker and client on a core each", RatioMost(0.5)),
            row("apart-client", "the same: client CPU-s/GB", Goal::None),
            row("apart-rate", "the same: MB/s at the client", Goal::None),
            row("memory", "most resident memory under this load, MB", Most(128.0)),
        ],
    },
    Work {
        name: "100b",
        short: false,
        repeat: EveryRound,
        mode: PageCache,
        measure: |run| steady::batches(run, Batches { size: 100, codec: "none", consume: false }),
        rows: &[
            row("produce", "produce 100 B records: broker CPU-s/GB", RatioMost(0.25)),
            row("produce-client", "produce 100 B records: client CPU-s/GB", Goal::None),
            row("produce-rate", "produce 100 B records: MB/s at the client", Goal::None),
        ],
    },
    Work {
        name: "lz4",
        short: false,
        repeat: EveryRound,
        mode: PageCache,
        measure: |run| steady::batches(run, Batches { size: 1000, codec: "lz4", consume: false }),
        rows: &[
            row("produce", "produce 1 kB records, lz4: broker CPU-s/GB sent", RatioMost(0.25)),
            row("produce-client", "produce 1 kB records, lz4: client CPU-s/GB", Goal::None),
            row("produce-rate", "produce 1 kB records, lz4: MB/s at the client", Goal::None),
        ],
    },
    Work {
        name: "zstd",
        short: false,
        repeat: EveryRound,
        mode: PageCache,
        measure: |run| steady::batches(run, Batches { size: 1000, codec: "zstd", consume: false }),
        rows: &[
            row("produce", "produce 1 kB records, zstd: broker CPU-s/GB sent", RatioMost(0.25)),
            row("produce-client", "produce 1 kB records, zstd: client CPU-s/GB", Goal::None),
            row("produce-rate", "produce 1 kB records, zstd: MB/s at the client", Goal::None),
        ],
    },
    Work {
        name: "one",
        short: false,
        repeat: EveryRound,
        mode: PageCache,
        measure: steady::one_at_a_time,
        rows: &[
            row("p50", "one 1 kB record at a time: p50, ms", RatioMost(0.5)),
            row("p99", "one 1 kB record at a time: p99, ms", RatioMost(0.5)),
            row("cpu", "one 1 kB record at a time: broker CPU, us each", Goal::None),
            row("bare", "the same from a bare socket: p50, us", Goal::None),
            row("echo", "an echo of as many bytes, without a broker: p50, us", Goal::None),
        ],
    },
    Work {
        name: "paced",
        short: false,
        repeat: EveryRound,
        mode: PageCache,
        measure: steady::paced,
        rows: &[
            row("cpu", "20 MB/s without linger: broker CPU-s/GB", RatioMost(0.25)),
            row("request", "the same: broker CPU, us a request", Goal::None),
            row("records", "the same: records in a request", Goal::None),
            row("client", "20 MB/s without linger: client CPU-s/GB", Goal::None),
            row("p50", "20 MB/s without linger: p50, ms", Goal::None),
            row("p99", "20 MB/s without linger: p99, ms", RatioMost(0.5)),
        ],
    },
    Work {
        name: "many",
        short: false,
        repeat: EveryRound,
        mode: Fsync,
        measure: steady::many,
        rows: &[
            row("rate", "16 producers, 6 partitions, 100 B: 1000 records/s", RatioLeast(5.0)),
            row("cpu", "16 producers: broker CPU-s for a million records", Goal::None),
            row("client", "16 producers: client CPU-s for a million records", Goal::None),
            row("share", "16 producers: rate, as a share of its own in page-cache", Least(0.6)),
        ],
    },
    Work {
        name: "partitions",
        short: false,
        repeat: Once,
        mode: PageCache,
        measure: life::partitions,
        rows: &[
            row(
                "acknowledged",
                "5 topics made, a record acknowledged on each partition, s",
                Most(3.0),
            ),
            row("cpu", "5 topics made: broker CPU, s", Goal::None),
            row("memory", "5 topics made: memory of each partition, kB", Most(8.0)),
            row(
                "killed",
                "kill -9 with these partitions, to the first acknowledged record, s",
                Most(3.0),
            ),
            row("killed-all", "the same, to one acknowledged on each of them, s", Goal::None),
        ],
    },
    Work {
        name: "killed",
        short: false,
        repeat: Once,
        mode: PageCache,
        measure: life::killed,
        rows: &[
            row("first", "kill -9 with much log, to the first acknowledged record, s", Goal::None),
            row("all", "the same, to one acknowledged on each of 6 partitions, s", Most(1.0)),
            row("cpu", "the same: broker CPU, s", Goal::None),
        ],
    },
    Work {
        name: "cold",
        short: false,
        repeat: Once,
        mode: PageCache,
        measure: disk::catch_up,
        rows: &[
            row("rate", "catch-up from disk beside 20 MB/s produced: MB/s", RatioLeast(1.0)),
            row("cpu", "catch-up: broker CPU-s/GB read, with the producer's", Goal::None),
            row("p99", "catch-up: the producer's p99, ms", Goal::None),
            row("slower", "catch-up: the producer's p99 beside it : alone", Most(2.0)),
        ],
    },
    Work {
        name: "compaction",
        short: false,
        repeat: Once,
        mode: PageCache,
        measure: disk::compaction,
        rows: &[
            row(
                "rate",
                "compaction of a log that is half dead: MB per broker CPU-s",
                RatioLeast(2.0),
            ),
            row("seconds", "the same: s until it is done", Goal::None),
        ],
    },
];

impl Mode {
    pub(super) fn name(self) -> &'static str {
        match self {
            PageCache => "page-cache",
            Fsync => "fsync",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_keys_are_there_once() {
        let names: Vec<&str> = WORKS.iter().map(|work| work.name).collect();
        check_unique(&names);
        for work in WORKS {
            check_unique(&work.rows.iter().map(|row| row.key).collect::<Vec<_>>());
        }
    }

    fn check_unique(names: &[&str]) {
        let mut sorted = names.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), names.len(), "{names:?}");
    }
}
