//! Where things lie: the sources of the drivers, the installed tools, the binary under test.
//!
//! Everything that is installed goes below the target directory, so that the source tree stays
//! as it was checked out.

use std::env;
use std::path::{Path, PathBuf};

/// The sources of the client programs.
pub fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// Cargo's target directory, found from the running executable.
pub fn target() -> PathBuf {
    let executable = env::current_exe().expect("a running test knows its executable");
    executable
        .ancestors()
        .find(|dir| dir.ends_with("debug") || dir.ends_with("release"))
        .and_then(Path::parent)
        .expect("tests run from <target>/debug or <target>/release")
        .to_path_buf()
}

/// Installed tools: Python's environment, jars, compiled drivers.
pub fn tools() -> PathBuf {
    target().join("compat")
}

/// The `gofka` binary: `GOFKA_BIN`, else the release or the debug build, whichever is newer.
pub fn gofka() -> PathBuf {
    if let Some(path) = env::var_os("GOFKA_BIN") {
        return PathBuf::from(path);
    }
    let [release, debug] = ["release", "debug"].map(|profile| target().join(profile).join("gofka"));
    let built = |path: &PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    if built(&release) > built(&debug) { release } else { debug }
}
