//! `cargo xtask test`: everything that must hold, from the formatting to real clients.
//!
//! Called by the README's second command and by `.ci/run`. The cheap checks come first.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;
use compat_tests::process::Process;

use crate::{root, step, tidy};

const TOOLS_LIMIT: Duration = Duration::from_secs(30 * 60);

#[derive(Args, Default)]
pub(crate) struct Options {
    /// Leave out the tests with other people's clients
    #[arg(long)]
    pub(crate) no_compat: bool,
}

/// Runs every step and stops at the first that fails.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    step::cargo("format", &["fmt", "--all", "--check"], &[])?;
    tidy::run(&root())?;
    // Downloads and other projects' builds go on beside our own.
    let tools = if options.no_compat { None } else { Some(Tools::start()?) };
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    step::cargo("clippy", &clippy, &[])?;
    let own = ["test", "--workspace", "--exclude", "compat-tests"];
    step::cargo("unit and property tests", &own, &[])?;
    let Some(tools) = tools else { return Ok(()) };
    release_build()?;
    tools.finish()?;
    let binary = release_binary().display().to_string();
    let environment = [("GOFKA_BIN", binary.as_str())];
    let compat = |name: &str, arguments: &[&str]| {
        step::cargo(name, &[&["test", "-p", "compat-tests"], arguments].concat(), &environment)
    };
    compat("process and hostile input", &[])?;
    compat("raw requests", &["--test", "requests"])?;
    let two = ["--", "--test-threads", "2"];
    compat("scenarios", &[&["--test", "scenarios", "--test", "restarts"], &two[..]].concat())?;
    compat("suites", &[&["--test", "suites"], &two[..]].concat())?;
    compat("end to end", &["--test", "end_to_end", "--", "--nocapture"])
}

/// The installation of other people's tools, at work beside other steps. Dropping it ends it.
struct Tools {
    process: Process,
    begin: Instant,
}

impl Tools {
    fn start() -> Result<Self, String> {
        step::cargo("setup", &["build", "-p", "compat-tests", "--bin", "setup"], &[])?;
        let mut command = Command::new(target().join("debug/setup"));
        let process = Process::spawn(command.current_dir(root()), None)
            .map_err(|cause| format!("tools: cannot start {command:?}: {cause}"))?;
        Ok(Self { process, begin: Instant::now() })
    }

    fn finish(mut self) -> Result<(), String> {
        let status = self.process.wait(TOOLS_LIMIT).ok_or("the tools take too long to install")?;
        println!("== tools: {} s, beside other steps", self.begin.elapsed().as_secs());
        if status.success() { Ok(()) } else { Err(format!("tools failed ({status})")) }
    }
}

/// Runs the suites that other projects wrote.
pub(crate) fn suites() -> Result<(), String> {
    release_build()?;
    let binary = release_binary().display().to_string();
    let suites = ["test", "-p", "compat-tests", "--test", "suites"];
    step::cargo("suites", &suites, &[("GOFKA_BIN", &binary)])
}

pub(crate) fn release_build() -> Result<(), String> {
    let build = ["build", "--release", "-p", "gofka-server", "--bin", "gofka"];
    step::cargo("release build", &build, &[])
}

/// Where the release build leaves the broker.
fn release_binary() -> PathBuf {
    target().join("release/gofka")
}

fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(named)
}
