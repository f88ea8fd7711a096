//! A node from its sockets to the line that says it is ready, and back.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gofka_raft::Controller;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::live::{KnownLimits, LiveSettings};
use super::parts::{Common, Metadata};
use super::{Broker, RunError, endpoints, figures, internal, options};
use crate::clock::Clock;
use crate::config::{Address, Role, ServerConfig};
use crate::http::{self, BoundPort, Pages};
use crate::logging::Logging;
use crate::metrics::{Metrics, StateFigures};
use crate::net::{Bound, ConnectionLimits, Listeners};

/// How long answers in flight may take to leave when the broker stops.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// How long pages may take to leave.
const HTTP_DRAIN_MAX: Duration = Duration::from_secs(1);

/// A node that serves, and everything that stops with it.
pub(super) struct Running {
    side_doors: SideDoors,
    serving: Serving,
    ready_line: String,
}

enum Serving {
    Broker { broker: Arc<Broker>, listeners: Listeners, settings: LiveSettings },
    Controller { controller: Controller, metadata: Box<Metadata> },
}

impl Running {
    pub(super) async fn start(config: ServerConfig, logging: Logging) -> Result<Self, RunError> {
        let common = Common {
            config: Arc::new(config),
            clock: Clock::start(),
            metrics: Arc::new(Metrics::new()),
            logging,
        };
        match common.config.role {
            Role::Controller => Self::start_controller(common).await,
            Role::Combined | Role::Broker => Self::start_broker(common).await,
        }
    }

    async fn start_broker(common: Common) -> Result<Self, RunError> {
        let config = common.config.clone();
        let mut net_options = options::net(&config, ConnectionLimits::default());
        let specs = options::listeners(&config);
        let bound = Bound::bind(&specs, &net_options).await.map_err(RunError::new)?;
        let sockets = SideSockets::bind(&config)?;
        let metadata = Metadata::open(&common, &config.log_dirs).await?;
        sockets.warn(&config);

        let started: Arc<OnceLock<Arc<Broker>>> = Arc::default();
        let seen = started.clone();
        let pages = Pages::new(common.metrics.clone(), move || {
            figures::health(seen.get().map(AsRef::as_ref))
        });
        let side_doors = SideDoors::open(sockets, pages, common.clock)?;
        let endpoints = endpoints::advertised(&config, &bound.ports()).await;
        let bootstrap = endpoints.first().map_or_else(String::new, |first| {
            Address { host: Some(first.host.clone()), port: first.port }.to_string()
        });
        let broker = Broker::open(common, metadata, endpoints).await?;
        let weak = Arc::downgrade(&broker);
        broker.metrics.observe_state(move || {
            weak.upgrade().map_or_else(StateFigures::default, |broker| figures::state(&broker))
        });
        let addresses: Vec<String> =
            bound.addresses().iter().flatten().map(ToString::to_string).collect();
        let known = KnownLimits::of(&broker).await;
        net_options.limits = known.limits.clone();
        let listeners = bound.start(broker.clone(), net_options);
        let settings = LiveSettings::follow(broker.clone(), listeners.quota(), known);
        broker.metrics.broker_up.set(1);
        let _ = started.set(broker.clone());
        let dirs: Vec<String> = config.log_dirs.iter().map(|dir| absolute(dir)).collect();
        let ready_line = format!(
            "gofka is listening on {}; data in {}; {}; {}; \
             try: echo hello | kcat -b {bootstrap} -P -t greetings",
            addresses.join(" and "),
            dirs.join(" and "),
            promise(&config),
            side_doors.where_pages_are(),
        );
        let cluster = &broker.controller.image().cluster_id;
        tracing::debug!(node = %broker.node, %cluster, "serving");
        Ok(Self {
            side_doors,
            serving: Serving::Broker { broker, listeners, settings },
            ready_line,
        })
    }

    async fn start_controller(common: Common) -> Result<Self, RunError> {
        let config = common.config.clone();
        let sockets = SideSockets::bind(&config)?;
        let dir = std::slice::from_ref(&config.raft_dir);
        let metadata = Box::new(Metadata::open(&common, dir).await?);
        sockets.warn(&config);
        let controller = metadata.controller.clone();
        let seen = controller.clone();
        let pages = Pages::new(common.metrics.clone(), move || figures::controller_health(&seen));
        let seen = controller.clone();
        common.metrics.observe_state(move || figures::controller_state(&seen));
        let side_doors = SideDoors::open(sockets, pages, common.clock)?;
        let ready_line = format!(
            "gofka controller is listening on {}; data in {}; {}",
            side_doors.internal_address,
            absolute(&config.raft_dir),
            side_doors.where_pages_are(),
        );
        Ok(Self { side_doors, serving: Serving::Controller { controller, metadata }, ready_line })
    }

