//! `bodies/group_records.rs` under libFuzzer.

#![no_main]

#[path = "../bodies/group_records.rs"]
mod body;
#[path = "../corpus.rs"]
mod corpus;

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: corpus::plant(body::seeds()), |data: &[u8]| body::run(data));
