//! The table of Kafka's APIs that this broker serves: key, lowest and highest version, handler.
//!
//! ApiVersions, the dispatch of requests, the protocol support document and the tests come from
//! this table; there is no second list. Adding an API is a file here with `API` and `handle`, and
//! one line in `apis!`. Called by `net::connection`, on the connection's own task.
//!
//! A handler works in two stages. `handle` itself is stage one: it fixes the request's order, so
//! the connection does not start the next request before it returns, and it awaits bounded work
//! only. What may wait long (an acknowledgement, a long poll, a rebalance) goes into
//! [`Outcome::Later`]. Stage two of several requests overlaps; replies leave in request order.

// The table awaits every handler, also those that answer at once.
#![allow(clippy::unused_async)]

use std::fmt;
use std::pin::Pin;
use std::sync::LazyLock;

use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::{Decodable, HeaderVersion, Message, Request};

mod budget;
mod change_lines;
mod config_changes;
mod context;
mod duplicates;
mod group_wire;
mod leader_hint;
mod no_transactions;
mod operations;
mod reply;
#[cfg(test)]
mod support;
mod wire;

pub use context::{ConnectionInfo, ListenerInfo, ListenerKind, RequestContext};
pub use reply::{FileRange, Outcome, Part, Reply};

/// A boxed future that may be polled on any thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the table says about one API.
pub struct Api {
    key: i16,
    lowest: i16,
    highest: i16,
    advertised_from: i16,
    request_header_version: fn(i16) -> i16,
    response_header_version: fn(i16) -> i16,
}

impl Api {
    /// An API served at `lowest..=highest`, both included. A version that the codec cannot carry
    /// in both directions does not compile.
    pub const fn new<R: Request>(lowest: i16, highest: i16) -> Self {
        let request = R::VERSIONS;
        let response = <R::Response as Message>::VERSIONS;
        assert!(lowest <= highest);
        assert!(lowest >= request.min && lowest >= response.min);
        assert!(highest <= request.max && highest <= response.max);
        Self {
            key: R::KEY,
            lowest,
            highest,
            advertised_from: lowest,
            request_header_version: <R as HeaderVersion>::header_version,
            response_header_version: <R::Response as HeaderVersion>::header_version,
        }
    }

    /// Announces versions from `version` on, below what is served. Older librdkafka takes a
    /// broker without Produce 0 for one without features.
    pub const fn advertised_from(mut self, version: i16) -> Self {
        self.advertised_from = version;
        self
    }

    /// The API's number on the wire.
    pub const fn key(&self) -> i16 {
        self.key
    }

    /// The codec's name for the API.
    pub fn api_key(&self) -> ApiKey {
        ApiKey::try_from(self.key).expect("the key comes from the codec's own request type")
    }

    /// Lowest version that is served.
    pub const fn lowest(&self) -> i16 {
        self.lowest
    }

    /// Highest version that is served and announced.
    pub const fn highest(&self) -> i16 {
        self.highest
    }

    /// Lowest version that ApiVersions announces.
    pub const fn lowest_advertised(&self) -> i16 {
        self.advertised_from
    }

    /// Whether requests of `version` reach the handler.
    pub const fn serves(&self, version: i16) -> bool {
        self.lowest <= version && version <= self.highest
    }

    /// Whether a version that is not served is answered nevertheless: clients find out by asking
    /// (KIP-511).
    pub const fn answers_any_version(&self) -> bool {
        self.key == ApiKey::ApiVersions as i16
    }

    /// The version of the header before a request of `version`.
    pub fn request_header_version(&self, version: i16) -> i16 {
        (self.request_header_version)(version)
    }

    /// The version of the header before the response to a request of `version`.
    pub fn response_header_version(&self, version: i16) -> i16 {
        (self.response_header_version)(version)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}..={}", self.api_key(), self.lowest, self.highest)
    }
}

/// The body could not be decoded; the connection is closed, as Kafka does.
#[derive(Debug, thiserror::Error)]
#[error("the request body does not decode: {0}")]
pub struct UndecodableBody(String);

/// Decodes a body that the grammar has accepted, and runs stage one of its handler.
pub type Handler =
    for<'a> fn(&'a RequestContext, Bytes) -> BoxFuture<'a, Result<Outcome, UndecodableBody>>;

/// One row of the table.
#[derive(Debug)]
pub struct Entry {
    /// Key and versions.
    pub api: &'static Api,
    /// Stage one.
    pub handler: Handler,
}

macro_rules! apis {
    ($($module:ident,)*) => {
        $(pub mod $module;)*

        /// Every API that is served, by key.
        pub static TABLE: &[Entry] = &[$(Entry {
            api: &$module::API,
            handler: {
                fn run(
                    context: &RequestContext,
                    body: Bytes,
                ) -> BoxFuture<'_, Result<Outcome, UndecodableBody>> {
                    Box::pin(async move {
                        let request = decode(context, body)?;
                        Ok($module::handle(context, request).await)
                    })
                }
                run
            },
        },)*];
    };
}

// In the order of their keys.
apis! {
    produce,
    fetch,
    list_offsets,
    metadata,
    offset_commit,
    offset_fetch,
    find_coordinator,
    join_group,
    heartbeat,
    leave_group,
    sync_group,
    describe_groups,
    list_groups,
    api_versions,
    create_topics,
    delete_topics,
    delete_records,
    init_producer_id,
    offset_for_leader_epoch,
    describe_configs,
    alter_configs,
    describe_log_dirs,
    create_partitions,
    delete_groups,
    incremental_alter_configs,
    offset_delete,
    describe_cluster,
    describe_producers,
    list_config_resources,
    describe_topic_partitions,
}

static BY_KEY: LazyLock<Vec<Option<&'static Entry>>> = LazyLock::new(|| {
    let mut by_key = Vec::new();
    for entry in TABLE {
        let key = usize::try_from(entry.api.key()).expect("keys are not negative");
        by_key.resize(by_key.len().max(key + 1), None);
        by_key[key] = Some(entry);
    }
    by_key
});

/// The row of `key`, if that API is served.
pub fn find(key: i16) -> Option<&'static Entry> {
    *BY_KEY.get(usize::try_from(key).ok()?)?
}

fn decode<R: Decodable>(context: &RequestContext, mut body: Bytes) -> Result<R, UndecodableBody> {
    R::decode(&mut body, context.api_version).map_err(|error| UndecodableBody(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_rise_so_none_is_listed_twice() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].api.key() < pair[1].api.key(), "{:?} {:?}", pair[0].api, pair[1].api);
        }
    }

    #[test]
    fn every_body_has_a_grammar() {
        for entry in TABLE {
            assert!(crate::net::grammar::limits(entry.api.key()).is_some(), "{:?}", entry.api);
        }
    }

    #[test]
    fn every_key_is_found() {
        for entry in TABLE {
            let found = find(entry.api.key()).expect("the key is in the table");
            assert_eq!(found.api.key(), entry.api.key());
        }
        assert!(find(-1).is_none());
    }
}
