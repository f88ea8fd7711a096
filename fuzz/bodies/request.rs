//! Any bytes as any request: what the grammar lets through, the codec decodes within bounds.
//!
//! The first two bytes choose key and version, the rest is the body. Memory is limited, so
//! that an allocation by a length that lies ends the run. Seeds are valid bodies of every API at
//! every version.

#[path = "../requests.rs"]
mod requests;

use bytes::Bytes;
use gofka_server::net::grammar;

pub(crate) fn seeds() -> impl Iterator<Item = Vec<u8>> {
    (0u8..).zip(requests::VERSIONS).flat_map(|(which, &(key, lowest, highest))| {
        (lowest..=highest).flat_map(move |version| {
            let body = move |seed| grammar::sample_body(key, version, seed);
            (1..4).map(move |seed| [vec![which, (version - lowest) as u8], body(seed)].concat())
        })
    })
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    let [which, version, body @ ..] = data else { return };
    let (key, lowest, highest) = requests::VERSIONS[*which as usize % requests::VERSIONS.len()];
    let version = lowest + i16::from(*version) % (highest - lowest + 1);
    if grammar::check(key, version, body).is_ok() {
        requests::decode(key, version, Bytes::copy_from_slice(body));
    }
}
