//! Log directories that are not as this node left them: what no start can make right is refused
//! in one line that says what to do, and nothing is touched; the rest is put aside or left alone.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use compat_tests::broker::{Broker, Kind, gofka_command};
use compat_tests::ports;

const RECORD: &str = "kept";

fn kcat(broker: &Broker, arguments: &[&str], input: &str) -> String {
    let mut kcat = Command::new("kcat");
    kcat.args(arguments).args(["-q", "-b", &broker.bootstrap()]);
    let mut child = kcat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("kcat runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("kcat reads");
    let output = child.wait_with_output().expect("kcat ends");
    assert!(output.status.success(), "kcat {arguments:?}");
    String::from_utf8(output.stdout).expect("utf-8")
}

fn produce(broker: &Broker, topic: &str) {
    kcat(broker, &["-P", "-t", topic], &format!("{RECORD}\n"));
}

fn records(broker: &Broker, topic: &str) -> String {
    kcat(broker, &["-C", "-e", "-o", "beginning", "-t", topic], "")
}

/// A stopped broker with a record in `orders-0`.
fn stopped() -> Broker {
    let mut broker = Broker::start(Kind::Gofka, &[]);
    produce(&broker, "orders");
    broker.stop();
    broker
}

/// What a path is: a file's text, a link's target, or nothing for a folder.
fn tree(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a folder") {
        let entry = entry.expect("an entry");
        let (path, kind) = (entry.path(), entry.file_type().expect("a kind"));
        let text = if kind.is_symlink() {
            fs::read_link(&path).expect("a link").into_os_string().into_encoded_bytes()
        } else if kind.is_dir() {
            found.extend(tree(&path));
            Vec::new()
        } else {
            fs::read(&path).expect("a readable file")
        };
        found.insert(path, text);
    }
    found
}

/// Flags that start a node on `dirs`.
fn flags(dirs: &[&Path]) -> Vec<String> {
    let dirs: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    vec![
        format!("--addr=127.0.0.1:{}", ports::free()),
        "--http.addr=127.0.0.1:0".to_owned(),
        "--raft.addr=127.0.0.1:0".to_owned(),
        format!("--log.dirs={}", dirs.join(",")),
    ]
}

/// The one line of a start that fails.
fn line_of(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("utf-8");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

/// The line with which a start on `dirs` is refused; that it contains every part of `says`, and
/// that nothing has changed.
fn refused(dirs: &[&Path], more: &[&str], says: &[&str]) {
    let before: Vec<_> = dirs.iter().map(|dir| dir.exists().then(|| tree(dir))).collect();
    let line = line_of(gofka_command().args(flags(dirs)).args(more));
    for part in says {
        assert!(line.contains(part), "{part:?} is not in {line}");
    }
    let after: Vec<_> = dirs.iter().map(|dir| dir.exists().then(|| tree(dir))).collect();
    assert!(before == after, "{line}: something was changed");
}

fn serves_again(broker: &mut Broker) {
    broker.resume();
    assert_eq!(records(broker, "orders").trim(), RECORD);
}

#[test]
fn another_nodes_directory_is_refused() {
    let mut broker = stopped();
    let dir = broker.data_dir();
    refused(&[&dir], &["--node.id=7"], &["belongs to node 0, not to 7"]);
    serves_again(&mut broker);
}

#[test]
fn another_clusters_directory_is_refused() {
    let (mut one, other) = (stopped(), stopped());
    let (dir, foreign) = (one.data_dir(), other.data_dir());
    refused(&[&dir, &foreign], &[], &["belongs to cluster", foreign.to_str().expect("utf-8")]);
    serves_again(&mut one);
}

#[test]
fn a_directory_of_an_unknown_release_is_refused() {
    let mut broker = stopped();
    let path = broker.data_dir().join("meta.properties");
    let text = fs::read_to_string(&path).expect("the file");
    fs::write(&path, text.replace("version=1", "version=9")).expect("a writable file");
    refused(&[&broker.data_dir()], &[], &["version 9"]);
    fs::write(&path, text).expect("a writable file");
    serves_again(&mut broker);
}

#[test]
fn partitions_without_meta_properties_are_refused() {
    let mut broker = stopped();
    let (dir, aside) = (broker.data_dir(), broker.data_dir().with_extension("aside"));
    fs::rename(dir.join("meta.properties"), &aside).expect("a file");
    refused(&[&dir], &[], &["no meta.properties", "put that file back"]);
    fs::rename(&aside, dir.join("meta.properties")).expect("a file");
    serves_again(&mut broker);
}

#[test]
fn a_link_out_of_the_directory_is_refused() {
    let mut broker = stopped();
    let (dir, aside) = (broker.data_dir(), broker.data_dir().with_extension("aside"));
    for inside in ["orders-0", "orders-0/00000000000000000000.log"] {
        let path = dir.join(inside);
        fs::rename(&path, &aside).expect("a file or folder");
        symlink(&aside, &path).expect("a link");
        let kept = fs::metadata(&aside).expect("the target").len();
        refused(&[&dir], &[], &["a symbolic link", inside, "in the place of the link"]);
        assert_eq!(fs::metadata(&aside).expect("the target").len(), kept);
        fs::remove_file(&path).expect("the link");
        fs::rename(&aside, &path).expect("a file or folder");
    }
    serves_again(&mut broker);
}

#[test]
fn a_partition_in_two_directories_is_refused() {
    let mut broker = stopped();
    let (dir, second) = (broker.data_dir(), broker.data_dir().with_extension("second"));
    fs::create_dir(&second).expect("a folder");
    let meta = fs::read_to_string(dir.join("meta.properties")).expect("the file");
    let other = meta.lines().filter(|line| !line.starts_with("directory.id"));
    let other: String = other.flat_map(|line| [line, "\n"]).collect();
    fs::write(second.join("meta.properties"), other).expect("a new file");
    fs::create_dir(second.join("orders-0")).expect("a folder");
    for entry in fs::read_dir(dir.join("orders-0")).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), second.join("orders-0").join(entry.file_name())).expect("a copy");
    }
    refused(&[&dir, &second], &[], &["holds orders-0, and so does", "move away"]);
    serves_again(&mut broker);
}

