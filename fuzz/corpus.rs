//! First inputs of a target, written where libFuzzer looks for them before it looks, and a folder
//! for what a target writes itself.
//!
//! Shared by the targets. Seeds lie beside what the fuzzer found in earlier runs.

use std::path::PathBuf;

use rustix::process::{Resource, Rlimit, setrlimit};

/// An allocation by a length that lies fails, and ends the run.
const ADDRESS_SPACE_BYTES: u64 = 6 << 30;

/// Writes each of `seeds` into the corpus that the fuzzer was started with, unless it runs on
/// single inputs.
pub(crate) fn plant(seeds: impl IntoIterator<Item = Vec<u8>>) {
    let limit = Some(ADDRESS_SPACE_BYTES);
    setrlimit(Resource::As, Rlimit { current: limit, maximum: limit }).expect("may be lowered");
    let mut dirs = std::env::args().skip(1).map(PathBuf::from);
    let Some(dir) = dirs.find(|path| path.is_dir()) else { return };
    for (index, seed) in seeds.into_iter().enumerate() {
        std::fs::write(dir.join(format!("seed-{index}")), seed).expect("the corpus takes files");
    }
}

/// An empty folder beside the target's binary. libFuzzer ends the process without dropping
/// anything, so what one run leaves there, the next removes.
#[allow(dead_code, reason = "some targets write no files")]
pub(crate) fn folder() -> PathBuf {
    let dir = std::env::current_exe().expect("a binary").with_extension("data");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("the target directory takes folders");
    dir
}
