//! Snappy in both framings that are found on the wire: the xerial library's blocks (Java,
//! librdkafka, most others) and one raw block (some clients of other languages).
//!
//! ```text
//! xerial: 82 "SNAPPY" 00 | version i32 | lowest reader i32 | { length i32 | raw block } ...
//! ```

use super::super::batch::BatchError;
use super::super::header::Compression;
use super::failure;

const MAGIC: &[u8; 8] = b"\x82SNAPPY\0";
const XERIAL_HEADER_SIZE: usize = 16;
/// What the xerial library cuts its input into.
const BLOCK_SIZE: usize = 32 * 1024;
/// No element of the format yields more than 64 bytes from 3, so a longer claim is a lie.
const LARGEST_RATIO: usize = 22;

pub(super) fn compress_xerial(input: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(XERIAL_HEADER_SIZE + input.len() / 2);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&1i32.to_be_bytes());
    out.extend_from_slice(&1i32.to_be_bytes());
    let mut encoder = snap::raw::Encoder::new();
    for block in input.chunks(BLOCK_SIZE) {
        let packed = encoder.compress_vec(block).expect("a block is far below 4 GiB");
        out.extend_from_slice(&(packed.len() as i32).to_be_bytes());
        out.extend_from_slice(&packed);
    }
    out
}

pub(super) fn decompress(input: &[u8], max_out: usize) -> Result<Vec<u8>, BatchError> {
    let mut out = Vec::new();
    if !input.starts_with(MAGIC) {
        append_block(&mut out, input, max_out)?;
        return Ok(out);
    }
    let Some(mut rest) = input.get(XERIAL_HEADER_SIZE..) else {
        return Err(failure(Compression::Snappy, &"the header is cut"));
    };
    while !rest.is_empty() {
        // Concatenated streams repeat the header.
        if rest.starts_with(MAGIC) && rest.len() >= XERIAL_HEADER_SIZE {
            rest = &rest[XERIAL_HEADER_SIZE..];
            continue;
        }
        let (block, after) = split_block(rest)?;
        append_block(&mut out, block, max_out)?;
        rest = after;
    }
    Ok(out)
}

fn split_block(rest: &[u8]) -> Result<(&[u8], &[u8]), BatchError> {
    let cut = || failure(Compression::Snappy, &"a block is cut");
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
    let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| cut())?;
    rest.split_at_checked(length).ok_or_else(cut)
}

fn append_block(out: &mut Vec<u8>, block: &[u8], max_out: usize) -> Result<(), BatchError> {
    let claimed = snap::raw::decompress_len(block).map_err(|e| failure(Compression::Snappy, &e))?;
    if claimed > block.len() * LARGEST_RATIO {
        return Err(failure(Compression::Snappy, &"the claimed size cannot be"));
    }
    let start = out.len();
    if claimed > max_out - start {
        return Err(BatchError::TooLarge { limit: max_out });
    }
    out.resize(start + claimed, 0);
    let written = snap::raw::Decoder::new()
        .decompress(block, &mut out[start..])
        .map_err(|e| failure(Compression::Snappy, &e))?;
    out.truncate(start + written);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_and_xerial_framing_are_read() {
        let text: Vec<u8> = (0..40_000u32).flat_map(u32::to_le_bytes).collect();
        let raw = snap::raw::Encoder::new().compress_vec(&text).unwrap();
        assert_eq!(decompress(&raw, text.len()).as_ref(), Ok(&text));
        assert_eq!(decompress(&compress_xerial(&text), text.len()).as_ref(), Ok(&text));
    }

    #[test]
    fn a_claim_that_cannot_be_is_refused_before_memory_is_taken() {
        let claims_4_gib = [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00];
        assert!(matches!(
            decompress(&claims_4_gib, usize::MAX),
            Err(BatchError::Decompression { .. })
        ));
    }

    #[test]
    fn cut_framing_is_refused() {
        let whole = compress_xerial(&[7; 1000]);
        for end in [9, 15, 18, 20, whole.len() - 1] {
            assert!(decompress(&whole[..end], 10_000).is_err(), "cut at {end}");
        }
    }
}
