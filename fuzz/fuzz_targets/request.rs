//! Any bytes as any request: what the grammar lets through, the codec decodes within bounds.
//!
//! The first two bytes choose key and version, the rest is the body. Run with a memory limit
//! (libFuzzer's `-malloc_limit_mb`), an allocation by a length that lies ends the run.

#![no_main]

#[path = "../requests.rs"]
mod requests;

use bytes::Bytes;
use gofka_server::net::grammar;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [which, version, body @ ..] = data else { return };
    let (key, lowest, highest) = requests::VERSIONS[*which as usize % requests::VERSIONS.len()];
    let version = lowest + i16::from(*version) % (highest - lowest + 1);
    if grammar::check(key, version, body).is_ok() {
        requests::decode(key, version, Bytes::copy_from_slice(body));
    }
});
