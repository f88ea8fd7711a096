//! `bodies/log_directory.rs` under libFuzzer.

#![no_main]

#[path = "../bodies/log_directory.rs"]
mod body;
#[path = "../corpus.rs"]
mod corpus;

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static DIR: LazyLock<PathBuf> = LazyLock::new(corpus::folder);

fuzz_target!(init: corpus::plant(body::seeds()), |data: &[u8]| body::run(&DIR, data));
