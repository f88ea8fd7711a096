//! Settings without effect here: SASL, TLS and tokens.
//!
//! Facts as Apache Kafka 4.3.1 has them, in the order of the names.

use crate::config::key::{ConfigKey, Dynamic, Kind, Unit};

/// The table.
pub(super) const SECURITY: &[ConfigKey] = &[
    ConfigKey::new(
        "authorizer.class.name",
        Kind::Text,
        Some(""),
        "Class that decides who may do what.",
    ),
    ConfigKey::new(
        "connection.failed.authentication.delay.ms",
        Kind::Int(0, i32::MAX),
        Some("100"),
        "How long a connection stays open after authentication failed.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "connections.max.reauth.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("0"),
        "How long a SASL session lasts before the client must authenticate again; 0 sets no limit.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "delegation.token.expiry.check.interval.ms",
        Kind::Long(1, i64::MAX),
        Some("3600000"),
        "How often old delegation tokens are looked for.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "delegation.token.expiry.time.ms",
        Kind::Long(1, i64::MAX),
        Some("86400000"),
        "How long a delegation token holds unless it is renewed.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "delegation.token.max.lifetime.ms",
        Kind::Long(1, i64::MAX),
        Some("604800000"),
        "How long a delegation token holds at most.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "delegation.token.secret.key",
        Kind::Password,
        None,
        "Secret with which delegation tokens are made and checked.",
    ),
    ConfigKey::new(
        "principal.builder.class",
        Kind::Class,
        Some("org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"),
        "Class that makes a user's name out of a connection.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.client.callback.handler.class",
        Kind::Class,
        None,
        "Class that answers questions of a SASL client.",
    ),
    ConfigKey::new(
        "sasl.enabled.mechanisms",
        Kind::List,
        Some("GSSAPI"),
        "SASL mechanisms that clients may use.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.jaas.config",
        Kind::Password,
        None,
        "JAAS login context of SASL connections.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.kerberos.kinit.cmd",
        Kind::Text,
        Some("/usr/bin/kinit"),
        "Where Kerberos' kinit is.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.kerberos.min.time.before.relogin",
        Kind::Long(i64::MIN, i64::MAX),
        Some("60000"),
        "Shortest time between two Kerberos logins.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.kerberos.principal.to.local.rules",
        Kind::List,
        Some("DEFAULT"),
        "Rules that make short names of Kerberos principals.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.kerberos.service.name",
        Kind::Text,
        None,
        "Kerberos principal that the broker runs as.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.kerberos.ticket.renew.jitter",
        Kind::Double(f64::MIN, f64::MAX),
        Some("0.05"),
        "How much the time of a Kerberos renewal varies.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.kerberos.ticket.renew.window.factor",
        Kind::Double(f64::MIN, f64::MAX),
        Some("0.8"),
        "Share of a Kerberos ticket's life after which it is renewed.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.mechanism.controller.protocol",
        Kind::Text,
        Some("GSSAPI"),
        "SASL mechanism towards controllers.",
    ),
    ConfigKey::new(
        "sasl.mechanism.inter.broker.protocol",
        Kind::Text,
        Some("GSSAPI"),
        "SASL mechanism between brokers.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "sasl.server.callback.handler.class",
        Kind::Class,
        None,
        "Class that answers questions of a SASL server.",
    ),
    ConfigKey::new(
        "sasl.server.max.receive.size",
        Kind::Int(i32::MIN, i32::MAX),
        Some("524288"),
        "The largest message before authentication.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "security.inter.broker.protocol",
        Kind::OneOf(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]),
        Some("PLAINTEXT"),
        "Security protocol between brokers.",
    ),
    ConfigKey::new(
        "security.providers",
        Kind::Text,
        None,
        "Classes that provide security algorithms.",
    ),
    ConfigKey::new(
        "ssl.allow.dn.changes",
        Kind::Bool,
        Some("false"),
        "Whether a new certificate may have another distinguished name.",
    ),
    ConfigKey::new(
        "ssl.allow.san.changes",
        Kind::Bool,
        Some("false"),
        "Whether a new certificate may have other alternative names.",
    ),
    ConfigKey::new("ssl.cipher.suites", Kind::List, Some(""), "Cipher suites that may be used.")
        .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "ssl.client.auth",
        Kind::OneOf(&["required", "requested", "none"]),
        Some("none"),
        "Whether clients show certificates.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "ssl.enabled.protocols",
        Kind::List,
        Some("TLSv1.2,TLSv1.3"),
        "TLS versions that may be used.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "ssl.endpoint.identification.algorithm",
        Kind::Text,
        Some("https"),
        "How the name in a server's certificate is checked.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new("ssl.engine.factory.class", Kind::Class, None, "Class that makes TLS engines.")
        .dynamic(Dynamic::PerBroker),
    ConfigKey::new("ssl.key.password", Kind::Password, None, "Password of the private key.")
        .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "ssl.keymanager.algorithm",
        Kind::Text,
        Some("SunX509"),
        "Algorithm of the key manager.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "ssl.keystore.certificate.chain",
        Kind::Password,
        None,
        "Certificate chain as PEM.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new("ssl.keystore.key", Kind::Password, None, "Private key as PEM.")
        .dynamic(Dynamic::PerBroker),
    ConfigKey::new("ssl.keystore.location", Kind::Text, None, "Where the key store is.")
        .dynamic(Dynamic::PerBroker),
    ConfigKey::new("ssl.keystore.password", Kind::Password, None, "Password of the key store.")
        .dynamic(Dynamic::PerBroker),
    ConfigKey::new("ssl.keystore.type", Kind::Text, Some("JKS"), "Format of the key store.")
        .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "ssl.principal.mapping.rules",
        Kind::Text,
        Some("DEFAULT"),
        "Rules that make short names of distinguished names.",
    ),
    ConfigKey::new("ssl.protocol", Kind::Text, Some("TLSv1.3"), "TLS version of the context.")
        .dynamic(Dynamic::PerBroker),
    ConfigKey::new("ssl.provider", Kind::Text, None, "Provider of the TLS implementation.")
        .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "ssl.secure.random.implementation",
        Kind::Text,
        None,
        "Source of random numbers for TLS.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "ssl.trustmanager.algorithm",
        Kind::Text,
        Some("PKIX"),
        "Algorithm of the trust manager.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "ssl.truststore.certificates",
        Kind::Password,
        None,
        "Trusted certificates as PEM.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new("ssl.truststore.location", Kind::Text, None, "Where the trust store is.")
        .dynamic(Dynamic::PerBroker),
    ConfigKey::new("ssl.truststore.password", Kind::Password, None, "Password of the trust store.")
        .dynamic(Dynamic::PerBroker),
    ConfigKey::new("ssl.truststore.type", Kind::Text, Some("JKS"), "Format of the trust store.")
        .dynamic(Dynamic::PerBroker),
];
