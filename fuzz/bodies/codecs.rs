//! Any bytes in every codec: the output never exceeds its bound, whatever the input claims.
//!
//! The first byte chooses the codec. Memory is limited, so that an allocation by a claim ends the
//! run.

use gofka_core::record::compression::{compress, decompress};
use gofka_core::record::{Compression, CompressionLevel};

const OUTPUT_MAX: usize = 1 << 20;

pub(crate) fn seeds() -> impl Iterator<Item = Vec<u8>> {
    (0u8..).zip(Compression::ALL).flat_map(|(which, codec)| {
        let inputs: [Vec<u8>; 4] =
            [Vec::new(), b"abcabcabcabcabc".to_vec(), vec![0; 100_000], (0..=255).collect()];
        inputs.into_iter().map(move |input| {
            [&[which], &compress(codec, CompressionLevel::Default, &input)[..]].concat()
        })
    })
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    let [which, input @ ..] = data else { return };
    let codec = Compression::ALL[*which as usize % Compression::ALL.len()];
    if let Ok(output) = decompress(codec, input, OUTPUT_MAX) {
        assert!(output.len() <= OUTPUT_MAX);
    }
}
