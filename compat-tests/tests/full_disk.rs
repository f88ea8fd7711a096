//! A disk without room: producing is refused with an error that clients retry, everything else
//! goes on, and producing comes back by itself. The test mounts a small file system of its own,
//! which takes root, in a mount namespace of its own, so that a killed test leaves no mount.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use compat_tests::broker::{Broker, Kind, kafka_command};
use compat_tests::process::{Process, eventually};
use compat_tests::setup::Tool;
use compat_tests::wire;

const LIMIT: Duration = Duration::from_secs(30);
/// For the whole test, which is another process.
const TEST_LIMIT: Duration = Duration::from_secs(600);
/// Long enough for any broker that takes records.
const ACCEPTED: Duration = Duration::from_secs(30);
/// Long enough to be told no by a broker that is known to take none.
const REFUSED: Duration = Duration::from_secs(2);
/// Set where the test runs in its own mount namespace.
const INSIDE: &str = "COMPAT_MOUNTS_ARE_PRIVATE";
const DISK: u64 = 64 << 20;
const KEPT_FREE: u64 = 16 << 20;
/// One record of each batch that is produced here.
const RECORD: usize = 500_000;

/// A file system in memory, unmounted with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: PathBuf) -> Self {
        fs::create_dir_all(&at).expect("a folder to mount on");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={DISK}"), "tmpfs"]).arg(&at);
        assert!(mount.status().expect("mount runs").success(), "mounting takes root");
        Self(at)
    }

    /// Writes a file until there is no room at all.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut filler = File::create(&path).expect("a new file");
        while filler.write_all(&[7; 4096]).is_ok() {}
        path
    }
}

impl SmallDisk {
    /// Takes what has become free since `filler` was written.
    fn use_up(&self, filler: &Path) {
        let mut filler = File::options().append(true).open(filler).expect("the filler");
        while filler.write_all(&[7; 4096]).is_ok() {}
        assert_eq!(free(&self.0), 0);
    }
}

fn no_folder_of(dir: &Path, topic: &str) -> bool {
    let entries = fs::read_dir(dir).expect("the directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    !names.into_iter().any(|name| name.to_string_lossy().starts_with(topic))
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Where it fails, the mount ends with its namespace.
        Command::new("umount").arg("--lazy").arg(&self.0).status().ok();
    }
}

/// What was produced and what became of it. Each record has its number as its key.
#[derive(Default)]
struct Sent {
    count: u32,
    acknowledged: BTreeSet<u32>,
}

