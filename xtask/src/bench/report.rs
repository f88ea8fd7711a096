//! The table that a benchmark prints: median, smallest and largest of each measurement, the
//! ratio between the two brokers and the ratio between equal runs, what was to be reached and
//! whether it was.

use compat_tests::broker::Kind;

use super::works::{Goal, Row, Work};

/// Every value seen.
pub(super) struct Report {
    works: Vec<&'static Work>,
    values: Vec<(Kind, Id, f64)>,
}

/// A row: the name of its work, its key.
type Id = (&'static str, &'static str);

impl Report {
    pub(super) fn new(works: &[&'static Work]) -> Self {
        Self { works: works.to_vec(), values: Vec::new() }
    }

    /// What one run of `work` has seen.
    pub(super) fn add(&mut self, kind: Kind, work: &'static Work, seen: Vec<(&'static str, f64)>) {
        for (key, value) in seen {
            assert!(work.rows.iter().any(|row| row.key == key), "{}: no row {key}", work.name);
            self.values.push((kind, (work.name, key), value));
        }
    }

    /// The table in Markdown.
    pub(super) fn table(&self) -> String {
        let mut text = "| | mode | Gofka | Apache Kafka 4.3.1 | Gofka : Kafka | Gofka : Gofka | \
                        to reach | reached |\n|---|---|---|---|---|---|---|---|\n"
            .to_owned();
        for work in &self.works {
            for row in work.rows {
                text += &self.line(work, row);
            }
        }
        text
    }

    fn line(&self, work: &Work, row: &Row) -> String {
        let id = (work.name, row.key);
        let (gofka, kafka) = (self.of(Kind::Gofka, id), self.of(Kind::Kafka, id));
        let ratio = ratio(&gofka, &kafka);
        let reached = match row.goal.reached(median(&gofka), ratio) {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let cells = [
            row.name,
            work.mode.name(),
            &cell(&gofka),
            &cell(&kafka),
            &ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")),
            &self.noise(id),
            &row.goal.text(),
            reached,
        ];
        format!("| {} |\n", cells.join(" | "))
    }

    /// How far the first and the last run of a round, both Gofka's, were apart at most: a ratio
    /// nearer to 1 than this is no difference.
    fn noise(&self, id: Id) -> String {
        let mine = self.values.iter().filter(|(k, i, _)| *k == Kind::Gofka && *i == id);
        let values: Vec<f64> = mine.map(|(_, _, value)| *value).collect();
        let ratios = values
            .chunks_exact(2)
            .filter(|pair| pair.iter().all(|value| *value > 0.0))
            .map(|p| p[0] / p[1]);
        let furthest = ratios.max_by(|a, b| a.ln().abs().total_cmp(&b.ln().abs()));
        furthest.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
    }

    /// The values of one row, smallest first.
    fn of(&self, kind: Kind, id: Id) -> Vec<f64> {
        let mine = self.values.iter().filter(|(k, i, _)| *k == kind && *i == id);
        let mut values: Vec<f64> = mine.map(|(_, _, value)| *value).collect();
        values.sort_by(f64::total_cmp);
        values
    }
}

impl Goal {
    fn text(self) -> String {
        match self {
            Self::None => String::new(),
            Self::Most(limit) => format!("<= {limit}"),
            Self::Least(limit) => format!(">= {limit}"),
            Self::RatioMost(limit) => format!("ratio <= {limit}"),
            Self::RatioLeast(limit) => format!("ratio >= {limit}"),
        }
    }

    /// Whether Gofka's value or ratio reaches it; nothing where there is none.
    fn reached(self, value: Option<f64>, ratio: Option<f64>) -> Option<bool> {
        match self {
            Self::None => None,
            Self::Most(limit) => value.map(|value| value <= limit),
            Self::Least(limit) => value.map(|value| value >= limit),
            Self::RatioMost(limit) => ratio.map(|ratio| ratio <= limit),
            Self::RatioLeast(limit) => ratio.map(|ratio| ratio >= limit),
        }
    }
}

fn ratio(gofka: &[f64], kafka: &[f64]) -> Option<f64> {
    let (ours, theirs) = (median(gofka)?, median(kafka)?);
    (theirs > 0.0).then_some(ours / theirs)
}

pub(super) fn median(sorted: &[f64]) -> Option<f64> {
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
        let mut report = Report::new(&[]);
        for value in [1.0, 1.1, 2.0, 1.0, 1.0, 0.0] {
            report.values.push((Kind::Gofka, ("start", "cpu"), value));
            report.values.push((Kind::Kafka, ("start", "cpu"), 7.0));
        }
        assert_eq!(report.noise(("start", "cpu")), "2.00");
        assert_eq!(report.noise(("start", "memory")), "-");
    }

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        assert_eq!(median(&[1.0, 2.0, 4.0, 9.0]), Some(3.0));
        assert_eq!(median(&[1.0, 2.0, 9.0]), Some(2.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_goal_looks_at_the_value_or_at_the_ratio() {
        let check = |goal: Goal, value, ratio, expected| {
            assert_eq!(goal.reached(value, ratio), expected, "{goal:?}");
        };
        check(Goal::None, Some(1.0), Some(1.0), None);
        check(Goal::Most(2.0), Some(2.0), None, Some(true));
        check(Goal::Least(2.0), Some(1.9), None, Some(false));
        check(Goal::RatioMost(0.25), Some(9.0), Some(0.2), Some(true));
        check(Goal::RatioLeast(5.0), Some(9.0), Some(4.0), Some(false));
        check(Goal::RatioLeast(5.0), Some(9.0), None, None);
    }
}
