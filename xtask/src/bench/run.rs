//! One run of one work: its broker, what it was told to do, and the values that it has seen.

use compat_tests::broker::{Broker, Kind, SHIPPED_JVM};
use tempfile::TempDir;

use super::Options;
use super::load::Load;
use super::process;
use super::works::{Mode, Work};

pub(super) const TOPICS: u64 = 5;

pub(super) struct Run<'a> {
    pub(super) kind: Kind,
    pub(super) options: &'a Options,
    work: &'a Work,
    seen: Vec<(&'static str, f64)>,
    kept: Vec<TempDir>,
}

impl<'a> Run<'a> {
    pub(super) fn new(kind: Kind, work: &'a Work, options: &'a Options) -> Self {
        Self { kind, options, work, seen: Vec::new(), kept: Vec::new() }
    }

    /// A value of the row `key` of this work.
    pub(super) fn add(&mut self, key: &'static str, value: f64) {
        eprintln!("{:?} {} {key} {value:.2}", self.kind, self.work.name);
        self.seen.push((key, value));
    }

    /// Stops the broker for good and leaves its directory, with very many files, until all is
    /// measured: for minutes ext4 without a journal walks over the inodes of removed files
    /// whenever it makes one.
    pub(super) fn keep(&mut self, broker: Broker) {
        self.kept.push(broker.into_dir());
    }

    /// What was seen, and the directories that are still to be removed.
    pub(super) fn end(self) -> (Vec<(&'static str, f64)>, Vec<TempDir>) {
        (self.seen, self.kept)
    }

    /// A broker that does not run yet, in the mode of the work.
    pub(super) fn prepare(&self, settings: &[(&str, &str)]) -> Broker {
        self.prepare_in(self.work.mode, settings)
    }

    /// In another mode than that of the work. Each of the two that a mode names promises the same.
    pub(super) fn prepare_in(&self, mode: Mode, settings: &[(&str, &str)]) -> Broker {
        let promise: &[(&str, &str)] = match (mode, self.kind) {
            (Mode::PageCache, Kind::Gofka) => &[("durability", "page-cache")],
            (Mode::PageCache, Kind::Kafka) => &[],
            (Mode::Fsync, Kind::Gofka) => &[("durability", "fsync")],
            (Mode::Fsync, Kind::Kafka) => &[("log.flush.interval.messages", "1")],
        };
        let broker = Broker::prepare(self.kind, &[promise, settings].concat());
        match self.kind {
            Kind::Gofka => broker,
            Kind::Kafka => broker.in_jvm(SHIPPED_JVM),
        }
    }

    /// A broker that runs and has produced and consumed: a JIT compiler has seen the work before
    /// it is measured.
    pub(super) fn warm(&self, settings: &[(&str, &str)]) -> Result<Broker, String> {
        let mut broker = self.prepare(settings);
        broker.resume();
        self.warm_up(&broker)?;
        Ok(broker)
    }

    /// Records of 1 kB before anything is measured: most for the one with the compiler.
    pub(super) fn warm_records(&self) -> u64 {
        match self.kind {
            Kind::Kafka => self.options.warm_megabytes * 1000,
            Kind::Gofka => self.options.warm_megabytes * 100,
        }
    }

    fn warm_up(&self, broker: &Broker) -> Result<(), String> {
        let records = self.warm_records().to_string();
        let warm = ["--topic", "warm", "--count", &records];
        Load::spawn("produce", &broker.bootstrap(), &warm)?.seen()?;
        Load::spawn("consume", &broker.bootstrap(), &warm)?.seen()?;
        process::write_dirty_pages();
        Ok(())
    }
}

pub(super) fn pid(broker: &Broker) -> Result<u32, String> {
    broker.pid().ok_or_else(|| "the broker is not running".to_owned())
}
