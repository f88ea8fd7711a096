//! Settings of products around Kafka, which a `server.properties` may have beside Kafka's own.
//!
//! Called by `config/mod.rs` for each layer. Kafka hands what it does not know to its plug-ins and
//! warns; here a name that nobody knows is refused, since it is most often a slip that would go
//! unnoticed. These are no slips: whoever comes from Kafka need not edit them out.

/// How such settings begin. What protects or keeps data is asked for by a setting of Kafka's
/// (`authorizer.class.name`, `remote.log.storage.system.enable`), which `not_yet` refuses.
const PREFIXES: &[&str] = &[
    "confluent.",
    "cruise.control.",
    "opa.authorizer.",
    "ranger.",
    "rlmm.config.",
    "rsm.config.",
    "strimzi.",
];

/// Whether `name` belongs to one of them.
pub(super) fn is_foreign(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gofka_core::config::all_broker_keys;

    #[test]
    fn no_setting_of_kafka_is_foreign() {
        let own = all_broker_keys().iter().find(|key| is_foreign(key.name));
        assert_eq!(own.map(|key| key.name), None);
    }
}
