//! The table that a benchmark prints: median, smallest and largest of each measurement, the
//! ratio between the two brokers, and what was to be reached.

use compat_tests::broker::Kind;

/// What is measured. The order is the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measurement {
    FirstAcknowledgement,
    IdleMemory,
    IdleCpu,
    ConnectionSeconds,
    ConnectionMemory,
    ProduceCpu,
    ProduceRate,
    ConsumeCpu,
    ConsumeRate,
    LoadMemory,
}

/// Measurement, its name and unit, what Gofka owes.
const ROWS: &[(Measurement, &str, &str)] = &[
    (Measurement::FirstAcknowledgement, "start to first acknowledged record, ms", "<= 100"),
    (Measurement::IdleMemory, "idle: resident memory, MB", "<= 20"),
    (Measurement::IdleCpu, "idle: % of one core", "< 0.5"),
    (Measurement::ConnectionSeconds, "connections opened one by one, s", "<= 5"),
    (Measurement::ConnectionMemory, "memory of each connection, kB", "<= 10"),
    (Measurement::ProduceCpu, "produce 1 kB records: broker CPU-s/GB", "ratio <= 0.5"),
    (Measurement::ProduceRate, "produce 1 kB records: MB/s at the client", ""),
    (Measurement::ConsumeCpu, "consume 1 kB records, warm: broker CPU-s/GB", "ratio <= 1"),
    (Measurement::ConsumeRate, "consume 1 kB records, warm: MB/s at the client", ""),
    (Measurement::LoadMemory, "resident memory after the load, MB", ""),
];

/// Every value seen.
#[derive(Default)]
pub(super) struct Report {
    values: Vec<(Kind, Measurement, f64)>,
}

impl Report {
    pub(super) fn add(&mut self, kind: Kind, measurement: Measurement, value: f64) {
        eprintln!("{kind:?} {measurement:?} {value:.2}");
        self.values.push((kind, measurement, value));
    }

    pub(super) fn print(&self, megabytes: u64) {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        println!(
            "{cores} cores; {megabytes} MB a round; median (smallest-largest); page-cache mode"
        );
        println!("| | Gofka | Apache Kafka 4.3.1 | Gofka : Kafka | to reach |");
        println!("|---|---|---|---|---|");
        for (measurement, name, goal) in ROWS {
            let (gofka, kafka) =
                (self.of(Kind::Gofka, *measurement), self.of(Kind::Kafka, *measurement));
            let ratio = match (median(&gofka), median(&kafka)) {
                (Some(ours), Some(theirs)) if theirs > 0.0 => format!("{:.2}", ours / theirs),
                _ => "-".to_owned(),
            };
            println!("| {name} | {} | {} | {ratio} | {goal} |", cell(&gofka), cell(&kafka));
        }
    }

    /// The values of one measurement, smallest first.
    fn of(&self, kind: Kind, measurement: Measurement) -> Vec<f64> {
        let mine = self.values.iter().filter(|(k, m, _)| *k == kind && *m == measurement);
        let mut values: Vec<f64> = mine.map(|(_, _, value)| *value).collect();
        values.sort_by(f64::total_cmp);
        values
    }
}

fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        Some(*upper)
    } else {
        Some(f64::midpoint(sorted[middle - 1], *upper))
    }
}

fn cell(sorted: &[f64]) -> String {
    match (median(sorted), sorted.first(), sorted.last()) {
        (Some(median), Some(least), Some(most)) => format!("{median:.2} ({least:.2}-{most:.2})"),
        _ => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), Some(3.0));
        assert_eq!(median(&[1.0, 2.0, 9.0]), Some(2.0));
        assert_eq!(median(&[]), None);
    }
}
