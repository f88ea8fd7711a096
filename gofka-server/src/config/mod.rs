//! The settings of this process: read from file, environment and flags, checked, and typed.
//!
//! Called by `cli/` once, before anything is touched. What the process was started with stays
//! as texts in [`ServerConfig::fixed`], for `DescribeConfigs` and the layers that change at run
//! time; what start-up itself needs is typed here.

mod listeners;
mod node_id;
mod properties;
mod reference;
mod sources;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use gofka_core::config::{BrokerName, ConfigValue, StaticConfig, broker_key, broker_name};

pub use listeners::{Address, Listener};
pub use node_id::NodeName;
pub use reference::reference;
use sources::Layer;

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
    /// Metrics and health.
    pub http: PortChoice,
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
            Some(config) if problems.is_empty() => Ok(Self { warnings, ..config }),
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
        let (listeners, controller) = texts.listeners(problems)?;
        let advertised = texts.advertised(&listeners, problems);
        let http = texts.port_choice("http.addr", problems)?;
        let raft = texts.raft_address(controller, problems)?;
        let http = if role == Role::Controller && !http.asked_for {
            PortChoice { address: Address { port: 8081, ..http.address }, asked_for: false }
        } else {
            http
        };
        texts.check_peers(role, &raft.address, problems);
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

