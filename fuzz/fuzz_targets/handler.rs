//! `bodies/handler.rs` under libFuzzer.

#![no_main]

#[path = "../bodies/handler.rs"]
mod body;
#[path = "../corpus.rs"]
mod corpus;

use libfuzzer_sys::fuzz_target;

fn start() {
    body::start(&corpus::folder());
    corpus::plant(body::seeds());
}

fuzz_target!(init: start(), |data: &[u8]| body::run(data));
