//! A disk without room: producing is refused with an error that clients retry, everything else
//! goes on, and producing comes back by itself. Each test mounts a small file system of its own,
//! which takes root.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use compat_tests::broker::{Broker, Kind, kafka_command};
use compat_tests::process::eventually;
use compat_tests::setup::Tool;
use compat_tests::wire;

const LIMIT: Duration = Duration::from_secs(30);
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

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays", self.0.display());
    }
}

/// Produces one record; whether it was acknowledged within two seconds.
fn produce(broker: &Broker, topic: &str) -> bool {
    let mut kcat = Command::new("kcat");
    kcat.args(["-P", "-t", topic, "-X", "message.timeout.ms=2000", "-b", &broker.bootstrap()]);
    let mut kcat = kcat.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("kcat runs");
    let mut input = kcat.stdin.take().expect("a pipe");
    input.write_all(&vec![b'x'; RECORD]).expect("kcat reads");
    drop(input);
    kcat.wait().expect("kcat ends").success()
}

fn consume(broker: &Broker, arguments: &[&str]) -> usize {
    let mut kcat = Command::new("kcat");
    kcat.args(["-C", "-e", "-q", "-f", "%o\n", "-b", &broker.bootstrap()]).args(arguments);
    let output = kcat.output().expect("kcat runs");
    String::from_utf8_lossy(&output.stdout).lines().count()
}

fn topics(broker: &Broker, arguments: &[&str]) {
    let mut tool = kafka_command("org.apache.kafka.tools.TopicCommand");
    let output = tool.args(["--bootstrap-server", &broker.bootstrap()]).args(arguments).output();
    let output = output.expect("java runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn health(broker: &Broker) -> String {
    let mut page = String::new();
    let asked = wire::connect(broker.http_address(), LIMIT).and_then(|mut stream| {
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n")?;
        stream.read_to_string(&mut page)
    });
    asked.expect("the health page");
    page
}

fn free(path: &Path) -> u64 {
    let stat = rustix::fs::statvfs(path).expect("a mounted folder");
    stat.f_bavail * stat.f_frsize
}

#[test]
fn a_disk_with_too_little_room_stops_producing_and_nothing_else() {
    Tool::Kafka.ensure();
    let kept = KEPT_FREE.to_string();
    let settings =
        [("log.dir.min.free.bytes", kept.as_str()), ("log.segment.delete.delay.ms", "1")];
    let mut broker = Broker::prepare(Kind::Gofka, &settings);
    let disk = SmallDisk::mount(broker.data_dir());
    broker.resume();
    let begun = Instant::now();
    let mut acknowledged = 0;
    while produce(&broker, "filling") {
        acknowledged += 1;
        assert!(begun.elapsed() < LIMIT, "{acknowledged} records and no end");
    }
    // The step at which it looks is an eighth of what is kept.
    let left = free(&disk.0);
    assert!(left < KEPT_FREE + RECORD as u64 && left > KEPT_FREE / 2, "{left} bytes are free");
    assert!(health(&broker).contains("too few to produce"), "{}", health(&broker));
    // What another process takes makes it really full.
    let filler = disk.fill();
    assert!(!produce(&broker, "filling"));
    assert_eq!(consume(&broker, &["-t", "filling"]), acknowledged);
    fs::remove_file(filler).expect("a removable file");
    assert!(!produce(&broker, "filling"));
    topics(&broker, &["--create", "--topic", "late"]);
    let mut kcat = Command::new("kcat");
    kcat.args(["-e", "-q", "-f", "%o\n", "-X", "auto.offset.reset=earliest", "-b"]);
    let read = kcat.args([&broker.bootstrap(), "-G", "readers", "filling"]).output();
    let read = String::from_utf8_lossy(&read.expect("kcat runs").stdout).lines().count();
    assert_eq!(read, acknowledged, "a group commits what it has read");
    topics(&broker, &["--delete", "--topic", "filling"]);
    assert!(eventually(LIMIT, || produce(&broker, "late")), "{}", broker.output());
    assert!(health(&broker).contains("all directories work"), "{}", health(&broker));
    broker.stop();
    broker.resume();
    assert_eq!(consume(&broker, &["-t", "late"]), 1);
    broker.stop();
}
