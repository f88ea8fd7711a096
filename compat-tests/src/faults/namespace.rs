//! Mounts that nobody else sees and that end with the process that made them: it runs itself
//! again in a mount namespace of its own.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use super::disk::DiskError;
use crate::process::Process;

/// Set where the process runs in its own mount namespace.
const INSIDE: &str = "COMPAT_MOUNTS_ARE_PRIVATE";

/// Whether this process has mounts of its own.
pub fn is_private() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Runs this program again with `arguments`, where its mounts are its own.
pub fn rerun(arguments: &[OsString], limit: Duration) -> Result<ExitStatus, DiskError> {
    requirements()?;
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "--propagation", "private"]);
    inside.arg(env::current_exe().expect("a binary")).args(arguments).env(INSIDE, "1");
    let failed = |what: &str| DiskError::Failed { command: "unshare".into(), output: what.into() };
    let mut inside = Process::spawn(&mut inside, None).map_err(|e| failed(&e.to_string()))?;
    inside.wait(limit).ok_or_else(|| failed("it does not end"))
}

/// What a disk that loses its power takes: root, loop devices and ext4.
pub fn requirements() -> Result<(), DiskError> {
    if !rustix::process::geteuid().is_root() {
        return Err(DiskError::NotRoot);
    }
    for device in ["/dev/loop-control", "/dev/loop0"] {
        if !Path::new(device).exists() {
            return Err(DiskError::NoLoopDevice(device));
        }
    }
    for (program, package) in
        [("mkfs.ext4", "e2fsprogs"), ("unshare", "util-linux"), ("mount", "mount")]
    {
        if Command::new(program).arg("-V").output().is_err() {
            return Err(DiskError::Missing { program, package });
        }
    }
    Ok(())
}
