//! A broker process of either kind on its own ports and directory: started, stopped, killed and
//! started again where it was.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use tempfile::TempDir;

use crate::process::{Process, eventually, log_file};
use crate::{paths, ports, setup, wire};

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// Kafka wants a base64 id for its format step; any will do for a cluster of one.
const CLUSTER_ID: &str = "4L6g3nShT-eMCtK--X86sw";

/// Enough for tests, and started soon.
const SMALL_JVM: &[&str] = &["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
/// What Kafka's own start script gives its JVM.
pub const SHIPPED_JVM: &[&str] = &[
    "-Xmx1G",
    "-Xms1G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
    "-Xlog:gc*:file=kafkaServer-gc.log:time,tags:filecount=10,filesize=100M",
    "-Dcom.sun.management.jmxremote=true",
    "-Dcom.sun.management.jmxremote.authenticate=false",
    "-Dcom.sun.management.jmxremote.ssl=false",
];

/// Which server is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Kafka,
    Gofka,
}

/// One single-node broker. Dropping it kills the process and removes the directory.
#[derive(Debug)]
pub struct Broker {
    kind: Kind,
    dir: TempDir,
    port: u16,
    side_port: u16,
    raft_port: u16,
    settings: Vec<(String, String)>,
    jvm: &'static [&'static str],
    process: Option<Process>,
}

impl Broker {
    /// Starts a fresh broker and waits until it answers. `settings` are Kafka's names.
    pub fn start(kind: Kind, settings: &[(&str, &str)]) -> Self {
        let mut broker = Self::prepare(kind, settings);
        broker.resume();
        broker
    }

    /// A broker with ports and directories that is not running yet.
    pub fn prepare(kind: Kind, settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::Builder::new().prefix("compat-").tempdir().expect("a temporary folder");
        let settings = settings.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let [port, side_port, raft_port] = [(); 3].map(|()| ports::free());
        let broker =
            Self { kind, dir, port, side_port, raft_port, settings, jvm: SMALL_JVM, process: None };
        if kind == Kind::Kafka {
            broker.format_kafka();
        }
        broker
    }

    /// Runs Kafka in a JVM with these flags instead of a small one.
    pub fn in_jvm(mut self, flags: &'static [&'static str]) -> Self {
        self.jvm = flags;
        self
    }

    /// Adds a setting that holds from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
        if self.kind == Kind::Kafka {
            let mut text = fs::read_to_string(self.properties_path()).expect("its own file");
            text.extend([name, "=", value, "\n"]);
            fs::write(self.properties_path(), text).expect("the folder takes files");
        }
    }

    /// Ends it and leaves its directory.
    pub fn into_dir(self) -> TempDir {
        self.dir
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Gofka's HTTP port (Kafka has its controller listener there).
    pub fn http_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.side_port).into()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Everything the process has printed since the first start.
    pub fn output(&self) -> String {
        fs::read_to_string(self.output_path()).unwrap_or_default()
    }

    /// Starts the process on the ports and directory it had, and waits until it answers.
    pub fn resume(&mut self) {
        self.launch();
        let (kind, address) = (self.kind, self.address());
        let process = self.process.as_mut().expect("it was launched");
        let ready = eventually(START_LIMIT, || !process.is_running() || wire::answers(address));
        let ready = ready && process.is_running();
        assert!(ready, "{kind:?} does not answer on {address}:\n{}", self.output());
    }

    /// Starts the process and does not wait for it.
    pub fn launch(&mut self) {
        assert!(self.process.is_none(), "the broker is already running");
        let log = log_file(&self.output_path()).expect("an output file");
        let mut command = match self.kind {
            Kind::Kafka => java_command(self.jvm, "kafka.Kafka"),
            Kind::Gofka => self.gofka_command(),
        };
        if self.kind == Kind::Kafka {
            command.arg(self.properties_path());
        }
        command.current_dir(self.dir.path());
        command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        let process = Process::spawn(&mut command, Some(self.dir.path()))
            .unwrap_or_else(|error| panic!("cannot start {kind:?}: {error}", kind = self.kind));
        self.process = Some(process);
    }

    /// SIGTERM, and waits for a clean end.
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("a running broker");
        process.terminate();
        let status = process.wait(STOP_LIMIT);
        let kind = self.kind;
        let status = status.unwrap_or_else(|| panic!("{kind:?} ignores SIGTERM"));
        // A JVM that SIGTERM ends reports 143 although its hooks ran.
        let clean = status.success() || (kind == Kind::Kafka && status.code() == Some(143));
        assert!(clean, "{kind:?} ended with {status}:\n{}", self.output());
    }

    /// SIGKILL: what a crash of the process leaves behind.
    pub fn kill(&mut self) {
        self.process.take().expect("a running broker").kill();
    }

    fn output_path(&self) -> PathBuf {
        self.dir.path().join("output.log")
    }

    fn properties_path(&self) -> PathBuf {
        self.dir.path().join("server.properties")
    }

    fn gofka_command(&self) -> Command {
        let mut command = gofka_command();
        command
            .arg(format!("--addr=127.0.0.1:{}", self.port))
            .arg(format!("--http.addr=127.0.0.1:{}", self.side_port))
            .arg(format!("--raft.addr=127.0.0.1:{}", self.raft_port))
            .arg(format!("--log.dir={}", self.data_dir().display()));
        for (name, value) in &self.settings {
            command.arg("--set").arg(format!("{name}={value}"));
        }
        command
    }

    fn format_kafka(&self) {
        let (port, side_port) = (self.port, self.side_port);
        let mut text = format!(
            "process.roles=broker,controller\nnode.id=0\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{side_port}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
             controller.listener.names=CONTROLLER\n\
             controller.quorum.voters=0@127.0.0.1:{side_port}\n\
             log.dirs={}\n\
             group.initial.rebalance.delay.ms=0\n\
             offsets.topic.replication.factor=1\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n",
            self.data_dir().display()
        );
        for (name, value) in &self.settings {
            text.extend([name, "=", value, "\n"]);
        }
        fs::write(self.properties_path(), text).expect("the folder takes files");
        let output = kafka_command("kafka.tools.StorageTool")
            .args(["format", "-t", CLUSTER_ID, "-c"])
            .arg(self.properties_path())
            // On a single node it only changes where min.insync.replicas is said to come from.
            .args(["--feature", "eligible.leader.replicas.version=0"])
            .output()
            .expect("java runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The `gofka` binary without arguments, untouched by settings in this process's environment.
pub fn gofka_command() -> Command {
    let mut command = Command::new(paths::gofka());
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("GOFKA_") {
            command.env_remove(name);
        }
    }
    command
}

/// A JVM with Kafka's jars that is quick to start and small.
pub fn kafka_command(class: &str) -> Command {
    java_command(SMALL_JVM, class)
}

fn java_command(flags: &[&str], class: &str) -> Command {
    let jars = setup::kafka_jars();
    let mut command = Command::new("java");
    command.args(flags).arg("-cp").arg(Path::new(&jars).join("*")).arg(class);
    command
}
