//! A histogram of atomics: observing takes no lock, and one call can count many observations.
//!
//! Called by `metrics/` on every request. A scrape may see an observation in a bucket before it
//! is in the sum; each of them is right by itself.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// Counts observations by upper bounds that are fixed when it is made.
///
/// A clone counts into the same histogram.
#[derive(Clone, Debug)]
pub(super) struct AtomicHistogram {
    /// Upper bounds in the unit of the observations, rising.
    bounds: &'static [u64],
    /// One per bound, one for everything above, and the sum of all observations.
    counts: Arc<[AtomicU64]>,
    /// Observed units in one shown unit, such as microseconds in a second.
    per_unit: f64,
}

impl AtomicHistogram {
    /// Buckets up to each of `bounds`; shown divided by `per_unit`.
    pub(super) fn new(bounds: &'static [u64], per_unit: f64) -> Self {
        debug_assert!(bounds.is_sorted());
        let counts = (0..bounds.len() + 2).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, per_unit }
    }

    /// Counts `count` observations of `value` each.
    pub(super) fn observe_many(&self, value: u64, count: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(count, Relaxed);
        self.counts[self.bounds.len() + 1].fetch_add(value.saturating_mul(count), Relaxed);
    }

    /// Counts one observation.
    pub(super) fn observe(&self, value: u64) {
        self.observe_many(value, 1);
    }
}

impl EncodeMetric for AtomicHistogram {
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        let bounds = self.bounds.iter().map(|bound| *bound as f64 / self.per_unit);
        let buckets: Vec<(f64, u64)> = bounds
            .chain(std::iter::once(f64::INFINITY))
            .zip(self.counts.iter().map(|bucket| bucket.load(Relaxed)))
            .collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = self.counts[self.bounds.len() + 1].load(Relaxed) as f64 / self.per_unit;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::registry::Registry;

    #[test]
    fn counts_weighted_observations_up_to_and_including_a_bound() {
        let histogram = AtomicHistogram::new(&[10, 100], 1.0);
        histogram.observe_many(10, 3);
        histogram.observe(11);
        histogram.observe(1000);
        let mut registry = Registry::default();
        registry.register("h", "test", histogram);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert!(text.contains("h_bucket{le=\"10.0\"} 3\n"), "{text}");
        assert!(text.contains("h_bucket{le=\"100.0\"} 4\n"), "{text}");
        assert!(text.contains("h_bucket{le=\"+Inf\"} 5\n"), "{text}");
        assert!(text.contains("h_sum 1041.0\n"), "{text}");
        assert!(text.contains("h_count 5\n"), "{text}");
    }
}
