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

/// A log in which every second record has a later one with its key. Another one is compacted
/// before: a JIT compiler has seen the work of a cleaner then, not only that of a produce.
pub(super) fn compaction(run: &mut Run<'_>) -> Result<(), String> {
    let megabytes = run.options.compact_megabytes;
    let segment = SEGMENT_BYTES_LEAST.max(megabytes * 1_000_000 / 20);
    let segment_text = segment.to_string();
    let settings = [
        ("num.partitions", "1"),
        ("log.segment.bytes", segment_text.as_str()),
        ("log.cleaner.backoff.ms", "500"),
    ];
    let mut broker = run.warm(&settings)?;
    compact(&broker, "practice", megabytes, segment)?;
    let compacted = compact(&broker, "dead", megabytes, segment)?;
    run.add("rate", compacted.megabytes / compacted.cpu_seconds);
    run.add("seconds", compacted.seconds);
    broker.stop();
    Ok(())
}

/// What the compaction of a log has cost.
struct Compacted {
    megabytes: f64,
    cpu_seconds: f64,
    seconds: f64,
}

/// Writes a topic and has it compacted, only once it is all there, so that writing it is not part
/// of the cost.
fn compact(
    broker: &Broker,
    topic: &str,
    megabytes: u64,
    segment: u64,
) -> Result<Compacted, String> {
    let pid = pid(broker)?;
    let count = (megabytes * 1000).to_string();
    let words = ["--topic", topic, "--count", &count, "--keyed"];
    Load::spawn("produce", &broker.bootstrap(), &words)?.seen()?;
    process::write_dirty_pages();

    // Of the log itself, without what is being made or waits for its deletion.
    let dir = broker.data_dir().join(format!("{topic}-0"));
    let log_bytes = || process::bytes_of(&dir, "log");
    let written = log_bytes()?;
    let before = process::cpu_seconds(pid)?;
    let begin = process::monotonic_seconds();
    let compacted = ["cleanup.policy=compact", "min.cleanable.dirty.ratio=0.01"];
    let words = ["--topic", topic, "--set", compacted[0], "--set", compacted[1]];
    Load::spawn("configure", &broker.bootstrap(), &words)?.seen()?;
    // The last segment is left as it is; a few per cent are what smaller batches cost.
    let enough = (written + segment as f64) * 0.5 * 1.03;
    while log_bytes()? > enough {
        process::breathe();
        if process::monotonic_seconds() - begin > COMPACTION_LIMIT_SECONDS {
            let left = log_bytes()?;
            return Err(format!("{left} of {written} bytes are left, not {enough}"));
        }
    }
    let seconds = process::monotonic_seconds() - begin;
    let cpu_seconds = process::cpu_seconds(pid)? - before;
    Ok(Compacted { megabytes: written / 1e6, cpu_seconds, seconds })
}
