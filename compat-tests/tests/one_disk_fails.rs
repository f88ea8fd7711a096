//! Two log directories, each on a disk of its own, of which one fails while clients work: its
//! partitions are refused with an error that names the storage, the others go on, everything that
//! can be asked says which directory it is, and after the disk is back a start serves all again.
//! Mounts disks of its own, in a mount namespace of its own, which takes root and loop devices.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use compat_tests::batch;
use compat_tests::broker::{Broker, Kind};
use compat_tests::faults::disk::Plug;
use compat_tests::faults::namespace;
use compat_tests::process::eventually;
use compat_tests::raw::{Client, KAFKA_STORAGE_ERROR, NONE};
use compat_tests::setup::Tool;
use compat_tests::wire;

const LIMIT: Duration = Duration::from_secs(60);
/// For the whole test, which is another process.
const TEST_LIMIT: Duration = Duration::from_secs(600);
const TOPIC: &str = "orders";
const PARTITIONS: i32 = 8;
/// More than is kept free; the file is sparse.
const BYTES: u64 = 1 << 30;

#[test]
fn a_disk_that_fails_takes_its_partitions_and_nothing_else() {
    if namespace::is_private() {
        return lose_one_of_two();
    }
    Tool::Go.ensure();
    let status = namespace::rerun(&["--nocapture".into()], TEST_LIMIT);
    let status = status.unwrap_or_else(|error| panic!("{error}"));
    assert!(status.success(), "{status}");
}

fn run(command: &mut Command) {
    let output = command.output().expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}

/// A second disk of the broker.
struct Second {
    image: PathBuf,
    at: PathBuf,
}

impl Second {
    fn beside(broker: &Broker) -> Self {
        let at = broker.data_dir().with_file_name("second");
        let image = at.with_extension("img");
        fs::create_dir(&at).expect("a folder to mount on");
        let file = File::create(&image).expect("a new file");
        file.set_len(BYTES).expect("a sparse file");
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-b", "4096"]).arg(&image));
        let disk = Self { image, at };
        disk.mount();
        disk
    }

    fn mount(&self) {
        run(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.at));
    }

    /// What whoever exchanges a cable does, the broker being stopped.
    fn repair(&self) {
        let unmount = || Command::new("umount").arg(&self.at).status().expect("umount runs");
        assert!(eventually(LIMIT, || unmount().success()), "the disk stays in use");
        self.mount();
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        // Where it fails, the mount ends with its namespace.
        Command::new("umount").arg("--lazy").arg(&self.at).status().ok();
    }
}

/// The values of each partition that were acknowledged.
type Sent = BTreeMap<i32, Vec<String>>;

/// Produces one record to each; the error code of each.
fn produce(client: &mut Client, sent: &mut Sent, round: usize) -> Vec<(i32, i16)> {
    let mut answers = Vec::new();
    for partition in 0..PARTITIONS {
        let value = format!("{partition} {round}");
        let (error, _) = client.send(TOPIC, partition, &[value.as_bytes()]);
        if error == NONE {
            sent.entry(partition).or_default().push(value);
        }
        answers.push((partition, error));
    }
    answers
}

/// What kcat reads from one partition.
fn values(broker: &Broker, partition: i32) -> Vec<String> {
    let mut kcat = Command::new("kcat");
    kcat.args(["-C", "-e", "-q", "-t", TOPIC, "-p", &partition.to_string()]);
    kcat.args(["-X", "fetch.wait.max.ms=10", "-b"]);
    let output = kcat.arg(broker.bootstrap()).stdin(Stdio::null()).output().expect("kcat runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "partition {partition}: {said}\n{}", broker.output());
    String::from_utf8(output.stdout).expect("utf-8").lines().map(str::to_owned).collect()
}

fn health(broker: &Broker) -> String {
    wire::get(broker.http_address(), "/health", LIMIT).expect("the health page")
}

/// Clients are answered a moment before the page says that it has started.
fn assert_all_work(broker: &Broker) {
    let all = eventually(LIMIT, || health(broker).contains("all directories work"));
    assert!(all, "{}\n{}", health(broker), broker.output());
}

/// The partitions of a folder.
fn partitions_in(dir: &Path) -> Vec<i32> {
    let names = fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("one").file_name());
    let numbers = names.filter_map(|name| {
        name.to_string_lossy().strip_prefix("orders-").and_then(|number| number.parse().ok())
    });
    let mut numbers: Vec<i32> = numbers.collect();
    numbers.sort_unstable();
    numbers
}

