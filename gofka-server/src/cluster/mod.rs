//! This broker's part in the cluster: what is asked of the controller, and following it.
//!
//! Called by `broker.rs` at start and by the handlers of topics and settings.

pub mod configs;
pub mod topics;

use crate::broker::Broker;

/// Brings the partitions held here up to date after a decision, unless nothing was to be changed,
/// so that an answer leaves when what it says is so.
async fn apply_latest(broker: &Broker, validate_only: bool) {
    if !validate_only {
        broker.partitions.apply(broker.controller.image()).await;
    }
}
