//! What a handler knows about the request beside its body.
//!
//! Made by `net::connection`, one per request; cheap to clone into stage two.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use gofka_core::time::Now;
use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::{Encodable, HeaderVersion};

use super::{Outcome, Reply};
use crate::broker::Broker;
use crate::net::MemoryBudget;

/// Letters of a client id in a log line; the wire allows 32 KiB.
const CLIENT_ID_SHOWN_MAX: usize = 128;

/// Who may connect to a listener, and so which APIs it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerKind {
    /// Clients.
    Client,
    /// Other members of the cluster.
    Internal,
}

/// One listener, as its connections see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerInfo {
    /// The name of `listeners` and `advertised.listeners`, such as `PLAINTEXT`.
    pub name: String,
    /// Who may connect.
    pub kind: ListenerKind,
}

/// One connection, for as long as it lives.
#[derive(Debug)]
pub struct ConnectionInfo {
    /// Unique in this process.
    pub id: u64,
    /// The client's address.
    pub peer: SocketAddr,
    /// The address that the client connected to.
    pub local: SocketAddr,
    /// The listener that accepted it.
    pub listener: Arc<ListenerInfo>,
    /// Name and version of the client's library, once ApiVersions has told (KIP-511).
    pub software: OnceLock<(String, String)>,
}

/// Everything about one request but its body.
#[derive(Clone)]
pub struct RequestContext {
    /// All parts of the broker.
    pub broker: Arc<Broker>,
    /// The connection it came on.
    pub connection: Arc<ConnectionInfo>,
    /// The API.
    pub api_key: ApiKey,
    /// The version that the body has and the answer must have.
    pub api_version: i16,
    /// What the client calls itself; absent when it sent null.
    pub client_id: Option<Arc<str>>,
    /// When the whole request had arrived.
    pub now: Now,
    /// Memory for large replies: a handler that reads files takes its bytes here first, and gives
    /// the permit to its reply (`Reply::with_permit`), which holds it until it is sent. Other large
    /// replies take theirs when they are ready.
    pub reply_memory: MemoryBudget,
}

impl RequestContext {
    /// The client's address.
    pub fn peer(&self) -> SocketAddr {
        self.connection.peer
    }

    /// The address that the client connected to.
    pub fn local(&self) -> SocketAddr {
        self.connection.local
    }

    /// The listener that the client connected to.
    pub fn listener(&self) -> &ListenerInfo {
        &self.connection.listener
    }

    /// The client id, empty when there is none.
    pub fn client_id(&self) -> &str {
        self.client_id.as_deref().unwrap_or_default()
    }

    /// The client id as log lines show it: not the whole of one that is very long.
    pub(crate) fn client_shown(&self) -> &str {
        let id = self.client_id();
        let end = id.char_indices().nth(CLIENT_ID_SHOWN_MAX).map_or(id.len(), |(at, _)| at);
        &id[..end]
    }

    /// Encodes `response` at the request's version.
    pub fn reply<R: Encodable + HeaderVersion>(&self, response: &R) -> Reply {
        Reply::encode(self.api_key, self.api_version, response)
    }

    /// The commonest end of stage one: the answer is ready.
    pub fn now<R: Encodable + HeaderVersion>(&self, response: &R) -> Outcome {
        Outcome::Now(self.reply(response))
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext")
            .field("api_key", &self.api_key)
            .field("api_version", &self.api_version)
            .field("peer", &self.connection.peer)
            .finish_non_exhaustive()
    }
}
