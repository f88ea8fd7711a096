//! `cargo xtask bench`: the numbers of one node, beside Apache Kafka doing the same work.
//!
//! What is compared is the broker's own CPU time and memory, from `/proc`; wall-clock rates on a
//! small machine are the client's. One broker is alive at a time, in the order A B B A; between
//! two, its directory is gone and all dirty pages are written. Kafka runs as it is shipped, in a
//! JVM with the flags of its start script. `docs/performance.md` says how to read the result.

mod load;
mod machine;
mod process;
mod report;

use clap::Args;
use compat_tests::broker::{Broker, Kind, SHIPPED_JVM};
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
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Connections to open
    #[arg(long, default_value_t = 5000)]
    connections: u64,
    /// Leave Apache Kafka out
    #[arg(long)]
    alone: bool,
    /// Put the result into docs/performance.md
    #[arg(long)]
    write: bool,
}

/// Both sides promise the same: a record is acknowledged from memory. For Kafka that is its
/// default.
const KAFKA: &[(&str, &str)] = &[("num.partitions", "1")];
const GOFKA: &[(&str, &str)] = &[("num.partitions", "1"), ("durability", "page-cache")];

pub(crate) fn run(options: &Options) -> Result<(), String> {
    let build = ["build", "--release", "-p", "gofka-server", "--bin", "gofka"];
    step::cargo("release build", &build, &[])?;
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
        process::write_dirty_pages();
    }
    // Not counted: who runs first would still find pages that nobody has touched.
    throughput(Kind::Gofka, options, &mut Report::default())?;
    for _ in 0..options.rounds {
        for kind in order {
            throughput(*kind, options, &mut report)?;
        }
    }
    let text = format!("{}\n\n{}", machine::describe(&command(options)), report.table());
    println!("{text}");
    if options.write { machine::write_into_document(&text) } else { Ok(()) }
}

/// The command that measures the same again.
fn command(options: &Options) -> String {
    let Options { megabytes, rounds, connections, .. } = options;
    format!(
        "cargo xtask bench --megabytes {megabytes} --rounds {rounds} --connections {connections}"
    )
}

fn prepare(kind: Kind) -> Broker {
    match kind {
        Kind::Gofka => Broker::prepare(kind, GOFKA),
        Kind::Kafka => Broker::prepare(kind, KAFKA).in_jvm(SHIPPED_JVM),
    }
}

/// From an empty directory to the first acknowledged record; then the cost of doing nothing, and
/// of connections that do nothing.
fn start_and_idle(kind: Kind, options: &Options, report: &mut Report) -> Result<(), String> {
    let mut broker = prepare(kind);
    let mut waiting = Load::spawn("first-ack", &broker.bootstrap(), &[])?;
    waiting.line()?;
    let begin = process::monotonic_seconds();
    broker.resume();
    let acknowledged = waiting.seen()?.number("acknowledged_at")?;
    report.add(kind, Measurement::FirstAcknowledgement, (acknowledged - begin) * 1e3);

    let pid = broker.pid().ok_or("the broker is not running")?;
    process::settle();
    let idle = process::over_a_while(pid)?;
    report.add(kind, Measurement::IdleCpu, idle * 100.0);
    let resident = process::resident_bytes(pid)?;
    report.add(kind, Measurement::IdleMemory, resident / 1e6);

    let count = options.connections.to_string();
    let mut held = Load::spawn("connections", &broker.bootstrap(), &["--count", &count])?;
    report.add(kind, Measurement::ConnectionSeconds, held.seen()?.number("seconds")?);
    let each = (process::resident_bytes(pid)? - resident) / options.connections as f64;
    report.add(kind, Measurement::ConnectionMemory, each / 1e3);
    drop(held);
    broker.stop();
    Ok(())
}

/// What one kind of work is called, and what is measured of it.
struct Work {
    name: &'static str,
    cpu: Measurement,
    client_cpu: Measurement,
    rate: Measurement,
}

const WORKS: [Work; 2] = [
    Work {
        name: "produce",
        cpu: Measurement::ProduceCpu,
        client_cpu: Measurement::ProduceClientCpu,
        rate: Measurement::ProduceRate,
    },
    Work {
        name: "consume",
        cpu: Measurement::ConsumeCpu,
        client_cpu: Measurement::ConsumeClientCpu,
        rate: Measurement::ConsumeRate,
    },
];

fn throughput(kind: Kind, options: &Options, report: &mut Report) -> Result<(), String> {
    let mut broker = prepare(kind);
    broker.resume();
    let pid = broker.pid().ok_or("the broker is not running")?;
    let records = (options.megabytes * 1000).to_string();
    // A JIT compiler has seen the work before it is measured.
    let warm_up = if kind == Kind::Kafka { "2000000" } else { "200000" };
    let warm = ["--topic", "warm", "--count", warm_up];
    Load::spawn("produce", &broker.bootstrap(), &warm)?.seen()?;
    Load::spawn("consume", &broker.bootstrap(), &warm)?.seen()?;
    process::write_dirty_pages();

    let gigabytes = options.megabytes as f64 / 1e3;
    for work in WORKS {
        let before = process::cpu_seconds(pid)?;
        let mut load = Load::spawn(work.name, &broker.bootstrap(), &["--count", &records])?;
        let seen = load.seen()?;
        let used = process::cpu_seconds(pid)? - before;
        report.add(kind, work.cpu, used / gigabytes);
        report.add(kind, work.client_cpu, seen.number("client_cpu_seconds")? / gigabytes);
        report.add(kind, work.rate, options.megabytes as f64 / seen.number("seconds")?);
    }
    let resident = process::resident_bytes(pid)? / 1e6;
    report.add(kind, Measurement::LoadMemory, resident);
    broker.stop();
    drop(broker);
    process::write_dirty_pages();
    Ok(())
}
