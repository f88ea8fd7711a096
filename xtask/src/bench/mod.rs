//! `cargo xtask compare` and its short form `cargo xtask bench`: the numbers of one node, beside
//! Apache Kafka doing the same work.
//!
//! What is compared is the broker's own CPU time and memory, from `/proc`; wall-clock rates on a
//! small machine are the client's. One broker is alive at a time, in the order A B B A; between
//! two, its directory is gone and all dirty pages are written. Kafka runs as it is shipped, in a
//! JVM with the flags of its start script. `docs/performance.md` says how to read the result.
//! `works.rs` is the list of what is measured; the other files do it.

mod disk;
mod life;
mod load;
pub(crate) mod micro;
mod process;
pub(crate) use process::total_memory_bytes;
mod report;
mod round_trip;
mod run;
mod steady;
mod works;

use clap::Args;
use compat_tests::broker::Kind;
use compat_tests::setup::Tool;
use tempfile::TempDir;

use report::Report;
use run::Run;
use works::{Repeat, WORKS, Work};

use crate::document::{self, Place};
use crate::step;

/// What is measured unless works are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    Short,
    Whole,
}

#[derive(Args)]
pub(crate) struct Options {
    /// Works to measure, by name (`--only list` prints the names)
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Rounds of A B B A, for works that take less than a minute [default: 3, or 5 for compare]
    #[arg(long)]
    rounds: Option<u32>,
    /// Megabytes that each round produces and consumes
    #[arg(long, default_value_t = 1000)]
    megabytes: u64,
    /// Megabytes that Apache Kafka has taken and given before it is measured; Gofka a tenth
    #[arg(long, default_value_t = 2000)]
    warm_megabytes: u64,
    /// Seconds of a load that is measured over time
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Connections to open
    #[arg(long, default_value_t = 5000)]
    connections: u64,
    /// Partitions of each of five topics
    #[arg(long, default_value_t = 1000)]
    partitions: u64,
    /// Megabytes of log that a killed broker finds
    #[arg(long, default_value_t = 10000)]
    killed_megabytes: u64,
    /// Megabytes that a consumer reads from disk
    #[arg(long, default_value_t = 5000)]
    cold_megabytes: u64,
    /// Megabytes of log to compact
    #[arg(long, default_value_t = 2000)]
    compact_megabytes: u64,
    /// Leave Apache Kafka out
    #[arg(long)]
    alone: bool,
    /// Put the result into docs/performance.md
    #[arg(long)]
    write: bool,
}

pub(crate) fn run(options: &Options, selection: Selection) -> Result<(), String> {
    if options.only.iter().any(|name| name == "list") {
        for work in WORKS {
            println!("{}", work.name);
        }
        return Ok(());
    }
    let works = selected(options, selection)?;
    let build = ["build", "--release", "-p", "gofka-server", "--bin", "gofka"];
    step::cargo("release build", &build, &[])?;
    for tool in [Tool::Kafka, Tool::Python, Tool::Go] {
        tool.ensure();
    }
    process::allow_many_files()?;
    process::touch_free_memory()?;
    let mut report = Report::new(&works);
    // Removed at the end.
    let mut kept = Vec::new();
    // Not counted: who runs first would still find pages that nobody has touched.
    if let Some(first) = works.iter().find(|work| work.repeat == Repeat::EveryRound) {
        measure(first, Kind::Gofka, options, &mut kept)?;
    }
    let rounds = options.rounds.unwrap_or(selection.rounds());
    let mut failed = Vec::new();
    for work in &works {
        // What others have shown in an hour is not lost to one that fails.
        if let Err(cause) = every_round(work, rounds, options, &mut report, &mut kept) {
            eprintln!("{cause}");
            failed.push(cause);
        }
    }
    let heading = document::describe(&command(options, selection, rounds));
    let text = format!("{heading}\n\n{}", report.table());
    println!("{text}");
    if !failed.is_empty() {
        return Err(failed.join("; "));
    }
    if options.write { document::write(selection.place(), &text) } else { Ok(()) }
}

impl Selection {
    fn rounds(self) -> u32 {
        match self {
            Self::Short => 3,
            Self::Whole => 5,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Short => "bench",
            Self::Whole => "compare",
        }
    }

    fn place(self) -> Place {
        match self {
            Self::Short => Place::Bench,
            Self::Whole => Place::Compare,
        }
    }
}

fn selected(options: &Options, selection: Selection) -> Result<Vec<&'static Work>, String> {
    let known = |name: &String| WORKS.iter().any(|work| work.name == name);
    if let Some(name) = options.only.iter().find(|name| !known(name)) {
        return Err(format!("there is no work {name}; `--only list` prints the names"));
    }
    let wanted = |work: &&Work| match options.only.as_slice() {
        [] => work.short || selection == Selection::Whole,
        only => only.iter().any(|name| work.name == name),
    };
    Ok(WORKS.iter().filter(wanted).collect())
}

/// One work in the order A B B A, as many times as it is repeated.
fn every_round(
    work: &'static Work,
    rounds: u32,
    options: &Options,
    report: &mut Report,
    kept: &mut Vec<TempDir>,
) -> Result<(), String> {
    let order: &[Kind] = if options.alone {
        &[Kind::Gofka, Kind::Gofka]
    } else {
        &[Kind::Gofka, Kind::Kafka, Kind::Kafka, Kind::Gofka]
    };
    let times = if work.repeat == Repeat::Once { 1 } else { rounds };
    for _ in 0..times {
        for kind in order {
            report.add(*kind, work, measure(work, *kind, options, kept)?);
        }
    }
    Ok(())
}

/// One run of one broker. Nothing of it is alive or dirty afterwards, nor on disk but for what is
/// kept.
fn measure(
    work: &Work,
    kind: Kind,
    options: &Options,
    kept: &mut Vec<TempDir>,
) -> Result<Vec<(&'static str, f64)>, String> {
    let mut run = Run::new(kind, work, options);
    let done = (work.measure)(&mut run);
    process::write_dirty_pages();
    done.map_err(|cause| format!("{kind:?} {}: {cause}", work.name))?;
    let (seen, mut left) = run.end();
    kept.append(&mut left);
    Ok(seen)
}

/// The command that measures the same again.
fn command(options: &Options, selection: Selection, rounds: u32) -> String {
    let mut words = vec![format!("cargo xtask {}", selection.name())];
    if !options.only.is_empty() {
        words.push(format!("--only {}", options.only.join(",")));
    }
    let numbers = [
        ("rounds", u64::from(rounds)),
        ("megabytes", options.megabytes),
        ("warm-megabytes", options.warm_megabytes),
        ("connections", options.connections),
        ("seconds", options.seconds),
        ("partitions", options.partitions),
        ("killed-megabytes", options.killed_megabytes),
        ("cold-megabytes", options.cold_megabytes),
        ("compact-megabytes", options.compact_megabytes),
    ];
    // The short form has no use for the others.
    let used = if selection == Selection::Short { 4 } else { numbers.len() };
    words.extend(numbers[..used].iter().map(|(name, value)| format!("--{name} {value}")));
    words.join(" ")
}
