//! The power goes at a random moment of the life of a log directory: what was not synced is lost,
//! whole or in part, or came to the disk out of order. What was synced is there at every start
//! after that, and nothing else is served but what was appended, in its order.

use super::*;
use crate::compaction::CompactionRun;
use crate::disk::{Faults, Operation};
use crate::testing::*;
use gofka_core::time::MonotonicMs;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const LIVES: u64 = 60;
const OUTAGES: usize = 4;
const PAGE: usize = 64;

/// xorshift: the same lives at every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}

/// What has reached the disk itself. Files and folders are told by their inodes, which stay open,
/// so that no other one is given them.
#[derive(Debug, Default)]
struct Reached {
    files: BTreeMap<u64, (File, Vec<u8>)>,
    folders: BTreeMap<u64, (File, Vec<(String, u64)>)>,
}

/// Notes what reaches the disk, before each call that makes it so.
#[derive(Debug, Default)]
struct Power(Mutex<Reached>);

impl Faults for Power {
    fn check(&self, operation: Operation, path: &Path, len: usize) -> io::Result<usize> {
        let mut reached = self.0.lock();
        match operation {
            Operation::Sync if path.is_dir() => reached.all(path),
            Operation::Sync => reached.file(path),
            Operation::SyncDir => reached.folder(path),
            _ => {}
        }
        Ok(len)
    }
}

impl Reached {
    fn file(&mut self, path: &Path) {
        let Ok(file) = File::open(path) else { return };
        let inode = file.metadata().unwrap().ino();
        self.files.insert(inode, (file, fs::read(path).unwrap()));
    }

    fn folder(&mut self, path: &Path) {
        let entries = fs::read_dir(path).unwrap().map(Result::unwrap);
        let named = entries.map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, entry.metadata().unwrap().ino())
        });
        let folder = File::open(path).unwrap();
        self.folders.insert(folder.metadata().unwrap().ino(), (folder, named.collect()));
    }

    fn all(&mut self, root: &Path) {
        self.folder(root);
        for entry in fs::read_dir(root).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                self.all(&entry.path());
            } else {
                self.file(&entry.path());
            }
        }
    }

    /// Writes to `to` what a start finds of `from`.
    fn restore(&self, from: &Path, to: &Path, random: &mut Random) {
        fs::create_dir(to).unwrap();
        let now: BTreeMap<u64, PathBuf> = fs::read_dir(from)
            .into_iter()
            .flatten()
            .map(|entry| (entry.as_ref().unwrap().metadata().unwrap().ino(), entry.unwrap().path()))
            .collect();
        let folder = self.folders.get(&fs::metadata(from).unwrap().ino());
        let mut names: BTreeMap<String, u64> =
            folder.map(|(_, names)| names.iter().cloned().collect()).unwrap_or_default();
        // Names may get to the disk by themselves.
        if random.below(2) == 0 {
            let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
            names.extend(now.iter().map(|(inode, path)| (name(path), *inode)));
        }
        for (name, inode) in names {
            let current = now.get(&inode).cloned().unwrap_or_else(|| from.join(&name));
            if current.is_dir() {
                self.restore(&current, &to.join(&name), random);
                continue;
            }
            let synced = self.files.get(&inode).map(|(_, bytes)| bytes.clone());
            let current = now.get(&inode).map(|path| fs::read(path).unwrap());
            let bytes = survivor(synced.unwrap_or_default(), current, random);
            fs::write(to.join(&name), bytes).unwrap();
        }
    }
}

/// What is left of a file: what was synced, or all of it, or some pages of the rest.
fn survivor(synced: Vec<u8>, current: Option<Vec<u8>>, random: &mut Random) -> Vec<u8> {
    let Some(current) = current else { return synced };
    match random.below(3) {
        0 => synced,
        1 => current,
        // Only what lies behind what was synced is new in a file that is appended to.
        _ if !current.starts_with(&synced) => synced,
        _ => {
            let mut bytes = current;
            bytes.truncate(synced.len() + random.below(bytes.len() - synced.len() + 1));
            for page in bytes[synced.len()..].chunks_mut(PAGE) {
                if random.below(2) == 0 {
                    page.fill(0);
                }
            }
            bytes
        }
    }
}

