//! Works that the disk takes part in: a consumer far behind, and compaction.

use compat_tests::broker::Broker;

use super::load::Load;
use super::process;
use super::run::{Run, pid};

const COMPACTION_LIMIT_SECONDS: f64 = 900.0;
/// The smallest segment that Kafka makes.
const SEGMENT_BYTES_LEAST: u64 = 1 << 20;

/// A consumer reads from disk what nobody has in memory while 20 MB/s are produced.
pub(super) fn catch_up(run: &mut Run<'_>) -> Result<(), String> {
    let mut broker = run.warm(&[("num.partitions", "1")])?;
    let pid = pid(&broker)?;
    let count = (run.options.cold_megabytes * 1000).to_string();
    let cold = ["--topic", "cold", "--count", &count];
    Load::spawn("produce", &broker.bootstrap(), &cold)?.seen()?;
    process::write_dirty_pages();
    let seconds = run.options.seconds.to_string();
    let words = ["--warm", "20000", "--seconds", &seconds];
    let mut alone = Load::spawn_go("paced", &broker.bootstrap(), &words)?;
    alone.line()?;
    let alone = alone.seen()?.number("p99_ms")?;

    process::write_dirty_pages();
    process::drop_caches()?;
    let mut paced = Load::spawn_go("paced", &broker.bootstrap(), &["--warm", "20000"])?;
    paced.line()?;
    let before = process::cpu_seconds(pid)?;
    let seen = Load::spawn("consume", &broker.bootstrap(), &cold)?.seen()?;
    let used = process::cpu_seconds(pid)? - before;
    let beside = paced.end()?.number("p99_ms")?;
    let megabytes = run.options.cold_megabytes as f64;
    run.add("rate", megabytes / seen.number("seconds")?);
    run.add("cpu", used * 1e3 / megabytes);
    run.add("p99", beside);
    run.add("slower", beside / alone);
    broker.stop();
    Ok(())
}

/// A log in which every second record has a later one with its key. It is compacted only once it
/// is all there, so that writing it is not part of the cost.
pub(super) fn compaction(run: &mut Run<'_>) -> Result<(), String> {
    let bytes = run.options.compact_megabytes * 1_000_000;
    let segment = SEGMENT_BYTES_LEAST.max(bytes / 20);
    let segment_text = segment.to_string();
    let settings = [
        ("num.partitions", "1"),
        ("log.segment.bytes", segment_text.as_str()),
        ("log.cleaner.backoff.ms", "500"),
    ];
    let mut broker = run.warm(&settings)?;
    let pid = pid(&broker)?;
    let count = (run.options.compact_megabytes * 1000).to_string();
    let words = ["--topic", "dead", "--count", &count, "--keyed"];
    Load::spawn("produce", &broker.bootstrap(), &words)?.seen()?;
    process::write_dirty_pages();

    let written = log_bytes(&broker)?;
    let before = process::cpu_seconds(pid)?;
    let begin = process::monotonic_seconds();
    let compacted = ["cleanup.policy=compact", "min.cleanable.dirty.ratio=0.01"];
    let words = ["--topic", "dead", "--set", compacted[0], "--set", compacted[1]];
    Load::spawn("configure", &broker.bootstrap(), &words)?.seen()?;
    // The last segment is left as it is; a few per cent are what smaller batches cost.
    let enough = (written + segment as f64) * 0.5 * 1.03;
    while log_bytes(&broker)? > enough {
        process::breathe();
        if process::monotonic_seconds() - begin > COMPACTION_LIMIT_SECONDS {
            let left = log_bytes(&broker)?;
            return Err(format!("{left} of {written} bytes are left, not {enough}"));
        }
    }
    let seconds = process::monotonic_seconds() - begin;
    let used = process::cpu_seconds(pid)? - before;
    run.add("rate", written / 1e6 / used);
    run.add("seconds", seconds);
    broker.stop();
    Ok(())
}

/// Bytes of the log itself, without what is being made or waits for its deletion.
fn log_bytes(broker: &Broker) -> Result<f64, String> {
    process::bytes_of(&broker.data_dir().join("dead-0"), "log")
}
