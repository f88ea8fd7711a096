//! What a whole run of faults came to: its lines, and for the README what was acknowledged and
//! lost in each mode of durability.

use std::fmt::Write;

use compat_tests::faults::power::Keeping;
use compat_tests::faults::report::Report;

use super::Fault;
use crate::document::{self, Place};

/// The columns of the README's table, in its order.
const FAULTS: [Fault; 3] = [Fault::Kill, Fault::Power, Fault::Full];

/// The reports so far.
#[derive(Default)]
pub(super) struct Results(Vec<(Fault, Keeping, Report)>);

impl Results {
    /// Prints a report and keeps it; whether the run was passed. What is found in Apache Kafka is
    /// not ours to mend.
    pub(super) fn passed(
        &mut self,
        fault: Fault,
        keeping: Keeping,
        report: Result<Report, String>,
    ) -> bool {
        match report {
            Ok(report) => {
                println!("{report}");
                let passed = keeping == Keeping::AsShipped || report.complaints.is_empty();
                self.0.push((fault, keeping, report));
                passed
            }
            Err(error) => {
                println!("{error}");
                false
            }
        }
    }

    /// Whether Apache Kafka has lost something: else the judge has not shown that it can find it.
    pub(super) fn are_calibrated(&self) -> bool {
        self.0.iter().any(|(_, keeping, report)| *keeping == Keeping::AsShipped && report.lost > 0)
    }

    /// Puts all of it into the documents.
    pub(super) fn write(&self, command: &str) -> Result<(), String> {
        let heading = document::describe(command);
        let lines: Vec<String> = self.0.iter().map(|(.., report)| report.to_string()).collect();
        let lines = lines.join("\n");
        document::write(Place::Faults, &format!("{heading}\n\n```text\n{lines}\n```"))?;
        document::write(Place::Durability, &format!("{heading}\n\n{}", self.table()))
    }

    fn table(&self) -> String {
        let rows: [(&str, &[Keeping]); 3] = [
            ("`auto`, `fsync`", &[Keeping::Auto, Keeping::Fsync]),
            ("`page-cache`", &[Keeping::PageCache]),
            ("Apache Kafka as it is shipped", &[Keeping::AsShipped]),
        ];
        let mut table = "| records acknowledged | kill -9 | power loss | full disk |\n".to_owned();
        table.push_str("|---|---|---|---|\n");
        for (name, modes) in rows {
            let cells = FAULTS.map(|fault| self.cell(fault, modes));
            let _ = writeln!(table, "| {name} | {} |", cells.join(" | "));
        }
        table
    }

    fn cell(&self, fault: Fault, modes: &[Keeping]) -> String {
        let seen = self.0.iter().filter(|(of, mode, _)| *of == fault && modes.contains(mode));
        let reports: Vec<&Report> = seen.map(|(.., report)| report).collect();
        if reports.is_empty() {
            return "-".to_owned();
        }
        let acknowledged: usize = reports.iter().map(|report| report.acknowledged).sum();
        let lost: usize = reports.iter().map(|report| report.lost).sum();
        let oldest = reports.iter().filter_map(|report| report.oldest_lost).max();
        match (lost, oldest) {
            (0, _) => format!("{acknowledged}, none lost"),
            (_, Some(oldest)) => {
                let age = oldest.as_millis();
                format!("{acknowledged}, {lost} lost, the oldest after {age} ms")
            }
            (_, None) => format!("{acknowledged}, {lost} lost"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use compat_tests::broker::Kind;
    use std::time::Duration;

    fn report(kind: Kind, lost: usize, oldest_lost: Option<Duration>) -> Report {
        Report {
            kind,
            title: "power kept 1".to_owned(),
            fault: "power lost".to_owned(),
            back_after: Duration::ZERO,
            acknowledged: 100,
            lost,
            oldest_lost,
            complaints: vec!["a complaint".to_owned()],
        }
    }

    #[test]
    fn modes_are_summed_up_and_losses_told_with_their_age() {
        let mut results = Results::default();
        let lost = |ms| Some(Duration::from_millis(ms));
        let clean = Report { complaints: Vec::new(), ..report(Kind::Gofka, 0, None) };
        assert!(results.passed(Fault::Power, Keeping::Auto, Ok(clean.clone())));
        assert!(results.passed(Fault::Power, Keeping::Fsync, Ok(clean)));
        let gofka = report(Kind::Gofka, 2, lost(7));
        assert!(!results.passed(Fault::Power, Keeping::PageCache, Ok(gofka)));
        assert!(!results.are_calibrated());
        let kafka = report(Kind::Kafka, 5, lost(900));
        assert!(results.passed(Fault::Power, Keeping::AsShipped, Ok(kafka)));
        assert!(results.are_calibrated());
        assert!(!results.passed(Fault::Kill, Keeping::Fsync, Err("no broker".to_owned())));
        let table = results.table();
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(rows[0], "| `auto`, `fsync` | - | 200, none lost | - |");
        assert_eq!(rows[1], "| `page-cache` | - | 100, 2 lost, the oldest after 7 ms | - |");
        assert!(rows[2].ends_with("| - | 100, 5 lost, the oldest after 900 ms | - |"));
    }
}
