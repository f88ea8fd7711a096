//! Starting and stopping, part by part.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Broker, RunError, endpoints, internal, options};
use crate::clock::Clock;
use crate::config::ServerConfig;
use crate::http::{self, Component, Health, Pages, Status};
use crate::logging::Logging;
use crate::metrics::Metrics;
use crate::net::{Bound, Listeners};

/// How long answers in flight may take to leave when the broker stops.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// A node that serves, and everything that stops with it.
pub(super) struct Running {
    broker: Arc<Broker>,
    listeners: Listeners,
    addresses: Vec<String>,
    http_address: String,
    /// What a client on this machine connects to.
    bootstrap: String,
    stop_http: CancellationToken,
    http: JoinHandle<std::io::Result<()>>,
    internal: JoinHandle<std::io::Result<()>>,
}

impl Running {
    pub(super) async fn start(config: ServerConfig, logging: Logging) -> Result<Self, RunError> {
        let config = Arc::new(config);
        let clock = Clock::start();
        let net_options = options::net(&config).map_err(RunError)?;
        let specs = options::listeners(&config);
        let bound = Bound::bind(&specs, &net_options).await.map_err(RunError::new)?;
        let http_socket = http::bind("HTTP", &config.http).map_err(RunError)?;
        let internal_socket = http::bind("raft", &config.raft).map_err(RunError)?;
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }

        let metrics = Arc::new(Metrics::new());
        let started: Arc<OnceLock<Arc<Broker>>> = Arc::default();
        let stop_http = CancellationToken::new();
        let pages = Pages::new(metrics.clone(), {
            let started = started.clone();
            move || health(started.get())
        });
        let http_address = http_socket.local_addr().map_err(RunError::new)?.to_string();
        let stopped = stop_http.clone();
        let http = tokio::spawn(http::serve(http_socket, pages, stopped.cancelled_owned()));
        let internal = tokio::spawn(internal::refuse(internal_socket));

        let broker = Arc::new(Broker { config, clock, metrics, logging });
        let addresses =
            bound.addresses().into_iter().flatten().map(|address| address.to_string()).collect();
        let endpoints = endpoints::advertised(&broker.config, &bound.ports()).await;
        let bootstrap = endpoints.first().map_or_else(String::new, |first| {
            crate::config::Address { host: Some(first.host.clone()), port: first.port }.to_string()
        });
        let listeners = bound.start(broker.clone(), net_options);
        broker.metrics.broker_up.set(1);
        let _ = started.set(broker.clone());
        Ok(Self {
            broker,
            listeners,
            addresses,
            http_address,
            bootstrap,
            stop_http,
            http,
            internal,
        })
    }

    /// What a person wants to know once it serves.
    pub(super) fn ready_line(&self) -> String {
        let config = &self.broker.config;
        let dirs: Vec<String> = config.log_dirs.iter().map(|dir| absolute(dir)).collect();
        format!(
            "gofka is listening on {}; data in {}; {}; metrics and health on http://{}; try: \
             echo hello | kcat -b {} -P -t greetings",
            self.addresses.join(" and "),
            dirs.join(" and "),
            promise(config),
            self.http_address,
            self.bootstrap,
        )
    }

    pub(super) async fn stop(self) -> Result<(), RunError> {
        tracing::info!("stopping");
        self.broker.metrics.broker_up.set(0);
        self.listeners.stop(DRAIN_MAX).await;
        self.internal.abort();
        let _ = self.internal.await;
        self.stop_http.cancel();
        self.http.await.map_err(RunError::new)?.map_err(RunError::new)
    }
}

/// What a record that was acknowledged survives, in the cluster's default durability.
fn promise(config: &ServerConfig) -> &'static str {
    let replicated = config.integer("min.insync.replicas") >= 2;
    match config.text("durability").as_str() {
        "page-cache" => "acknowledged records survive the process (durability page-cache)",
        "auto" if replicated => {
            "acknowledged records survive any one machine (durability page-cache on two)"
        }
        _ => "acknowledged records survive power loss (durability fsync)",
    }
}

fn absolute(dir: &Path) -> String {
    std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned()).display().to_string()
}

fn health(broker: Option<&Arc<Broker>>) -> Health {
    let status = if broker.is_some() { Status::Healthy } else { Status::Unhealthy };
    let detail = if broker.is_some() { "serving" } else { "starting" };
    let component = Component { name: "broker", status, detail: detail.to_owned() };
    Health { components: vec![component], ready: broker.is_some() }
}
