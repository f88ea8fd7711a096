//! Requests by API: received by version, durations, errors.
//!
//! Called by `net/` for every request. The series of an API and version are resolved at their
//! first request and reached by index afterwards, without a lock or an allocation.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gofka_core::error::ErrorCode;
use kafka_protocol::messages::ApiKey;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

use super::histogram::AtomicHistogram;
use super::labels::{ApiErrorLabels, ApiLabels, ApiVersionLabels};
use super::series::Series;

/// Above every API key of Kafka 4.4.
const KEYS: usize = 128;
/// Above every version of any of them.
const VERSIONS: usize = 32;

/// Upper bounds in microseconds, from a warm append to a long poll.
const DURATION_BOUNDS_US: &[u64] = &[
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

/// The request families.
#[derive(Debug)]
pub struct RequestMetrics {
    apis: Box<[OnceLock<ApiMetrics>]>,
    received: Series<ApiVersionLabels, Counter>,
    duration: Series<ApiLabels, AtomicHistogram>,
    /// By code, as Kafka's `ErrorsPerSec` counts them: also those that are a step of the protocol,
    /// such as MEMBER_ID_REQUIRED.
    errors: Series<ApiErrorLabels, Counter>,
}

#[derive(Debug)]
struct ApiMetrics {
    name: Arc<str>,
    duration: Arc<AtomicHistogram>,
    received: [OnceLock<Arc<Counter>>; VERSIONS],
}

impl RequestMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let received = Series::new(Counter::default as fn() -> Counter);
        let duration = Series::new(|| AtomicHistogram::new(DURATION_BOUNDS_US, 1e6));
        let errors = Series::new(Counter::default as fn() -> Counter);
        registry.register(
            "requests_received",
            "Requests read from client connections, by API and version",
            received.clone(),
        );
        registry.register(
            "request_duration_seconds",
            "Time from a request's last byte to its reply being ready to send",
            duration.clone(),
        );
        registry.register(
            "request_errors",
            "Requests answered with an error at any level, by API and error",
            errors.clone(),
        );
        let apis = (0..KEYS).map(|_| OnceLock::new()).collect();
        Self { apis, received, duration, errors }
    }

    /// Counts a request as it came in, known or not.
    pub fn received(&self, api_key: i16, version: i16) {
        let Some(api) = self.api(api_key) else {
            self.received.with(unknown_version("unknown".into())).inc();
            return;
        };
        match usize::try_from(version).ok().and_then(|version| api.received.get(version)) {
            Some(counter) => counter
                .get_or_init(|| {
                    let api_key = api.name.clone();
                    self.received.with(ApiVersionLabels { api_key, api_version: version })
                })
                .inc(),
            None => self.received.with(unknown_version(api.name.clone())).inc(),
        };
    }

    /// Counts how long a request took.
    pub fn finished(&self, api_key: i16, took: Duration) {
        if let Some(api) = self.api(api_key) {
            api.duration.observe(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Counts an error that a reply carries.
    pub fn failed(&self, api_key: i16, error: ErrorCode) {
        let api_key = self.api(api_key).map_or_else(|| "unknown".into(), |api| api.name.clone());
        self.errors.with(ApiErrorLabels { api_key, error_code: error.name() }).inc();
    }

    fn api(&self, api_key: i16) -> Option<&ApiMetrics> {
        let slot = self.apis.get(usize::try_from(api_key).ok()?)?;
        if let Some(api) = slot.get() {
            return Some(api);
        }
        let name: Arc<str> = format!("{:?}", ApiKey::try_from(api_key).ok()?).into();
        Some(slot.get_or_init(|| ApiMetrics {
            duration: self.duration.with(ApiLabels { api_key: name.clone() }),
            received: std::array::from_fn(|_| OnceLock::new()),
            name,
        }))
    }
}

/// What claims a version that no API has is counted together.
fn unknown_version(api_key: Arc<str>) -> ApiVersionLabels {
    ApiVersionLabels { api_key, api_version: -1 }
}
