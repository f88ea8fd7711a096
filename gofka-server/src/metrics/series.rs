//! A metric family: one metric per set of labels, which can be dropped again by what they name.
//!
//! Called by `metrics/`. Look-ups take a read lock; callers on a hot path keep the handle that
//! they got. A family without series still shows its name, type and help.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;

/// The series of one family, ordered by their labels.
pub(super) struct Series<L, M> {
    series: Arc<RwLock<BTreeMap<L, Arc<M>>>>,
    make: fn() -> M,
}

impl<L, M> Clone for Series<L, M> {
    fn clone(&self) -> Self {
        Self { series: self.series.clone(), make: self.make }
    }
}

impl<L, M> fmt::Debug for Series<L, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Series({})", self.series.read().len())
    }
}

impl<L: Ord, M> Series<L, M> {
    /// A family whose series start as `make` makes them.
    pub(super) fn new(make: fn() -> M) -> Self {
        Self { series: Arc::default(), make }
    }

    /// The series with these labels, made when it is new.
    pub(super) fn with(&self, labels: L) -> Arc<M> {
        if let Some(found) = self.series.read().get(&labels) {
            return found.clone();
        }
        self.series.write().entry(labels).or_insert_with(|| Arc::new((self.make)())).clone()
    }

    /// As [`Series::with`], but a series that would be one too many counts as `other`.
    pub(super) fn with_at_most(&self, max: usize, labels: L, other: impl FnOnce() -> L) -> Arc<M> {
        let series = self.series.read();
        let is_too_many = series.len() >= max && !series.contains_key(&labels);
        drop(series);
        self.with(if is_too_many { other() } else { labels })
    }

    /// Drops the series that `keep` refuses. Handles given out before count into nothing.
    pub(super) fn retain(&self, mut keep: impl FnMut(&L) -> bool) {
        self.series.write().retain(|labels, _| keep(labels));
    }
}

impl<L, M> EncodeMetric for Series<L, M>
where
    L: EncodeLabelSet + Ord,
    M: EncodeMetric,
{
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        for (labels, metric) in self.series.read().iter() {
            metric.encode(encoder.encode_family(labels)?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        (self.make)().metric_type()
    }
}
