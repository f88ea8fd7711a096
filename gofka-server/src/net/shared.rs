//! What all connections of the process share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::complaints::Complaints;
use super::memory::MemoryBudget;
use super::options::NetOptions;
use super::quota::ConnectionQuota;
use crate::api::{self, Entry};
use crate::broker::Broker;
use crate::clock::Clock;
use crate::metrics::Metrics;

/// One per running broker.
pub(super) struct Shared {
    pub(super) broker: Arc<Broker>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Clock,
    pub(super) options: NetOptions,
    pub(super) request_memory: MemoryBudget,
    pub(super) reply_memory: MemoryBudget,
    pub(super) quota: ConnectionQuota,
    pub(super) complaints: Complaints,
    /// Set when no further request is to be read.
    pub(super) stopping: CancellationToken,
    /// Set when connections are to end at once.
    pub(super) aborting: CancellationToken,
    /// Every listener and connection, so that stopping can wait for them.
    pub(super) tasks: TaskTracker,
    /// The table of APIs; tests have their own.
    pub(super) find: fn(i16) -> Option<&'static Entry>,
    connection_ids: AtomicU64,
}

impl Shared {
    pub(super) fn new(broker: Arc<Broker>, options: NetOptions) -> Self {
        Self {
            metrics: broker.metrics.clone(),
            clock: broker.clock,
            broker,
            request_memory: MemoryBudget::new(options.request_memory_bytes),
            reply_memory: MemoryBudget::new(options.reply_memory_bytes),
            quota: ConnectionQuota::new(options.limits.clone()),
            options,
            complaints: Complaints::default(),
            stopping: CancellationToken::new(),
            aborting: CancellationToken::new(),
            tasks: TaskTracker::new(),
            find: api::find,
            connection_ids: AtomicU64::new(1),
        }
    }

    pub(super) fn next_connection_id(&self) -> u64 {
        self.connection_ids.fetch_add(1, Relaxed)
    }
}
