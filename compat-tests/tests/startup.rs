//! The commands as people type them: the flags of each binary, files as Kafka has them, what each
//! listener tells its clients, and what a limit of connections does.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use compat_tests::broker::{Broker, Kind, gofka_command};
use compat_tests::process::{Process, eventually};
use compat_tests::{paths, ports, wire};

const LIMIT: Duration = Duration::from_secs(20);

/// A process, with what it prints in a file.
struct Started {
    process: Process,
    output: std::path::PathBuf,
}

impl Started {
    fn output(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }

    fn waits_for(&self, text: &str) {
        assert!(eventually(LIMIT, || self.output().contains(text)), "{}", self.output());
    }
}

/// One of the binaries beside `gofka`, from the newest build: a release need not hold them.
fn binary(name: &str) -> Command {
    let built = |profile: &str| {
        let path = paths::target().join(profile).join(name);
        let modified = path.metadata().and_then(|metadata| metadata.modified()).ok()?;
        Some((modified, path))
    };
    let newest = ["release", "debug"].into_iter().filter_map(built).max();
    let (_, path) = newest.unwrap_or_else(|| panic!("{name} has not been built"));
    let mut command = Command::new(path);
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("GOFKA_") {
            command.env_remove(variable);
        }
    }
    command
}

fn start(mut command: Command, dir: &Path) -> Started {
    let output = dir.join("output");
    let file = std::fs::File::create(&output).expect("a file");
    command.current_dir(dir).stdin(Stdio::null());
    command.stdout(file.try_clone().expect("a second handle")).stderr(file);
    Started { process: Process::spawn(&mut command, None).expect("the binary starts"), output }
}

/// The one line of a start that fails.
fn refusal(mut command: Command, dir: &Path) -> String {
    let output = command.current_dir(dir).stdin(Stdio::null()).output().expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("utf-8");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[test]
fn the_first_clusters_commands_start_or_say_what_is_missing() {
    let dir = tempfile::tempdir().expect("a folder");
    let [raft, http] = [(); 2].map(|()| ports::free());
    let mut controller = binary("gofka-controller");
    controller.args(["--node.id=c1", "--bootstrap"]);
    controller.arg(format!("--raft.addr=:{raft}")).arg(format!("--http.addr=:{http}"));
    let controller = start(controller, dir.path());
    controller.waits_for("gofka controller is listening on");

    let mut broker = binary("gofka-broker");
    broker.arg("--node.id=b1").arg(format!("--addr=:{}", ports::free()));
    broker.arg(format!("--peers=localhost:{raft}")).arg("--log.dir=data");
    let line = refusal(broker, dir.path());
    assert!(line.contains("not served yet") && line.contains("localhost"), "{line}");
    assert!(!dir.path().join("data").exists());

    // Nobody is answered on the internal port, and nobody is left to wait.
    let mut peer = wire::connect(loopback(raft), LIMIT).expect("a connection");
    assert_eq!(peer.read(&mut [0]).expect("an end"), 0);
    controller.waits_for("other nodes are not served yet");
}

#[test]
fn a_controller_refuses_the_flags_of_a_broker() {
    let dir = tempfile::tempdir().expect("a folder");
    for flag in ["--addr=:1", "--log.dir=data", "--log.dirs=data", "--min.insync.replicas=2"] {
        let mut command = binary("gofka-controller");
        command.arg(flag);
        assert!(refusal(command, dir.path()).contains("is for brokers"), "{flag}");
    }
}

#[test]
fn a_moved_default_port_adds_no_line_to_a_failure() {
    let dir = tempfile::tempdir().expect("a folder");
    // Whether the default port is taken by this or by something else does not matter.
    let _taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 8080));
    let mut command = gofka_command();
    command.arg(format!("--addr=127.0.0.1:{}", ports::free())).arg("--log.dir=/proc/none");
    command.arg(format!("--raft.addr=127.0.0.1:{}", ports::free()));
    let line = refusal(command, dir.path());
    assert!(line.contains("/proc/none"), "{line}");
}

/// What Kafka 4 ships as `server.properties` sets, with other ports and folders.
fn kafkas_file(dir: &Path, port: u16, controller: u16) -> String {
    format!(
        "! comments of both kinds\nprocess.roles=broker,controller\nnode.id = 1\n\
         controller.quorum.bootstrap.servers=localhost:{controller}\n\
         listeners=PLAINTEXT://:{port},\\\n    CONTROLLER://:{controller}\n\
         inter.broker.listener.name=PLAINTEXT\n\
         advertised.listeners=PLAINTEXT\\://localhost\\:{port},CONTROLLER://a:{controller}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL\n\
         num.network.threads=3\nnum.io.threads=8\nsocket.send.buffer.bytes=102400\n\
         socket.receive.buffer.bytes=102400\nsocket.request.max.bytes=104857600\n\
         log.dirs={}\nnum.partitions=1\nnum.recovery.threads.per.data.dir=1\n\
         offsets.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n\
         transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
         log.retention.hours=168\nlog.segment.bytes=1073741824\n\
         log.retention.check.interval.ms=300000\n",
        dir.join("data").display()
    )
}

