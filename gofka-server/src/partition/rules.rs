//! What a topic's settings ask of its batches, in the words of the validation.

use gofka_core::config::{self, TopicConfig};
use gofka_core::record::{
    Compression, CompressionLevel, Origin, TimestampType, TopicCompression, ValidationRules,
};
use gofka_core::time::TimestampMs;

/// Most that one batch may become where it has to be opened: a compacted topic, or another codec.
const DECOMPRESSED_BYTES_MAX: usize = 32 << 20;

/// The rules for an append at `now`.
pub(super) fn rules(config: &TopicConfig, origin: Origin, now: TimestampMs) -> ValidationRules {
    ValidationRules {
        max_message_bytes: config.max_message_bytes as usize,
        max_decompressed_bytes: DECOMPRESSED_BYTES_MAX,
        timestamp_type: match config.timestamp_type {
            config::TimestampType::CreateTime => TimestampType::CreateTime,
            config::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
        },
        timestamp_before_max_ms: saturating(config.timestamp_before_max_ms),
        timestamp_after_max_ms: saturating(config.timestamp_after_max_ms),
        now,
        compacted: config.cleanup_policy.compact,
        origin,
        compression: compression(config.compression),
    }
}

fn saturating(milliseconds: u64) -> i64 {
    i64::try_from(milliseconds).unwrap_or(i64::MAX)
}

fn compression(setting: config::TopicCompression) -> TopicCompression {
    use config::TopicCompression as Setting;
    let fixed = |codec, level| TopicCompression::Fixed(codec, level);
    match setting {
        Setting::Producer => TopicCompression::Producer,
        Setting::Uncompressed => fixed(Compression::None, CompressionLevel::Default),
        Setting::Gzip(level) => fixed(Compression::Gzip, CompressionLevel::Level(level)),
        Setting::Snappy => fixed(Compression::Snappy, CompressionLevel::Default),
        Setting::Lz4(level) => fixed(Compression::Lz4, CompressionLevel::Level(level)),
        Setting::Zstd(level) => fixed(Compression::Zstd, CompressionLevel::Level(level)),
    }
}
