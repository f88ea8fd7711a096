//! Where Gofka answers a raw request otherwise than Apache Kafka on purpose, and why.
//!
//! The words of error messages are ours everywhere. Otherwise each entry must match a difference
//! in every version that it names, so that none outlives its reason. `tests/requests.rs` reads
//! this list.

use std::ops::RangeInclusive;

/// One difference that is meant.
#[derive(Clone, Debug)]
pub struct Stated {
    pub case: &'static str,
    pub versions: RangeInclusive<i16>,
    /// The step, and how the path to the place begins.
    pub path: &'static str,
    pub reason: &'static str,
}

/// Every difference that is meant.
pub const STATED: &[Stated] = &[];

/// Whether a difference is one of words alone: Gofka has its own, and may explain an error where
/// Kafka is silent. It may not be silent where Kafka explains.
pub fn is_wording(difference: &str) -> bool {
    difference
        .split_once("ErrorMessage: Kafka ")
        .is_some_and(|(path, values)| !path.contains(": ") && !values.ends_with("Gofka null"))
}

impl Stated {
    /// Whether this entry speaks of a difference (`path: Kafka this, Gofka that`).
    pub fn covers(&self, case: &str, version: i16, difference: &str) -> bool {
        self.case == case
            && self.versions.contains(&version)
            && difference.strip_prefix('/').is_some_and(|rest| rest.starts_with(self.path))
    }
}
