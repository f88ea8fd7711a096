//! The settings of this process: read from file, environment and flags, checked, and typed.
//!
//! Called by `cli/` once, before anything is touched. What the process was started with stays
//! as texts in [`ServerConfig::fixed`], for `DescribeConfigs` and the layers that change at run
//! time; what start-up itself needs is typed here.

mod foreign;
mod limits;
mod listeners;
mod node_id;
mod not_yet;
mod properties;
mod reference;
mod sources;
mod texts;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use gofka_core::config::{BrokerName, ConfigValue, StaticConfig, broker_name};

pub use limits::connection_overrides;
pub use listeners::{Address, Listener};
pub use node_id::NodeName;
pub use reference::reference;
use sources::Layer;
use texts::Texts;

/// Settings that say the same in two ways: the one in the stronger layer counts.
const ALTERNATIVES: &[[&str; 2]] =
    &[["addr", "listeners"], ["log.dir", "log.dirs"], ["node.id", "broker.id"]];

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Broker and controller, in one.
    Combined,
    /// A broker; the controller is in this process only when there are no peers.
    Broker,
    /// A controller without a broker.
    Controller,
}

/// Where settings come from.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// What the binary is.
    pub role: Role,
    /// `--config`
    pub file: Option<PathBuf>,
    /// All variables of the environment.
    pub environment: Vec<(String, String)>,
    /// What the flags say, by setting.
    pub flags: BTreeMap<String, String>,
}

/// Everything that is wrong with the settings, a line each.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigProblems(pub Vec<String>);

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

/// The settings of this process.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// What was set, by Kafka's names; defaults are not in it.
    pub fixed: Arc<StaticConfig>,
    /// What this process does.
    pub role: Role,
    /// This node, by number or word.
    pub node: NodeName,
    /// Where clients connect; at least one for a broker.
    pub listeners: Vec<Listener>,
    /// What clients are told instead of `listeners`.
    pub advertised: Vec<Listener>,
    /// Metrics and health; `None` serves none.
    pub http: Option<PortChoice>,
    /// Other nodes.
    pub raft: PortChoice,
    /// Where the data is; at least one.
    pub log_dirs: Vec<PathBuf>,
    /// Where the metadata log is.
    pub raft_dir: PathBuf,
    /// Settings that were given and change nothing.
    pub warnings: Vec<String>,
}

/// An address that may move when it is only a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortChoice {
    /// Where.
    pub address: Address,
    /// Whether somebody asked for it; then nothing else will do.
    pub asked_for: bool,
}

impl ServerConfig {
    /// Reads and checks all settings. Nothing is touched, whatever the outcome.
    pub fn load(inputs: &Inputs) -> Result<Self, ConfigProblems> {
        let mut problems = Vec::new();
        let mut warnings = Vec::new();
        let mut layers = Vec::new();
        if let Some(path) = &inputs.file {
            match sources::file(path) {
                Ok(layer) => layers.push(layer),
                Err(problem) => problems.push(problem),
            }
        }
        let environment = inputs.environment.iter().cloned();
        layers.push(sources::environment(environment, &mut problems, &mut warnings));
        layers.push(Layer { name: "the flags".to_owned(), settings: inputs.flags.clone() });
        for layer in &layers {
            check(layer, &mut problems, &mut warnings);
        }
        let settings = merge(layers, &mut problems);
        match Self::typed(settings, inputs.role, &mut problems) {
            Some(config) if problems.is_empty() => {
                warnings.extend(Texts(&config.fixed.0).too_many_replicas(config.role));
                Ok(Self { warnings, ..config })
            }
            _ => Err(ConfigProblems(problems)),
        }
    }

    fn typed(
        settings: BTreeMap<String, String>,
        role: Role,
        problems: &mut Vec<String>,
    ) -> Option<Self> {
        let texts = Texts(&settings);
        let role = texts.role(role, problems);
        let (listeners, controller) = texts.listeners(role, problems)?;
        let advertised = texts.advertised(&listeners, problems);
        let http = texts.http(role, problems);
        let raft = texts.raft_address(controller, problems)?;
        texts.check_peers(role, &raft.address, problems);
        texts::check_ports(&listeners, http.as_ref(), &raft, problems);
        texts.check_limits(problems);
        let log_dirs: Vec<PathBuf> = texts.log_dirs(problems);
        let raft_dir = match settings.get("raft.dir").or_else(|| settings.get("metadata.log.dir")) {
            Some(dir) => PathBuf::from(dir),
            None => log_dirs.first()?.clone(),
        };
        let node = texts.node(problems)?;
        Some(Self {
            role,
            node,
            listeners,
            advertised,
            http,
            raft,
            log_dirs,
            raft_dir,
            warnings: Vec::new(),
            fixed: Arc::new(StaticConfig(settings)),
        })
    }

