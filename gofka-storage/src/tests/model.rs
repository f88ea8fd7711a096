//! The log against a plain vector: random histories of appends, reads, rolls, syncs, retention,
//! removal of records, clean restarts, and restarts after a crash that tears the tail.

use crate::dirs::LogDirs;
use crate::log::Log;
use crate::testing::*;
use gofka_core::config::TopicConfig;
use gofka_core::ids::Offset;
use gofka_core::time::TimestampMs;
use proptest::prelude::*;
use std::fs::OpenOptions;
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Step {
    Append {
        records: usize,
        length: usize,
    },
    Read {
        at: usize,
        max_bytes: usize,
    },
    Find {
        at: usize,
    },
    Roll,
    Sync,
    Checkpoint,
    Retain {
        keep_ms: i64,
    },
    DeleteRecords {
        at: usize,
    },
    RestartClean,
    /// A crash; so many bytes of what was not synced are gone.
    Crash {
        torn: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let at = 0usize..1000;
    prop_oneof![
        12 => (1usize..5, 0usize..120)
            .prop_map(|(records, length)| Step::Append { records, length }),
        6 => (at.clone(), 0usize..2000).prop_map(|(at, max_bytes)| Step::Read { at, max_bytes }),
        3 => at.clone().prop_map(|at| Step::Find { at }),
        1 => Just(Step::Roll),
        2 => Just(Step::Sync),
        1 => Just(Step::Checkpoint),
        1 => (0i64..50).prop_map(|keep_ms| Step::Retain { keep_ms }),
        1 => at.prop_map(|at| Step::DeleteRecords { at }),
        1 => Just(Step::RestartClean),
        1 => (0usize..400).prop_map(|torn| Step::Crash { torn }),
    ]
}

/// A log, and what it should hold: of each record its value; its timestamp is its offset's.
struct World {
    home: Home,
    opened: Option<(LogDirs, Arc<Log>)>,
    records: Vec<String>,
    start: i64,
    /// Log start offset as of the last checkpoint.
    checkpointed_start: i64,
}

impl World {
    fn new() -> Self {
        let config = TopicConfig { segment_bytes: 1500, retention_ms: Some(0), ..config() };
        let home = Home::new(config);
        let opened = Some(home.open());
        Self { home, opened, records: Vec::new(), start: 0, checkpointed_start: 0 }
    }

    fn log(&self) -> &Arc<Log> {
        &self.opened.as_ref().unwrap().1
    }

    fn end(&self) -> i64 {
        self.records.len() as i64
    }

    /// An offset between start and end.
    fn pick(&self, at: usize) -> i64 {
        self.start + at as i64 % (self.end() - self.start + 1)
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Append { records, length } => self.append(*records, *length),
            Step::Read { at, max_bytes } => self.read(*at, *max_bytes),
            Step::Find { at } => self.find(*at),
            Step::Roll => self.log().roll().unwrap(),
            Step::Sync => {
                assert_eq!(self.log().sync().unwrap(), Offset(self.end()));
            }
            Step::Checkpoint => {
                self.opened.as_ref().unwrap().0.checkpoint(0, no_watermark).unwrap();
                self.checkpointed_start = self.start;
            }
            Step::Retain { keep_ms } => {
                // Record n has timestamp n.
                let now = TimestampMs(self.end() + keep_ms - 25);
                self.log().apply_retention(now, Offset(self.end())).unwrap();
                let start = self.log().log_start_offset().0;
                assert!(start >= self.start && start <= now.0.max(self.start));
                self.start = start;
            }
            Step::DeleteRecords { at } => {
                self.start = self.pick(*at);
                self.log().set_log_start_offset(Offset(self.start)).unwrap();
            }
            Step::RestartClean => {
                let (dirs, log) = self.opened.take().unwrap();
                dirs.close(no_watermark).unwrap();
                drop((dirs, log));
                self.checkpointed_start = self.start;
                self.reopen();
            }
            Step::Crash { torn } => self.crash(*torn),
        }
        assert_eq!(self.log().log_end_offset(), Offset(self.end()));
        assert_eq!(self.log().log_start_offset(), Offset(self.start));
    }

    fn append(&mut self, count: usize, length: usize) {
        let end = self.end();
        let texts: Vec<String> =
            (0..count).map(|n| format!("{}{}", end + n as i64, "x".repeat(length))).collect();
        let records: Vec<(&str, Option<&str>, i64)> = texts
            .iter()
            .enumerate()
            .map(|(n, text)| ("k", Some(text.as_str()), end + n as i64))
            .collect();
        let info = append(self.log(), &batch_of(&records));
        assert_eq!(info.first_offset, Offset(end));
        self.records.extend(texts);
    }

    fn read(&self, at: usize, max_bytes: usize) {
        let from = self.pick(at);
        let found = texts(&read_all(self.log(), Offset(from), max_bytes));
        let expected: Vec<(i64, String)> =
            (from..self.end()).map(|n| (n, self.records[n as usize].clone())).collect();
        assert_eq!(found, expected);
    }

    fn find(&self, at: usize) {
        let wanted = self.pick(at);
        let found = self.log().offset_for_timestamp(TimestampMs(wanted), Offset(self.end()));
        let expected = (wanted < self.end()).then_some((Offset(wanted), TimestampMs(wanted)));
        assert_eq!(found.unwrap(), expected);
    }

    fn reopen(&mut self) {
        self.opened = Some(self.home.open());
    }

    fn crash(&mut self, torn: usize) {
        let (dirs, log) = self.opened.take().unwrap();
        let safe = log.safe_offset();
        // Only the last segment's tail can be torn here, and only what was not synced.
        let segment = log.all_segments().last().cloned();
        drop(dirs);
        if let Some(segment) = segment {
            let synced = segment.locate(safe).unwrap();
            let floor = synced.map_or(segment.size(), |place| place.position);
            let len = segment.size().saturating_sub(torn as u64).max(floor);
            let file = OpenOptions::new().write(true).open(segment.log.path()).unwrap();
            file.set_len(len).unwrap();
        }
        drop(log);
        self.reopen();
        let (end, start) = (self.log().log_end_offset(), self.log().log_start_offset());
        assert!(end >= safe, "synced records were lost: {end} < {safe}");
        assert!(end.0 <= self.end().max(start.0));
        // What was deleted since the last checkpoint may be back, but never more.
        assert!(start.0 >= self.checkpointed_start && start.0 <= self.start.max(end.0));
        self.records.resize(end.0 as usize, String::new());
        self.start = start.0;
        self.read(0, 700);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]
    #[test]
    fn any_history_leaves_what_a_vector_would_hold(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut world = World::new();
        for step in &steps {
            world.run(step);
        }
        world.read(0, 100_000);
    }
}