/// One topic's log as it has to be.
#[derive(Clone, Debug, Default)]
struct Model {
    id: u128,
    /// Each begins with its key.
    values: Vec<String>,
    synced: usize,
    /// Records below may be gone.
    start: usize,
    /// Records that compaction has removed.
    gone: BTreeSet<usize>,
    /// `cleanup.policy` is `compact`, not `delete`.
    compact: bool,
    /// It may have holes, so that one that a power loss makes is not told from them.
    may_have_holes: bool,
}

impl Model {
    fn config(&self) -> Arc<TopicConfig> {
        let policy = if self.compact { compacted() } else { config() };
        Arc::new(TopicConfig { segment_bytes: 400, index_interval_bytes: 100, ..policy })
    }

    /// Nothing is left of what lies at `end` or after.
    fn end_at(&mut self, end: usize) {
        self.values.truncate(end);
        self.gone.retain(|offset| *offset < end);
        self.synced = self.synced.min(end);
    }

    /// Compares what `log` holds, of which nothing else may be missing; offsets that are.
    fn compare(&self, log: &Log) -> BTreeSet<usize> {
        let (start, end) = (log.log_start_offset().0 as usize, log.log_end_offset().0 as usize);
        let found = texts(&read_all(log, Offset(start as i64), 300));
        for (offset, value) in &found {
            assert_eq!(*value, self.values[*offset as usize], "at {offset} of {self:?}");
        }
        let present: BTreeSet<usize> = found.iter().map(|(offset, _)| *offset as usize).collect();
        (start..end).filter(|offset| !present.contains(offset)).collect()
    }

    /// Takes over what a compaction has removed: of each key, a later record is there.
    fn note_compaction(&mut self, log: &Log) {
        let missing = self.compare(log);
        for offset in missing.difference(&self.gone) {
            let key = |value: &str| value.as_bytes()[0];
            let later = (offset + 1..self.values.len()).filter(|at| !missing.contains(at));
            let mut keys = later.map(|at| key(&self.values[at]));
            assert!(keys.any(|later| later == key(&self.values[*offset])), "{offset} of {self:?}");
        }
        self.gone = missing;
        self.synced = log.safe_offset().0 as usize;
    }
}

struct Life {
    random: Random,
    root: tempfile::TempDir,
    /// Folders of one outage after the other.
    outages: usize,
    dirs: LogDirs,
    power: Arc<Power>,
    models: BTreeMap<i32, Model>,
    next: u128,
}

fn name(index: i32) -> TopicPartition {
    TopicPartition::new("t", index)
}

impl Life {
    fn begin(seed: u64) -> Self {
        let root = tempfile::tempdir().unwrap();
        let (dirs, power) = Self::open(&root.path().join("0"));
        dirs.load(|_, _| Claim::Unknown, NOW).unwrap();
        power.0.lock().all(&root.path().join("0"));
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        Self { random, root, outages: 0, dirs, power, models: BTreeMap::new(), next: 1 }
    }

    fn open(dir: &Path) -> (LogDirs, Arc<Power>) {
        let mut dirs = open_dirs(dir);
        let power = Arc::new(Power::default());
        power.0.lock().all(dir);
        let disk = Disk::with_faults(Arc::clone(&power) as _);
        dirs.dirs[0].health = DirHealth::new(dir.to_owned(), disk, 0);
        (dirs, power)
    }