/// Checks each setting of a layer by itself.
fn check(layer: &Layer, problems: &mut Vec<String>, warnings: &mut Vec<String>) {
    let Layer { name: source, settings } = layer;
    for (name, value) in settings {
        match broker_name(name) {
            BrokerName::Known(key) => {
                if let Err(why) = key.parse(value) {
                    problems.push(format!("{source}: {why}"));
                }
            }
            BrokerName::Unused(_) => {
                warnings.push(format!("{source}: {name} has no effect in Gofka"));
            }
            BrokerName::Unknown(Some(meant)) => {
                problems.push(format!("{source}: {name} is no setting; did you mean {meant}?"));
            }
            BrokerName::Unknown(None) => problems.push(format!("{source}: {name} is no setting")),
        }
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

/// The merged texts, on the way to the typed form.
struct Texts<'a>(&'a BTreeMap<String, String>);

impl Texts<'_> {
    fn value(&self, name: &str) -> Option<ConfigValue> {
        let key = broker_key(name)?;
        let text = self.0.get(name).map(String::as_str).or(key.default)?;
        key.parse(text).ok()
    }

    fn text(&self, name: &str) -> String {
        self.value(name).map(|value| value.to_string()).unwrap_or_default()
    }

    fn names(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(ConfigValue::List(names)) => names,
            _ => Vec::new(),
        }
    }

    fn role(&self, role: Role, problems: &mut Vec<String>) -> Role {
        if !self.0.contains_key("process.roles") {
            return role;
        }
        let roles = self.names("process.roles");
        let has = |role: &str| roles.iter().any(|name| name == role);
        match (has("broker"), has("controller")) {
            (false, true) => Role::Controller,
            (true, false) => {
                problems.push(
                    "process.roles: a broker apart from its controller is not served yet".into(),
                );
                role
            }
            (true, true) | (false, false) => role,
        }
    }

    /// Where clients connect, and where other nodes do when a listener is named for it.
    fn listeners(&self, problems: &mut Vec<String>) -> Option<(Vec<Listener>, Option<Address>)> {
        let all = collect(listeners::parse_list("listeners", &self.text("listeners")), problems)?;
        let protocols = self.text("listener.security.protocol.map");
        let mut protocols = collect(listeners::parse_protocols(&protocols), problems)?;
        let internal = self.names("controller.listener.names");
        if !self.0.contains_key("listener.security.protocol.map") {
            for name in &internal {
                protocols.insert(name.to_ascii_uppercase(), "PLAINTEXT".to_owned());
            }
        }
        for listener in &all {
            problems.extend(listeners::check_protocol(listener, &protocols).err());
        }
        let is_internal =
            |listener: &Listener| internal.iter().any(|i| i.eq_ignore_ascii_case(&listener.name));
        let (controllers, clients): (Vec<_>, Vec<_>) = all.into_iter().partition(is_internal);
        Some((clients, controllers.into_iter().next().map(|listener| listener.address)))
    }

    fn advertised(&self, listeners: &[Listener], problems: &mut Vec<String>) -> Vec<Listener> {
        if !self.0.contains_key("advertised.listeners") {
            return Vec::new();
        }
        let text = self.text("advertised.listeners");
        let parsed = listeners::parse_list("advertised.listeners", &text);
        let mut advertised = collect(parsed, problems).unwrap_or_default();
        let internal = self.names("controller.listener.names");
        advertised.retain(|entry| !internal.iter().any(|i| i.eq_ignore_ascii_case(&entry.name)));
        for entry in &advertised {
            if !listeners.iter().any(|listener| listener.name == entry.name) {
                problems.push(format!("advertised.listeners: {} is not in listeners", entry.name));
            }
            if entry.address.is_wildcard() {
                problems.push(format!("advertised.listeners: {entry} names no host to connect to"));
            }
        }
        advertised
    }

    fn port_choice(&self, name: &str, problems: &mut Vec<String>) -> Option<PortChoice> {
        let parsed = Address::parse(&self.text(name)).map_err(|why| vec![format!("{name}: {why}")]);
        let address = collect(parsed, problems)?;
        Some(PortChoice { address, asked_for: self.0.contains_key(name) })
    }

    fn raft_address(
        &self,
        controller: Option<Address>,
        problems: &mut Vec<String>,
    ) -> Option<PortChoice> {
        match controller {
            Some(address) if !self.0.contains_key("raft.addr") => {
                Some(PortChoice { address, asked_for: true })
            }
            _ => self.port_choice("raft.addr", problems),
        }
    }

    /// Nodes in several processes are not served yet, and must not look as if they were.
    fn check_peers(&self, role: Role, own: &Address, problems: &mut Vec<String>) {
        for peer in self.names("peers") {
            match Address::parse(&peer) {
                Err(why) => problems.push(format!("peers: {why}")),
                Ok(peer) if role != Role::Broker && is_same_node(&peer, own) => {}
                Ok(peer) => problems.push(format!(
                    "peers: {peer} is another process, and clusters of several processes are not \
                     served yet; without peers this node is a whole cluster by itself"
                )),
            }
        }
        let voters = self
            .0
            .get("controller.quorum.voters")
            .map_or(0, |voters| voters.split(',').filter(|voter| !voter.trim().is_empty()).count());
        if voters > 1 {
            problems.push(format!(
                "controller.quorum.voters: {voters} voters, and clusters of several processes are \
                 not served yet"
            ));
        }
    }

    fn log_dirs(&self, problems: &mut Vec<String>) -> Vec<PathBuf> {
        let listed = self.names("log.dirs");
        let dirs = if listed.is_empty() { vec![self.text("log.dir")] } else { listed };
        let mut unique: Vec<PathBuf> = Vec::new();
        for dir in dirs.iter().map(|dir| dir.trim()).filter(|dir| !dir.is_empty()) {
            let dir = PathBuf::from(dir);
            if unique.contains(&dir) {
                problems.push(format!("log.dirs: {} occurs twice", dir.display()));
            }
            unique.push(dir);
        }
        if unique.is_empty() {
            problems.push("log.dirs: at least one folder is needed".to_owned());
        }
        unique
    }

    fn node(&self, problems: &mut Vec<String>) -> Option<NodeName> {
        let broker_id = self.0.get("broker.id").filter(|id| id.trim() != "-1");
        let text = match (self.0.get("node.id"), broker_id) {
            (None, Some(id)) => id.clone(),
            _ => self.text("node.id"),
        };
        let parsed = NodeName::parse(&text).map_err(|why| vec![format!("node.id: {why}")]);
        collect(parsed, problems)
    }
}

fn collect<T>(result: Result<T, Vec<String>>, problems: &mut Vec<String>) -> Option<T> {
    result.map_err(|found| problems.extend(found)).ok()
}

/// Whether `peer` names this node's own internal listener.
fn is_same_node(peer: &Address, own: &Address) -> bool {
    let is_loopback = |address: &Address| {
        matches!(address.host.as_deref(), Some("localhost" | "127.0.0.1" | "::1"))
    };
    let same_host =
        peer.host == own.host || (is_loopback(peer) && (is_loopback(own) || own.is_wildcard()));
    peer.port == own.port && same_host
}

#[cfg(test)]
mod tests;
