//! ApiVersions (18), versions 0-4: which APIs and features this broker serves.
//!
//! Behaviour: answers from the table, so it cannot promise what dispatch does not do. A version
//! above the highest is answered by the connection in version 0 (KIP-511), since its body cannot
//! be read. The response header is always version 0.
//!
//! Version notes: 3 brings the client's software name and version (KIP-511) and features
//! (KIP-584); 4 may carry features whose lowest level is 0 (KAFKA-17492: older clients break).

use std::collections::BTreeMap;

use gofka_core::error::ErrorCode;
use gofka_raft::{FeatureRange, MetadataImage};
use kafka_protocol::messages::api_versions_response::{
    ApiVersion, FinalizedFeatureKey, SupportedFeatureKey,
};
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Api, Outcome, Reply, RequestContext, TABLE};

/// The row of the table.
pub const API: Api = Api::new::<ApiVersionsRequest>(0, 4);

/// The levels of features that this broker can serve; it registers with the same.
pub const SUPPORTED_FEATURES: &[(&str, FeatureRange)] =
    &[("metadata.version", FeatureRange { min: 7, max: 30 })];

/// Answers at once.
pub async fn handle(context: &RequestContext, request: ApiVersionsRequest) -> Outcome {
    if context.api_version >= 3 {
        let name = request.client_software_name.as_str();
        let version = request.client_software_version.as_str();
        if !is_software_name(name) || !is_software_name(version) {
            let code = ErrorCode::InvalidRequest;
            let response = ApiVersionsResponse::default().with_error_code(code as i16);
            return Outcome::Now(context.reply(&response).with_error(code));
        }
        let software = (name.to_owned(), version.to_owned());
        // A client may ask again; what it called itself first stays.
        let _ = context.connection.software.set(software);
    }
    let image = context.broker.controller.image();
    context.now(&answer(context.api_version, &image))
}

fn answer(version: i16, image: &MetadataImage) -> ApiVersionsResponse {
    let response = ApiVersionsResponse::default().with_api_keys(served());
    if version < 3 {
        return response;
    }
    response
        .with_supported_features(supported(version))
        .with_finalized_features(finalized(&image.features))
        .with_finalized_features_epoch(image.offset.0)
}

/// Older clients fail on a range that begins with 0.
fn supported(version: i16) -> Vec<SupportedFeatureKey> {
    let shown = |range: &FeatureRange| version >= 4 || range.min > 0;
    let key = |(name, range): &(&'static str, FeatureRange)| {
        SupportedFeatureKey::default()
            .with_name(StrBytes::from_static_str(name))
            .with_min_version(range.min)
            .with_max_version(range.max)
    };
    SUPPORTED_FEATURES.iter().filter(|(_, range)| shown(range)).map(key).collect()
}

/// Features at level 0 are as good as absent, and are left out.
fn finalized(levels: &BTreeMap<String, i16>) -> Vec<FinalizedFeatureKey> {
    let key = |(name, level): (&String, &i16)| {
        FinalizedFeatureKey::default()
            .with_name(StrBytes::from_string(name.clone()))
            .with_min_version_level(*level)
            .with_max_version_level(*level)
    };
    levels.iter().filter(|(_, level)| **level > 0).map(key).collect()
}

/// The answer to a version that is not served: version 0, with the range that is.
pub fn unsupported_version() -> Reply {
    let code = ErrorCode::UnsupportedVersion;
    let response = ApiVersionsResponse::default()
        .with_error_code(code as i16)
        .with_api_keys(vec![advertised(&API)]);
    Reply::encode(ApiKey::ApiVersions, 0, &response).with_error(code)
}

fn served() -> Vec<ApiVersion> {
    TABLE.iter().map(|entry| advertised(entry.api)).collect()
}

fn advertised(api: &Api) -> ApiVersion {
    ApiVersion::default()
        .with_api_key(api.key())
        .with_min_version(api.lowest_advertised())
        .with_max_version(api.highest())
}

/// Letters, digits, `-` and `.`, beginning and ending with a letter or digit.
fn is_software_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let inner = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'.';
    bytes.iter().all(inner)
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::protocol::{Decodable, Encodable};

    #[test]
    fn software_names_follow_kip_511() {
        for good in ["a", "apache-kafka-java", "4.3.1", "librdkafka", "v1.0-rc1"] {
            assert!(is_software_name(good), "{good}");
        }
        for bad in ["", "-", "a-", ".a", "a b", "a_b", "näme", "a\n"] {
            assert!(!is_software_name(bad), "{bad}");
        }
    }

    fn image() -> MetadataImage {
        let levels = [("metadata.version", 30), ("group.version", 0)];
        let features = levels.map(|(name, level)| (name.to_owned(), level)).into();
        MetadataImage { features: std::sync::Arc::new(features), ..MetadataImage::default() }
    }

    #[test]
    fn the_answer_encodes_at_every_version() {
        for version in API.lowest()..=API.highest() {
            let mut bytes = bytes::BytesMut::new();
            answer(version, &image()).encode(&mut bytes, version).expect("it encodes");
            let decoded = ApiVersionsResponse::decode(&mut bytes.freeze(), version).unwrap();
            assert_eq!(decoded.api_keys.len(), TABLE.len());
            assert_eq!(decoded.finalized_features.len(), usize::from(version >= 3));
        }
    }

    #[test]
    fn features_that_begin_at_0_are_kept_from_older_clients() {
        assert!(supported(3).iter().all(|feature| feature.min_version > 0));
        assert_eq!(supported(4).len(), SUPPORTED_FEATURES.len());
    }

    #[test]
    fn the_answer_to_an_unknown_version_names_only_this_api() {
        let (parts, _) = unsupported_version().into_parts();
        assert_eq!(parts[0].in_memory()[..], [0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4]);
    }
}
