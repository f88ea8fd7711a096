//! Works about a broker's own life: it starts, does nothing, gets thousands of partitions, is
//! killed and comes back.

use compat_tests::broker::Broker;

use super::load::{Load, Seen};
use super::process;
use super::run::{Run, TOPICS, pid};

/// From an empty directory to the first acknowledged record; then the cost of doing nothing, and
/// of connections that do nothing.
pub(super) fn start_and_idle(run: &mut Run<'_>) -> Result<(), String> {
    let mut broker = run.prepare(&[("num.partitions", "1")]);
    let (seen, begin) = start(&mut broker, &[])?;
    run.add("acknowledged", (seen.number("acknowledged_at")? - begin) * 1e3);

    let pid = pid(&broker)?;
    process::settle();
    run.add("cpu", process::over_a_while(pid)? * 100.0);
    let resident = process::resident_bytes(pid)?;
    run.add("memory", resident / 1e6);

    let count = run.options.connections.to_string();
    let mut held = Load::spawn("connections", &broker.bootstrap(), &["--count", &count])?;
    run.add("connections", held.seen()?.number("seconds")?);
    let each = (process::resident_bytes(pid)? - resident) / run.options.connections as f64;
    run.add("connection", each / 1e3);
    drop(held);
    broker.stop();
    Ok(())
}

/// Starts a broker under a client that tries all the time; what it saw, and when the start began.
fn start(broker: &mut Broker, words: &[&str]) -> Result<(Seen, f64), String> {
    let mut waiting = Load::spawn("first-ack", &broker.bootstrap(), words)?;
    waiting.line()?;
    let begin = process::monotonic_seconds();
    broker.launch();
    Ok((waiting.seen()?, begin))
}

/// Five topics of many partitions are made, and found again after a kill.
pub(super) fn partitions(run: &mut Run<'_>) -> Result<(), String> {
    let mut broker = run.prepare(&[]);
    broker.resume();
    process::settle();
    let pid = pid(&broker)?;
    let (memory, cpu) = (process::resident_bytes(pid)?, process::cpu_seconds(pid)?);
    let (topics, each) = (TOPICS.to_string(), run.options.partitions.to_string());
    let words = ["--topics", &topics, "--partitions", &each];
    let seen = Load::spawn("partitions", &broker.bootstrap(), &words)?.seen()?;
    // What Kafka leaves to later belongs to it.
    process::settle();
    let count = (TOPICS * run.options.partitions) as f64;
    run.add("acknowledged", seen.number("seconds")?);
    run.add("cpu", process::cpu_seconds(pid)? - cpu);
    run.add("memory", (process::resident_bytes(pid)? - memory) / 1e3 / count);

    broker.kill();
    let (seen, begin) = start(&mut broker, &words)?;
    run.add("killed", seen.number("acknowledged_at")? - begin);
    run.add("killed-all", seen.number("all_acknowledged_at")? - begin);
    broker.kill();
    run.keep(broker);
    Ok(())
}

/// Six partitions have gigabytes of log when the broker is killed.
pub(super) fn killed(run: &mut Run<'_>) -> Result<(), String> {
    let mut broker = run.prepare(&[("num.partitions", "6")]);
    broker.resume();
    let count = (run.options.killed_megabytes * 1000).to_string();
    Load::spawn("produce", &broker.bootstrap(), &["--count", &count])?.seen()?;
    broker.kill();
    // The disk is not measured: what the broker left to the kernel is written.
    process::write_dirty_pages();
    let (seen, begin) = start(&mut broker, &["--partitions", "6"])?;
    run.add("first", seen.number("acknowledged_at")? - begin);
    run.add("all", seen.number("all_acknowledged_at")? - begin);
    run.add("cpu", process::cpu_seconds(pid(&broker)?)?);
    broker.kill();
    Ok(())
}
