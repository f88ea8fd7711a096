//! What a process costs, read from `/proc`, and the state of the machine before measuring.

use std::fs::{self, File};
use std::io::Write;
use std::thread;
use std::time::Duration;

/// Kernel ticks a second: fixed at 100 in what `/proc` shows on Linux.
const TICKS_PER_SECOND: f64 = 100.0;
const SETTLE: Duration = Duration::from_secs(5);
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

/// Resident memory of `pid`.
pub(super) fn resident_bytes(pid: u32) -> Result<f64, String> {
    field_kilobytes(&format!("/proc/{pid}/status"), "VmRSS:").map(|kb| kb * 1024.0)
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

/// The clock that the loads print, so that both ends of a duration agree.
pub(super) fn monotonic_seconds() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// Writes and deletes a file nearly as large as free memory: the first touch of a page costs
/// several times as much as the next, and whoever runs first would pay for it.
pub(super) fn touch_free_memory() -> Result<(), String> {
    let free = field_kilobytes("/proc/meminfo", "MemFree:")? * 1024.0 * 0.9;
    let path = std::env::temp_dir().join(format!("touch-{}", std::process::id()));
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

/// Memory of the machine.
pub(super) fn total_memory_bytes() -> Result<f64, String> {
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
