//! The process's own figures, under the names that every Prometheus client uses: read from
//! `/proc` at each scrape, so that they cost nothing in between. Elsewhere they are left out.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Collects the process metrics.
#[derive(Debug)]
pub(super) struct ProcessCollector;

/// What `/proc/self` says, in base units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessFigures {
    /// User and system time.
    pub cpu_seconds: f64,
    /// Resident set.
    pub resident_bytes: u64,
    /// Address space.
    pub virtual_bytes: u64,
    /// Since 1970.
    pub start_seconds: f64,
    /// Open file descriptors.
    pub open_fds: u64,
    /// Their limit.
    pub max_fds: u64,
    /// Threads.
    pub threads: u64,
}

impl ProcessFigures {
    /// The figures of this process; none where there is no `/proc`.
    pub fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let limits = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        let mut figures = Self::parse(&stat)?;
        figures.start_seconds += boot_seconds().unwrap_or_default();
        figures.open_fds = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as u64;
        figures.max_fds = limits.current.unwrap_or(u64::MAX);
        Some(figures)
    }

    /// Reads the fields behind the command, which may itself hold spaces and brackets.
    fn parse(stat: &str) -> Option<Self> {
        let fields: Vec<&str> = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().collect();
        // `proc(5)` counts from 1 and the first field behind the command is its third.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) as f64 / ticks,
            threads: field(20)?,
            start_seconds: field(22)? as f64 / ticks,
            virtual_bytes: field(23)?,
            resident_bytes: field(24)? * rustix::param::page_size() as u64,
            ..Self::default()
        })
    }
}

fn boot_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let Some(figures) = ProcessFigures::read() else { return Ok(()) };
        let cpu = ConstCounter::new(figures.cpu_seconds);
        let help = "User and system CPU time";
        let metric =
            encoder.encode_descriptor("process_cpu_seconds", help, None, cpu.metric_type())?;
        cpu.encode(metric)?;
        let gauges = [
            ("process_resident_memory_bytes", "Resident memory", figures.resident_bytes as f64),
            ("process_virtual_memory_bytes", "Virtual memory", figures.virtual_bytes as f64),
            ("process_start_time_seconds", "Start, since 1970", figures.start_seconds),
            ("process_open_fds", "Open file descriptors", figures.open_fds as f64),
            ("process_max_fds", "Limit of open file descriptors", figures.max_fds as f64),
            ("process_threads", "Threads", figures.threads as f64),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_a_command_with_spaces_and_brackets() {
        let behind = (3..=52).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        let figures = ProcessFigures::parse(&format!("7 (a ) b) {behind}")).unwrap();
        assert_eq!(figures.threads, 20);
        assert_eq!(figures.virtual_bytes, 23);
        assert_eq!(figures.resident_bytes, 24 * rustix::param::page_size() as u64);
    }

    #[test]
    fn this_process_has_figures() {
        let figures = ProcessFigures::read().unwrap();
        assert!(figures.resident_bytes > 0 && figures.open_fds > 2 && figures.threads > 0);
        assert!(figures.start_seconds > 1.6e9);
    }
}
