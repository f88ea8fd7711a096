//! Metrics and health over HTTP.
//!
//! Started and joined by `broker.rs`. `/metrics` is Prometheus text (OpenMetrics where the
//! client asks for it); `/health` says how each component does and answers 503 when one of them
//! makes the node useless; `/health/live` and `/health/ready` are for orchestrators. `/` names the
//! others.

mod health;
mod limits;

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::config::PortChoice;
use crate::metrics::Metrics;
pub use health::{Component, Health, Status};
use limits::Limited;

/// How many ports after a default one are tried.
const PORTS_TRIED: u16 = 100;

type Probe = dyn Fn() -> Health + Send + Sync;

/// What somebody reads who has only the address.
const INDEX: &str = "gofka\n\n\
    /metrics       Prometheus\n\
    /health        how each component does; 503 when one of them makes the node useless\n\
    /health/live   whether the process answers\n\
    /health/ready  whether it serves\n";

/// What the pages are made from.
#[derive(Clone)]
pub struct Pages {
    metrics: Arc<Metrics>,
    health: Arc<Probe>,
}

impl Pages {
    /// Pages of these metrics; `health` looks at the components, at each request.
    pub fn new(metrics: Arc<Metrics>, health: impl Fn() -> Health + Send + Sync + 'static) -> Self {
        Self { metrics, health: Arc::new(health) }
    }
}

/// A socket, and what is to be said about its port once the start has succeeded.
#[derive(Debug)]
pub struct BoundPort {
    /// Listening, not yet serving.
    pub listener: TcpListener,
    /// That a default port was taken, and which one is used instead.
    pub notice: Option<String>,
}

/// Binds the address of `choice`; a default that is taken moves on to the next free port.
pub fn bind(what: &str, choice: &PortChoice) -> Result<BoundPort, String> {
    // A wildcard IPv6 socket takes the IPv4 connections too.
    let mut host = choice.address.host.as_deref().unwrap_or("::");
    let mut port = choice.address.port;
    let first_port = port;
    loop {
        match TcpListener::bind((host, port)) {
            Ok(listener) => {
                listener.set_nonblocking(true).map_err(|error| refused(what, choice, &error))?;
                let notice = (port != first_port)
                    .then(|| format!("{what} port {first_port} is taken; using {port}"));
                return Ok(BoundPort { listener, notice });
            }
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse
                    && !choice.asked_for
                    && port < first_port.saturating_add(PORTS_TRIED) =>
            {
                port += 1;
            }
            Err(_) if host == "::" && choice.address.host.is_none() && !has_ipv6() => {
                host = "0.0.0.0";
            }
            Err(error) => return Err(refused(what, choice, &error)),
        }
    }
}

fn refused(what: &str, choice: &PortChoice, error: &io::Error) -> String {
    let address = &choice.address;
    if error.kind() == io::ErrorKind::AddrInUse {
        let setting = format!("--{}.addr", what.to_ascii_lowercase());
        return format!(
            "{what} address {address} is already in use; stop what listens there, or choose \
             another one with {setting}"
        );
    }
    format!("cannot listen on {address} for {what}: {}", crate::net::plain(error))
}

fn has_ipv6() -> bool {
    TcpListener::bind(("::1", 0)).is_ok()
}

/// Serves `pages` until `stop` is done.
pub async fn serve(
    listener: TcpListener,
    pages: Pages,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = Limited::new(tokio::net::TcpListener::from_std(listener)?);
    axum::serve(listener, router(pages)).with_graceful_shutdown(stop).await
}

fn router(pages: Pages) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(pages)
}

/// A plain text.
async fn index() -> &'static str {
    INDEX
}

async fn metrics(State(pages): State<Pages>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let (kind, text) = if accept.is_some_and(|accept| accept.contains("openmetrics-text")) {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        (kind, pages.metrics.open_metrics())
    } else {
        ("text/plain; version=0.0.4; charset=utf-8", pages.metrics.prometheus_text())
    };
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn health(State(pages): State<Pages>) -> Response {
    let health = (pages.health)();
    let code = match health.status() {
        Status::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
        Status::Healthy | Status::Degraded => StatusCode::OK,
    };
    (code, axum::Json(health.to_json())).into_response()
}

/// The process answers, so it lives.
async fn live() -> Response {
    axum::Json(serde_json::json!({"status": "alive"})).into_response()
}

async fn ready(State(pages): State<Pages>) -> Response {
    if (pages.health)().ready {
        axum::Json(serde_json::json!({"status": "ready"})).into_response()
    } else {
        let body = axum::Json(serde_json::json!({"status": "not ready"}));
        (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
    }
}

#[cfg(test)]
mod tests;
