//! The process itself: how it starts, what it says, how it ends, and that a start that cannot
//! work says why in one line and touches nothing.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use compat_tests::broker::{Broker, Kind, gofka_command};
use compat_tests::process::{Process, eventually};
use compat_tests::{ports, wire};

const LIMIT: Duration = Duration::from_secs(20);

/// What a start that failed left behind.
struct Failure {
    code: Option<i32>,
    lines: Vec<String>,
}

/// Starts `gofka` on `log_dir` with more arguments, and waits for its end.
fn fail(log_dir: &Path, arguments: &[String]) -> Failure {
    let mut command = gofka_command();
    let http = format!("--http.addr=127.0.0.1:{}", ports::free());
    command.arg(http).arg(format!("--raft.addr=127.0.0.1:{}", ports::free()));
    command.arg(format!("--log.dir={}", log_dir.display())).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::spawn(&mut command, None).expect("the binary starts");
    let Some(status) = process.wait(LIMIT) else { panic!("{arguments:?}: still running") };
    let mut text = String::new();
    process.child().stderr.take().expect("a pipe").read_to_string(&mut text).expect("utf-8");
    process.child().stdout.take().expect("a pipe").read_to_string(&mut text).expect("utf-8");
    Failure { code: status.code(), lines: text.lines().map(str::to_string).collect() }
}

/// One line that says all of `words`, and exit code 1.
fn assert_says(failure: &Failure, words: &[&str]) {
    assert_eq!(failure.code, Some(1), "{:?}", failure.lines);
    assert_eq!(failure.lines.len(), 1, "one line: {:?}", failure.lines);
    for word in words {
        assert!(failure.lines[0].contains(word), "no {word:?} in {:?}", failure.lines[0]);
    }
}

fn address(port: u16) -> String {
    format!("--addr=127.0.0.1:{port}")
}

#[test]
fn a_start_prints_one_line_that_says_what_there_is() {
    let broker = Broker::start(Kind::Gofka, &[]);
    let data = broker.data_dir().display().to_string();
    assert!(eventually(LIMIT, || broker.output().contains("listening")), "{}", broker.output());
    let output = broker.output();
    let line = output.lines().find(|line| line.contains("listening")).expect("a line");
    for word in [broker.bootstrap().as_str(), data.as_str(), "kcat"] {
        assert!(line.contains(word), "no {word:?} in {line:?}");
    }
    let durability = ["auto", "fsync", "page-cache"];
    assert!(durability.iter().any(|mode| line.contains(mode)), "no durability in {line:?}");
}

#[test]
fn sigterm_ends_it_cleanly_and_soon() {
    let mut broker = Broker::start(Kind::Gofka, &[]);
    let idle = wire::connect(broker.address(), LIMIT).expect("a connection");
    let since = Instant::now();
    broker.stop();
    assert!(since.elapsed() < Duration::from_secs(10), "took {:?}", since.elapsed());
    assert!(!wire::answers(broker.address()));
    drop(idle);
    broker.resume();
}

#[test]
fn an_address_without_host_serves_both_families() {
    let dir = tempfile::tempdir().expect("a folder");
    let port = ports::free();
    let mut command = gofka_command();
    command
        .arg(format!("--addr=:{port}"))
        .arg(format!("--http.addr=127.0.0.1:{}", ports::free()))
        .arg(format!("--raft.addr=127.0.0.1:{}", ports::free()))
        .arg(format!("--log.dir={}", dir.path().join("data").display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _process = Process::spawn(&mut command, None).expect("the binary starts");
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    assert!(eventually(LIMIT, || wire::answers(v4)), "no answer over IPv4");
    assert!(wire::answers(v6), "no answer over IPv6");
}

#[test]
fn http_says_that_it_is_ready_and_what_it_did() {
    let broker = Broker::start(Kind::Gofka, &[]);
    let get = |path: &str| -> String {
        let mut stream = wire::connect(broker.http_address(), LIMIT).expect("a connection");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    assert!(eventually(LIMIT, || get("/health/ready").starts_with("HTTP/1.1 200")));
    assert!(get("/health/live").starts_with("HTTP/1.1 200"));
    let health = get("/health");
    assert!(health.contains("healthy") && health.contains("storage"), "{health}");
    let metrics = get("/metrics");
    assert!(metrics.contains("gofka_broker_up"), "{metrics}");
    assert!(metrics.contains("gofka_connections_accepted_total"), "{metrics}");
}

#[test]
fn an_address_in_use_is_named_and_nothing_is_touched() {
    let dir = tempfile::tempdir().expect("a folder");
    let port = ports::free();
    let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a free port");
    let data = dir.path().join("data");
    let failure = fail(&data, &[address(port)]);
    assert_says(&failure, &[&format!("127.0.0.1:{port}"), "in use"]);
    assert!(!data.exists(), "the data folder was made");
}

#[test]
fn a_directory_of_another_broker_is_refused() {
    let broker = Broker::start(Kind::Gofka, &[]);
    let data = broker.data_dir();
    let failure = fail(&data, &[address(ports::free())]);
    assert_says(&failure, &[&data.display().to_string()]);
    assert!(wire::answers(broker.address()), "the first broker goes on");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("file");
    fs::write(&file, "mine").expect("a file");
    for impossible in [&file.join("data"), &file] {
        let failure = fail(impossible, &[address(ports::free())]);
        assert_says(&failure, &[&impossible.display().to_string()]);
    }
    assert_eq!(fs::read_to_string(&file).expect("the file"), "mine");
}

#[test]
fn an_unknown_setting_is_named_with_its_nearest_neighbour() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let set = ["--set".to_string(), "num.partitons=3".to_string()];
    let failure = fail(&data, &set);
    assert_says(&failure, &["num.partitons", "num.partitions"]);
    assert!(!data.exists(), "the data folder was made");
}

#[test]
fn every_wrong_setting_is_listed_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let set = ["--set", "num.partitions=many", "--set", "log.segment.bytes=1"];
    let failure = fail(&data, &set.map(str::to_string));
    assert_eq!(failure.code, Some(1), "{:?}", failure.lines);
    for (word, value) in [("num.partitions", "many"), ("log.segment.bytes", "1")] {
        let named = |line: &&String| line.contains(word) && line.contains(value);
        assert!(failure.lines.iter().any(|l| named(&l)), "{word}: {:?}", failure.lines);
    }
    assert!(!data.exists(), "the data folder was made");
}

#[test]
fn a_configuration_file_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("none.toml").display().to_string();
    let failure = fail(&dir.path().join("data"), &["--config".into(), file.clone()]);
    assert_says(&failure, &[&file]);
}

#[test]
fn a_file_in_kafkas_form_is_taken() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("server.properties");
    let port = ports::free();
    let text = format!(
        "# as Kafka writes it\nlisteners=PLAINTEXT://127.0.0.1:{port}\nlog.dirs={}\n\
         num.partitions=4\n",
        dir.path().join("data").display()
    );
    fs::write(&file, text).expect("a file");
    let mut command = gofka_command();
    command
        .arg(format!("--config={}", file.display()))
        .arg(format!("--http.addr=127.0.0.1:{}", ports::free()))
        .arg(format!("--raft.addr=127.0.0.1:{}", ports::free()))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _process = Process::spawn(&mut command, None).expect("the binary starts");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    assert!(eventually(LIMIT, || wire::answers(address)), "no answer on {address}");
    assert!(dir.path().join("data").exists());
}
