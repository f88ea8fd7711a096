//! The main job on real input: the package index of this machine's distribution, keyed by
//! package name, produced with kcat and zstd into six partitions, read by a Java, a Python and a
//! Go consumer group while the broker is killed (-9) and started again half-way. Every group
//! must end with every record, exactly, in order per key.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use compat_tests::broker::{Broker, Kind};
use compat_tests::driver::{Collected, Driver, WholeTopic, driver};
use compat_tests::judge::brokers;
use compat_tests::process::{Process, eventually};
use compat_tests::setup::Tool;

/// One of each language.
const GROUPS: [&str; 3] = ["kafka-clients", "confluent-kafka", "franz-go"];
const TOPIC: &str = "packages";
/// Bytes that occur in no stanza: they end a key and a record on kcat's input.
const KEY_END: u8 = 0x1f;
const RECORD_END: u8 = 0x1e;
const LIMIT: Duration = Duration::from_secs(180);

/// A stanza of the package index under its package's name.
struct Package {
    name: String,
    stanza: String,
}

fn package_index() -> Vec<Package> {
    let stanzas = || {
        let output = Command::new("apt-cache").arg("dumpavail").output().expect("apt-cache runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let mut text = stanzas();
    if text.len() < 1_000_000 {
        // A machine that has not looked yet; without the right to look, what is there must do.
        Command::new("apt-get").args(["update", "-qq"]).output().ok();
        text = stanzas();
    }
    let stanzas = text.split("\n\n").map(str::trim_end).filter(|stanza| !stanza.is_empty());
    let package = |stanza: &str| {
        let name = stanza.lines().find_map(|line| line.strip_prefix("Package: "));
        Package { name: name.expect("a package has a name").into(), stanza: stanza.into() }
    };
    stanzas.map(package).collect()
}

/// SHA-256 of the records by key, and within a key as they were sent: what a group must find.
fn checksum(packages: &[Package]) -> String {
    let mut by_key: Vec<&Package> = packages.iter().collect();
    by_key.sort_by_key(|package| package.name.as_bytes());
    let mut sum = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sha256sum runs");
    let mut bytes = Vec::new();
    for package in by_key {
        for part in [&package.name, &package.stanza] {
            bytes.extend((part.len() as u32).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
    }
    sum.stdin.take().expect("a pipe").write_all(&bytes).expect("sha256sum reads");
    let output = sum.wait_with_output().expect("sha256sum ends");
    String::from_utf8_lossy(&output.stdout).split(' ').next().expect("a sum").into()
}

/// Writes every record to kcat; in the middle it waits until the broker is about to be killed.
fn feed(mut kcat: ChildStdin, packages: &[Package], go_on: &Receiver<()>) {
    for (index, package) in packages.iter().enumerate() {
        if index == packages.len() / 2 {
            go_on.recv_timeout(LIMIT).expect("the other half is wanted");
        }
        let mut record = package.name.clone().into_bytes();
        record.push(KEY_END);
        record.extend(package.stanza.as_bytes());
        record.push(RECORD_END);
        kcat.write_all(&record).expect("kcat reads");
    }
}

/// A group that reads, and how far it has come.
struct Group {
    client: &'static str,
    process: Process,
}

impl Group {
    fn start(driver: Driver, what: WholeTopic) -> Self {
        let mut command = driver.consume_all(what);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let process = Process::spawn(&mut command, None).expect("the driver starts");
        Self { client: driver.client, process }
    }

    /// Follows the driver to its end, keeping `read` at the number of records it has.
    fn follow(mut self, read: &AtomicUsize) -> Result<Collected, String> {
        let errors = self.process.child().stderr.take().expect("a pipe");
        let mut said = String::new();
        for line in BufReader::new(errors).lines().map_while(Result::ok) {
            if let Some(count) = line.strip_prefix("PROGRESS ") {
                read.store(count.trim().parse().unwrap_or(0), Ordering::Relaxed);
            } else {
                said = line;
            }
        }
        let mut answer = String::new();
        let output = self.process.child().stdout.as_mut().expect("a pipe");
        output.read_to_string(&mut answer).ok();
        let last = answer.lines().last().unwrap_or_default();
        serde_json::from_str(last).map_err(|_| format!("{}: {last} {said}", self.client))
    }
}

fn kcat(bootstrap: &str) -> Process {
    let mut command = Command::new("kcat");
    command
        .args(["-P", "-E", "-q", "-b", bootstrap, "-t", TOPIC, "-z", "zstd"])
        .args(["-K", "\u{1f}", "-D", "\u{1e}"])
        .args(["-X", "enable.idempotence=true", "-X", "reconnect.backoff.max.ms=500"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Process::spawn(&mut command, None).expect("kcat starts")
}

fn run(kind: Kind, drivers: &[Driver]) {
    let packages = package_index();
    let expected = checksum(&packages);
    let bytes: usize = packages.iter().map(|package| package.stanza.len()).sum();
    let mut broker = Broker::start(kind, &[("num.partitions", "6")]);
    let bootstrap = broker.bootstrap();
    // What is in kcat's own buffer then has not been sent.
    let (count, enough) = (packages.len(), packages.len() * 2 / 5);
    println!("{count} packages, {} MB, by kcat with zstd into 6 partitions", bytes / 1_000_000);
    let read: Vec<AtomicUsize> = drivers.iter().map(|_| AtomicUsize::new(0)).collect();
    let (other_half, go_on) = sync_channel(1);
    let mut producer = kcat(&bootstrap);
    let input = producer.child().stdin.take().expect("a pipe");
    let collected: Vec<Result<Collected, String>> = thread::scope(|scope| {
        let packages = &packages;
        scope.spawn(move || feed(input, packages, &go_on));
        let follow = |(driver, read): (&Driver, _)| {
            let group = format!("readers-{}", driver.client);
            let (bootstrap, group) = (bootstrap.as_str(), group.as_str());
            let what = WholeTopic { bootstrap, group, topic: TOPIC, records: count };
            let group = Group::start(*driver, what);
            scope.spawn(move || group.follow(read))
        };
        let groups: Vec<_> = drivers.iter().zip(&read).map(follow).collect();
        let furthest = || read.iter().map(|r| r.load(Ordering::Relaxed)).max().unwrap_or(0);
        assert!(eventually(LIMIT, || furthest() >= enough), "no group came half-way");
        let read: Vec<usize> = read.iter().map(|r| r.load(Ordering::Relaxed)).collect();
        other_half.send(()).expect("kcat is being fed");
        broker.kill();
        let since = Instant::now();
        broker.resume();
        println!("killed (-9) with {read:?} read; serving again after {:.1?}", since.elapsed());
        groups.into_iter().map(|group| group.join().expect("the reader ends")).collect()
    });
    let delivered = producer.wait(LIMIT).is_some_and(|status| status.success());
    assert!(delivered, "kcat did not deliver every record");
    for outcome in collected {
        let group = outcome.unwrap_or_else(|error| panic!("{error}"));
        let Collected { client, count: read, duplicates, order_ok, checksum } = group;
        let order = if order_ok { "in order per key" } else { "OUT OF ORDER" };
        println!("{client:>16}: {read} read ({duplicates} twice), {order}, sha256 {checksum}");
        assert_eq!((read, order_ok), (count, true), "{client}");
        assert_eq!(checksum, expected, "{client} read something else than was sent");
    }
}

#[test]
fn every_group_reads_the_whole_package_index_through_a_crash() {
    Tool::Kcat.ensure();
    let drivers = GROUPS.map(driver);
    for driver in &drivers {
        driver.tool.ensure();
    }
    // Apache Kafka is for calibrating this test alone.
    let kind = if brokers() == [Kind::Kafka] { Kind::Kafka } else { Kind::Gofka };
    if kind == Kind::Kafka {
        Tool::Kafka.ensure();
    }
    run(kind, &drivers);
}