impl Sent {
    /// Produces one record; whether it was acknowledged within `limit` and before `give_up`.
    fn produce(
        &mut self,
        broker: &Broker,
        topic: &str,
        limit: Duration,
        give_up: fn(&Broker) -> bool,
    ) -> bool {
        self.count += 1;
        let timeout = format!("message.timeout.ms={}", limit.as_millis());
        let mut kcat = Command::new("kcat");
        kcat.args(["-P", "-t", topic, "-k", &self.count.to_string(), "-b", &broker.bootstrap()]);
        kcat.args(["-X", "enable.idempotence=true", "-X", &timeout]);
        let kcat = kcat.stdin(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut kcat = kcat.expect("kcat runs");
        let mut input = kcat.stdin.take().expect("a pipe");
        input.write_all(&vec![b'x'; RECORD]).expect("kcat reads");
        drop(input);
        let mut status = kcat.try_wait().expect("kcat can be waited for");
        eventually(limit + REFUSED, || {
            status = kcat.try_wait().expect("kcat can be waited for");
            status.is_some() || give_up(broker)
        });
        kcat.kill().ok();
        kcat.wait().expect("kcat ends");
        let acknowledged = status.is_some_and(|status| status.success());
        if acknowledged {
            self.acknowledged.insert(self.count);
        }
        acknowledged
    }

    /// Reads with kcat: all that was acknowledged is there, and nothing twice. A record whose
    /// answer came too late may be there as well.
    fn assert_read(&self, broker: &Broker, arguments: &[&str]) {
        let mut kcat = Command::new("kcat");
        kcat.args(["-e", "-q", "-f", "%k\n", "-b", &broker.bootstrap()]).args(arguments);
        let output = kcat.output().expect("kcat runs");
        let keys = String::from_utf8(output.stdout).expect("utf-8");
        let mut seen = BTreeSet::new();
        for key in keys.lines().map(|key| key.parse::<u32>().expect("a number")) {
            assert!(seen.insert(key), "record {key} is there twice");
        }
        assert!(seen.is_superset(&self.acknowledged), "{:?}, read {seen:?}", self.acknowledged);
    }
}

fn topics(broker: &Broker, arguments: &[&str]) {
    let mut tool = kafka_command("org.apache.kafka.tools.TopicCommand");
    let output = tool.args(["--bootstrap-server", &broker.bootstrap()]).args(arguments).output();
    let output = output.expect("java runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn health(broker: &Broker) -> String {
    wire::get(broker.http_address(), "/health", LIMIT).expect("the health page")
}

fn free(path: &Path) -> u64 {
    let stat = rustix::fs::statvfs(path).expect("a mounted folder");
    stat.f_bavail * stat.f_frsize
}

fn never(_: &Broker) -> bool {
    false
}

fn too_full(broker: &Broker) -> bool {
    health(broker).contains("too few to produce")
}

#[test]
fn a_disk_with_too_little_room_stops_producing_and_nothing_else() {
    if env::var_os(INSIDE).is_some() {
        return on_a_small_disk();
    }
    Tool::Kafka.ensure();
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "--propagation", "private"]);
    inside.arg(env::current_exe().expect("a binary")).arg("--nocapture").env(INSIDE, "1");
    let mut inside = Process::spawn(&mut inside, None).expect("unshare runs");
    let status = inside.wait(TEST_LIMIT).expect("the test ends");
    assert!(status.success(), "{status}; without root it cannot mount its disk");
}

fn on_a_small_disk() {
    let kept = KEPT_FREE.to_string();
    let settings =
        [("log.dir.min.free.bytes", kept.as_str()), ("log.segment.delete.delay.ms", "1")];
    let mut broker = Broker::prepare(Kind::Gofka, &settings);
    let disk = SmallDisk::mount(broker.data_dir());
    broker.resume();
    // Without records: its deletion must not make room.
    topics(&broker, &["--create", "--topic", "doomed"]);
    let mut filling = Sent::default();
    while !too_full(&broker) {
        let accepted = filling.produce(&broker, "filling", ACCEPTED, too_full);
        assert!(accepted || too_full(&broker), "{}", broker.output());
        assert!(u64::from(filling.count) < DISK / RECORD as u64, "more than there is room for");
    }
    // The step at which it looks is an eighth of what is kept.
    let left = free(&disk.0);
    assert!(left < KEPT_FREE + RECORD as u64 && left > KEPT_FREE / 2, "{left} bytes are free");
    assert!(!filling.produce(&broker, "filling", REFUSED, never));
    // What another process takes makes it really full.
    let filler = disk.fill();
    assert!(!filling.produce(&broker, "filling", REFUSED, never));
    filling.assert_read(&broker, &["-C", "-t", "filling"]);
    // Not a byte is left: the controller's log lives on what was kept for it.
    disk.use_up(&filler);
    topics(&broker, &["--delete", "--topic", "doomed"]);
    assert!(eventually(LIMIT, || no_folder_of(&disk.0, "doomed")), "{}", broker.output());
    fs::remove_file(filler).expect("a removable file");
    assert!(!filling.produce(&broker, "filling", REFUSED, never));
    topics(&broker, &["--create", "--topic", "late"]);
    // A group commits what it has read.
    let group = ["-X", "auto.offset.reset=earliest", "-G", "readers", "filling"];
    filling.assert_read(&broker, &group);
    topics(&broker, &["--delete", "--topic", "filling"]);
    let mut late = Sent::default();
    assert!(late.produce(&broker, "late", ACCEPTED, never), "{}", broker.output());
    assert!(eventually(LIMIT, || health(&broker).contains("all directories work")));
    broker.stop();
    broker.resume();
    late.assert_read(&broker, &["-C", "-t", "late"]);
    broker.stop();
}
