//! The one file that knows all parts of a running broker, and the order they start and stop in.
//!
//! Built by the binaries; handed to every request handler.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Clock;
use crate::config::ServerConfig;
use crate::http::{self, Component, Health, Pages, Status};
use crate::logging::Logging;
use crate::metrics::Metrics;

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
}

/// Why a broker does not run: one line for a person.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RunError(String);

/// Runs a broker until it is told to stop.
pub fn run(config: ServerConfig, logging: Logging) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("gofka")
        .build()
        .map_err(|error| RunError(format!("cannot start threads: {error}")))?;
    runtime.block_on(serve(config, logging))
}

async fn serve(config: ServerConfig, logging: Logging) -> Result<(), RunError> {
    let http = http::bind("HTTP", &config.http).map_err(RunError)?;
    let broker = Arc::new(Broker {
        config: Arc::new(config),
        clock: Clock::start(),
        metrics: Arc::new(Metrics::new()),
        logging,
    });
    let pages = Pages::new(broker.metrics.clone(), || Health {
        components: vec![Component {
            name: "broker",
            status: Status::Healthy,
            detail: String::new(),
        }],
        ready: true,
    });
    let mut terminate = signal(SignalKind::terminate())
        .map_err(|error| RunError(format!("cannot listen for signals: {error}")))?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    http::serve(http, pages, stop).await.map_err(|error| RunError(error.to_string()))
}

#[cfg(test)]
impl Broker {
    /// A broker for tests of parts that only count and read clocks.
    pub(crate) fn for_tests() -> Self {
        let inputs = crate::config::Inputs {
            role: crate::config::Role::Combined,
            file: None,
            environment: Vec::new(),
            flags: std::collections::BTreeMap::new(),
        };
        Self {
            config: Arc::new(ServerConfig::load(&inputs).expect("the defaults are valid")),
            clock: Clock::start(),
            metrics: Arc::new(Metrics::new()),
            logging: Logging::silent("info"),
        }
    }
}
