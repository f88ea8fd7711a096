//! Child processes that cannot outlive the test: each leads its own process group, and a guard
//! process ends the group when the test process is gone, however that came about.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Waits for its standard input to close, which the kernel does when the test process ends, then
/// kills the group `$1` and removes the directory `$2`, if given. (dash's `kill` knows no `--`.)
const GUARD: &str = r#"read -r _; kill -9 "-$1" 2>/dev/null; [ -z "$2" ] || rm -rf -- "$2""#;

const POLL: Duration = Duration::from_millis(5);

/// A running child, killed with all of its group when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    guard: Child,
}

impl Process {
    /// Starts `command`; `owned_dir` is removed by the guard if the test process dies first.
    pub fn spawn(command: &mut Command, owned_dir: Option<&Path>) -> std::io::Result<Self> {
        let mut child = command.process_group(0).spawn()?;
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .arg(owned_dir.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match guard {
            Ok(guard) => Ok(Self { child, guard }),
            Err(error) => {
                child.kill().ok();
                child.wait().ok();
                Err(error)
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// SIGTERM to the child alone.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).ok();
    }

    /// SIGKILL to the child and everything it started, and waits for the child.
    pub fn kill(&mut self) {
        kill_process_group(Pid::from_child(&self.child), Signal::KILL).ok();
        self.child.wait().ok();
    }

    /// Waits for the child to end by itself; `None` when it has not within `limit`.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            pause();
        }
    }

    /// Whether the child is still running.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard goes first, while the child's id cannot have been given to another process.
        self.guard.kill().ok();
        self.guard.wait().ok();
        self.kill();
    }
}

/// Polls `ready` until it is true; false when `limit` passes first.
pub fn eventually(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !ready() {
        if Instant::now() >= deadline {
            return false;
        }
        pause();
    }
    true
}

#[expect(clippy::disallowed_methods, reason = "the one pause between two looks at a condition")]
fn pause() {
    thread::sleep(POLL);
}

/// Opens `path` for a child's output, keeping what earlier runs wrote.
pub fn log_file(path: &Path) -> std::io::Result<File> {
    File::options().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_ends_the_whole_group() {
        let dir = tempfile::tempdir().unwrap();
        let pid_file = dir.path().join("pid");
        let script = format!("sleep 100 & echo $! > {}; wait", pid_file.display());
        let process = Process::spawn(Command::new("sh").args(["-c", &script]), None).unwrap();
        let grandchild = || std::fs::read_to_string(&pid_file).unwrap_or_default();
        assert!(eventually(Duration::from_secs(5), || grandchild().ends_with('\n')));
        drop(process);
        let stat = format!("/proc/{}/stat", grandchild().trim());
        let gone = || std::fs::read_to_string(&stat).map_or(true, |s| s.contains(") Z "));
        assert!(eventually(Duration::from_secs(5), gone));
    }

    #[test]
    fn the_guard_ends_the_group_when_the_test_process_is_gone() {
        let mut process = Process::spawn(Command::new("sleep").arg("100"), None).unwrap();
        // What the kernel does when the test process ends.
        drop(process.guard.stdin.take());
        assert!(process.wait(Duration::from_secs(5)).is_some());
    }
}
