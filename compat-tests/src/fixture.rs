//! Data directories of earlier releases, kept as archives under `fixtures/` and opened by a test
//! for ever after: `NAME-clean.tar.gz`, `NAME-killed.tar.gz`, and `NAME.json` with what a client
//! reads from either.
//!
//! `cargo run -p compat-tests --bin fixture NAME` makes a set with the binary of the day.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker::{Broker, Kind};
use crate::paths;
use crate::setup::{self, Tool};

/// How the broker ended whose directory it is.
pub const ENDINGS: [&str; 2] = ["clean", "killed"];

/// The day comes on which nothing in a set is young any more.
const NOTHING_EXPIRES: [(&str, &str); 2] =
    [("log.cleaner.enable", "false"), ("offsets.retention.minutes", "2147483647")];

/// Where the archives are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The names of the sets.
pub fn names() -> Vec<String> {
    let entries = fs::read_dir(folder()).expect("the folder is in the repository").flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect();
    names.sort();
    names
}

/// A broker on the directory in an archive, not running yet.
pub fn broker_on(name: &str, ending: &str) -> Broker {
    let broker = Broker::prepare(Kind::Gofka, &NOTHING_EXPIRES);
    fs::create_dir_all(broker.data_dir()).expect("a folder");
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(archive(name, ending)).arg("-C").arg(broker.data_dir());
    assert!(tar.status().expect("tar runs").success(), "{name}-{ending} does not unpack");
    broker
}

/// What a client reads from a broker on one of the directories.
pub fn read(broker: &Broker) -> String {
    client("read", broker)
}

/// What it has to be.
pub fn expected(name: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.json"))).expect("the set is complete")
}

/// Makes a set: fills a broker, kills it, starts and stops it again.
pub fn make(name: &str) {
    let settings = [("log.cleaner.backoff.ms", "200"), ("offsets.topic.num.partitions", "3")];
    let mut broker = Broker::start(Kind::Gofka, &settings);
    client("fill", &broker);
    let seen = client("read", &broker);
    broker.kill();
    pack(&broker, name, ENDINGS[1]);
    broker.resume();
    assert_eq!(client("read", &broker), seen, "a kill has changed what is read");
    broker.stop();
    pack(&broker, name, ENDINGS[0]);
    fs::write(folder().join(format!("{name}.json")), seen).expect("the folder takes files");
}

fn archive(name: &str, ending: &str) -> PathBuf {
    folder().join(format!("{name}-{ending}.tar.gz"))
}

fn pack(broker: &Broker, name: &str, ending: &str) {
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "-czf"]).arg(archive(name, ending));
    let packed = tar.arg("-C").arg(broker.data_dir()).arg(".").status();
    assert!(packed.expect("tar runs").success(), "{name}-{ending} was not packed");
}

fn client(command: &str, broker: &Broker) -> String {
    Tool::Python.ensure();
    let mut python = Command::new(setup::python());
    python.arg("-B").arg(paths::clients().join("python/fixture.py"));
    let output = python.args([command, &broker.bootstrap()]).output().expect("python runs");
    let text = String::from_utf8(output.stdout).expect("utf-8");
    assert!(
        output.status.success(),
        "{command}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}
