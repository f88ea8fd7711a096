//! Addresses: `listeners`, `advertised.listeners`, the protocol map, and `host:port`.
//!
//! Called by `config/mod.rs`. Only texts are looked at here; sockets are bound by `net/`.

use std::collections::BTreeMap;
use std::fmt;

/// A host, absent for "all addresses", and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub host: Option<String>,
    /// 0 lets the operating system choose.
    pub port: u16,
}

impl Address {
    /// Reads `host:port`, `[v6]:port`, `:port`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no host:port");
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let host = match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
            Some(Some(v6)) if v6.parse::<std::net::Ipv6Addr>().is_ok() => v6,
            Some(_) => return Err(wrong()),
            None if host.contains([':', '/', ' ', '[', ']']) => return Err(wrong()),
            None => host,
        };
        Ok(Self { host: (!host.is_empty()).then(|| host.to_owned()), port })
    }

    /// Whether all addresses of the machine are meant.
    pub fn is_wildcard(&self) -> bool {
        matches!(self.host.as_deref(), None | Some("0.0.0.0" | "::"))
    }

    /// Whether no two sockets can have both, as far as the texts tell.
    pub(super) fn clashes(&self, other: &Self) -> bool {
        let is_loopback_name =
            |address: &Self| matches!(address.host.as_deref(), Some("localhost" | "127.0.0.1"));
        let is_v6 = |address: &Self| address.host.as_ref().is_some_and(|host| host.contains(':'));
        let takes_all = |one: &Self, two: &Self| match one.host.as_deref() {
            None | Some("::") => true,
            Some("0.0.0.0") => !is_v6(two),
            Some(_) => false,
        };
        let same_host = self.host == other.host
            || (is_loopback_name(self) && is_loopback_name(other))
            || takes_all(self, other)
            || takes_all(other, self);
        self.port != 0 && self.port == other.port && same_host
    }

    /// Whether all IPv6 addresses are meant, with which a socket takes the IPv4 ones too.
    pub fn is_wildcard_v6(&self) -> bool {
        self.host.as_deref() == Some("::")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Some(host) => write!(f, "{host}:{}", self.port),
            None => write!(f, ":{}", self.port),
        }
    }
}

/// One entry of `listeners` or `advertised.listeners`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name, in capitals.
    pub name: String,
    /// Where.
    pub address: Address,
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.name, self.address)
    }
}

/// Reads a list of `NAME://host:port`. Each name once; `setting` is what a complaint names.
pub(super) fn parse_list(setting: &str, text: &str) -> Result<Vec<Listener>, Vec<String>> {
    let mut listeners: Vec<Listener> = Vec::new();
    let mut problems = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        match parse_one(entry) {
            Ok(new) if listeners.iter().any(|known| known.name == new.name) => {
                problems.push(format!("{setting}: the name {} occurs twice", new.name));
            }
            Ok(new) => listeners.push(new),
            Err(why) => problems.push(format!("{setting}: {why}")),
        }
    }
    if listeners.is_empty() && problems.is_empty() {
        problems.push(format!("{setting}: at least one listener is needed"));
    }
    if problems.is_empty() { Ok(listeners) } else { Err(problems) }
}

fn parse_one(entry: &str) -> Result<Listener, String> {
    let (name, address) =
        entry.split_once("://").ok_or_else(|| format!("\"{entry}\" is no NAME://host:port"))?;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
        return Err(format!("\"{name}\" is no listener's name"));
    }
    Ok(Listener { name: name.to_ascii_uppercase(), address: Address::parse(address)? })
}

/// Reads `listener.security.protocol.map`.
pub(super) fn parse_protocols(text: &str) -> Result<BTreeMap<String, String>, Vec<String>> {
    let mut protocols = BTreeMap::new();
    let mut problems = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        match entry.split_once(':') {
            Some((name, protocol)) => {
                protocols.insert(name.to_ascii_uppercase(), protocol.to_ascii_uppercase());
            }
            None => problems
                .push(format!("listener.security.protocol.map: \"{entry}\" is no NAME:PROTOCOL")),
        }
    }
    if problems.is_empty() { Ok(protocols) } else { Err(problems) }
}

/// A listener whose protocol is not served here is a problem of its own line.
pub(super) fn check_protocol(
    listener: &Listener,
    protocols: &BTreeMap<String, String>,
) -> Result<(), String> {
    match protocols.get(&listener.name).map(String::as_str) {
        Some("PLAINTEXT") => Ok(()),
        Some(protocol @ ("SSL" | "SASL_PLAINTEXT" | "SASL_SSL")) => Err(format!(
            "listeners: {listener} has the protocol {protocol}, which is not served yet; \
             only PLAINTEXT is"
        )),
        Some(protocol) => Err(format!(
            "listener.security.protocol.map: {protocol} of {} is no protocol",
            listener.name
        )),
        None => Err(format!(
            "listeners: {} has no protocol in listener.security.protocol.map",
            listener.name
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let cases = [
            ("localhost:9092", Some("localhost"), 9092),
            (":9092", None, 9092),
            ("127.0.0.1:0", Some("127.0.0.1"), 0),
            ("[::1]:9092", Some("::1"), 9092),
            ("broker-1.example:1", Some("broker-1.example"), 1),
        ];
        for (text, host, port) in cases {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.host.as_deref(), address.port), (host, port), "{text}");
            assert_eq!(address.to_string(), text);
        }
        for text in ["9092", "a:b", "::1:9092", "[x]:1", "[::1:1", "a:70000", "http://a:1", ""] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn one_port_has_one_socket() {
        let clash = |one: &str, two: &str| {
            let [one, two] = [one, two].map(|text| Address::parse(text).unwrap());
            one.clashes(&two) && two.clashes(&one)
        };
        for (one, two) in [
            (":1", "10.0.0.1:1"),
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("localhost:1", "127.0.0.1:1"),
            ("[::]:1", "0.0.0.0:1"),
            ("a:1", "a:1"),
        ] {
            assert!(clash(one, two), "{one} {two}");
        }
        for (one, two) in
            [(":0", ":0"), (":1", ":2"), ("127.0.0.1:1", "[::1]:1"), ("0.0.0.0:1", "[::1]:1")]
        {
            assert!(!clash(one, two), "{one} {two}");
        }
    }

    #[test]
    fn lists() {
        let listeners = parse_list("listeners", "plaintext://:9092, IN-1://[::1]:1").unwrap();
        let texts: Vec<String> = listeners.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["PLAINTEXT://:9092", "IN-1://[::1]:1"]);
        let problems = parse_list("listeners", "A://:1,A://:2,b,C://x").unwrap_err();
        let expected = [
            "listeners: the name A occurs twice",
            "listeners: \"b\" is no NAME://host:port",
            "listeners: \"x\" is no host:port",
        ];
        assert_eq!(problems, expected);
        assert!(parse_list("listeners", " ").is_err());
    }

    #[test]
    fn only_plaintext_is_served() {
        let protocols = parse_protocols("A:PLAINTEXT,b:ssl,C:NONE").unwrap();
        let check =
            |text: &str| check_protocol(&parse_list("listeners", text).unwrap()[0], &protocols);
        assert!(check("A://:1").is_ok());
        assert!(check("B://:1").unwrap_err().contains("SSL, which is not served yet"));
        assert!(check("C://:1").unwrap_err().contains("is no protocol"));
        assert!(check("D://:1").unwrap_err().contains("has no protocol"));
    }
}
