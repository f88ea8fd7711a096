//! `max.connections.per.ip.overrides`: limits of single addresses.
//!
//! Called by `config/` at start, and by `broker/options.rs` whenever the limits change.

use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};

/// The setting's name.
const NAME: &str = "max.connections.per.ip.overrides";

/// Reads `address:limit` pairs; names are looked up, and mean all of their addresses. What is
/// wrong with some is said beside the others, which hold all the same.
pub fn connection_overrides(text: &str) -> (HashMap<IpAddr, usize>, Vec<String>) {
    let mut limits = HashMap::new();
    let mut problems = Vec::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        match one(entry) {
            Some((addresses, limit)) => {
                limits.extend(addresses.into_iter().map(|address| (address, limit)));
            }
            None => problems.push(format!("{NAME}: {entry} names no address that can be found")),
        }
    }
    (limits, problems)
}

fn one(entry: &str) -> Option<(Vec<IpAddr>, usize)> {
    let (host, limit) = entry.rsplit_once(':')?;
    let limit = limit.trim().parse().ok()?;
    let found = (host.trim().trim_matches(['[', ']']), 0).to_socket_addrs().ok()?;
    Some((found.map(|address| address.ip().to_canonical()).collect(), limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families_and_names() {
        let (limits, _) = connection_overrides("127.0.0.1:3, [::1]:4,::ffff:10.0.0.1:5");
        let of = |address: &str| limits[&address.parse::<IpAddr>().unwrap()];
        assert_eq!((of("127.0.0.1"), of("::1"), of("10.0.0.1")), (3, 4, 5));
        assert!(!connection_overrides("localhost:7").0.is_empty());
        assert_eq!(connection_overrides(""), Default::default());
    }

    #[test]
    fn every_wrong_pair_is_named_and_the_others_hold() {
        let (limits, problems) = connection_overrides("no/host:1,, a:1:x, 127.0.0.1:2");
        assert_eq!(limits, [("127.0.0.1".parse().unwrap(), 2)].into());
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("no/host:1 names no address"), "{problems:?}");
    }
}
