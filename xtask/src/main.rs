//! `cargo xtask`: the project's habits as commands. Checks read; only `fix` writes.
//!
//! Run by developers and by `.ci/run`. One thread; each step is a child process.

mod bench;
mod document;
mod faults;
mod fuzz;
mod step;
mod sync_cost;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The habits of the project, as commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the tests need, then run every check and every test
    Test(test::Options),
    /// What continuous integration runs: the same as `test`
    Ci,
    /// Run the test suites of other projects' clients
    Suites,
    /// Check the shape of the tree: layers, sizes, headers, marks, links
    Tidy,
    /// Format the code and rewrite the generated documents
    Fix,
    /// Measure one node, beside Apache Kafka doing the same work: what changes most often
    Bench(bench::Options),
    /// Measure one node, beside Apache Kafka doing the same work: everything
    Compare(bench::Options),
    /// Measure the parts of a request in this process: time, and instructions (needs valgrind)
    Micro(bench::micro::Options),
    /// Take the power from brokers, kill them, fill their disks, judge what is left (as root)
    Faults(faults::Options),
    /// Measure what syncing many files costs on a disk
    SyncCost(sync_cost::Options),
    /// Fuzz everything that reads bytes from clients or from disk (needs a nightly toolchain)
    Fuzz(fuzz::Options),
}

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root").to_path_buf()
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Test(options) => test::run(&options),
        Command::Ci => test::run(&test::Options::default()),
        Command::Suites => test::suites(),
        Command::Tidy => tidy::run(&root()),
        Command::Fix => fix(),
        Command::Bench(options) => bench::run(&options, bench::Selection::Short),
        Command::Compare(options) => bench::run(&options, bench::Selection::Whole),
        Command::Micro(options) => bench::micro::run(&options),
        Command::Faults(options) => faults::run(&options),
        Command::SyncCost(options) => sync_cost::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn fix() -> Result<(), String> {
    step::cargo("format", &["fmt", "--all"], &[])?;
    // The tests that compare a generated document with the tree rewrite it when told to.
    step::cargo(
        "generated documents",
        &["test", "-p", "gofka-server", "generated"],
        &[("UPDATE", "1")],
    )
}
