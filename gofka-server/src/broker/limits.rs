//! The process's limit of open files: raised as far as allowed, and shared out.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More are never needed.
const ENOUGH: u64 = 65_536;
/// What logs may use where the limit is high; sealed segments beyond are opened again when read.
const FOR_LOGS_MAX: u64 = 8_192;

/// What neither logs nor connections use: the metadata, HTTP, locks, standard streams.
const FOR_OTHERS: u64 = 32;

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
