//! The lists of names in `suites/`, and whether a run agrees with them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::{Target, Verdict, Verdicts};
use crate::broker::Kind;
use crate::paths;

/// Why a test is not asked to pass on Gofka.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Passes without any broker, so it says nothing about one.
    Idle,
    /// Does not pass on Apache Kafka with our settings.
    Kafka,
    /// Passes on Apache Kafka and not here, because it needs what a later issue brings.
    Later,
}

/// One line of the exceptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exception {
    suite: String,
    test: String,
    reason: Reason,
}

fn folder() -> PathBuf {
    paths::clients().with_file_name("suites")
}

/// The exceptions of a suite, from the one file that has them all.
pub(super) fn exceptions(suite: &str) -> Vec<Exception> {
    let text = fs::read_to_string(folder().join("exceptions.txt")).expect("the exceptions");
    parse(&text).into_iter().filter(|e| e.suite == suite).collect()
}

/// Reads `suite | reason | test | why` lines.
fn parse(text: &str) -> Vec<Exception> {
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let parts: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let [suite, kind, name, why] = parts[..] else { panic!("not four parts: {line}") };
        assert!(!why.is_empty(), "no reason given: {line}");
        let reason = match kind {
            "idle" => Reason::Idle,
            "kafka" => Reason::Kafka,
            "later" => Reason::Later,
            other => panic!("no such reason: {other}"),
        };
        found.push(Exception { suite: suite.into(), test: name.into(), reason });
    }
    found
}

/// The tests of a suite that must pass on Gofka.
pub(super) fn required(suite: &str) -> BTreeSet<String> {
    let path = folder().join("required").join(format!("{suite}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(str::to_string).collect()
}

/// Writes the list of required tests from a run on Apache Kafka.
pub(super) fn update(suite: &str, verdicts: &Verdicts) {
    let exceptions = exceptions(suite);
    let excepted = |test: &str| exceptions.iter().any(|e| e.test == test);
    let mut text = String::new();
    for (test, verdict) in verdicts {
        if *verdict == Verdict::Passed && !excepted(test) {
            text += test;
            text.push('\n');
        }
    }
    fs::write(folder().join("required").join(format!("{suite}.txt")), text).expect("written");
}

/// Everything about a run that contradicts the lists.
pub(super) fn complaints(
    target: Target,
    required: &BTreeSet<String>,
    exceptions: &[Exception],
    seen: &Verdicts,
) -> Vec<String> {
    let passed = |test: &str| seen.get(test) == Some(&Verdict::Passed);
    let state = |test: &str| match seen.get(test) {
        Some(verdict) => format!("{verdict:?}").to_lowercase(),
        None => "not run".to_string(),
    };
    let mut found = Vec::new();
    if target != Target::Nobody {
        for test in required.iter().filter(|test| !passed(test)) {
            found.push(format!("{test}: {}", state(test)));
        }
    }
    for exception in exceptions {
        let must_pass = match (target, exception.reason) {
            (Target::Nobody, Reason::Idle) | (Target::Broker(Kind::Kafka), Reason::Later) => true,
            (Target::Broker(Kind::Kafka), Reason::Kafka)
            | (Target::Broker(Kind::Gofka), Reason::Later) => false,
            _ => continue,
        };
        let test = &exception.test;
        if passed(test) != must_pass {
            let reason = exception.reason;
            found.push(format!("{test}: excepted ({reason:?}) but {}", state(test)));
        }
    }
    let known = |test: &str| {
        required.contains(test) || exceptions.iter().any(|exception| exception.test == test)
    };
    for test in seen.keys() {
        let idle = target == Target::Nobody && passed(test);
        if idle && !exceptions.iter().any(|e| e.test == *test) {
            found.push(format!("{test}: passes without a broker"));
        }
        if target == Target::Broker(Kind::Kafka) && !known(test) {
            found.push(format!("{test}: {}, and neither required nor excepted", state(test)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOFKA: Target = Target::Broker(Kind::Gofka);
    const KAFKA: Target = Target::Broker(Kind::Kafka);

    fn seen(tests: &[(&str, Verdict)]) -> Verdicts {
        tests.iter().map(|(name, verdict)| ((*name).to_string(), *verdict)).collect()
    }

    fn judged(target: Target, tests: &[(&str, Verdict)]) -> Vec<String> {
        let required = BTreeSet::from(["must".to_string()]);
        let exceptions = parse("x | later | txn | needs transactions\nx | idle | unit | no io\n");
        complaints(target, &required, &exceptions, &seen(tests))
    }

    #[test]
    fn a_required_test_that_was_not_run_or_skipped_is_a_complaint() {
        assert_eq!(judged(GOFKA, &[]), ["must: not run"]);
        assert_eq!(judged(GOFKA, &[("must", Verdict::Skipped)]), ["must: skipped"]);
        assert!(judged(GOFKA, &[("must", Verdict::Passed)]).is_empty());
    }

    #[test]
    fn an_excepted_test_that_passes_is_a_complaint() {
        let found = judged(GOFKA, &[("must", Verdict::Passed), ("txn", Verdict::Passed)]);
        assert_eq!(found, ["txn: excepted (Later) but passed"]);
    }

    #[test]
    fn on_kafka_every_test_is_on_one_of_the_lists() {
        let tests = [
            ("must", Verdict::Passed),
            ("txn", Verdict::Passed),
            ("unit", Verdict::Passed),
            ("new", Verdict::Passed),
        ];
        assert_eq!(judged(KAFKA, &tests), ["new: passed, and neither required nor excepted"]);
    }

    #[test]
    fn what_passes_without_a_broker_must_be_listed() {
        let tests = [("must", Verdict::Passed), ("unit", Verdict::Passed)];
        assert_eq!(judged(Target::Nobody, &tests), ["must: passes without a broker"]);
    }
}
