//! The one file that knows all parts of a running broker, and the order they start and stop in.
//!
//! Called by `cli/`; the broker is handed to every request handler. Start: settings, sockets and
//! directories first, so that what makes a start impossible is found before anything is touched;
//! then the parts from the inside out; clients last. Stop: the other way round.

mod endpoints;
mod figures;
mod internal;
mod limits;
mod live;
mod options;
mod parts;
mod start;
mod stop_signal;

use std::sync::Arc;

use gofka_core::ids::NodeId;
use gofka_raft::Controller;
use gofka_storage::LogDirs;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::ServerConfig;
use crate::coordinator::GroupCoordinator;
use crate::logging::Logging;
use crate::metrics::Metrics;
use crate::net::Complaints;
use crate::partition::{FetchSessionTable, Partitions, ProducerIds};
use start::Running;
use stop_signal::StopSignal;

/// All parts of one running broker.
#[derive(Debug)]
pub struct Broker {
    /// The settings of the process.
    pub config: Arc<ServerConfig>,
    /// The process's clocks.
    pub clock: Clock,
    /// Every metric family.
    pub metrics: Arc<Metrics>,
    /// The log levels.
    pub logging: Logging,
    /// This node.
    pub node: NodeId,
    /// The metadata quorum.
    pub controller: Controller,
    /// The partitions held here.
    pub partitions: Partitions,
    /// The groups coordinated here.
    pub groups: GroupCoordinator,
    /// Incremental fetch sessions.
    pub fetch_sessions: FetchSessionTable,
    /// Producer ids to give out.
    pub producer_ids: ProducerIds,
    /// Lines about what clients ask for and cannot have.
    pub hints: Complaints,
    /// Set when the broker stops: what waits for something to happen answers with what there is.
    pub stopping: CancellationToken,
    raft_lock: Option<LogDirs>,
}

/// Why a broker does not run: one line for a person.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RunError(String);

impl RunError {
    fn new(why: impl std::fmt::Display) -> Self {
        Self(why.to_string())
    }
}

/// Runs a broker until it is told to stop.
pub fn run(config: ServerConfig, logging: &Logging) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("gofka")
        .build()
        .map_err(|error| RunError(format!("cannot start threads: {error}")))?;
    runtime.block_on(async {
        let mut signal = StopSignal::listen().map_err(RunError::new)?;
        let running = tokio::select! {
            running = Running::start(config, logging.clone()) => running?,
            () = signal.wait() => return Ok(()),
        };
        logging.announce(running.ready_line());
        let failed = tokio::select! {
            () = signal.wait() => None,
            why = running.failed() => Some(why),
        };
        let stopped = signal.or_exit(running.stop()).await;
        match failed {
            Some(why) => Err(RunError(format!("the metadata log failed: {why}"))),
            None => stopped,
        }
    })
}

impl Broker {
    /// A broker that no socket leads to, for who calls its handlers: tests and benchmarks.
    /// Stopping its groups and [`Broker::close`] end it.
    pub async fn without_sockets(config: ServerConfig) -> Result<Arc<Self>, RunError> {
        let config = Arc::new(config);
        let common = parts::Common {
            config: config.clone(),
            clock: Clock::start(),
            metrics: Arc::new(Metrics::new()),
            logging: Logging::silent("info"),
        };
        let metadata = parts::Metadata::open(&common, &config.log_dirs).await?;
        Self::open(common, metadata, Vec::new()).await
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
impl Broker {
    /// A broker without sockets, with its data in `dir`.
    pub(crate) async fn for_tests(dir: &std::path::Path) -> Arc<Self> {
        let inputs = crate::config::Inputs {
            role: crate::config::Role::Combined,
            file: None,
            environment: Vec::new(),
            flags: [("log.dir".to_owned(), dir.display().to_string())].into(),
        };
        let config = ServerConfig::load(&inputs).expect("the settings are valid");
        Self::without_sockets(config).await.expect("opens")
    }
}
