//! What a process costs, read from `/proc`, and the state of the machine before measuring.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Kernel ticks a second: fixed at 100 in what `/proc` shows on Linux.
const TICKS_PER_SECOND: f64 = 100.0;
const SETTLE: Duration = Duration::from_secs(5);
const BREATH: Duration = Duration::from_millis(100);
const IDLE_WINDOW: Duration = Duration::from_secs(20);

/// User and system time of `pid` since it started.
pub(super) fn cpu_seconds(pid: u32) -> Result<f64, String> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    // The command's name may hold spaces; what follows its parenthesis does not.
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = fields[11..=12].iter().filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS_PER_SECOND)
}

/// Leaves one core to all threads of `pid`.
pub(super) fn keep_on_core(pid: u32, core: &str) -> Result<(), String> {
    let mut command = Command::new("taskset");
    let output = command.args(["-acp", core, &pid.to_string()]).output();
    match output.map_err(|cause| format!("taskset, of the package util-linux: {cause}"))? {
        done if done.status.success() => Ok(()),
        failed => Err(format!("taskset: {}", String::from_utf8_lossy(&failed.stderr))),
    }
}

/// Resident memory of `pid`.
pub(super) fn resident_bytes(pid: u32) -> Result<f64, String> {
    field_kilobytes(&format!("/proc/{pid}/status"), "VmRSS:").map(|kb| kb * 1024.0)
}

/// The most that was ever resident of `pid`.
pub(super) fn most_resident_bytes(pid: u32) -> Result<f64, String> {
    field_kilobytes(&format!("/proc/{pid}/status"), "VmHWM:").map(|kb| kb * 1024.0)
}

/// The share of one core that `pid` uses over a while in which nothing is asked of it.
pub(super) fn over_a_while(pid: u32) -> Result<f64, String> {
    let before = cpu_seconds(pid)?;
    pause(IDLE_WINDOW);
    Ok((cpu_seconds(pid)? - before) / IDLE_WINDOW.as_secs_f64())
}

/// Lets the work of starting end.
pub(super) fn settle() {
    pause(SETTLE);
}

/// Leaves the machine to others before looking again.
pub(super) fn breathe() {
    pause(BREATH);
}

/// The clock that the loads print, so that both ends of a duration agree.
pub(super) fn monotonic_seconds() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// Writes and deletes a file nearly as large as free memory: the first touch of a page costs
/// several times as much as the next, and whoever runs first would pay for it.
pub(super) fn touch_free_memory() -> Result<(), String> {
    let dir = std::env::temp_dir();
    let disk = rustix::fs::statvfs(&dir).map_err(|cause| format!("{}: {cause}", dir.display()))?;
    let room = disk.f_bavail as f64 * disk.f_frsize as f64 * 0.5;
    let free = (field_kilobytes("/proc/meminfo", "MemFree:")? * 1024.0 * 0.9).min(room);
    let path = dir.join(format!("touch-{}", std::process::id()));
    let block = vec![1_u8; 16 << 20];
    let written = File::create(&path).and_then(|mut file| {
        (0..(free as usize / block.len())).try_for_each(|_| file.write_all(&block))
    });
    fs::remove_file(&path).ok();
    written.map_err(|cause| format!("{}: {cause}", path.display()))
}

/// Has the kernel write what earlier work left to it, so that later work does not pay for it.
pub(super) fn write_dirty_pages() {
    rustix::fs::sync();
}

/// Has the kernel forget the contents of files.
pub(super) fn drop_caches() -> Result<(), String> {
    let path = "/proc/sys/vm/drop_caches";
    fs::write(path, "1").map_err(|cause| format!("{path}: {cause}; it needs root"))
}

/// As many open files as the machine permits, for the brokers and clients that are started.
pub(super) fn allow_many_files() -> Result<(), String> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).map_err(|cause| format!("open files: {cause}"))
}

/// Bytes of the files of a folder with this extension.
pub(super) fn bytes_of(dir: &Path, extension: &str) -> Result<f64, String> {
    let failed = |cause: std::io::Error| format!("{}: {cause}", dir.display());
    let mut bytes = 0;
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|found| found == extension) {
            // A file may go between being listed and being looked at.
            bytes += fs::metadata(&path).map_or(0, |data| data.len());
        }
    }
    Ok(bytes as f64)
}

/// Memory of the machine.
pub(crate) fn total_memory_bytes() -> Result<f64, String> {
    field_kilobytes("/proc/meminfo", "MemTotal:").map(|kb| kb * 1024.0)
}

#[expect(clippy::disallowed_methods, reason = "a measurement over time has to let time pass")]
fn pause(duration: Duration) {
    thread::sleep(duration);
}

fn field_kilobytes(path: &str, name: &str) -> Result<f64, String> {
    let text = read(path)?;
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_whitespace().nth(1));
    value.and_then(|v| v.parse().ok()).ok_or_else(|| format!("{path}: no {name}"))
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|cause| format!("{path}: {cause}"))
}
