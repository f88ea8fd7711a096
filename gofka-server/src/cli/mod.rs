//! The command line of the binaries: flags to settings, and what a failed start prints.
//!
//! Called by the three `main` functions. A start that fails says why in one line (one per
//! problem, when it is the settings) on stderr and exits with 1.

mod args;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches};

use gofka_core::config::{BrokerName, broker_name};

use crate::broker;
use crate::config::{Inputs, Role, ServerConfig};
use crate::logging::Logging;

/// Flags that every binary takes.
#[derive(Args, Debug)]
struct CommonFlags {
    /// This node: a number, or a word.
    #[arg(long = "node.id", value_name = "ID")]
    node_id: Option<String>,
    /// Where other nodes connect [default: 127.0.0.1:19093].
    #[arg(long = "raft.addr", value_name = "HOST:PORT")]
    raft_addr: Option<String>,
    /// Folder of the metadata log [default: inside the first log directory].
    #[arg(long = "raft.dir", value_name = "DIR")]
    raft_dir: Option<String>,
    /// Internal addresses of other nodes, separated by commas.
    #[arg(long = "peers", value_name = "HOST:PORT,...")]
    peers: Option<String>,
    /// Form a new cluster.
    #[arg(long = "bootstrap", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    bootstrap: Option<String>,
    /// Metrics and health; none turns them off [default: 127.0.0.1:8080; controllers 8081].
    #[arg(long = "http.addr", value_name = "HOST:PORT")]
    http_addr: Option<String>,
    /// trace, debug, info, warn, error or off [default: info].
    #[arg(long = "log.level", value_name = "LEVEL")]
    log_level: Option<String>,
    /// text or json [default: text].
    #[arg(long = "log.encoding", value_name = "ENCODING")]
    log_encoding: Option<String>,
    /// When a record counts as kept: auto, fsync or page-cache [default: auto].
    #[arg(long = "durability", value_name = "MODE")]
    durability: Option<String>,
    /// Settings: TOML, or Kafka's server.properties. The flag's name may be left out.
    #[arg(long = "config", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Any setting by Kafka's name; may be repeated. `--KEY=VALUE` is the same.
    #[arg(long = "set", visible_alias = "override", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[arg(value_name = "FILE", hide = true, conflicts_with = "config")]
    file: Option<PathBuf>,
}

/// Flags of what has a broker in it.
#[derive(Args, Debug)]
struct BrokerFlags {
    /// Where clients connect; `:PORT` is every address [default: localhost:9092].
    #[arg(long = "addr", value_name = "HOST:PORT")]
    addr: Option<String>,
    /// Folder of the data [default: ./gofka-data].
    #[arg(long = "log.dir", value_name = "DIR")]
    log_dir: Option<String>,
    /// Folders of the data, separated by commas.
    #[arg(long = "log.dirs", value_name = "DIR,...")]
    log_dirs: Option<String>,
    /// Replicas that must have a record before acks=all is answered.
    #[arg(long = "min.insync.replicas", value_name = "N")]
    min_insync_replicas: Option<String>,
}

/// What only makes sense where there is a broker, and what a controller has instead.
const BROKER_ONLY: &[(&str, &str)] = &[
    ("addr", "a controller listens on --raft.addr"),
    ("advertised.listeners", "a controller serves no clients"),
    ("log.dir", "a controller keeps its data in --raft.dir"),
    ("log.dirs", "a controller keeps its data in --raft.dir"),
    ("min.insync.replicas", "give it to the brokers"),
];

/// A Kafka-compatible message broker in one binary.
///
/// Started with nothing, it serves Kafka's protocol on localhost:9092 and keeps its data in
/// ./gofka-data. Stronger than a config file is the environment (GOFKA_NUM_PARTITIONS for
/// num.partitions), and stronger than that are flags.
#[derive(clap::Parser, Debug)]
#[command(version)]
struct CombinedCommand {
    #[command(flatten)]
    common: CommonFlags,
    #[command(flatten)]
    broker: BrokerFlags,
}