    fn step(&mut self) {
        let index = self.random.below(3) as i32;
        let Some(model) = self.models.get_mut(&index) else { return self.create(index) };
        let log = self.dirs.get(&name(index)).unwrap();
        match self.random.below(16) {
            0..6 => {
                let key = ["a", "b", "c"][self.random.below(3)];
                let value = format!("{key} {} of {}", model.values.len(), model.id);
                append(&log, &batch_of(&[(key, Some(&value), NOW.0)]));
                model.values.push(value);
            }
            6 => {
                log.sync().unwrap();
                model.synced = model.values.len();
            }
            7 => self.dirs.checkpoint_recovery_points(0).unwrap(),
            8 => self.dirs.checkpoint(0, |_| Some(Offset(0))).unwrap(),
            9 => log.roll().unwrap(),
            10 if model.synced > 0 => {
                let start = self.random.below(model.synced + 1).max(model.start);
                log.set_log_start_offset(Offset(start as i64)).unwrap();
                self.dirs.checkpoint_log_starts(0).unwrap();
                model.start = start;
            }
            // One that was never synced may lose its id, and is told by its name then.
            11 if model.synced > 0 && self.random.below(4) == 0 => {
                self.models.remove(&index);
                self.dirs.delete(&name(index), MonotonicMs(0)).unwrap();
            }
            12 => {
                model.compact = !model.compact;
                model.may_have_holes |= model.compact;
                log.set_config(model.config());
            }
            13..15 if model.compact => {
                let (now, up_to) = (NOW, log.log_end_offset());
                let run = CompactionRun { now, up_to, map_bytes: 1 << 20, pace: &|_, _| true };
                self.dirs.compact(&log, &run).unwrap();
                model.note_compaction(&log);
            }
            15 if self.random.below(4) == 0 => {
                let most = model.values.len() - model.start;
                let offset = model.start + self.random.below(most + 1);
                self.dirs.truncate(&log, Offset(offset as i64), NOW).unwrap();
                // In a hole it is as if the log had been cut before.
                let end = log.log_end_offset().0 as usize;
                assert!((end..offset).all(|at| model.gone.contains(&at)), "{end} of {model:?}");
                model.end_at(end);
            }
            _ => {}
        }
    }

    fn create(&mut self, index: i32) {
        let model = Model { id: self.next, ..Model::default() };
        self.next += 1;
        let id = TopicId(Uuid::from_u128(model.id));
        self.dirs.create(&name(index), id, model.config()).unwrap();
        self.models.insert(index, model);
    }

    fn lose_power(&mut self) {
        let from = self.root.path().join(self.outages.to_string());
        self.outages += 1;
        let to = self.root.path().join(self.outages.to_string());
        self.power.0.lock().restore(&from, &to, &mut self.random);
        (self.dirs, self.power) = Self::open(&to);
        let models = &self.models;
        let told = |name: &TopicPartition, topic_id: TopicId| match models.get(&name.partition.0) {
            Some(model) if topic_id == TopicId(Uuid::from_u128(model.id)) => {
                wants(topic_id, &model.config())
            }
            Some(model) if topic_id == TopicId::NONE => {
                wants(TopicId(Uuid::from_u128(model.id)), &model.config())
            }
            _ => Claim::Deleted,
        };
        self.dirs.load(told, NOW).unwrap();
        for (index, model) in &mut self.models {
            let id = TopicId(Uuid::from_u128(model.id));
            let log = self.dirs.create(&name(*index), id, model.config()).unwrap();
            check(&log, model);
            // What was found counts from here on.
            model.end_at(log.log_end_offset().0 as usize);
            model.synced = log.safe_offset().0 as usize;
            model.gone = model.compare(&log);
        }
    }
}

fn check(log: &Log, model: &Model) {
    let (start, end) = (log.log_start_offset().0 as usize, log.log_end_offset().0 as usize);
    assert!(end >= model.synced && end <= model.values.len(), "{start}..{end} of {model:?}");
    assert!(start <= model.start, "{start}..{end} of {model:?}");
    let mut missing = model.compare(log);
    missing.retain(|offset| *offset >= model.start);
    missing.retain(|offset| !model.may_have_holes || *offset < model.synced);
    assert!(missing.is_subset(&model.gone), "without {missing:?} of {model:?}");
}

#[test]
fn what_was_synced_survives_and_nothing_else_is_made_up() {
    for seed in 1..=LIVES {
        let mut life = Life::begin(seed);
        for _ in 0..OUTAGES {
            (0..60).for_each(|_| life.step());
            life.lose_power();
        }
    }
}

