//! A Python environment with the three clients at the versions of `requirements.txt`.

use std::path::PathBuf;
use std::process::Command;

use super::{SetupError, once, run, system};
use crate::paths;

/// The environment's interpreter.
pub fn interpreter() -> PathBuf {
    paths::tools().join("venv/bin/python")
}

pub(super) fn install() -> Result<(), SetupError> {
    let requirements = paths::clients().join("python/requirements.txt");
    let environment = paths::tools().join("venv");
    once(&environment, std::slice::from_ref(&requirements), || {
        system("python3", "--version", "python3-venv")?;
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        run(Command::new(interpreter())
            .args(["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r"])
            .arg(&requirements))
    })
}