fn lose_one_of_two() {
    let mut broker = Broker::prepare(Kind::Gofka, &[]);
    let disk = Second::beside(&broker);
    let dirs = format!("{},{}", broker.data_dir().display(), disk.at.display());
    broker.set("log.dirs", &dirs);
    broker.resume();
    let mut client = Client::connect(broker.address());
    assert_eq!(client.create(TOPIC, PARTITIONS, &[]), NONE);
    let mut sent = Sent::new();
    assert!(produce(&mut client, &mut sent, 0).iter().all(|(_, error)| *error == NONE));
    let lost = partitions_in(&disk.at);
    assert!(!lost.is_empty() && lost.len() < PARTITIONS as usize, "{lost:?} are there");
    assert_all_work(&broker);

    Plug::of_mount(&disk.at).and_then(Plug::pull).expect("the plug");
    assert!(broker.pid().is_some());
    // The directory goes offline with the first of its partitions that cannot be synced.
    for round in 1..4 {
        for (partition, error) in produce(&mut client, &mut sent, round) {
            let expected = if lost.contains(&partition) { KAFKA_STORAGE_ERROR } else { NONE };
            assert_eq!(error, expected, "partition {partition}, round {round}");
        }
    }
    judge_offline(&broker, &mut client, &disk, &lost);
    for (partition, values_sent) in sent.iter().filter(|(partition, _)| !lost.contains(partition)) {
        assert_eq!(&values(&broker, *partition), values_sent, "partition {partition}");
    }
    judge_admin(&broker, &mut client);

    broker.stop();
    disk.repair();
    broker.resume();
    let mut client = Client::connect(broker.address());
    assert_all_work(&broker);
    for (partition, values_sent) in &sent {
        let found = values(&broker, *partition);
        // What was refused may be there: nobody was told that it is not.
        let acknowledged: Vec<_> = found.iter().filter(|v| values_sent.contains(v)).collect();
        assert_eq!(acknowledged, values_sent.iter().collect::<Vec<_>>(), "partition {partition}");
    }
    assert!(produce(&mut client, &mut sent, 9).iter().all(|(_, error)| *error == NONE));
    assert!(client.log_dirs().iter().all(|dir| dir.error == NONE));
    broker.stop();
}

/// Everything that can be asked about the directory names it.
fn judge_offline(broker: &Broker, client: &mut Client, disk: &Second, lost: &[i32]) {
    for partition in lost {
        let fetched = client.fetch(TOPIC, *partition, 0, 1 << 20);
        assert_eq!(fetched.error, KAFKA_STORAGE_ERROR, "partition {partition}");
        assert!(batch::split(&fetched.records).is_empty(), "partition {partition}");
    }
    let page = health(broker);
    assert!(page.starts_with("HTTP/1.1 200") || page.starts_with("HTTP/1.0 200"), "{page}");
    let path = disk.at.display().to_string();
    assert!(page.contains("degraded") && page.contains(&format!("{path} is offline")), "{page}");
    let dirs = client.log_dirs();
    assert_eq!(dirs.len(), 2);
    for dir in dirs {
        let is_lost = dir.path == path;
        let expected = if is_lost { KAFKA_STORAGE_ERROR } else { NONE };
        assert_eq!(dir.error, expected, "{dir:?}");
        assert_eq!(dir.partitions.is_empty(), is_lost, "{dir:?}");
    }
    let says = |line: &str| line.contains(&path) && line.contains("goes offline");
    assert!(broker.output().lines().any(says), "{}", broker.output());
}

/// Topics are made and deleted beside it, and land where it works.
fn judge_admin(broker: &Broker, client: &mut Client) {
    assert_eq!(client.create("late", 4, &[]), NONE);
    for partition in 0..4 {
        let sent = eventually(LIMIT, || client.send("late", partition, &[b"x"]).0 == NONE);
        assert!(sent, "late-{partition}\n{}", broker.output());
    }
}
