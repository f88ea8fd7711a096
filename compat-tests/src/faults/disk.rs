//! A disk that loses its power: an ext4 file system in a file, mounted by a loop device. The
//! kernel is told to shut it down without writing what it holds in memory, which leaves on the
//! image what was synced, and whatever else had been written by then.
//!
//! Called by the runs of faults, in a mount namespace of their own (`namespace`): whoever is
//! killed leaves no mount and no loop device.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

use super::history::Nanos;
use crate::broker::{Broker, Kind};
use crate::process::{Process, eventually};
use crate::setup;

/// A mount is in use for a moment after the processes on it have ended.
const UNMOUNT_LIMIT: Duration = Duration::from_secs(60);

/// Why there is no such disk.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error("mounting a disk takes root")]
    NotRoot,
    #[error("there are no loop devices: {0} is missing")]
    NoLoopDevice(&'static str),
    #[error("`{program}` is missing: apt-get install {package}")]
    Missing { program: &'static str, package: &'static str },
    #[error("{command} failed: {output}")]
    Failed { command: String, output: String },
}

/// The disk, mounted.
#[derive(Debug)]
pub struct Disk {
    image: PathBuf,
    at: PathBuf,
}

/// When the power went: the disk had it before the first time, and not after the second.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub before: Nanos,
    pub after: Nanos,
}

impl Disk {
    /// Puts the data of a broker that does not run yet on a disk of its own, of `bytes`.
    pub fn below(broker: &Broker, bytes: u64) -> Result<Self, DiskError> {
        let at = broker.data_dir();
        let formatted = at.with_file_name("formatted");
        if at.exists() {
            fs::rename(&at, &formatted).expect("a folder of the broker");
        }
        let disk = Self::at(at, bytes)?;
        if broker.kind() == Kind::Kafka {
            run(Command::new("cp").arg("-a").arg(formatted.join(".")).arg(&disk.at))?;
        }
        disk.remount()?;
        Ok(disk)
    }

    /// A second one for a broker that does not run yet and takes several log directories.
    pub fn beside(broker: &Broker, bytes: u64) -> Result<Self, DiskError> {
        Self::at(broker.data_dir().with_file_name("second"), bytes)
    }

    fn at(at: PathBuf, bytes: u64) -> Result<Self, DiskError> {
        fs::create_dir(&at).expect("a folder to mount on");
        let image = at.with_extension("img");
        let file = File::create(&image).expect("a new file");
        file.set_len(bytes).expect("a sparse file");
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-b", "4096"]).arg(&image))?;
        let disk = Self { image, at };
        disk.mount()?;
        // Kafka takes every folder for a partition.
        fs::remove_dir(disk.at.join("lost+found")).expect("an empty folder");
        Ok(disk)
    }

    /// The numbers of the partitions of `topic` that lie on it.
    pub fn partitions_of(&self, topic: &str) -> BTreeSet<i32> {
        let names = fs::read_dir(&self.at).into_iter().flatten().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let number = |name: String| name.strip_prefix(topic)?.strip_prefix('-')?.parse().ok();
        names.filter_map(number).collect()
    }

    pub fn path(&self) -> &Path {
        &self.at
    }

    fn mount(&self) -> Result<(), DiskError> {
        run(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.at))
    }

    fn unmount(&self) -> Result<(), DiskError> {
        run(Command::new("umount").arg(&self.at))
    }

    /// Unmounts and mounts again: after a power loss, what a machine finds when it starts.
    /// Nothing may run on the disk.
    pub fn remount(&self) -> Result<(), DiskError> {
        let mut unmounted = self.unmount();
        eventually(UNMOUNT_LIMIT, || {
            if unmounted.is_err() {
                unmounted = self.unmount();
            }
            unmounted.is_ok()
        });
        unmounted?;
        self.mount()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Where it fails, the mount ends with its namespace.
        Command::new("umount").arg("--lazy").arg(&self.at).status().ok();
    }
}

/// Somebody with a hand on the plug: started before it matters, so that the power goes at once.
#[derive(Debug)]
pub struct Plug {
    process: Process,
    said: BufReader<ChildStdout>,
}

impl Plug {
    pub fn of(disk: &Disk) -> Result<Self, DiskError> {
        Self::of_mount(disk.path())
    }

    /// Of whatever ext4 file system is mounted there.
    pub fn of_mount(at: &Path) -> Result<Self, DiskError> {
        let mut command = Command::new(setup::faults());
        command.arg("cut").arg("--mount").arg(at);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::spawn(&mut command, None).expect("the program is installed");
        let said = process.child().stdout.take().expect("a pipe");
        let mut plug = Self { process, said: BufReader::new(said) };
        plug.line()?;
        Ok(plug)
    }

    /// Takes the power.
    pub fn pull(mut self) -> Result<Cut, DiskError> {
        let stdin = self.process.child().stdin.as_mut().expect("a pipe");
        stdin.write_all(b"now\n").map_err(|error| failed(&error.to_string()))?;
        let line = self.line()?;
        let mut times = line.split_whitespace().map_while(|word| word.parse().ok());
        let (before, after) = (times.next(), times.next());
        self.process.wait(UNMOUNT_LIMIT);
        let (Some(before), Some(after)) = (before, after) else { return Err(failed(&line)) };
        Ok(Cut { before, after })
    }

    fn line(&mut self) -> Result<String, DiskError> {
        let mut line = String::new();
        match self.said.read_line(&mut line) {
            Ok(1..) => Ok(line),
            _ => Err(failed("it ended")),
        }
    }
}

fn failed(what: &str) -> DiskError {
    DiskError::Failed { command: "faults cut".into(), output: what.into() }
}

fn run(command: &mut Command) -> Result<(), DiskError> {
    let answer = command.output();
    let failed = |output: String| DiskError::Failed { command: format!("{command:?}"), output };
    match answer {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        Err(error) => Err(failed(error.to_string())),
    }
}