    /// What a person wants to know once it serves.
    pub(super) fn ready_line(&self) -> &str {
        &self.ready_line
    }

    /// Done when the controller cannot go on, with the reason; the process has to end then.
    pub(super) async fn failed(&self) -> String {
        match &self.serving {
            Serving::Broker { broker, .. } => broker.controller.failed().await,
            Serving::Controller { controller, .. } => controller.failed().await,
        }
    }

    /// No new connections; answers in flight leave, while waiting members are told to come back;
    /// then everything is flushed and closed. Groups keep their members for the next start.
    pub(super) async fn stop(self) -> Result<(), RunError> {
        tracing::info!("stopping");
        let closed = match self.serving {
            Serving::Broker { broker, listeners, settings } => {
                broker.metrics.broker_up.set(0);
                settings.stop().await;
                broker.stopping.cancel();
                tokio::join!(listeners.stop(DRAIN_MAX), broker.groups.stop());
                broker.close().await
            }
            Serving::Controller { controller, metadata } => {
                controller.shutdown().await;
                metadata.dirs.close(|_| None).map_err(RunError::new)
            }
        };
        let stopped = self.side_doors.close().await.and(closed);
        if stopped.is_ok() {
            tracing::info!("stopped");
        }
        stopped
    }
}

/// The sockets beside those of clients, bound before anything is touched.
struct SideSockets {
    http: Option<BoundPort>,
    internal: BoundPort,
}

impl SideSockets {
    fn bind(config: &ServerConfig) -> Result<Self, RunError> {
        let http = config.http.as_ref().map(|choice| http::bind("HTTP", choice));
        let http = http.transpose().map_err(RunError)?;
        let internal = http::bind("raft", &config.raft).map_err(RunError)?;
        Ok(Self { http, internal })
    }

    /// What is worth a line, now that the start can hardly fail any more.
    fn warn(&self, config: &ServerConfig) {
        let sockets = self.http.iter().chain([&self.internal]);
        let notices = sockets.filter_map(|socket| socket.notice.as_ref());
        for warning in notices.chain(&config.warnings) {
            tracing::warn!("{warning}");
        }
    }
}

/// HTTP and the internal port, with the tasks that serve them.
struct SideDoors {
    http: Option<PagesDoor>,
    internal_address: String,
    internal: JoinHandle<std::io::Result<()>>,
}

/// HTTP, where it is served.
struct PagesDoor {
    address: String,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

impl SideDoors {
    fn open(sockets: SideSockets, pages: Pages, clock: Clock) -> Result<Self, RunError> {
        let http = sockets.http.map(|socket| PagesDoor::open(socket.listener, pages));
        let internal = sockets.internal.listener;
        Ok(Self {
            http: http.transpose()?,
            internal_address: internal.local_addr().map_err(RunError::new)?.to_string(),
            internal: tokio::spawn(internal::refuse(internal, clock)),
        })
    }

    fn where_pages_are(&self) -> String {
        match &self.http {
            Some(http) => format!("metrics and health on http://{}", http.address),
            None => "metrics and health turned off".to_owned(),
        }
    }

    async fn close(self) -> Result<(), RunError> {
        self.internal.abort();
        // It ends by being aborted, which is what this waits for.
        let _ = self.internal.await;
        match self.http {
            Some(http) => http.close().await,
            None => Ok(()),
        }
    }
}

impl PagesDoor {
    fn open(listener: TcpListener, pages: Pages) -> Result<Self, RunError> {
        let address = reachable(listener.local_addr().map_err(RunError::new)?);
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(http::serve(listener, pages, stopped));
        Ok(Self { address, stop, task })
    }

    async fn close(self) -> Result<(), RunError> {
        self.stop.cancel();
        let abort = self.task.abort_handle();
        if let Ok(served) = tokio::time::timeout(HTTP_DRAIN_MAX, self.task).await {
            return served.map_err(RunError::new)?.map_err(RunError::new);
        }
        abort.abort();
        Ok(())
    }
}

/// An address as a client on this machine writes it.
fn reachable(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_unspecified() => format!("localhost:{}", address.port()),
        _ => address.to_string(),
    }
}

/// What a record that was acknowledged survives: one node has one replica of everything, so that
/// `auto` is `fsync`.
fn promise(config: &ServerConfig) -> &'static str {
    match config.text("durability").as_str() {
        "page-cache" => "acknowledged records survive the process (durability page-cache)",
        _ => "acknowledged records survive power loss (durability fsync)",
    }
}

fn absolute(dir: &Path) -> String {
    let path = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    path.components().collect::<std::path::PathBuf>().display().to_string()
}
