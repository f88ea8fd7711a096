//! The Go programs: the driver of all three Go clients, and the one that sends raw requests.

use std::path::PathBuf;
use std::process::Command;

use super::{SetupError, java, once, run, system};
use crate::paths;

/// The compiled driver.
pub fn driver() -> PathBuf {
    paths::tools().join("go/driver")
}

/// The program that sends raw requests.
pub fn requests() -> PathBuf {
    paths::tools().join("go/requests")
}

pub(super) fn install() -> Result<(), SetupError> {
    let source = paths::clients().join("go");
    let mut inputs = java::files(&source, "go")?;
    inputs.extend(java::files(&source.join("requests"), "go")?);
    inputs.extend([source.join("go.mod"), source.join("go.sum")]);
    once(&paths::tools().join("go"), &inputs, || {
        system("go", "version", "golang-go")?;
        for (program, package) in [(driver(), "."), (requests(), "./requests")] {
            let build = ["build", "-o"];
            run(Command::new("go").current_dir(&source).args(build).arg(program).arg(package))?;
        }
        Ok(())
    })
}
