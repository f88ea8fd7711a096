//! The process's limit of open files: raised as far as allowed, and shared out; and the memory
//! that the process may use.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More are never needed.
const ENOUGH: u64 = 65_536;
/// What logs may use where the limit is high; sealed segments beyond are opened again when read.
const FOR_LOGS_MAX: u64 = 8_192;

/// What neither logs nor connections use: the metadata, HTTP, locks, standard streams.
const FOR_OTHERS: u64 = 32;

/// The memory of the machine, or what the process's control group allows of it.
pub(super) fn memory_bytes() -> usize {
    let machine = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let files = memory_limit_files(&groups).into_iter();
    let group = files.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok()).min();
    total_memory(&machine).into_iter().chain(group).min().unwrap_or(usize::MAX)
}

/// `MemTotal: 1234 kB`, in bytes.
fn total_memory(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: usize = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// Where the limits of the process's control group and of those around it stand: version 2 of the
/// kernel's interface, or the memory controller of version 1. A container sees its own as `/`.
fn memory_limit_files(groups: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let (root, file) = if controllers.is_empty() {
            ("/sys/fs/cgroup", "memory.max")
        } else if controllers.split(',').any(|name| name == "memory") {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            continue;
        };
        let mut path = path.trim_end_matches('/');
        loop {
            files.push(format!("{root}{path}/{file}"));
            let Some((outer, _)) = path.rsplit_once('/') else { break };
            path = outer;
        }
    }
    files
}

/// The connections' share of open files, once the limit is raised.
pub(super) fn open_files_for_connections() -> usize {
    let logs = open_files_for_logs();
    let current = getrlimit(Resource::Nofile).current.unwrap_or(ENOUGH);
    let left = usize::try_from(current.saturating_sub(FOR_OTHERS)).unwrap_or(usize::MAX);
    left.saturating_sub(logs).max(16)
}

/// Raises the limit and returns the logs' share of it: connections need the rest.
pub(super) fn open_files_for_logs() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.unwrap_or(u64::MAX).min(ENOUGH);
    let mut current = limit.current.unwrap_or(u64::MAX);
    if current < allowed {
        let raised = Rlimit { current: Some(allowed), maximum: limit.maximum };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            current = allowed;
        }
    }
    usize::try_from((current / 2).clamp(16, FOR_LOGS_MAX)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_memory_are_looked_for_in_every_group_around() {
        let version_2 = "0::/a/b\n";
        let expected = [
            "/sys/fs/cgroup/a/b/memory.max",
            "/sys/fs/cgroup/a/memory.max",
            "/sys/fs/cgroup/memory.max",
        ];
        assert_eq!(memory_limit_files(version_2), expected);
        let version_1 = "5:cpu,cpuacct:/x\n3:memory:/\n";
        assert_eq!(memory_limit_files(version_1), ["/sys/fs/cgroup/memory/memory.limit_in_bytes"]);
        assert_eq!(total_memory("MemTotal:       1000 kB\nMemFree: 1 kB\n"), Some(1_024_000));
        assert!(memory_bytes() > 1 << 20);
    }
}
