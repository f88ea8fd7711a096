//! Settings of Kafka's that promise something which is not served yet. To ignore one of them would
//! open what its owner believes closed, or lose what he believes kept; so each is refused by name.
//!
//! Called by `config/mod.rs` for each layer.

use std::collections::BTreeMap;

/// A setting, the values that ask for nothing, and what is missing for the others.
const NOT_YET: &[(&str, &[&str], &str)] = &[
    ("alter.config.policy.class.name", &[""], "policies are not served yet"),
    ("authorizer.class.name", &[""], "access control is not served yet: everybody would be let in"),
    ("client.quota.callback.class", &[""], "quotas are not served yet"),
    ("config.providers", &[""], "values from elsewhere are not looked up yet"),
    ("create.topic.policy.class.name", &[""], "policies are not served yet"),
    (
        "principal.builder.class",
        &["", "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"],
        "authentication is not served yet",
    ),
    ("remote.log.storage.system.enable", &["false"], "tiered storage is not served yet"),
    (
        "security.inter.broker.protocol",
        &["PLAINTEXT"],
        "only PLAINTEXT is served between nodes so far",
    ),
];

/// Names that are no settings of Kafka's broker itself, and why they cannot be honoured.
const OF_OTHERS: &[(&str, &str)] = &[
    ("allow.everyone.if.no.acl.found", "access control is not served yet"),
    ("super.users", "access control is not served yet"),
    ("zookeeper.", "there is no ZooKeeper, here or in Kafka since 4.0; leave it out"),
];

/// What is said of an authorizer that lets everybody in.
pub(super) const OPEN_TO_ALL: &str = "access control is not served yet: there are no ACLs, and \
    allow.everyone.if.no.acl.found lets everybody in";

/// Settings that mean nothing where everybody is let in.
const OF_AUTHORIZERS: &[&str] =
    &["allow.everyone.if.no.acl.found", "authorizer.class.name", "super.users"];

/// The authorizer that knows `allow.everyone.if.no.acl.found`; others may decide without ACLs.
const STANDARD_AUTHORIZER: &str = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";

/// Whether `settings` ask for an authorizer that lets everybody in while there are no ACLs. Then
/// to have none is the same.
pub(super) fn is_open_to_all(settings: &BTreeMap<String, String>) -> bool {
    let text = |name: &str| settings.get(name).map_or("", |value| value.trim());
    text("allow.everyone.if.no.acl.found").eq_ignore_ascii_case("true")
        && ["", STANDARD_AUTHORIZER].contains(&text("authorizer.class.name"))
}

/// Whether `name` is one of the settings that [`is_open_to_all`] is about.
pub(super) fn is_of_authorizers(name: &str) -> bool {
    OF_AUTHORIZERS.contains(&name)
}

/// Why `name` cannot have `value`, if it cannot yet.
pub(super) fn refusal(name: &str, value: &str) -> Option<String> {
    let value = value.trim();
    let promised = NOT_YET.iter().find(|(known, ..)| *known == name);
    if let Some((_, harmless, why)) = promised {
        let harmless = harmless.iter().any(|harmless| harmless.eq_ignore_ascii_case(value));
        return (!harmless).then(|| format!("{name} = {value}: {why}"));
    }
    let is_meant = |known: &str| match known.strip_suffix('.') {
        Some(_) => name.starts_with(known),
        None => name == known,
    };
    let (_, why) = OF_OTHERS.iter().find(|(known, _)| is_meant(known))?;
    Some(format!("{name}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_honoured_is_refused_and_what_asks_for_nothing_is_not() {
        for (name, value) in [
            ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
            ("security.inter.broker.protocol", "SASL_SSL"),
            ("remote.log.storage.system.enable", "TRUE"),
            ("zookeeper.connect", "a:2181"),
            ("super.users", "User:a"),
        ] {
            assert!(refusal(name, value).is_some_and(|why| why.starts_with(name)), "{name}");
        }
        for (name, value) in [
            ("authorizer.class.name", " "),
            ("security.inter.broker.protocol", "plaintext"),
            ("remote.log.storage.system.enable", "False"),
            ("num.partitions", "3"),
        ] {
            assert_eq!(refusal(name, value), None, "{name}");
        }
    }

    #[test]
    fn every_promise_is_a_setting_of_kafka() {
        for (name, ..) in NOT_YET {
            let found = gofka_core::config::broker_name(name);
            assert!(!matches!(found, gofka_core::config::BrokerName::Unknown(_)), "{name}");
        }
    }
}
