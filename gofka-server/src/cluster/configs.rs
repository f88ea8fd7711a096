//! Changes of settings, from the request to where they have an effect.
//!
//! Called by the handlers of settings.

use gofka_core::error::ApiError;
use gofka_raft::ConfigAlteration;

use crate::broker::Broker;

/// Makes `alterations`, one answer for each; what this broker reads of them holds from then on.
pub async fn alter(
    broker: &Broker,
    alterations: Vec<ConfigAlteration>,
    validate_only: bool,
) -> Vec<Result<(), ApiError>> {
    let altered = broker.controller.alter_configs(alterations, validate_only).await;
    super::apply_latest(broker, validate_only).await;
    altered
}
