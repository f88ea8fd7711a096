//! Settings without effect here: logins and OAUTHBEARER.
//!
//! Facts as Apache Kafka 4.3.1 has them, in the order of the names.

use crate::config::key::{ConfigKey, Dynamic, Kind, Unit};

/// The table.
pub(super) const OAUTH: &[ConfigKey] = &[
    ConfigKey::new(
        "sasl.login.callback.handler.class",
        Kind::Class,
        None,
        "Class that answers questions of a SASL login.",
    ),
    ConfigKey::new("sasl.login.class", Kind::Class, None, "Class that logs in."),
    ConfigKey::new(
        "sasl.login.connect.timeout.ms",
        Kind::Int(i32::MIN, i32::MAX),
        None,
        "How long a connection to the token provider may take.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "sasl.login.read.timeout.ms",
        Kind::Int(i32::MIN, i32::MAX),
        None,
        "How long the token provider's answer may take.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "sasl.login.refresh.buffer.seconds",
        Kind::Short(i16::MIN, i16::MAX),
        Some("300"),
        "Time before a token's end by which it should be renewed.",
    )
    .unit(Unit::Seconds)
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.login.refresh.min.period.seconds",
        Kind::Short(i16::MIN, i16::MAX),
        Some("60"),
        "Shortest time between two renewals of a token.",
    )
    .unit(Unit::Seconds)
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.login.refresh.window.factor",
        Kind::Double(f64::MIN, f64::MAX),
        Some("0.8"),
        "Share of a token's life after which it is renewed.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.login.refresh.window.jitter",
        Kind::Double(f64::MIN, f64::MAX),
        Some("0.05"),
        "How much the time of a token's renewal varies.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.login.retry.backoff.max.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("10000"),
        "The longest pause before a login is tried again.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "sasl.login.retry.backoff.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("100"),
        "The first pause before a login is tried again.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "sasl.oauthbearer.assertion.algorithm",
        Kind::Text,
        Some("RS256"),
        "Algorithm that signs assertions.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.assertion.claim.aud",
        Kind::Text,
        None,
        "Audience named in assertions.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.assertion.claim.exp.seconds",
        Kind::Int(0, 86_400),
        Some("300"),
        "How long assertions hold.",
    )
    .unit(Unit::Seconds),
    ConfigKey::new(
        "sasl.oauthbearer.assertion.claim.iss",
        Kind::Text,
        None,
        "Issuer named in assertions.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.assertion.claim.jti.include",
        Kind::Bool,
        Some("false"),
        "Whether assertions have an id each.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.assertion.claim.nbf.seconds",
        Kind::Int(0, 3600),
        Some("60"),
        "How long before now assertions begin to hold.",
    )
    .unit(Unit::Seconds),
    ConfigKey::new(
        "sasl.oauthbearer.assertion.claim.sub",
        Kind::Text,
        None,
        "Subject named in assertions.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.assertion.file",
        Kind::Text,
        None,
        "File with a finished assertion.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.assertion.private.key.file",
        Kind::Text,
        None,
        "File with the key that signs assertions.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.assertion.private.key.passphrase",
        Kind::Password,
        None,
        "Passphrase of that key.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.assertion.template.file",
        Kind::Text,
        None,
        "File with headers and claims of assertions.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.client.credentials.client.id",
        Kind::Text,
        None,
        "Client id for the token provider.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.client.credentials.client.secret",
        Kind::Password,
        None,
        "Client secret for the token provider.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.clock.skew.seconds",
        Kind::Int(i32::MIN, i32::MAX),
        Some("30"),
        "How much the clocks of broker and token provider may differ.",
    )
    .unit(Unit::Seconds),
    ConfigKey::new(
        "sasl.oauthbearer.expected.audience",
        Kind::List,
        Some(""),
        "Audiences of which a token must name one.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.expected.issuer",
        Kind::Text,
        None,
        "Issuer that a token must name.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.jwks.endpoint.refresh.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("3600000"),
        "How often the provider's keys are fetched.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("10000"),
        "The longest pause before the provider's keys are asked for again.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("100"),
        "The first pause before the provider's keys are asked for again.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "sasl.oauthbearer.jwks.endpoint.url",
        Kind::Text,
        None,
        "Where the provider's keys are found.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.jwt.retriever.class",
        Kind::Class,
        Some("org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever"),
        "Class that fetches tokens.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.jwt.validator.class",
        Kind::Class,
        Some("org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator"),
        "Class that checks tokens.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.scope",
        Kind::Text,
        None,
        "Scope asked of the token provider.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.scope.claim.name",
        Kind::Text,
        Some("scope"),
        "Claim that holds the scope.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.sub.claim.name",
        Kind::Text,
        Some("sub"),
        "Claim that holds the subject.",
    ),
    ConfigKey::new(
        "sasl.oauthbearer.token.endpoint.url",
        Kind::Text,
        None,
        "Where tokens are fetched.",
    ),
];
