//! `cargo xtask faults`: makes real faults, and judges what is left by what clients were told.
//!
//! The faults and the judge are in `compat_tests::faults`; this decides which, how often, and what
//! counts as passed: nothing to complain of in Gofka, and losses found in Apache Kafka, which
//! shows that the judge can find them.

mod results;

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, ValueEnum};
use compat_tests::faults::power::{Disks, Keeping, Run};
use compat_tests::faults::topic::Topic;
use compat_tests::faults::{full, kill, namespace, power};
use compat_tests::setup::Tool;

use crate::test;
use results::Results;

/// For everything together.
const LIMIT: Duration = Duration::from_secs(4 * 3600);
/// The power goes between these, counted from the first acknowledgements.
const POWER: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(8));
/// And between these where segments are compacted, so that keys have come again.
const LATER: (Duration, Duration) = (Duration::from_secs(7), Duration::from_secs(14));

/// The runs of each seed, with how often the power goes in them.
const POWER_LOSSES: [(Keeping, Topic, Disks, usize); 17] = [
    (Keeping::Fsync, Topic::Kept, Disks::One, 3),
    (Keeping::Fsync, Topic::Expiring, Disks::One, 2),
    (Keeping::Auto, Topic::Compacted, Disks::One, 2),
    (Keeping::Fsync, Topic::Tombstones, Disks::One, 2),
    (Keeping::Fsync, Topic::Removed, Disks::One, 3),
    (Keeping::Fsync, Topic::Again, Disks::One, 1),
    (Keeping::Fsync, Topic::Many, Disks::One, 3),
    (Keeping::Fsync, Topic::Kept, Disks::Both, 3),
    (Keeping::Fsync, Topic::Kept, Disks::Second, 1),
    (Keeping::PageCache, Topic::Kept, Disks::One, 1),
    (Keeping::PageCache, Topic::Expiring, Disks::One, 1),
    (Keeping::PageCache, Topic::Compacted, Disks::One, 1),
    (Keeping::PageCache, Topic::Again, Disks::One, 1),
    (Keeping::PageCache, Topic::Removed, Disks::One, 1),
    (Keeping::PageCache, Topic::Flushed, Disks::One, 1),
    (Keeping::PageCache, Topic::FlushedSoon, Disks::One, 1),
    (Keeping::AsShipped, Topic::Kept, Disks::One, 1),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Fault {
    /// The power of the disk is lost
    Power,
    /// The broker is killed, again and again
    Kill,
    /// The disk fills up and is freed
    Full,
}

#[derive(Args)]
pub(crate) struct Options {
    /// Which faults; all where none is named
    faults: Vec<Fault>,
    /// How often each, with seeds from --seed on
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// The first seed: the moments of the faults follow from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often a broker is killed in one run
    #[arg(long, default_value_t = 50)]
    kills: usize,
    /// Only runs with this in their title, such as "fsync kept"
    #[arg(long, default_value = "")]
    only: String,
    /// Leave out Apache Kafka, which shows what the judge can find
    #[arg(long)]
    no_kafka: bool,
    /// Put what all of it came to into docs/testing.md and README.md
    #[arg(long)]
    write: bool,
}

/// Makes every fault that was asked for.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    if !namespace::is_private() {
        namespace::requirements().map_err(|error| error.to_string())?;
        test::release_build()?;
        Tool::Go.install().map_err(|error| error.to_string())?;
        Tool::Kafka.install().map_err(|error| error.to_string())?;
        let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
        let status = namespace::rerun(&arguments, LIMIT).map_err(|error| error.to_string())?;
        return if status.success() { Ok(()) } else { Err("faults: see above".to_owned()) };
    }
    let asked = |fault| options.faults.is_empty() || options.faults.contains(&fault);
    let mut wrong = 0;
    let mut results = Results::default();
    if asked(Fault::Power) {
        wrong += power_losses(options, &mut results);
    }
    for seed in options.seed..options.seed + options.rounds {
        if asked(Fault::Kill) {
            wrong += kills(options, seed, &mut results);
        }
        if asked(Fault::Full) {
            wrong += full_disks(options, seed, &mut results);
        }
    }
    if wrong > 0 {
        return Err(format!("{wrong} runs are wrong"));
    }
    if options.write { results.write(&command(options)) } else { Ok(()) }
}

/// The command that does the same again.
fn command(options: &Options) -> String {
    let faults = options.faults.iter().filter_map(ValueEnum::to_possible_value);
    let mut words = vec!["cargo xtask faults".to_owned()];
    words.extend(faults.map(|fault| fault.get_name().to_owned()));
    let Options { rounds, seed, kills, .. } = options;
    words.push(format!("--rounds {rounds} --seed {seed} --kills {kills}"));
    words.join(" ")
}

/// How many runs are wrong.
fn power_losses(options: &Options, results: &mut Results) -> usize {
    let mut wrong = 0;
    for seed in options.seed..options.seed + options.rounds {
        for (keeping, topic, disks, cuts) in POWER_LOSSES {
            if options.no_kafka && keeping == Keeping::AsShipped {
                continue;
            }
            let compacted = matches!(topic, Topic::Compacted | Topic::Tombstones);
            let after = if compacted { LATER } else { POWER };
            let run = Run { keeping, topic, disks, seed, cuts, after };
            if !run.title().contains(&options.only) {
                continue;
            }
            wrong += usize::from(!results.passed(Fault::Power, keeping, power::run(&run)));
        }
    }
    let calibrated = options.no_kafka || !options.only.is_empty() || results.are_calibrated();
    if !calibrated {
        println!("no loss was found in Apache Kafka: the judge has not shown that it can");
    }
    wrong + usize::from(!calibrated)
}

fn kills(options: &Options, seed: u64, results: &mut Results) -> usize {
    let mut wrong = 0;
    for topic in Topic::KILLED {
        for keeping in [Keeping::Fsync, Keeping::PageCache] {
            let run = kill::Run { keeping, topic, seed, kills: options.kills };
            if run.title().contains(&options.only) {
                wrong += usize::from(!results.passed(Fault::Kill, keeping, kill::run(&run)));
            }
        }
    }
    wrong
}

fn full_disks(options: &Options, seed: u64, results: &mut Results) -> usize {
    let mut wrong = 0;
    for keeping in [Keeping::Fsync, Keeping::PageCache] {
        let run = full::Run { keeping, seed, fills: 12 };
        if run.title().contains(&options.only) {
            wrong += usize::from(!results.passed(Fault::Full, keeping, full::run(&run)));
        }
    }
    wrong
}
