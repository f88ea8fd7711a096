//! The table that a benchmark prints: median, smallest and largest of each measurement, the
//! ratio between the two brokers and the ratio between equal runs, and what was to be reached.

use std::fmt::Write;

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
    ProduceClientCpu,
    ProduceRate,
    ConsumeCpu,
    ConsumeClientCpu,
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
    (Measurement::ProduceClientCpu, "produce 1 kB records: client CPU-s/GB", ""),
    (Measurement::ProduceRate, "produce 1 kB records: MB/s at the client", ""),
    (Measurement::ConsumeCpu, "consume 1 kB records, warm: broker CPU-s/GB", "ratio <= 1"),
    (Measurement::ConsumeClientCpu, "consume 1 kB records, warm: client CPU-s/GB", ""),
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

    /// The table in Markdown.
    pub(super) fn table(&self) -> String {
        let mut text =
            "| | Gofka | Apache Kafka 4.3.1 | Gofka : Kafka | Gofka : Gofka | to reach |\n\
                        |---|---|---|---|---|---|\n"
                .to_owned();
        for (measurement, name, goal) in ROWS {
            let (gofka, kafka) =
                (self.of(Kind::Gofka, *measurement), self.of(Kind::Kafka, *measurement));
            let ratio = match (median(&gofka), median(&kafka)) {
                (Some(ours), Some(theirs)) if theirs > 0.0 => format!("{:.2}", ours / theirs),
                _ => "-".to_owned(),
            };
            let (ours, theirs, noise) = (cell(&gofka), cell(&kafka), self.noise(*measurement));
            writeln!(text, "| {name} | {ours} | {theirs} | {ratio} | {noise} | {goal} |")
                .expect("a string takes all");
        }
        text
    }

    /// How far the first and the last run of a round, both Gofka's, were apart at most: a ratio
    /// nearer to 1 than this is no difference.
    fn noise(&self, measurement: Measurement) -> String {
        let mine = self.values.iter().filter(|(k, m, _)| *k == Kind::Gofka && *m == measurement);
        let values: Vec<f64> = mine.map(|(_, _, value)| *value).collect();
        let ratios = values
            .chunks_exact(2)
            .filter(|pair| pair.iter().all(|value| *value > 0.0))
            .map(|p| p[0] / p[1]);
        let furthest = ratios.max_by(|a, b| a.ln().abs().total_cmp(&b.ln().abs()));
        furthest.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
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
    fn the_noise_is_the_worst_pair_of_equal_runs() {
        let mut report = Report::default();
        for value in [1.0, 1.1, 2.0, 1.0, 1.0, 0.0] {
            report.values.push((Kind::Gofka, Measurement::IdleCpu, value));
            report.values.push((Kind::Kafka, Measurement::IdleCpu, 7.0));
        }
        assert_eq!(report.noise(Measurement::IdleCpu), "2.00");
        assert_eq!(report.noise(Measurement::LoadMemory), "-");
    }

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), Some(3.0));
        assert_eq!(median(&[1.0, 2.0, 9.0]), Some(2.0));
        assert_eq!(median(&[]), None);
    }
}