/// A controller of a Gofka cluster, without a broker.
#[derive(clap::Parser, Debug)]
#[command(version)]
struct ControllerCommand {
    #[command(flatten)]
    common: CommonFlags,
}

/// Runs the process of `role` to its end.
pub fn main(role: Role) -> ExitCode {
    let inputs = match parse(role, std::env::args()) {
        Ok(inputs) => inputs,
        Err(Stop::Said) => return ExitCode::SUCCESS,
        Err(Stop::Wrong(line)) => return fail(&[line]),
    };
    let config = match ServerConfig::load(&inputs) {
        Ok(config) => config,
        Err(problems) => return fail(&problems.0),
    };
    let logging = Logging::start(&config.text("log.level"), &config.text("log.encoding"));
    match broker::run(config, &logging) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logging.give_up(&error.to_string());
            ExitCode::from(1)
        }
    }
}

fn fail(lines: &[String]) -> ExitCode {
    for line in lines {
        eprintln!("gofka: {line}");
    }
    ExitCode::from(1)
}

/// Why there is nothing to run.
#[derive(Debug)]
enum Stop {
    /// Help or version was asked for, and printed.
    Said,
    /// The command line is wrong.
    Wrong(String),
}

fn parse(role: Role, arguments: impl Iterator<Item = String>) -> Result<Inputs, Stop> {
    let command = match role {
        Role::Controller => ControllerCommand::command().name("gofka-controller"),
        Role::Combined => CombinedCommand::command().name("gofka"),
        Role::Broker => CombinedCommand::command().name("gofka-broker"),
    };
    let declared = |name: &str| {
        matches!(name, "help" | "version" | "override")
            || command.get_arguments().any(|argument| argument.get_long() == Some(name))
    };
    let is_setting = |name: &str| !matches!(broker_name(name), BrokerName::Unknown(_));
    let arguments = args::normalise(arguments, declared, is_setting);
    let matches = command.try_get_matches_from(arguments).map_err(|error| {
        if error.use_stderr() {
            return Stop::Wrong(first_line(&error));
        }
        // Help and version belong on stdout; a closed pipe is nobody's loss.
        let _ = error.print();
        Stop::Said
    })?;
    let wrong = |error: clap::Error| Stop::Wrong(first_line(&error));
    let (common, broker) = match role {
        Role::Controller => {
            let flags = ControllerCommand::from_arg_matches(&matches).map_err(wrong)?;
            (flags.common, None)
        }
        Role::Combined | Role::Broker => {
            let flags = CombinedCommand::from_arg_matches(&matches).map_err(wrong)?;
            (flags.common, Some(flags.broker))
        }
    };
    Ok(Inputs {
        role,
        file: common.config.clone().or_else(|| common.file.clone()),
        environment: environment(),
        flags: settings(role, common, broker).map_err(Stop::Wrong)?,
    })
}

/// Variables whose name or value is no text are nobody's setting.
fn environment() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(text).collect()
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    match error.get(clap::error::ContextKind::SuggestedArg) {
        Some(meant) => format!("{line}; did you mean {meant}? (--help lists the flags)"),
        None => format!("{line} (--help lists the flags)"),
    }
}