/// Recovery takes away what comes after a gap. It must be gone on the disk before what is appended
/// in its place is safe.
#[test]
fn what_recovery_has_removed_does_not_come_back() {
    let root = tempfile::tempdir().unwrap();
    let (segment, next) = (names::file(Offset(6), names::LOG), names::file(Offset(7), names::LOG));
    let (model, folder) = (Model::default(), root.path().join(name(0).to_string()));
    {
        let dirs = open_dirs(root.path());
        let log = dirs.create(&name(0), TopicId(Uuid::from_u128(1)), model.config()).unwrap();
        for n in 0..6 {
            append(&log, &batch(&n.to_string(), 1));
        }
        log.sync().unwrap();
        dirs.checkpoint_recovery_points(0).unwrap();
        log.roll().unwrap();
        append(&log, &batch("lost", 1));
        log.roll().unwrap();
    }
    // The names of both segments have reached the disk, the first one's record has not.
    fs::write(folder.join(&segment), b"").unwrap();
    let (dirs, power) = Life::open(root.path());
    dirs.load(claim(&model.config()), NOW).unwrap();
    let log = dirs.get(&name(0)).unwrap();
    assert_eq!(log.log_end_offset(), Offset(6));
    append(&log, &batch("new", 1));
    assert_eq!(log.sync().unwrap(), Offset(7));
    let reached = power.0.lock();
    let (_, names) = &reached.folders[&fs::metadata(&folder).unwrap().ino()];
    let has = |wanted: &str| names.iter().any(|(name, _)| name == wanted);
    assert!(has(&segment) && !has(&next), "{names:?}");
}

/// Nor does what it has cut off a segment: behind the batches of one that is sealed below the
/// recovery point nobody would look for it.
#[test]
fn what_recovery_has_cut_off_does_not_come_back() {
    let root = tempfile::tempdir().unwrap();
    let (model, folder) = (Model::default(), root.path().join(name(0).to_string()));
    let path = folder.join(names::file(Offset(0), names::LOG));
    {
        let dirs = open_dirs(root.path());
        let log = dirs.create(&name(0), TopicId(Uuid::from_u128(1)), model.config()).unwrap();
        append(&log, &batch("kept", 1));
        log.sync().unwrap();
        dirs.checkpoint_recovery_points(0).unwrap();
        append(&log, &batch("torn", 1));
    }
    let written = fs::read(&path).unwrap();
    fs::write(&path, &written[..written.len() - 3]).unwrap();
    let (dirs, power) = Life::open(root.path());
    dirs.load(claim(&model.config()), NOW).unwrap();
    assert_eq!(dirs.get(&name(0)).unwrap().log_end_offset(), Offset(1));
    let reached = power.0.lock();
    let (_, bytes) = &reached.files[&fs::metadata(&path).unwrap().ino()];
    assert_eq!(bytes.len(), written.len() / 2);
}

/// What is left of it ends before its start: the file that tells its next offset must be there
/// before the ones that do not are gone.
#[test]
fn a_log_that_lost_all_its_records_remembers_its_end() {
    let root = tempfile::tempdir().unwrap();
    let (model, folder) = (Model::default(), root.path().join(name(0).to_string()));
    {
        let dirs = open_dirs(root.path());
        let id = TopicId(Uuid::from_u128(1));
        let log = dirs.create(&name(0), id, model.config()).unwrap();
        for n in 0..7 {
            append(&log, &batch(&n.to_string(), 1));
            if n == 2 {
                log.roll().unwrap();
            }
        }
        log.set_log_start_offset(Offset(5)).unwrap();
        dirs.checkpoint_log_starts(0).unwrap();
    }
    let last = log_names(&folder).pop().unwrap();
    fs::write(folder.join(last), b"").unwrap();
    let (dirs, power) = Life::open(root.path());
    dirs.load(claim(&model.config()), NOW).unwrap();
    assert_eq!(dirs.get(&name(0)).unwrap().log_end_offset(), Offset(5));
    assert_eq!(log_names(&folder), [names::file(Offset(5), names::LOG)]);
    let reached = power.0.lock();
    let (_, names) = &reached.folders[&fs::metadata(&folder).unwrap().ino()];
    let logs: Vec<_> = names.iter().filter(|(name, _)| name.ends_with(".log")).collect();
    assert!(matches!(logs[..], [(name, _)] if *name == log_names(&folder)[0]), "{logs:?}");
}

fn log_names(folder: &Path) -> Vec<String> {
    let mut names = disk::list(folder).unwrap();
    names.retain(|name| name.ends_with(".log"));
    names
}
