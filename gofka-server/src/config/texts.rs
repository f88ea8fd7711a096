//! From the merged texts of all layers to the typed settings, with every check that looks at more
//! than one of them.
//!
//! Called by `config/mod.rs` alone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gofka_core::config::{ConfigValue, broker_key};

use super::listeners::{self, Address, Listener};
use super::node_id::NodeName;
use super::{PortChoice, Role};

/// The merged texts, on the way to the typed form.
pub(super) struct Texts<'a>(pub(super) &'a BTreeMap<String, String>);

impl Texts<'_> {
    pub(super) fn value(&self, name: &str) -> Option<ConfigValue> {
        let key = broker_key(name)?;
        let text = self.0.get(name).map(String::as_str).or(key.default)?;
        key.parse(text).ok()
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.value(name).map(|value| value.to_string()).unwrap_or_default()
    }

    fn names(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(ConfigValue::List(names)) => names,
            _ => Vec::new(),
        }
    }

    pub(super) fn role(&self, role: Role, problems: &mut Vec<String>) -> Role {
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
    pub(super) fn listeners(
        &self,
        role: Role,
        problems: &mut Vec<String>,
    ) -> Option<(Vec<Listener>, Option<Address>)> {
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
        let between = self.unused("inter.broker.listener.name").and_then(|mut names| names.next());
        if let Some(between) = between
            && role != Role::Controller
            && !all.iter().any(|listener| listener.name.eq_ignore_ascii_case(between))
        {
            problems.push(format!("inter.broker.listener.name: {between} is not in listeners"));
        }
        let (controllers, clients): (Vec<_>, Vec<_>) = all.into_iter().partition(is_internal);
        if clients.is_empty() && role != Role::Controller {
            problems.push("listeners: none is left for clients".to_owned());
        }
        Some((clients, controllers.into_iter().next().map(|listener| listener.address)))
    }

    pub(super) fn advertised(
        &self,
        listeners: &[Listener],
        problems: &mut Vec<String>,
    ) -> Vec<Listener> {
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

    /// Where metrics and health are served, if they are.
    pub(super) fn http(&self, role: Role, problems: &mut Vec<String>) -> Option<PortChoice> {
        /// The default port of a controller on its own: a broker may run beside it.
        const CONTROLLER_PORT: u16 = 8081;
        let text = self.text("http.addr");
        if matches!(text.trim(), "" | "none") {
            return None;
        }
        let mut choice = self.port_choice("http.addr", problems)?;
        if role == Role::Controller && !choice.asked_for {
            choice.address.port = CONTROLLER_PORT;
        }
        Some(choice)
    }

    fn port_choice(&self, name: &str, problems: &mut Vec<String>) -> Option<PortChoice> {
        let parsed = Address::parse(&self.text(name)).map_err(|why| vec![format!("{name}: {why}")]);
        let address = collect(parsed, problems)?;
        Some(PortChoice { address, asked_for: self.0.contains_key(name) })
    }

    pub(super) fn raft_address(
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
    pub(super) fn check_peers(&self, role: Role, own: &Address, problems: &mut Vec<String>) {
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
        for name in ["controller.quorum.voters", "controller.quorum.bootstrap.servers"] {
            let count = self.unused(name).map_or(0, Iterator::count);
            if count > 1 {
                problems.push(format!(
                    "{name}: {count} nodes, and clusters of several processes are not served yet"
                ));
            }
        }
        let mut voters = self.unused("controller.quorum.voters").into_iter().flatten();
        if let Some((voter, _)) = voters.next().and_then(|voter| voter.split_once('@'))
            && self.text("node.id") != voter
        {
            problems.push(format!(
                "controller.quorum.voters: the only voter is {voter}, and node.id is {}",
                self.text("node.id")
            ));
        }
    }

    /// A warning where topics would be made with more replicas than there are nodes: a client that
    /// has its topic made on demand hears of a topic that is not there, and of nothing else.
    pub(super) fn too_many_replicas(&self, role: Role) -> Option<String> {
        const NAME: &str = "default.replication.factor";
        let Some(ConfigValue::Integer(replicas)) = self.value(NAME) else { return None };
        let nodes = i64::try_from(self.names("peers").len().max(1)).unwrap_or(i64::MAX);
        (role != Role::Controller && replicas > nodes).then(|| {
            format!(
                "{NAME} is {replicas}, and this cluster has {nodes} node: a topic that is made on \
                 demand, or that names no replication factor, is refused; set {NAME} to {nodes}"
            )
        })
    }

    /// The entries of a setting that is looked at and then has no effect.
    fn unused(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        let text = self.0.get(name)?;
        Some(text.split(',').map(str::trim).filter(|entry| !entry.is_empty()))
    }

    pub(super) fn check_limits(&self, problems: &mut Vec<String>) {
        let overrides = self.text("max.connections.per.ip.overrides");
        problems.extend(super::limits::connection_overrides(&overrides).1);
        // A wrong value has been refused by itself.
        let none =
            self.unused("max.connections.per.ip.overrides").is_none_or(|mut o| o.next().is_none());
        if none && self.text("max.connections.per.ip") == "0" {
            problems.push(
                "max.connections.per.ip: 0 lets nobody in unless \
                 max.connections.per.ip.overrides does"
                    .to_owned(),
            );
        }
    }

    pub(super) fn log_dirs(&self, problems: &mut Vec<String>) -> Vec<PathBuf> {
        let listed = self.names("log.dirs");
        let dirs = if listed.is_empty() { self.names("log.dir") } else { listed };
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

    pub(super) fn node(&self, problems: &mut Vec<String>) -> Option<NodeName> {
        let broker_id = self.0.get("broker.id").filter(|id| id.trim() != "-1");
        let text = match (self.0.get("node.id"), broker_id) {
            (None, Some(id)) => id.clone(),
            _ => self.text("node.id"),
        };
        if let (Some(new), Some(old)) = (self.0.get("node.id"), broker_id)
            && new.trim() != old.trim()
        {
            problems.push(format!("node.id is {new}, and its older name broker.id is {old}"));
        }
        // What is empty has been refused by itself.
        let parsed = NodeName::parse(if text.is_empty() { "0" } else { &text })
            .map_err(|why| vec![format!("node.id: {why}")]);
        collect(parsed, problems)
    }
}

/// Two sockets cannot have one port. A default port moves on, and is nobody's problem.
pub(super) fn check_ports(
    listeners: &[Listener],
    http: Option<&PortChoice>,
    raft: &PortChoice,
    problems: &mut Vec<String>,
) {
    let listeners = listeners.iter().map(|l| (format!("listener {}", l.name), &l.address));
    let http = http.map(|choice| ("http.addr", choice));
    let others = http.into_iter().chain([("raft.addr", raft)]);
    let others = others.filter(|(_, choice)| choice.asked_for);
    let others = others.map(|(name, choice)| (name.to_owned(), &choice.address));
    let sockets: Vec<(String, &Address)> = listeners.chain(others).collect();
    for (index, (name, address)) in sockets.iter().enumerate() {
        for (other, _) in sockets[..index].iter().filter(|(_, a)| address.clashes(a)) {
            problems.push(format!("{name} and {other} cannot both be on {address}"));
        }
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
