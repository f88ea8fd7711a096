//! The codecs of record batches. Every output is bounded by the caller.
//!
//! Called by `iterate` and `validate` for the few batches that are opened, and by `builder`.

mod snappy;

use super::batch::BatchError;
use super::header::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use std::io::{Read, Write};

/// How hard a codec tries (`compression.gzip.level`, `compression.zstd.level`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompressionLevel {
    /// What the codec's authors chose.
    #[default]
    Default,
    /// A level of the codec's own scale; clamped to it. Snappy has none, and our lz4 has one.
    Level(i32),
}

/// Compresses `input`, uncompressed records, as Kafka's producers do.
pub fn compress(codec: Compression, level: CompressionLevel, input: &[u8]) -> Vec<u8> {
    const MEMORY: &str = "writing to memory does not fail";
    match codec {
        Compression::None => input.to_vec(),
        Compression::Gzip => {
            let level = match level {
                CompressionLevel::Level(level @ 0..=9) => flate2::Compression::new(level as u32),
                _ => flate2::Compression::default(),
            };
            let mut encoder = GzEncoder::new(Vec::new(), level);
            encoder.write_all(input).expect(MEMORY);
            encoder.finish().expect(MEMORY)
        }
        Compression::Snappy => snappy::compress_xerial(input),
        Compression::Lz4 => {
            // Java's reader wants independent blocks, and content checksums are no one's custom.
            let frame = FrameInfo::new()
                .block_mode(BlockMode::Independent)
                .block_size(BlockSize::Max64KB)
                .block_checksums(false)
                .content_checksum(false);
            let mut encoder = FrameEncoder::with_frame_info(frame, Vec::new());
            encoder.write_all(input).expect(MEMORY);
            encoder.finish().expect(MEMORY)
        }
        Compression::Zstd => {
            let level = match level {
                CompressionLevel::Default => zstd::DEFAULT_COMPRESSION_LEVEL,
                CompressionLevel::Level(level) => clamp_zstd(level),
            };
            zstd::stream::encode_all(input, level).expect(MEMORY)
        }
    }
}

/// What the library says when the output does not fit.
const ZSTD_OUTPUT_FULL: &str = "Destination buffer is too small";

fn clamp_zstd(level: i32) -> i32 {
    let range = zstd::compression_level_range();
    level.clamp(*range.start(), *range.end())
}

/// Decompresses `input` to at most `max_out` bytes. Address space is taken for as many, once;
/// memory is touched by what really comes out, never by what a length in the input claims.
pub fn decompress(codec: Compression, input: &[u8], max_out: usize) -> Result<Vec<u8>, BatchError> {
    match codec {
        Compression::None if input.len() > max_out => Err(BatchError::TooLarge { limit: max_out }),
        Compression::None => Ok(input.to_vec()),
        Compression::Gzip => drain(codec, MultiGzDecoder::new(input), max_out),
        Compression::Snappy => snappy::decompress(input, max_out),
        Compression::Lz4 => drain(codec, FrameDecoder::new(input), max_out),
        Compression::Zstd => decompress_zstd(input, max_out),
    }
}

fn drain(codec: Compression, reader: impl Read, max_out: usize) -> Result<Vec<u8>, BatchError> {
    // Growing step by step would hold the output twice at the end.
    let mut out = Vec::with_capacity(max_out.saturating_add(1));
    let mut bounded = reader.take(max_out as u64 + 1);
    bounded.read_to_end(&mut out).map_err(|error| failure(codec, &error))?;
    if out.len() > max_out {
        return Err(BatchError::TooLarge { limit: max_out });
    }
    out.shrink_to_fit();
    Ok(out)
}

/// In one go, straight into the output: a stream would keep a window of up to 128 MiB beside it.
fn decompress_zstd(input: &[u8], max_out: usize) -> Result<Vec<u8>, BatchError> {
    let codec = Compression::Zstd;
    let mut out = Vec::with_capacity(max_out.saturating_add(1));
    let mut context = zstd::zstd_safe::DCtx::create();
    match context.decompress(&mut out, input) {
        Ok(_) if out.len() > max_out => Err(BatchError::TooLarge { limit: max_out }),
        Ok(_) => {
            out.shrink_to_fit();
            Ok(out)
        }
        Err(code) => {
            let reason = zstd::zstd_safe::get_error_name(code);
            if reason == ZSTD_OUTPUT_FULL {
                return Err(BatchError::TooLarge { limit: max_out });
            }
            Err(failure(codec, &reason))
        }
    }
}

fn failure(codec: Compression, error: &dyn std::fmt::Display) -> BatchError {
    BatchError::Decompression { codec, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CODECS: [Compression; 4] =
        [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

    #[test]
    fn a_bomb_stops_at_the_limit_in_every_codec() {
        let zeros = vec![0; 8 << 20];
        for codec in CODECS {
            let bomb = compress(codec, CompressionLevel::Default, &zeros);
            assert_eq!(
                decompress(codec, &bomb, 1 << 20),
                Err(BatchError::TooLarge { limit: 1 << 20 }),
                "{codec:?}"
            );
            assert_eq!(decompress(codec, &bomb, 8 << 20).as_ref(), Ok(&zeros), "{codec:?}");
        }
    }

    #[test]
    fn gzip_of_several_members_is_read_to_its_end() {
        let mut joined = compress(Compression::Gzip, CompressionLevel::Level(1), b"first ");
        joined.extend(compress(Compression::Gzip, CompressionLevel::Level(9), b"second"));
        assert_eq!(decompress(Compression::Gzip, &joined, 100).unwrap(), b"first second");
    }

    #[test]
    fn a_cut_input_is_an_error() {
        let text: Vec<u8> = (0..5000u32).flat_map(|n| n.to_string().into_bytes()).collect();
        for codec in CODECS {
            let whole = compress(codec, CompressionLevel::Default, &text);
            let cut = decompress(codec, &whole[..whole.len() / 2], 1 << 20);
            assert!(matches!(cut, Err(BatchError::Decompression { .. })), "{codec:?}: {cut:?}");
        }
    }

    proptest! {
        #[test]
        fn every_codec_gives_back_what_it_took(input: Vec<u8>, level in -3i32..12) {
            for codec in Compression::ALL {
                let packed = compress(codec, CompressionLevel::Level(level), &input);
                let unpacked = decompress(codec, &packed, input.len());
                prop_assert_eq!(unpacked.as_deref(), Ok(&input[..]), "{:?}", codec);
            }
        }

        #[test]
        fn garbage_is_refused_or_bounded(input: Vec<u8>) {
            for codec in CODECS {
                if let Ok(out) = decompress(codec, &input, 1000) {
                    prop_assert!(out.len() <= 1000);
                }
            }
        }
    }
}
