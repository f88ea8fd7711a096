//! What AlterConfigs and IncrementalAlterConfigs share: each resource is changed by itself, and
//! the answers come in the order of the request.
//!
//! Called by the two handlers. Log levels change here; everything else is the controller's.

use gofka_core::error::{ApiError, ErrorCode};
use gofka_raft::{AlterOp, ConfigAlteration, ConfigResource, ResourceKind};
use kafka_protocol::protocol::StrBytes;

use super::wire::error_parts;
use super::{RequestContext, change_lines, duplicates};
use crate::cluster::configs;
use crate::logging::{Logging, ROOT};

/// One resource of a request, as far as both APIs know it.
pub(super) struct Change {
    /// Number and name, as sent.
    pub(super) resource: (i8, String),
    /// What to do, or why it cannot be read.
    pub(super) alteration: Result<ConfigAlteration, ApiError>,
}

/// The answer about one resource.
pub(super) struct Answer {
    /// Its number.
    pub(super) kind: i8,
    /// Its name.
    pub(super) name: StrBytes,
    /// The error's number, or 0.
    pub(super) code: i16,
    /// The error's sentence.
    pub(super) message: Option<StrBytes>,
}

/// Changes what can be changed: the codes of all errors, and one answer for each of `changes`.
pub(super) async fn apply(
    context: &RequestContext,
    changes: Vec<Change>,
    validate_only: bool,
) -> (Vec<ErrorCode>, Vec<Answer>) {
    let mut codes = Vec::new();
    let answers = change_each(context, changes, validate_only).await;
    let answers = answers.into_iter().map(|((kind, name), answer)| {
        codes.extend(answer.as_ref().err().map(|error| error.code));
        let (code, message) = error_parts(answer.err().unwrap_or(ErrorCode::None.into()));
        Answer { kind, name: StrBytes::from_string(name), code, message }
    });
    let answers = answers.collect();
    (codes, answers)
}

async fn change_each(
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
            Ok(alteration) if alteration.resource().kind == ResourceKind::BrokerLogger => {
                alter_loggers(context, &alteration, validate_only)
            }
            Ok(alteration) => {
                let addressed = check_addressee(context, alteration.resource());
                if addressed.is_ok() {
                    for_controller.push((answers.len(), alteration));
                }
                addressed
            }
        };
        answers.push((change.resource, answer));
    }
    if for_controller.is_empty() {
        return answers;
    }
    let (places, alterations): (Vec<usize>, Vec<ConfigAlteration>) =
        for_controller.into_iter().unzip();
    let lines: Vec<String> = alterations.iter().map(change_lines::changes).collect();
    let decided = configs::alter(&context.broker, alterations, validate_only).await;
    for ((place, line), answer) in places.into_iter().zip(lines).zip(decided) {
        if answer.is_ok() && !validate_only {
            change_lines::altered(context, &line);
        }
        answers[place].1 = answer;
    }
    answers
}

/// A broker's own settings are changed through that broker.
fn check_addressee(context: &RequestContext, resource: &ConfigResource) -> Result<(), ApiError> {
    if resource.kind != ResourceKind::Broker || resource.name.is_empty() {
        return Ok(());
    }
    let node = context.broker.node;
    let id = node_id(&resource.name)?;
    if id == node.0 {
        return Ok(());
    }
    Err(invalid(format!("Unexpected broker id, expected {node}, but received {id}")))
}

fn node_id(name: &str) -> Result<i32, ApiError> {
    let refused = |_| invalid(format!("Node id must be an integer, but it is: {name}"));
    name.parse().map_err(refused)
}

fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, text)
}

fn alter_loggers(
    context: &RequestContext,
    alteration: &ConfigAlteration,
    validate_only: bool,
) -> Result<(), ApiError> {
    let ConfigAlteration::Incremental { resource, changes } = alteration else {
        return Err(invalid(format!("Unknown resource type {}", ResourceKind::BrokerLogger as i8)));
    };
    let mut names: Vec<&str> = changes.iter().map(|(logger, ..)| logger.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(invalid("Error due to duplicate config keys"));
    }
    let node = context.broker.node;
    let id = node_id(&resource.name)?;
    if id != node.0 {
        return Err(invalid(format!("Unexpected node id. Expected {node}, but received {id}")));
    }
    for (logger, op, level) in changes {
        check_level(logger, *op, level.as_deref())?;
    }
    if validate_only {
        return Ok(());
    }
    for (logger, op, level) in changes {
        let level = level.as_deref().filter(|_| *op == AlterOp::Set);
        context.broker.logging.set(logger, level).map_err(invalid)?;
    }
    change_lines::altered(context, &change_lines::changes(alteration));
    Ok(())
}

fn check_level(logger: &str, op: AlterOp, level: Option<&str>) -> Result<(), ApiError> {
    let refused = |text: String| Err(ApiError::new(ErrorCode::InvalidConfig, text));
    let known = || {
        if Logging::knows(logger) {
            return Ok(());
        }
        refused(format!("Logger {logger} does not exist!"))
    };
    match (op, level) {
        (AlterOp::Set, None) => Err(invalid(format!("Null value not supported for : {logger}"))),
        (AlterOp::Set, Some(level)) => {
            known()?;
            if Logging::LEVELS.contains(&level) {
                return Ok(());
            }
            refused(format!(
                "Cannot set the log level of {logger} to {level} as it is not a supported log \
                 level. Valid log levels are {}",
                Logging::LEVELS.join(", ")
            ))
        }
        (AlterOp::Delete, _) => {
            known()?;
            match logger {
                ROOT => Err(invalid("Removing the log level of the root logger is not allowed")),
                _ => Ok(()),
            }
        }
        (AlterOp::Append | AlterOp::Subtract, _) => {
            let op = if op == AlterOp::Append { "APPEND" } else { "SUBTRACT" };
            Err(invalid(format!("{op} operation is not allowed for the BROKER_LOGGER resource")))
        }
    }
}