#[test]
fn a_directory_in_use_is_refused_before_another_one_is_made() {
    let broker = Broker::start(Kind::Gofka, &[]);
    let (dir, new) = (broker.data_dir(), broker.data_dir().with_extension("new"));
    let line = line_of(gofka_command().args(flags(&[&new, &dir])));
    assert!(line.contains("in use by another broker"), "{line}");
    assert!(!new.exists());
}

#[test]
fn a_directory_without_permission_is_refused() {
    let mut broker = stopped();
    let dir = broker.data_dir();
    // Root, for which alone this makes a difference, keeps only what any owner may do.
    let mut plain = Command::new("setpriv");
    plain.args(["--bounding-set=-dac_override,-dac_read_search", "--"]);
    plain.arg(gofka_command().get_program()).args(flags(&[&dir]));
    fs::remove_file(dir.join(".lock")).expect("a file");
    let before = tree(&dir);
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o555)).expect("an owner");
    let line = line_of(&mut plain);
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).expect("an owner");
    assert!(line.contains("may not write there") && line.contains("chown"), "{line}");
    assert_eq!(tree(&dir), before);
    serves_again(&mut broker);
}

#[test]
fn a_read_only_file_system_is_refused() {
    let mut broker = stopped();
    let dir = broker.data_dir();
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"";
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "sh", "-c", script]).arg(&dir);
    inside.arg(gofka_command().get_program()).args(flags(&[&dir]));
    let before = tree(&dir);
    let line = line_of(&mut inside);
    assert!(line.contains("read-only: mount it read-write"), "{line} (mounting takes root)");
    assert_eq!(tree(&dir), before);
    serves_again(&mut broker);
}

#[test]
fn what_is_not_the_brokers_is_left_alone() {
    let mut broker = stopped();
    let dir = broker.data_dir();
    let foreign = ["lost+found", "backup", "orders-old", "orders-01"];
    for name in foreign {
        fs::create_dir(dir.join(name)).expect("a folder");
        fs::write(dir.join(name).join("00000000000000000000.log"), "mine").expect("a file");
    }
    fs::write(dir.join("orders-7"), "a file by a partition's name").expect("a file");
    serves_again(&mut broker);
    broker.stop();
    for name in foreign {
        let path = dir.join(name).join("00000000000000000000.log");
        assert_eq!(fs::read(path).expect("it is there"), b"mine");
    }
    assert!(dir.join("orders-7").is_file());
}

#[test]
fn a_log_that_does_not_know_its_topic_is_told_by_its_name() {
    let mut broker = stopped();
    let path = broker.data_dir().join("orders-0/partition.metadata");
    let text = fs::read(&path).expect("a file");
    fs::remove_file(&path).expect("a file");
    serves_again(&mut broker);
    assert_eq!(fs::read(&path).expect("it was written again"), text);
}

#[test]
fn a_log_of_another_topic_is_set_aside_and_kept() {
    let mut broker = stopped();
    let dir = broker.data_dir();
    let path = dir.join("orders-0/partition.metadata");
    fs::write(&path, "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n").expect("a file");
    broker.resume();
    assert_eq!(records(&broker, "orders"), "");
    produce(&broker, "orders");
    assert_eq!(records(&broker, "orders").trim(), RECORD);
    assert!(broker.output().contains("set aside"), "{}", broker.output());
    let names = fs::read_dir(&dir).expect("a folder").flatten().map(|entry| entry.path());
    let aside = names.filter(|path| path.to_string_lossy().ends_with("-stray"));
    let aside: Vec<PathBuf> = aside.collect();
    assert_eq!(aside.len(), 1);
    let kept = fs::metadata(aside[0].join("00000000000000000000.log")).expect("its log");
    assert!(kept.len() > 0);
}
