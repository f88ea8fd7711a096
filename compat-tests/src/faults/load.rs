//! The clients of a run: producers, a reader, an admin and a group at work, and the one that reads
//! everything afterwards. All are `clients/go/faults`, with franz-go.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::broker::Broker;
use crate::process::{Process, eventually};
use crate::setup;

/// For answers that a load still waits for, and for reading everything.
const LIMIT: Duration = Duration::from_secs(180);

/// What is written.
#[derive(Clone, Copy, Debug)]
pub struct Writing {
    pub partitions: usize,
    pub producers: usize,
    /// The number of the first producer; a later load of the same run has others.
    pub first: usize,
    /// Records a second of each producer.
    pub rate: usize,
    /// Bytes of the longest value.
    pub size: usize,
    /// How many keys each producer uses again and again; 0 where each record has its own.
    pub keys: usize,
    /// Milliseconds between two batches of sends of one producer.
    pub every: usize,
    /// How many topics are written to while they are deleted and made again.
    pub again: usize,
    /// Whether some records delete their keys.
    pub tombstones: bool,
    /// Whether the oldest records are deleted meanwhile.
    pub removals: bool,
    /// Whether topics are made and offsets committed meanwhile. Each syncs a file, and that has
    /// the kernel write others too.
    pub admin: bool,
    /// `name=value,...` of the topic.
    pub configs: &'static str,
}

/// Clients at work.
#[derive(Debug)]
pub struct Load {
    process: Process,
    lines: PathBuf,
    file: File,
    acknowledged: usize,
    /// What of the last line was there when it was looked at.
    rest: Vec<u8>,
}

impl Load {
    /// Starts the clients; what they learn goes to `lines`.
    pub fn start(broker: &Broker, writing: Writing, lines: &Path) -> Self {
        let mut command = Command::new(setup::faults());
        command.args(["load", "--bootstrap", &broker.bootstrap(), "--configs", writing.configs]);
        for (name, number) in [
            ("--partitions", writing.partitions),
            ("--producers", writing.producers),
            ("--first", writing.first),
            ("--rate", writing.rate),
            ("--size", writing.size),
            ("--keys", writing.keys),
            ("--every", writing.every),
            ("--again", writing.again),
        ] {
            command.arg(name).arg(number.to_string());
        }
        for (name, yes) in [
            ("--topics", writing.admin),
            ("--tombstones", writing.tombstones),
            ("--removals", writing.removals),
        ] {
            command.arg(format!("{name}={yes}"));
        }
        command.arg("--out").arg(lines);
        File::create(lines).expect("a new file");
        // What clients say of a broker that is away.
        command.stderr(File::create(lines.with_extension("said")).expect("a new file"));
        let file = File::open(lines).expect("a readable file");
        let process = Process::spawn(&mut command, None).expect("the program is installed");
        Self { process, lines: lines.to_owned(), file, acknowledged: 0, rest: Vec::new() }
    }

    /// How many records have been acknowledged.
    pub fn acknowledged(&mut self) -> usize {
        self.file.read_to_end(&mut self.rest).expect("a readable file");
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = self.rest[..whole].split(|byte| *byte == b'\n');
        self.acknowledged += lines.filter(|line| line.starts_with(b"A ")).count();
        self.rest.drain(..whole);
        self.acknowledged
    }

    /// Waits until `more` records than now are acknowledged.
    pub fn goes_on(&mut self, more: usize) -> bool {
        let before = self.acknowledged();
        eventually(LIMIT, || self.acknowledged() >= before + more)
    }

    /// Has the clients stop sending, and waits until they know what became of what they sent.
    pub fn finish(mut self) -> Result<PathBuf, String> {
        self.process.terminate();
        match self.process.wait(LIMIT) {
            Some(status) if status.success() => Ok(self.lines),
            Some(status) => Err(format!("the clients failed ({status})")),
            None => Err("the clients still wait for answers".to_owned()),
        }
    }

    /// Ends the clients where they stand.
    pub fn kill(mut self) -> PathBuf {
        self.process.kill();
        self.lines
    }
}

/// Reads everything that `broker` has into `lines`.
pub fn read_everything(broker: &Broker, lines: &Path) -> Result<(), String> {
    let mut command = Command::new(setup::faults());
    command.args(["read", "--bootstrap", &broker.bootstrap(), "--out"]).arg(lines);
    let output = command.stdin(Stdio::null()).output().expect("the program is installed");
    if output.status.success() {
        return Ok(());
    }
    Err(format!("reading failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
