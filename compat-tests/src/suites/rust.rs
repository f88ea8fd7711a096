//! The tests of two Rust clients: rust-rdkafka (on librdkafka 2.12) and rskafka (pure Rust).

use std::process::Command;
use std::time::Duration;

use super::{Verdict, Verdicts, captured};
use crate::setup;

const LIMIT: Duration = Duration::from_secs(240);

pub(super) fn rdkafka(address: &str) -> (Verdicts, String) {
    run("rdkafka", &[("KAFKA_HOST", address), ("KAFKA_VERSION", "4.3.1")])
}

pub(super) fn rskafka(address: &str) -> (Verdicts, String) {
    let environment =
        [("TEST_INTEGRATION", "1"), ("TEST_BROKER_IMPL", "kafka"), ("KAFKA_CONNECT", address)];
    run("rskafka", &environment)
}

/// Runs every test program of a crate, one after the other. The programs of one crate share
/// module names, so a test is called `program::test`.
fn run(crate_name: &str, environment: &[(&str, &str)]) -> (Verdicts, String) {
    let mut verdicts = Verdicts::new();
    let mut all = String::new();
    for (program, path) in setup::rust_suite(crate_name) {
        let output = captured(
            Command::new(path)
                .current_dir(setup::rust_suite_source(crate_name))
                .envs(environment.iter().copied())
                .arg("--test-threads=4"),
            LIMIT,
            |_| false,
        );
        for (name, verdict) in parse(&output) {
            verdicts.insert(format!("{program}::{name}"), verdict);
        }
        all.extend(["==== ", &program, "\n", &output, "\n"]);
    }
    (verdicts, all)
}

/// Reads `test name ... ok`.
fn parse(output: &str) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for line in output.lines() {
        let Some(line) = line.strip_prefix("test ") else { continue };
        let Some((name, result)) = line.split_once(" ... ") else { continue };
        let verdict = match result {
            "ok" => Verdict::Passed,
            "FAILED" => Verdict::Failed,
            _ => Verdict::Skipped,
        };
        verdicts.insert(name.to_string(), verdict);
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_by_name() {
        let found = parse(
            "running 3 tests\ntest a::b ... ok\ntest c ... FAILED\ntest d ... ignored, why\n",
        );
        assert_eq!(found["a::b"], Verdict::Passed);
        assert_eq!(found["c"], Verdict::Failed);
        assert_eq!(found["d"], Verdict::Skipped);
    }
}
