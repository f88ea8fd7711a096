//! `cargo xtask bench`: the numbers of one node, beside Apache Kafka doing the same work.
//!
//! What is compared is the broker's own CPU time and memory, from `/proc`; wall-clock rates on a
//! small machine are the client's. One broker is alive at a time, in the order A B B A.

mod load;
mod process;
mod report;

use clap::Args;
use compat_tests::broker::{Broker, Kind};
use compat_tests::setup::Tool;

use load::Load;
use report::{Measurement, Report};

use crate::step;

#[derive(Args)]
pub(crate) struct Options {
    /// Megabytes of 1 kB records that each round produces and consumes
    #[arg(long, default_value_t = 1000)]
    megabytes: u64,
    /// Rounds of A B B A for produce and consume
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// Connections to open
    #[arg(long, default_value_t = 5000)]
    connections: u64,
    /// Leave Apache Kafka out
    #[arg(long)]
    alone: bool,
}

/// Settings that make both sides promise the same: a record is acknowledged from memory.
const SETTINGS: &[(&str, &str)] = &[("num.partitions", "1")];
const GOFKA_ONLY: &[(&str, &str)] = &[("num.partitions", "1"), ("durability", "page-cache")];

pub(crate) fn run(options: &Options) -> Result<(), String> {
    step::cargo("release build", &["build", "--release", "-p", "gofka-server"], &[])?;
    Tool::Kafka.ensure();
    Tool::Python.ensure();
    process::touch_free_memory()?;
    let mut report = Report::default();
    let order: &[Kind] = if options.alone {
        &[Kind::Gofka, Kind::Gofka]
    } else {
        &[Kind::Gofka, Kind::Kafka, Kind::Kafka, Kind::Gofka]
    };
    for kind in order {
        start_and_idle(*kind, options, &mut report)?;
    }
    for _ in 0..options.rounds {
        for kind in order {
            throughput(*kind, options, &mut report)?;
        }
    }
    report.print(options.megabytes);
    Ok(())
}

fn start(kind: Kind) -> Broker {
    Broker::start(kind, if kind == Kind::Gofka { GOFKA_ONLY } else { SETTINGS })
}

/// From an empty directory to the first acknowledged record; then the cost of doing nothing, and
/// of connections that do nothing.
fn start_and_idle(kind: Kind, options: &Options, report: &mut Report) -> Result<(), String> {
    let mut broker = Broker::prepare(kind, if kind == Kind::Gofka { GOFKA_ONLY } else { SETTINGS });
    let mut waiting = Load::spawn("first-ack", &broker.bootstrap(), &[])?;
    waiting.line()?;
    let begin = process::monotonic_seconds();
    broker.resume();
    let acknowledged = waiting.number("acknowledged_at")?;
    report.add(kind, Measurement::FirstAcknowledgement, (acknowledged - begin) * 1e3);

    let pid = broker.pid().ok_or("the broker is not running")?;
    process::settle();
    let idle = process::over_a_while(pid)?;
    report.add(kind, Measurement::IdleCpu, idle * 100.0);
    let resident = process::resident_bytes(pid)?;
    report.add(kind, Measurement::IdleMemory, resident / 1e6);

    let count = options.connections.to_string();
    let mut held = Load::spawn("connections", &broker.bootstrap(), &["--count", &count])?;
    report.add(kind, Measurement::ConnectionSeconds, held.number("seconds")?);
    let each = (process::resident_bytes(pid)? - resident) / options.connections as f64;
    report.add(kind, Measurement::ConnectionMemory, each / 1e3);
    drop(held);
    broker.stop();
    Ok(())
}

fn throughput(kind: Kind, options: &Options, report: &mut Report) -> Result<(), String> {
    let mut broker = start(kind);
    let pid = broker.pid().ok_or("the broker is not running")?;
    let records = (options.megabytes * 1000).to_string();
    // A JIT compiler has seen the work once before it is measured, as have the page tables.
    let warm_up = if kind == Kind::Kafka { "2000000" } else { "200000" };
    let warm = ["--topic", "warm", "--count", warm_up];
    Load::spawn("produce", &broker.bootstrap(), &warm)?.number("seconds")?;
    Load::spawn("consume", &broker.bootstrap(), &warm)?.number("seconds")?;

    let gigabytes = options.megabytes as f64 / 1e3;
    let works = [
        ("produce", Measurement::ProduceCpu, Measurement::ProduceRate),
        ("consume", Measurement::ConsumeCpu, Measurement::ConsumeRate),
    ];
    for (work, cpu, rate) in works {
        let before = process::cpu_seconds(pid)?;
        let mut load = Load::spawn(work, &broker.bootstrap(), &["--count", &records])?;
        let seconds = load.number("seconds")?;
        let used = process::cpu_seconds(pid)? - before;
        report.add(kind, cpu, used / gigabytes);
        report.add(kind, rate, options.megabytes as f64 / seconds);
    }
    let resident = process::resident_bytes(pid)? / 1e6;
    report.add(kind, Measurement::LoadMemory, resident);
    broker.stop();
    Ok(())
}