#[test]
fn kafkas_file_starts_a_node_and_what_it_cannot_do_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let [port, controller] = [(); 2].map(|()| ports::free());
    let text = kafkas_file(dir.path(), port, controller);
    std::fs::write(dir.path().join("server.properties"), &text).expect("a file");
    let http = format!("--http.addr=127.0.0.1:{}", ports::free());

    let closed = format!("{text}authorizer.class.name=org.example.Authorizer\n");
    std::fs::write(dir.path().join("closed.properties"), closed).expect("a file");
    let mut command = gofka_command();
    command.arg("closed.properties").arg(&http);
    let line = refusal(command, dir.path());
    assert!(line.contains("authorizer.class.name") && line.contains("not served yet"), "{line}");
    assert!(!dir.path().join("data").exists());

    let mut command = gofka_command();
    command.args(["server.properties", "--override", "num.partitions=3"]).arg(&http);
    let node = start(command, dir.path());
    node.waits_for("gofka is listening on");
    assert!(wire::answers(loopback(port)));
    let unused = |line: &&str| line.contains("without effect") && line.contains("num.io.threads");
    assert_eq!(node.output().lines().filter(unused).count(), 1, "{}", node.output());
}

/// Host and port of the only broker, as Metadata version 1 tells them.
fn told(port: u16) -> (String, i32) {
    let mut stream = wire::connect(loopback(port), LIMIT).expect("a connection");
    stream.write_all(&wire::frame(3, 1, 1, &0_i32.to_be_bytes())).expect("a request");
    let (_, body) = wire::read_response(&mut stream).expect("an answer");
    let size = usize::from(u16::from_be_bytes([body[8], body[9]]));
    let host = String::from_utf8(body[10..10 + size].to_vec()).expect("utf-8");
    let port = body[10 + size..].first_chunk::<4>().expect("a port");
    (host, i32::from_be_bytes(*port))
}

#[test]
fn each_listener_tells_its_own_address() {
    let dir = tempfile::tempdir().expect("a folder");
    let [inside, outside] = [(); 2].map(|()| ports::free());
    let mut command = gofka_command();
    command
        .arg(format!("--listeners=INSIDE://127.0.0.1:{inside},OUTSIDE://localhost:{outside}"))
        .arg("--advertised.listeners=INSIDE://inside.example:1,OUTSIDE://outside.example:2")
        .arg("--listener.security.protocol.map=INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT")
        .arg("--http.addr=127.0.0.1:0")
        .arg("--raft.addr=127.0.0.1:0")
        .arg("--log.dir=data");
    let node = start(command, dir.path());
    node.waits_for("gofka is listening on");
    assert_eq!(told(inside), ("inside.example".to_owned(), 1));
    assert_eq!(told(outside), ("outside.example".to_owned(), 2));
}

/// One ApiVersions and its answer.
fn round_trip(stream: &mut TcpStream, correlation_id: i32) -> io::Result<()> {
    stream.write_all(&wire::api_versions(correlation_id))?;
    let (answered, _) = wire::read_response(stream)?;
    assert_eq!(answered, correlation_id);
    Ok(())
}

/// A connection that has its place within the limits, since it was answered.
fn admitted(address: SocketAddr) -> TcpStream {
    let mut found = None;
    // The probe that saw the broker answer has gone, but perhaps only just.
    let tried = eventually(LIMIT, || {
        let mut stream = wire::connect(address, LIMIT).expect("a connection");
        found = round_trip(&mut stream, 1).ok().map(|()| stream);
        found.is_some()
    });
    assert!(tried, "no connection is answered");
    found.expect("it was found")
}

#[test]
fn connections_beyond_the_limit_of_an_address_are_closed() {
    let one = Broker::start(Kind::Gofka, &[("max.connections.per.ip.overrides", "127.0.0.1:1")]);
    let mut first = admitted(one.address());
    let mut second = wire::connect(one.address(), LIMIT).expect("a connection");
    let end = second.read(&mut [0]);
    let closed = match &end {
        Ok(bytes) => *bytes == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    };
    assert!(closed, "{end:?}");
    round_trip(&mut first, 2).expect("the first one stays");
    drop(first);
    drop(admitted(one.address()));
}

#[test]
fn connections_beyond_the_limit_of_the_broker_wait() {
    let all = Broker::start(Kind::Gofka, &[("max.connections", "1")]);
    let mut first = admitted(all.address());
    let mut second = wire::connect(all.address(), LIMIT).expect("a connection");
    second.write_all(&wire::api_versions(2)).expect("a request");
    // Time enough for a broker without a limit.
    for turn in 0..200 {
        round_trip(&mut first, turn).expect("the first one is served");
    }
    second.set_nonblocking(true).expect("a socket");
    let early = second.read(&mut [0]).expect_err("no place is free");
    assert_eq!(early.kind(), ErrorKind::WouldBlock);
    second.set_nonblocking(false).expect("a socket");
    drop(first);
    assert_eq!(wire::read_response(&mut second).expect("an answer").0, 2);
}

#[test]
fn an_idle_connection_is_closed() {
    let broker = Broker::start(Kind::Gofka, &[("connections.max.idle.ms", "200")]);
    let mut idle = wire::connect(broker.address(), LIMIT).expect("a connection");
    assert_eq!(idle.read(&mut [0]).expect("an end"), 0);
}

#[test]
fn every_line_of_json_logs_is_json() {
    let dir = tempfile::tempdir().expect("a folder");
    let port = ports::free();
    let mut command = gofka_command();
    command
        .arg(format!("--addr=127.0.0.1:{port}"))
        .args(["--http.addr=127.0.0.1:0", "--raft.addr=127.0.0.1:0", "--log.dir=data"])
        .args(["--log.encoding=json", "--log.level=debug", "--num.io.threads=1"]);
    let mut node = start(command, dir.path());
    node.waits_for("gofka is listening on");
    let mut stream = wire::connect(loopback(port), LIMIT).expect("a connection");
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("a request");
    node.waits_for("speaks HTTP");
    node.process.terminate();
    assert!(node.process.wait(LIMIT).is_some_and(|status| status.success()));
    for line in node.output().lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(value["message"].is_string() && value["level"].is_string(), "{line}");
    }
}
