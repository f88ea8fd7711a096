//! One log line for each change that a client has made to topics and settings: what, and who asked.
//!
//! Called by the handlers, which alone know the client, once the change is made.

use std::fmt::Write;

use gofka_core::config::{any_broker_key, client_metrics_key, group_key, topic_key};
use gofka_core::ids::{TopicId, TopicName};
use gofka_raft::{AlterOp, ConfigAlteration, CreatedTopic, ResourceKind};

use super::RequestContext;

/// Letters of one line that tell what has become of settings: a value may be 32 KiB.
const CHANGES_SHOWN_MAX: usize = 1_000;

/// A topic was made; `why` tells whether it was asked for.
pub(super) fn created(context: &RequestContext, topic: &CreatedTopic, why: &str) {
    tracing::info!(
        topic = %topic.name,
        id = %topic.id,
        partitions = topic.partitions,
        replication_factor = topic.replication_factor,
        peer = %context.peer(),
        client = context.client_shown(),
        "topic created {why}"
    );
}

/// A topic is gone.
pub(super) fn deleted(context: &RequestContext, topic: &TopicName, id: TopicId) {
    let (peer, client) = (context.peer(), context.client_shown());
    tracing::info!(%topic, %id, %peer, client, "topic deleted");
}

/// A topic has `count` partitions from now on.
pub(super) fn grown(context: &RequestContext, topic: &str, count: i32) {
    let (peer, client) = (context.peer(), context.client_shown());
    tracing::info!(topic, partitions = count, %peer, client, "partitions added");
}

/// Settings have changed; `changes` is what [`changes`] has made of them.
pub(super) fn altered(context: &RequestContext, changes: &str) {
    let (peer, client) = (context.peer(), context.client_shown());
    tracing::info!(%peer, client, "settings changed: {changes}");
}

/// What `alteration` asks for, without values that nobody may see.
pub(super) fn changes(alteration: &ConfigAlteration) -> String {
    let resource = alteration.resource();
    let kind = match resource.kind {
        ResourceKind::Topic => "topic",
        ResourceKind::Broker if resource.name.is_empty() => "all brokers",
        ResourceKind::Broker => "broker",
        ResourceKind::BrokerLogger => "loggers of broker",
        ResourceKind::ClientMetrics => "client metrics",
        ResourceKind::Group => "group",
    };
    let mut text = format!("{kind} {}", resource.name).trim_end().to_owned();
    let mut separator = ": ";
    let mut tell = |name: &str, sign: &str, value: Option<&str>| {
        let hidden = value.is_some() && is_secret(resource.kind, name);
        let value = if hidden { "[hidden]" } else { value.unwrap_or_default() };
        write!(text, "{separator}{name}{sign}{value}").expect("a string takes all");
        separator = ", ";
    };
    match alteration {
        ConfigAlteration::Incremental { changes, .. } => {
            for (name, op, value) in changes {
                let value = value.as_deref();
                match op {
                    AlterOp::Set => tell(name, "=", value),
                    AlterOp::Append => tell(name, "+=", value),
                    AlterOp::Subtract => tell(name, "-=", value),
                    AlterOp::Delete => tell(name, " to its default", None),
                }
            }
        }
        ConfigAlteration::Replace { configs, .. } => {
            for (name, value) in configs {
                tell(name, "=", value.as_deref());
            }
            tell("all others", " to their defaults", None);
        }
    }
    if let Some((end, _)) = text.char_indices().nth(CHANGES_SHOWN_MAX) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// Whether a value may not be shown: nobody knows what one is whose setting nobody knows.
fn is_secret(kind: ResourceKind, name: &str) -> bool {
    let key = match kind {
        ResourceKind::Topic => topic_key(name),
        ResourceKind::Broker => any_broker_key(name),
        ResourceKind::Group => group_key(name),
        ResourceKind::ClientMetrics => client_metrics_key(name),
        ResourceKind::BrokerLogger => return false,
    };
    key.is_none_or(gofka_core::config::ConfigKey::is_sensitive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gofka_raft::ConfigResource;

    #[test]
    fn changes_are_told_and_secrets_are_not() {
        let incremental = |kind, name: &str, changes: &[(&str, AlterOp, Option<&str>)]| {
            let changes = changes
                .iter()
                .map(|(name, op, value)| ((*name).to_owned(), *op, value.map(str::to_owned)));
            changes_of(kind, name, changes.collect())
        };
        let cases = [
            (
                incremental(
                    ResourceKind::Topic,
                    "t",
                    &[
                        ("retention.ms", AlterOp::Set, Some("5")),
                        ("cleanup.policy", AlterOp::Append, Some("compact")),
                        ("segment.ms", AlterOp::Delete, None),
                    ],
                ),
                "topic t: retention.ms=5, cleanup.policy+=compact, segment.ms to its default",
            ),
            (
                incremental(
                    ResourceKind::Broker,
                    "",
                    &[
                        ("ssl.key.password", AlterOp::Set, Some("s3cret")),
                        ("of.a.plugin", AlterOp::Set, Some("s3cret")),
                    ],
                ),
                "all brokers: ssl.key.password=[hidden], of.a.plugin=[hidden]",
            ),
            (
                incremental(
                    ResourceKind::BrokerLogger,
                    "0",
                    &[("root", AlterOp::Set, Some("DEBUG"))],
                ),
                "loggers of broker 0: root=DEBUG",
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_is_not_named_goes_back_to_its_default() {
        let found = changes(&ConfigAlteration::Replace {
            resource: ConfigResource::group("g"),
            configs: vec![("consumer.session.timeout.ms".to_owned(), Some("45000".to_owned()))],
        });
        let expected = "group g: consumer.session.timeout.ms=45000, all others to their defaults";
        assert_eq!(found, expected);
    }

    #[test]
    fn a_long_value_does_not_make_a_long_line() {
        let long = "é".repeat(30_000);
        let change = ("retention.ms".to_owned(), AlterOp::Set, Some(long));
        let found = changes_of(ResourceKind::Topic, "t", vec![change]);
        assert_eq!(found.chars().count(), CHANGES_SHOWN_MAX + 3);
    }

    fn changes_of(
        kind: ResourceKind,
        name: &str,
        changes: Vec<(String, AlterOp, Option<String>)>,
    ) -> String {
        let resource = ConfigResource { kind, name: name.to_owned() };
        super::changes(&ConfigAlteration::Incremental { resource, changes })
    }
}