/// The flags by the names of their settings; a named flag goes before `--set`.
fn settings(
    role: Role,
    common: CommonFlags,
    broker: Option<BrokerFlags>,
) -> Result<BTreeMap<String, String>, String> {
    let mut settings = BTreeMap::new();
    for pair in common.set {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| format!("--set {pair} is no KEY=VALUE"))?;
        settings.insert(key.trim().to_owned(), value.to_owned());
    }
    let mut named = vec![
        ("node.id", common.node_id),
        ("raft.addr", common.raft_addr),
        ("raft.dir", common.raft_dir),
        ("peers", common.peers),
        ("bootstrap", common.bootstrap),
        ("http.addr", common.http_addr),
        ("log.level", common.log_level),
        ("log.encoding", common.log_encoding),
        ("durability", common.durability),
    ];
    if let Some(broker) = broker {
        named.extend([
            ("addr", broker.addr),
            ("log.dir", broker.log_dir),
            ("log.dirs", broker.log_dirs),
            ("min.insync.replicas", broker.min_insync_replicas),
        ]);
    }
    for (key, value) in named {
        if let Some(value) = value {
            settings.insert(key.to_owned(), value);
        }
    }
    if role == Role::Controller {
        for (name, why) in BROKER_ONLY {
            if settings.contains_key(*name) {
                return Err(format!("--{name} is for brokers; {why}"));
            }
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(role: Role, line: &str) -> Result<BTreeMap<String, String>, Stop> {
        parse(role, line.split(' ').map(str::to_owned)).map(|inputs| inputs.flags)
    }

    fn check(role: Role, line: &str, expected: &[(&str, &str)]) {
        let found = flags(role, line).unwrap_or_else(|stop| panic!("{line}: {stop:?}"));
        let found: Vec<(&str, &str)> =
            found.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn the_flags_of_the_first_release_are_taken() {
        check(
            Role::Controller,
            "gofka-controller --node.id=c1 --raft.addr=:19093 --bootstrap",
            &[("bootstrap", "true"), ("node.id", "c1"), ("raft.addr", ":19093")],
        );
        check(
            Role::Broker,
            "gofka-broker -node.id b1 -addr=:9092 -log.dir /tmp/g --peers=localhost:19093",
            &[
                ("addr", ":9092"),
                ("log.dir", "/tmp/g"),
                ("node.id", "b1"),
                ("peers", "localhost:19093"),
            ],
        );
        check(
            Role::Broker,
            "gofka-broker --min.insync.replicas=2 --raft.dir=r --log.level=debug \
             --log.encoding=json",
            &[
                ("log.encoding", "json"),
                ("log.level", "debug"),
                ("min.insync.replicas", "2"),
                ("raft.dir", "r"),
            ],
        );
    }

    #[test]
    fn any_setting_can_be_a_flag() {
        check(
            Role::Combined,
            "gofka --set num.partitions=3 --log.retention.ms 5 --durability=fsync",
            &[("durability", "fsync"), ("log.retention.ms", "5"), ("num.partitions", "3")],
        );
        check(
            Role::Broker,
            "gofka-broker --listeners=PLAINTEXT://:1 -advertised.listeners PLAINTEXT://a:1",
            &[("advertised.listeners", "PLAINTEXT://a:1"), ("listeners", "PLAINTEXT://:1")],
        );
    }

    #[test]
    fn a_wrong_command_line_is_one_line() {
        for line in ["gofka --nonsense", "gofka --adr=:1", "gofka a b", "gofka --set x"] {
            match flags(Role::Combined, line) {
                Err(Stop::Wrong(why)) => assert_eq!(why.lines().count(), 1, "{why}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        let suggested = flags(Role::Combined, "gofka --adr=:1");
        assert!(matches!(suggested, Err(Stop::Wrong(why)) if why.contains("did you mean --addr?")));
    }

    #[test]
    fn a_controller_takes_no_flags_of_a_broker() {
        for flag in [
            "-addr=:1",
            "--log.dir=x",
            "--log.dirs=x,y",
            "--min.insync.replicas 2",
            "--set addr=:1",
        ] {
            let line = format!("gofka-controller {flag}");
            let Err(Stop::Wrong(why)) = flags(Role::Controller, &line) else { panic!("{line}") };
            assert!(why.contains("is for brokers"), "{why}");
        }
        check(
            Role::Controller,
            "gofka-controller --http.addr=:1 --durability=fsync --num.partitions=3",
            &[("durability", "fsync"), ("http.addr", ":1"), ("num.partitions", "3")],
        );
    }

    #[test]
    fn a_file_may_come_first_as_with_kafka() {
        let line = "gofka server.properties --override num.partitions=3";
        let inputs = parse(Role::Combined, line.split(' ').map(str::to_owned)).unwrap();
        assert_eq!(inputs.file, Some(PathBuf::from("server.properties")));
        assert_eq!(inputs.flags["num.partitions"], "3");
    }
}
