//! The Go programs: the driver of all three Go clients, the one that sends raw requests, the
//! clients of the tests of faults, and producers under the clock.

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

/// The clients of the tests of faults.
pub fn faults() -> PathBuf {
    paths::tools().join("go/faults")
}

/// The producers under the clock.
pub fn bench() -> PathBuf {
    paths::tools().join("go/bench")
}

pub(super) fn install() -> Result<(), SetupError> {
    let source = paths::clients().join("go");
    let mut inputs = java::files(&source, "go")?;
    for package in ["requests", "faults", "bench"] {
        inputs.extend(java::files(&source.join(package), "go")?);
    }
    inputs.extend([source.join("go.mod"), source.join("go.sum")]);
    once(&paths::tools().join("go"), &inputs, || {
        system("go", "version", "golang-go")?;
        let programs = [
            (driver(), "."),
            (requests(), "./requests"),
            (faults(), "./faults"),
            (bench(), "./bench"),
        ];
        for (program, package) in programs {
            let build = ["build", "-o"];
            run(Command::new("go").current_dir(&source).args(build).arg(program).arg(package))?;
        }
        Ok(())
    })
}
