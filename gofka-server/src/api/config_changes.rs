//! What AlterConfigs and IncrementalAlterConfigs share: each resource is changed by itself, and
//! the answers come in the order of the request.
//!
//! Called by the two handlers. Log levels change here; everything else is the controller's.

use gofka_core::error::{ApiError, ErrorCode};
use gofka_raft::{AlterOp, ConfigAlteration, ConfigResource, ResourceKind};

use super::{RequestContext, describe_configs, duplicates};
use crate::logging::Logging;

/// One resource of a request, as far as both APIs know it.
pub(super) struct Change {
    /// Number and name, as sent.
    pub(super) resource: (i8, String),
    /// What to do, or why it cannot be read.
    pub(super) alteration: Result<ConfigAlteration, ApiError>,
}

/// Changes what can be changed: one answer for each of `changes`.
pub(super) async fn apply(
    context: &RequestContext,
    changes: Vec<Change>,
    validate_only: bool,
) -> Vec<((i8, String), Result<(), ApiError>)> {
    let twice = duplicates::of(changes.iter().map(|change| &change.resource));
    let twice: Vec<(i8, String)> = twice.into_iter().cloned().collect();
    let mut answers = Vec::with_capacity(changes.len());
    let mut for_controller = Vec::new();
    for change in changes {
        let answer = match change.alteration {
            _ if twice.contains(&change.resource) => {
                let text = "Each resource must appear at most once.";
                Err(ApiError::new(ErrorCode::InvalidRequest, text))
            }
            Err(error) => Err(error),
            Ok(alteration) if resource_of(&alteration).kind == ResourceKind::BrokerLogger => {
                alter_loggers(context, &alteration, validate_only)
            }
            Ok(alteration) => {
                for_controller.push((answers.len(), alteration));
                Ok(())
            }
        };
        answers.push((change.resource, answer));
    }
    if for_controller.is_empty() {
        return answers;
    }
    let (places, alterations): (Vec<usize>, Vec<ConfigAlteration>) =
        for_controller.into_iter().unzip();
    let decided = context.broker.controller.alter_configs(alterations, validate_only).await;
    for (place, answer) in places.into_iter().zip(decided) {
        answers[place].1 = answer;
    }
    context.broker.partitions.apply(context.broker.controller.image()).await;
    answers
}

fn resource_of(alteration: &ConfigAlteration) -> &ConfigResource {
    match alteration {
        ConfigAlteration::Incremental { resource, .. }
        | ConfigAlteration::Replace { resource, .. } => resource,
    }
}

fn alter_loggers(
    context: &RequestContext,
    alteration: &ConfigAlteration,
    validate_only: bool,
) -> Result<(), ApiError> {
    let invalid = |text: String| ApiError::new(ErrorCode::InvalidRequest, text);
    let ConfigAlteration::Incremental { resource, changes } = alteration else {
        return Err(invalid("Log levels are changed with IncrementalAlterConfigs.".to_owned()));
    };
    describe_configs::check_broker(context, &resource.name, "expected")?;
    for (logger, op, level) in changes {
        if !Logging::knows(logger) {
            let text = format!("Logger {logger} does not exist!");
            return Err(ApiError::new(ErrorCode::InvalidConfig, text));
        }
        let level = level.as_deref().unwrap_or_default();
        match op {
            AlterOp::Set if Logging::is_level(level) => {}
            AlterOp::Delete => {}
            AlterOp::Set => {
                let text = format!("Cannot set the log level of {logger} to {level}");
                return Err(ApiError::new(ErrorCode::InvalidConfig, text));
            }
            AlterOp::Append | AlterOp::Subtract => {
                return Err(invalid(format!("{op:?} operation is not allowed for log levels")));
            }
        }
    }
    if validate_only {
        return Ok(());
    }
    for (logger, op, level) in changes {
        let level = level.as_deref().filter(|_| *op == AlterOp::Set);
        context.broker.logging.set(logger, level).map_err(invalid)?;
    }
    Ok(())
}
