//! Which names a new topic may have beside those that are there.

use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::topic_name;

use crate::image::MetadataImage;

/// The controller's own log, which lies among the topics' folders and must never be one of them.
const METADATA_LOG: &str = "__cluster_metadata";

/// Refuses names that could not be folders, and those that differ from a topic's only in `.` and
/// `_`, which would be one name in metrics.
pub(super) fn check(image: &MetadataImage, name: &str) -> Result<(), ApiError> {
    if name == METADATA_LOG {
        let text = format!("Creation of internal topic {METADATA_LOG} is prohibited.");
        return Err(ApiError::new(ErrorCode::InvalidRequest, text));
    }
    let invalid = |what: String| ApiError::new(ErrorCode::InvalidTopicException, what);
    topic_name::check(name).map_err(invalid)?;
    if image.topic(name).is_some() {
        let text = format!("Topic '{name}' already exists.");
        return Err(ApiError::new(ErrorCode::TopicAlreadyExists, text));
    }
    if name.contains(['.', '_'])
        && let Some(other) = colliding(image, name)
    {
        return Err(invalid(format!("Topic '{name}' collides with existing topic: {other}")));
    }
    Ok(())
}

fn colliding<'a>(image: &'a MetadataImage, name: &str) -> Option<&'a str> {
    let same = |other: &str| {
        other.len() == name.len()
            && other.bytes().zip(name.bytes()).all(|(a, b)| fold(a) == fold(b))
    };
    image.topics.keys().map(gofka_core::ids::TopicName::as_str).find(|other| same(other))
}

fn fold(byte: u8) -> u8 {
    if byte == b'.' { b'_' } else { byte }
}
