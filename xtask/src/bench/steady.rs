//! Works in which clients keep a broker busy: batches, one record at a time, a fixed rate, many
//! producers.

use super::load::{Load, Seen};
use super::run::{Run, pid};
use super::works::Mode;
use super::{process, round_trip};

const ONE_PARTITION: &[(&str, &str)] = &[("num.partitions", "1")];
const SIX_PARTITIONS: &[(&str, &str)] = &[("num.partitions", "6")];

#[derive(Clone, Copy)]
pub(super) struct Batches {
    /// Bytes of a record's value.
    pub(super) size: u64,
    pub(super) codec: &'static str,
    /// Read it, too.
    pub(super) consume: bool,
}

/// librdkafka with batches of 128 KiB, as fast as it can.
pub(super) fn batches(run: &mut Run<'_>, what: Batches) -> Result<(), String> {
    let mut broker = run.warm(ONE_PARTITION)?;
    let pid = pid(&broker)?;
    let megabytes = run.options.megabytes as f64;
    let count = (run.options.megabytes * 1_000_000 / what.size).to_string();
    let size = what.size.to_string();
    let mut once = |load: &str, core: &str, keys: [&'static str; 3]| {
        let arguments = ["--count", &count, "--size", &size, "--codec", what.codec, "--core", core];
        let before = process::cpu_seconds(pid)?;
        let seen = Load::spawn(load, &broker.bootstrap(), &arguments)?.seen()?;
        let used = process::cpu_seconds(pid)? - before;
        let client = seen.number("client_cpu_seconds")?;
        let rate = megabytes / seen.number("seconds")?;
        for (key, value) in
            keys.into_iter().zip([used * 1e3 / megabytes, client * 1e3 / megabytes, rate])
        {
            run.add(key, value);
        }
        Ok::<(), String>(())
    };
    once("produce", "any", ["produce", "produce-client", "produce-rate"])?;
    if what.consume {
        once("consume", "any", ["consume", "consume-client", "consume-rate"])?;
        process::keep_on_core(pid, "0")?;
        once("consume", "1", ["apart", "apart-client", "apart-rate"])?;
        run.add("memory", process::most_resident_bytes(pid)? / 1e6);
    }
    broker.stop();
    Ok(())
}

/// What a load that says when it is warm has seen, and what it cost the broker.
fn from_ready(mut load: Load, pid: u32) -> Result<(Seen, f64), String> {
    load.line()?;
    let before = process::cpu_seconds(pid)?;
    let seen = load.seen()?;
    Ok((seen, process::cpu_seconds(pid)? - before))
}

pub(super) fn one_at_a_time(run: &mut Run<'_>) -> Result<(), String> {
    let mut broker = run.warm(ONE_PARTITION)?;
    let pid = pid(&broker)?;
    // 1 ms each is what Kafka takes.
    let count = run.options.seconds * 1000;
    let words = ["--count", &count.to_string(), "--warm", &count.to_string()];
    let (seen, used) = from_ready(Load::spawn_go("latency", &broker.bootstrap(), &words)?, pid)?;
    run.add("p50", seen.number("p50_ms")?);
    run.add("p99", seen.number("p99_ms")?);
    run.add("cpu", used * 1e6 / count as f64);
    run.add("bare", round_trip::of_broker(broker.address(), "bench", count)?);
    run.add("echo", round_trip::of_echo(count)?);
    broker.stop();
    Ok(())
}

pub(super) fn paced(run: &mut Run<'_>) -> Result<(), String> {
    let mut broker = run.warm(ONE_PARTITION)?;
    let pid = pid(&broker)?;
    let seconds = run.options.seconds.to_string();
    let words = ["--warm", "100000", "--seconds", &seconds];
    let (seen, used) = from_ready(Load::spawn_go("paced", &broker.bootstrap(), &words)?, pid)?;
    let (count, batches) = (seen.number("count")?, seen.number("batches")?);
    let gigabytes = count / 1e6;
    run.add("cpu", used / gigabytes);
    run.add("request", used * 1e6 / batches);
    run.add("records", count / batches);
    run.add("client", seen.number("client_cpu_seconds")? / gigabytes);
    run.add("p50", seen.number("p50_ms")?);
    run.add("p99", seen.number("p99_ms")?);
    broker.stop();
    Ok(())
}

pub(super) fn many(run: &mut Run<'_>) -> Result<(), String> {
    let (rate, cpu, client) = many_in(run, Mode::Fsync)?;
    run.add("rate", rate / 1e3);
    run.add("cpu", cpu * 1e6);
    run.add("client", client * 1e6);
    // What Gofka owes to itself is not asked of Kafka, but it is good to know of both.
    process::write_dirty_pages();
    let (unsynced, ..) = many_in(run, Mode::PageCache)?;
    run.add("share", rate / unsynced);
    Ok(())
}

/// Records a second, and the CPU time of the broker and of the clients for one.
fn many_in(run: &Run<'_>, mode: Mode) -> Result<(f64, f64, f64), String> {
    let mut broker = run.prepare_in(mode, SIX_PARTITIONS);
    broker.resume();
    let pid = pid(&broker)?;
    let warm = run.warm_records().to_string();
    let seconds = run.options.seconds.to_string();
    let words = ["--producers", "16", "--size", "100", "--warm", &warm, "--seconds", &seconds];
    let (seen, used) = from_ready(Load::spawn_go("many", &broker.bootstrap(), &words)?, pid)?;
    broker.stop();
    let count = seen.number("count")?;
    let client = seen.number("client_cpu_seconds")?;
    Ok((seen.number("per_second")?, used / count, client / count))
}
