//! Runs client programs. A driver is started as `DRIVER --client NAME --bootstrap HOST:PORT
//! --prefix P --scenarios a,b,c`, runs the scenarios one after the other, and prints one JSON
//! line for each: `observed`, `unsupported` (why this client cannot) or `error`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::paths;
use crate::process::{Process, eventually};
use crate::setup::Tool::{Go, Java, Kcat, Node, Python};
use crate::setup::{self, Tool};

/// A scenario ends within a minute by itself; this is for the start and the slack.
const SCENARIO_LIMIT: Duration = Duration::from_secs(75);

/// A client and how to start its driver.
#[derive(Clone, Copy, Debug)]
pub struct Driver {
    pub client: &'static str,
    pub tool: Tool,
    /// The command up to and without `--client`.
    command: fn() -> Command,
}

/// Every client that is driven.
pub const DRIVERS: &[Driver] = &[
    Driver { client: "confluent-kafka", tool: Python, command: python_driver },
    Driver { client: "aiokafka", tool: Python, command: python_driver },
    Driver { client: "kafka-python", tool: Python, command: python_driver },
    Driver { client: "kcat", tool: Kcat, command: python_driver },
    Driver { client: "kafka-clients", tool: Java, command: java_driver },
    Driver { client: "java-tools", tool: Java, command: java_driver },
    Driver { client: "franz-go", tool: Go, command: go_driver },
    Driver { client: "sarama", tool: Go, command: go_driver },
    Driver { client: "kafka-go", tool: Go, command: go_driver },
    Driver { client: "kafkajs", tool: Node, command: node_driver },
];

fn python_driver() -> Command {
    let mut command = Command::new(setup::python());
    command.arg("-B").arg(script("python/driver.py"));
    command
}

pub(crate) fn java_driver() -> Command {
    let mut command = Command::new("java");
    command
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
        .arg(setup::java_class_path())
        .arg("gofka.compat.Main");
    command
}

fn go_driver() -> Command {
    Command::new(setup::go_driver())
}

fn node_driver() -> Command {
    let mut command = Command::new("node");
    command.env("NODE_PATH", setup::node_modules()).arg(script("node/driver.js"));
    command
}

fn script(name: &str) -> PathBuf {
    paths::clients().join(name)
}

/// The driver of `client`.
pub fn driver(client: &str) -> Driver {
    *DRIVERS.iter().find(|d| d.client == client).expect("a client in the table")
}

/// What one scenario came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Observed(Value),
    Unsupported(String),
    Error(String),
}

/// One line of a driver's output.
#[derive(Deserialize)]
struct Line {
    client: String,
    scenario: String,
    observed: Option<Value>,
    unsupported: Option<String>,
    error: Option<String>,
}

impl Line {
    fn outcome(self) -> Outcome {
        match (self.observed, self.unsupported, self.error) {
            (Some(value), None, None) => Outcome::Observed(value),
            (None, Some(why), None) => Outcome::Unsupported(why),
            (None, None, Some(error)) => Outcome::Error(error),
            _ => Outcome::Error("not exactly one of observed, unsupported, error".into()),
        }
    }
}

/// A driver at work.
#[derive(Debug)]
pub struct Running {
    driver: Driver,
    scenarios: Vec<String>,
    process: Process,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<()>,
    said: Arc<Mutex<String>>,
}

/// What a client that reads a whole topic in a group came to.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Collected {
    pub client: String,
    /// Distinct records.
    pub count: usize,
    /// Records that came again, as they may after a crash.
    pub duplicates: usize,
    /// No offset missing, each key in one partition.
    pub order_ok: bool,
    /// SHA-256 over the records by key, and within a key by offset.
    pub checksum: String,
}

/// Where a group reads what.
#[derive(Clone, Copy, Debug)]
pub struct WholeTopic<'a> {
    pub bootstrap: &'a str,
    pub group: &'a str,
    pub topic: &'a str,
    pub records: usize,
}

impl Driver {
    /// The command that reads a whole topic as a member of a group, through restarts of the
    /// broker; it prints one [`Collected`].
    pub fn consume_all(self, what: WholeTopic) -> Command {
        let mut command = (self.command)();
        command
            .args(["--client", self.client, "--consume-all", "--bootstrap", what.bootstrap])
            .args(["--group", what.group, "--topic", what.topic])
            .args(["--expect", &what.records.to_string()]);
        command
    }

    /// Starts the driver on the named scenarios; `prefix` makes its topics and groups its own.
    pub fn start(self, bootstrap: &str, prefix: &str, scenarios: &[&str]) -> Running {
        let mut command = (self.command)();
        command
            .args(["--client", self.client, "--bootstrap", bootstrap, "--prefix", prefix])
            .args(["--scenarios", &scenarios.join(",")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = Process::spawn(&mut command, None)
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let mut out = process.child().stdout.take().expect("a pipe");
        let err = process.child().stderr.take().expect("a pipe");
        let stdout = thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).ok();
            text
        });
        let said = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said);
        let stderr = thread::spawn(move || {
            for line in BufReader::new(err).split(b'\n').map_while(Result::ok) {
                let mut said = heard.lock().expect("no holder panics");
                said.push_str(&String::from_utf8_lossy(&line));
                said.push('\n');
            }
        });
        let scenarios = scenarios.iter().map(|name| (*name).to_string()).collect();
        Running { driver: self, scenarios, process, stdout, stderr, said }
    }

    /// Runs the scenarios to their end.
    pub fn run(
        self,
        bootstrap: &str,
        prefix: &str,
        scenarios: &[&str],
    ) -> BTreeMap<String, Outcome> {
        self.start(bootstrap, prefix, scenarios).finish()
    }
}

impl Running {
    /// What the driver has written to stderr so far.
    pub fn said(&self) -> String {
        self.said.lock().expect("no holder panics").clone()
    }

    /// Waits until the driver says that it can be disturbed (`PHASE ready` on stderr), or ends.
    pub fn wait_until_ready(&mut self) {
        let Self { process, said, .. } = self;
        let ready = || said.lock().expect("no holder panics").contains("PHASE ready");
        eventually(SCENARIO_LIMIT, || ready() || !process.is_running());
    }

    /// Waits for the driver's end; every scenario asked for has an outcome, if only an error.
    pub fn finish(mut self) -> BTreeMap<String, Outcome> {
        let limit = SCENARIO_LIMIT * self.scenarios.len() as u32;
        let ended = self.process.wait(limit);
        self.process.kill();
        let stdout = self.stdout.join().expect("the reader does not panic");
        self.stderr.join().expect("the reader does not panic");
        let mut outcomes = BTreeMap::new();
        for line in stdout.lines() {
            match serde_json::from_str::<Line>(line) {
                Ok(line) if line.client == self.driver.client => {
                    outcomes.insert(line.scenario.clone(), line.outcome());
                }
                _ => eprintln!("{}: not a line of the protocol: {line}", self.driver.client),
            }
        }
        let said = self.said.lock().expect("no holder panics");
        for scenario in self.scenarios {
            let tail = said.len().saturating_sub(2000);
            let tail = said.get(tail..).unwrap_or(&said);
            outcomes.entry(scenario).or_insert_with(|| {
                Outcome::Error(format!("no answer; the driver ended with {ended:?}:\n{tail}"))
            });
        }
        outcomes
    }
}
