//! What a run came to, in a line.

use std::fmt;
use std::time::Duration;

use super::checks::{self, Promise};
use super::history::{History, Nanos};
use crate::broker::Kind;

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Report {
    pub kind: Kind,
    pub title: String,
    /// What was done to the broker.
    pub fault: String,
    /// How long the broker took until it answered again, at most.
    pub back_after: Duration,
    pub acknowledged: usize,
    pub lost: usize,
    /// How long before the fault the first lost record had been acknowledged.
    pub oldest_lost: Option<Duration>,
    pub complaints: Vec<String>,
}

impl Report {
    /// Judges a run. `at` is when the power went, if it did.
    pub fn of(kind: Kind, title: &str, history: &History, promise: &Promise) -> Self {
        let (lost, oldest) = checks::lost(history, promise);
        let at = promise.loss.as_ref().map(|loss| loss.at);
        Self {
            kind,
            title: title.to_owned(),
            fault: String::new(),
            back_after: Duration::ZERO,
            acknowledged: history.acks.len(),
            lost,
            oldest_lost: at.zip(oldest).map(|(at, oldest)| age(oldest, at)),
            complaints: checks::complaints(history, promise),
        }
    }
}

fn age(from: Nanos, to: Nanos) -> Duration {
    Duration::from_nanos(to.saturating_sub(from).max(0) as u64)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, title, fault, back_after, acknowledged, lost, .. } = self;
        let name = format!("{kind:?} {title}");
        write!(f, "{name:<32} {fault}; {acknowledged:>6} acknowledged, {lost:>5} of them lost")?;
        if let Some(oldest) = self.oldest_lost {
            write!(f, " (up to {} ms before)", oldest.as_millis())?;
        }
        write!(f, "; back after {} ms", back_after.as_millis())?;
        for complaint in &self.complaints {
            write!(f, "\n    {complaint}")?;
        }
        Ok(())
    }
}
