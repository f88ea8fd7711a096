//! ApiVersions (18), versions 0-4: which APIs and features this broker serves.
//!
//! Behaviour: answers from the table, so it cannot promise what dispatch does not do. A version
//! above the highest is answered by the connection in version 0 (KIP-511), since its body cannot
//! be read. The response header is always version 0.
//!
//! Version notes: 3 brings the client's software name and version (KIP-511) and features
//! (KIP-584); 4 may carry features whose lowest level is 0 (KAFKA-17492: older clients break).

use gofka_core::error::ErrorCode;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse};

use super::{Api, Outcome, Reply, RequestContext, TABLE};

/// The row of the table.
pub const API: Api = Api::new::<ApiVersionsRequest>(0, 4);

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
    context.now(&ApiVersionsResponse::default().with_api_keys(served()))
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

    #[test]
    fn software_names_follow_kip_511() {
        for good in ["a", "apache-kafka-java", "4.3.1", "librdkafka", "v1.0-rc1"] {
            assert!(is_software_name(good), "{good}");
        }
        for bad in ["", "-", "a-", ".a", "a b", "a_b", "näme", "a\n"] {
            assert!(!is_software_name(bad), "{bad}");
        }
    }

    #[test]
    fn the_answer_to_an_unknown_version_names_only_this_api() {
        let (parts, _) = unsupported_version().into_parts();
        assert_eq!(parts.concat(), [0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4]);
    }
}
