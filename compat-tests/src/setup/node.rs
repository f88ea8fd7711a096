//! Node's packages: kafkajs and its codecs, at the versions of `package-lock.json`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{SetupError, once, run, system};
use crate::paths;

/// The folder that Node looks for packages in.
pub fn modules() -> PathBuf {
    home().join("node_modules")
}

fn home() -> PathBuf {
    paths::tools().join("node")
}

pub(super) fn install() -> Result<(), SetupError> {
    let source = paths::clients().join("node");
    let manifests = [source.join("package.json"), source.join("package-lock.json")];
    once(&home(), &manifests, || {
        system("node", "--version", "nodejs")?;
        system("npm", "--version", "npm")?;
        for manifest in &manifests {
            fs::copy(manifest, home().join(manifest.file_name().expect("a file")))?;
        }
        run(Command::new("npm").current_dir(home()).args([
            "ci",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]))
    })
}
