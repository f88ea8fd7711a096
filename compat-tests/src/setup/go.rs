//! The Go driver, one program for all three Go clients.

use std::path::PathBuf;
use std::process::Command;

use super::{SetupError, java, once, run, system};
use crate::paths;

/// The compiled driver.
pub fn driver() -> PathBuf {
    paths::tools().join("go/driver")
}

pub(super) fn install() -> Result<(), SetupError> {
    let source = paths::clients().join("go");
    let mut inputs = java::files(&source, "go")?;
    inputs.extend([source.join("go.mod"), source.join("go.sum")]);
    once(&paths::tools().join("go"), &inputs, || {
        system("go", "version", "golang-go")?;
        run(Command::new("go").current_dir(&source).args(["build", "-o"]).arg(driver()).arg("."))
    })
}
