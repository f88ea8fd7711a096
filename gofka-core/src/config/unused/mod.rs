//! Broker settings that Kafka has and Gofka accepts without using them.
//!
//! A `server.properties` written for Kafka starts; the loader warns of each of these by name, and
//! DescribeConfigs lists them, so that tools which expect Kafka's list find it.

mod broker;
mod coordinators;
mod groups;
mod oauth;
mod quorum;
mod remote;
mod security;

use super::key::ConfigKey;

/// By theme.
pub(super) const UNUSED: &[&[ConfigKey]] = &[
    broker::BROKER,
    coordinators::COORDINATORS,
    groups::GROUPS,
    oauth::OAUTH,
    quorum::QUORUM,
    remote::REMOTE,
    security::SECURITY,
];
