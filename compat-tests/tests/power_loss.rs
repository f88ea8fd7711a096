//! Power that is lost under load, in each durability mode, from one disk and from two: a bounded
//! part of `cargo xtask faults`. Mounts disks of its own, in a mount namespace of its own, which
//! takes root and loop devices.

use std::time::Duration;

use compat_tests::faults::power::{self, Disks, Keeping, Run};
use compat_tests::faults::topic::Topic;
use compat_tests::faults::{kill, namespace};
use compat_tests::setup::Tool;

/// For the whole test, which is another process.
const LIMIT: Duration = Duration::from_secs(600);
/// Longer than what `page-cache` may lose, so that something must be there.
const AFTER: (Duration, Duration) = (Duration::from_secs(6), Duration::from_secs(7));
/// Where less has to come together.
const SOON: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(1));
const SEED: u64 = 4;

#[test]
fn what_is_acknowledged_survives_the_power_as_the_mode_promises() {
    if namespace::is_private() {
        return lose_power();
    }
    Tool::Go.ensure();
    let status = namespace::rerun(&["--nocapture".into()], LIMIT);
    let status = status.unwrap_or_else(|error| panic!("{error}"));
    assert!(status.success(), "{status}");
}

fn lose_power() {
    let kills =
        kill::Run { keeping: Keeping::Auto, seed: SEED, kills: 10, topic: Topic::Tombstones };
    let power = |keeping, topic, disks, after| {
        power::run(&Run { keeping, topic, disks, seed: SEED, cuts: 1, after })
    };
    let reports = [
        power(Keeping::Fsync, Topic::Expiring, Disks::One, AFTER),
        power(Keeping::PageCache, Topic::Expiring, Disks::One, AFTER),
        power(Keeping::Fsync, Topic::Again, Disks::Both, SOON),
        power(Keeping::Fsync, Topic::Many, Disks::Second, SOON),
        power(Keeping::PageCache, Topic::Removed, Disks::One, SOON),
        power(Keeping::PageCache, Topic::Flushed, Disks::One, SOON),
        kill::run(&kills),
    ];
    for report in reports {
        let report = report.unwrap_or_else(|error| panic!("{error}"));
        println!("{report}");
        assert!(report.complaints.is_empty(), "{report}");
    }
}
