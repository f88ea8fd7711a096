//! Test suites that other projects wrote for their own clients, run against our broker. Every
//! test that passes on Apache Kafka must pass on Gofka, unless `suites/exceptions.txt` says why
//! not yet; `suites/required/` holds the names of those that must.
//!
//! `COMPAT_BROKERS=kafka` checks the two lists against Apache Kafka, and with `UPDATE=1` writes
//! the required ones anew. `COMPAT_BROKERS=none` runs without any broker: what passes even then
//! proves nothing and belongs into the exceptions as `idle`.

mod go;
mod judge;
mod mocha;
mod rust;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use crate::broker::{Broker, Kind};
use crate::process::Process;
use crate::setup::Tool;
use crate::{paths, ports};

use judge::{exceptions, required};

/// What became of one test. A skipped one has not passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
    Skipped,
}

/// The tests of one run, by name.
pub type Verdicts = BTreeMap<String, Verdict>;

/// A suite and how to run it.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    pub name: &'static str,
    pub tool: Tool,
    /// What its broker must be set to, by Kafka's names.
    pub settings: &'static [(&'static str, &'static str)],
    /// Topics that it takes for granted, with one partition each.
    topics: &'static [&'static str],
    /// Runs it against an address; the text is its output, for people.
    run: fn(&str) -> (Verdicts, String),
}

/// Every suite that is run.
pub const SUITES: &[Suite] = &[
    Suite { name: "franz-go", tool: Tool::SuiteFranz, settings: &[], topics: &[], run: go::franz },
    Suite {
        name: "rust-rdkafka",
        tool: Tool::SuitesRust,
        settings: &[("num.partitions", "3")],
        topics: &[],
        run: rust::rdkafka,
    },
    Suite {
        name: "rskafka",
        tool: Tool::SuitesRust,
        settings: &[("auto.create.topics.enable", "false")],
        topics: &[],
        run: rust::rskafka,
    },
    Suite {
        name: "node-rdkafka",
        tool: Tool::SuiteNode,
        settings: &[],
        topics: &["test", "test2", "test3", "test4", "test5", "test6"],
        run: mocha::node_rdkafka,
    },
];

/// What a suite is run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Broker(Kind),
    /// An address where nobody listens.
    Nobody,
}

/// The targets of this run: Gofka, unless `COMPAT_BROKERS` says otherwise.
pub fn targets() -> Vec<Target> {
    match env::var("COMPAT_BROKERS").as_deref() {
        Ok("kafka") => vec![Target::Broker(Kind::Kafka)],
        Ok("none") => vec![Target::Nobody],
        Ok("both") => vec![Target::Broker(Kind::Kafka), Target::Broker(Kind::Gofka)],
        _ => vec![Target::Broker(Kind::Gofka)],
    }
}

impl Suite {
    /// Runs the suite; its output is kept in `<target dir>/compat/logs`.
    pub fn run(&self, target: Target) -> Verdicts {
        let broker = match target {
            Target::Broker(kind) => Some(Broker::start(kind, self.settings)),
            Target::Nobody => None,
        };
        let address = match &broker {
            Some(broker) => broker.bootstrap(),
            None => format!("127.0.0.1:{}", ports::free()),
        };
        if broker.is_some() && !self.topics.is_empty() {
            create_topics(&address, self.topics);
        }
        let (verdicts, output) = (self.run)(&address);
        let logs = paths::tools().join("logs");
        fs::create_dir_all(&logs).expect("a folder for the logs");
        fs::write(logs.join(format!("{}.{}.log", self.name, target.name())), output)
            .expect("the log is written");
        verdicts
    }
}

/// Runs a suite against the targets of this run, and names everything that is wrong.
///
/// Where something is, it is run once more on a fresh broker, and a test has to pass in one of the
/// two: on a busy machine some of these tests are too late for what they assert, and some crash
/// their own client, on Apache Kafka as well.
pub fn check(name: &str) -> Vec<String> {
    let suite = SUITES.iter().find(|s| s.name == name).expect("a suite of the table");
    suite.tool.ensure();
    let mut found = Vec::new();
    for target in targets() {
        if let Target::Broker(Kind::Kafka) = target {
            Tool::Kafka.ensure();
        }
        let mut verdicts = suite.run(target);
        let update = env::var_os("UPDATE").is_some();
        if update && target == Target::Broker(Kind::Kafka) {
            judge::update(name, &verdicts);
        }
        let (required, exceptions) = (required(name), exceptions(name));
        let complaints = |verdicts: &Verdicts| {
            let complaints = judge::complaints(target, &required, &exceptions, verdicts);
            complaints
                .into_iter()
                .map(|complaint| format!("{name} on {}: {complaint}", target.name()))
        };
        let first: Vec<String> = complaints(&verdicts).collect();
        if !first.is_empty() && target != Target::Nobody && !update {
            eprintln!("at the first time, on a broker of its own:\n{}", first.join("\n"));
            keep_best(&mut verdicts, suite.run(target));
        }
        let passed = verdicts.values().filter(|v| **v == Verdict::Passed).count();
        eprintln!("{name} on {}: {passed} of {} passed", target.name(), verdicts.len());
        found.extend(complaints(&verdicts));
    }
    found
}

/// Takes over what passed the second time.
fn keep_best(verdicts: &mut Verdicts, again: Verdicts) {
    for (name, verdict) in again {
        let seen = verdicts.entry(name).or_insert(verdict);
        if verdict == Verdict::Passed {
            *seen = verdict;
        }
    }
}

impl Target {
    pub fn name(self) -> &'static str {
        match self {
            Self::Broker(Kind::Kafka) => "kafka",
            Self::Broker(Kind::Gofka) => "gofka",
            Self::Nobody => "nobody",
        }
    }
}

/// Has the Java driver create the topics.
fn create_topics(address: &str, topics: &[&str]) {
    Tool::Java.ensure();
    let status = crate::driver::java_driver()
        .args(["--create-topics", &topics.join(","), "--bootstrap", address])
        .status()
        .expect("java runs");
    assert!(status.success(), "the topics of the suite were not created");
}

/// Runs a command for at most `limit` and returns all that it printed to both of its outputs.
/// Files take the output, so that a process that hangs at its end loses nothing.
fn captured(command: &mut Command, limit: Duration, done: impl Fn(&str) -> bool) -> String {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("output");
    let file = fs::File::create(&path).expect("a file for the output");
    command.stdout(file.try_clone().expect("a second handle")).stderr(file);
    let mut process = Process::spawn(command, None)
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let text = || String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
    let step = Duration::from_millis(200);
    let mut waited = Duration::ZERO;
    while waited < limit && process.wait(step).is_none() {
        waited += step;
        if done(&text()) {
            break;
        }
    }
    process.kill();
    text()
}
