//! Installs the tools that the tests drive, below the target directory and only once: each step
//! is stamped with the manifest it was made from, and made again when that changes.
//!
//! Called by the `setup` binary and by the tests themselves; a file lock keeps two of them apart.

mod go;
mod java;
mod kafka;
mod kcat;
mod node;
mod python;
mod suites;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use go::{bench as go_bench, driver as go_driver, faults, requests as go_requests};
pub use java::class_path as java_class_path;
pub use kafka::jars as kafka_jars;
pub use node::modules as node_modules;
pub use python::interpreter as python;
pub use suites::{franz_source, franz_suite, node_suite, rust_suite, rust_suite_source};

use crate::paths;

/// Why a tool cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("`{program}` is missing and could not be installed: apt-get install {package}")]
    Missing { program: &'static str, package: &'static str },
    #[error("{command} failed:\n{output}")]
    Failed { command: String, output: String },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What a driver needs before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Apache Kafka's jars.
    Kafka,
    /// Python's environment with the three clients.
    Python,
    /// Debian's kcat.
    Kcat,
    /// The Java driver and Apache Kafka's jars.
    Java,
    /// The Go driver.
    Go,
    /// Node's packages.
    Node,
    /// franz-go's tests, compiled.
    SuiteFranz,
    /// The tests of rust-rdkafka and rskafka, compiled.
    SuitesRust,
    /// node-rdkafka with its tests, compiled.
    SuiteNode,
}

impl Tool {
    /// What the scenarios need.
    pub const DRIVERS: [Self; 6] =
        [Self::Kafka, Self::Python, Self::Kcat, Self::Java, Self::Go, Self::Node];

    /// What the suites of other projects need besides: minutes of compiling.
    pub const SUITES: [Self; 3] = [Self::SuiteFranz, Self::SuitesRust, Self::SuiteNode];

    /// Installs the tool unless it is there already.
    pub fn install(self) -> Result<(), SetupError> {
        // What takes minutes to compile does not wait for each other.
        let _lock = lock(match self {
            Self::SuitesRust => ".lock-suites-rust",
            Self::SuiteNode => ".lock-suite-node",
            _ => ".lock",
        })?;
        match self {
            Self::Kafka => kafka::install(),
            Self::Python => python::install(),
            Self::Kcat => kcat::install(),
            Self::Java => java::install(),
            Self::Go => go::install(),
            Self::Node => node::install(),
            Self::SuiteFranz => suites::install_franz(),
            Self::SuitesRust => suites::install_rust(),
            Self::SuiteNode => suites::install_node(),
        }
    }

    /// As [`Tool::install`], for tests: a failure ends the test with its one line.
    pub fn ensure(self) {
        if let Err(error) = self.install() {
            panic!("{self:?}: {error}");
        }
    }
}

/// Held while something is installed. Released when the file is closed.
fn lock(name: &str) -> Result<File, SetupError> {
    fs::create_dir_all(paths::tools())?;
    let file = File::create(paths::tools().join(name))?;
    file.lock()?;
    Ok(file)
}

/// Runs `make` on an emptied `dir` unless it was already made from the same `manifests`.
fn once(
    dir: &Path,
    manifests: &[PathBuf],
    make: impl FnOnce() -> Result<(), SetupError>,
) -> Result<(), SetupError> {
    let mut made_from = Vec::new();
    for manifest in manifests {
        made_from.extend(fs::read(manifest)?);
    }
    let stamp = dir.join(".made-from");
    if fs::read(&stamp).is_ok_and(|found| found == made_from) {
        return Ok(());
    }
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    fs::create_dir_all(dir)?;
    make()?;
    fs::write(stamp, made_from)?;
    Ok(())
}

/// Runs a command to its end; its output is part of the error.
fn run(command: &mut Command) -> Result<(), SetupError> {
    let output = command.output().map_err(|error| SetupError::Failed {
        command: format!("{command:?}"),
        output: error.to_string(),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text += &String::from_utf8_lossy(&output.stderr);
    Err(SetupError::Failed { command: format!("{command:?}"), output: text })
}

/// Whether `program` starts with `argument`.
fn starts(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

/// Sees to it that `program` is there: as root by apt-get, else by naming the package.
fn system(program: &'static str, argument: &str, package: &'static str) -> Result<(), SetupError> {
    if starts(program, argument) {
        return Ok(());
    }
    if rustix::process::getuid().is_root() {
        let apt = |arguments: &[&str]| {
            run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
        };
        // Without a fresh index an install fails on a new machine; offline, an old one may do.
        let _stale = apt(&["update", "-qq"]);
        if apt(&["install", "-y", "-qq", package]).is_ok() && starts(program, argument) {
            return Ok(());
        }
    }
    Err(SetupError::Missing { program, package })
}