    /// The value of a setting as the process was started; `None` where it has none.
    pub fn value(&self, name: &str) -> Option<ConfigValue> {
        Texts(&self.fixed.0).value(name)
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> i64 {
        match self.value(name) {
            Some(ConfigValue::Integer(number)) => number,
            other => panic!("{name} is no whole number: {other:?}"),
        }
    }

    /// A text, empty where there is none.
    pub fn text(&self, name: &str) -> String {
        self.value(name).map(|value| value.to_string()).unwrap_or_default()
    }

    /// The largest request: `socket.request.max.bytes`, raised so that a batch of
    /// `message.max.bytes` fits.
    pub fn request_bytes_max(&self) -> usize {
        /// What a Produce request holds beside its one batch.
        const AROUND_A_BATCH: i64 = 64 << 10;
        let batch = self.integer("message.max.bytes").saturating_add(AROUND_A_BATCH);
        usize::try_from(self.integer("socket.request.max.bytes").max(batch)).unwrap_or(usize::MAX)
    }
}

/// Checks each setting of a layer by itself. What has no effect is one warning, by name, and so is
/// what belongs to others.
fn check(layer: &Layer, problems: &mut Vec<String>, warnings: &mut Vec<String>) {
    let Layer { name: source, settings } = layer;
    let (mut unused, mut foreign): (Vec<&str>, Vec<&str>) = Default::default();
    let open_to_all = not_yet::is_open_to_all(settings);
    if open_to_all {
        warnings.push(format!("{source}: {}", not_yet::OPEN_TO_ALL));
    }
    for (name, value) in settings {
        if open_to_all && not_yet::is_of_authorizers(name) {
            continue;
        }
        if let Some(why) = not_yet::refusal(name, value) {
            problems.push(format!("{source}: {why}"));
            continue;
        }
        match broker_name(name) {
            BrokerName::Known(key) => {
                if let Err(why) = key.parse(value) {
                    problems.push(format!("{source}: {why}"));
                }
            }
            BrokerName::Unused(key) => {
                if let Err(why) = key.parse(value) {
                    problems.push(format!("{source}: {why}"));
                }
                unused.push(name);
            }
            BrokerName::Listener(_) => unused.push(name),
            BrokerName::Unknown(_) if foreign::is_foreign(name) => foreign.push(name),
            BrokerName::Unknown(Some(meant)) => {
                problems.push(format!("{source}: {name} is no setting; did you mean {meant}?"));
            }
            BrokerName::Unknown(None) => problems.push(format!("{source}: {name} is no setting")),
        }
    }
    if !unused.is_empty() {
        warnings.push(format!("{source}: without effect in Gofka: {}", unused.join(", ")));
    }
    if !foreign.is_empty() {
        let names = foreign.join(", ");
        warnings.push(format!("{source}: no settings of Kafka's own, without effect: {names}"));
    }
}

/// One map of all layers, the stronger ones winning also where they use the other name.
fn merge(mut layers: Vec<Layer>, problems: &mut Vec<String>) -> BTreeMap<String, String> {
    for strong in (0..layers.len()).rev() {
        for names in ALTERNATIVES {
            let [first, second] = names.map(|name| layers[strong].settings.contains_key(name));
            if first && second && names[0] == "addr" {
                problems.push(format!(
                    "{}: addr and listeners say the same; give one",
                    layers[strong].name
                ));
            }
            if first || second {
                for weak in &mut layers[..strong] {
                    weak.settings.retain(|name, _| !names.contains(&name.as_str()));
                }
            }
        }
    }
    let mut settings = sources::merge(&layers);
    if let Some(address) = settings.remove("addr") {
        settings.insert("listeners".to_owned(), format!("PLAINTEXT://{address}"));
    }
    settings
}

#[cfg(test)]
mod tests;
