//! node-rdkafka's end-to-end tests, by mocha.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::{Verdict, Verdicts, captured};
use crate::setup;

const LIMIT: Duration = Duration::from_secs(300);

/// Each file has a process of its own: one that hangs takes no other with it.
const FILES: [&str; 6] =
    ["admin", "both", "consumer", "groups", "producer", "producer-transaction"];

/// Disconnects its consumer from within the consumer's own callback, and the hook after it does so
/// again: the binding crashes, or the test after it never ends. On Apache Kafka as on Gofka
/// (7 of 60 runs each).
const LEFT_OUT: &str =
    "should emit \\[warning\\] event on UNKNOWN_TOPIC_OR_PART error: consumeLoop";

pub(super) fn node_rdkafka(address: &str) -> (Verdicts, String) {
    let mut verdicts = Verdicts::new();
    let mut all = String::new();
    for file in FILES {
        let output = captured(
            Command::new("node")
                .current_dir(setup::node_suite())
                .env("KAFKA_HOST", address)
                .arg("../mocha/bin/mocha.js")
                .args(["--exit", "--timeout", "60000", "--reporter", "json-stream"])
                .args(["--grep", LEFT_OUT, "--invert"])
                .arg(format!("e2e/{file}.spec.js")),
            LIMIT,
            // The library's threads can keep the process from ending after its last line.
            |text| text.lines().any(|line| line.starts_with(r#"["end""#)),
        );
        verdicts.extend(parse(&output));
        all.extend(["==== ", file, "\n", &output, "\n"]);
    }
    (verdicts, all)
}

/// Reads `["pass",{"fullTitle":"..."}]`, one a line.
fn parse(output: &str) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for line in output.lines() {
        let Ok(Value::Array(event)) = serde_json::from_str(line) else { continue };
        let verdict = match event.first().and_then(Value::as_str) {
            Some("pass") => Verdict::Passed,
            Some("fail") => Verdict::Failed,
            _ => continue,
        };
        if let Some(title) = event.get(1).and_then(|test| test["fullTitle"].as_str()) {
            // A test that passes and then throws is reported as both.
            let seen = verdicts.entry(title.to_string()).or_insert(verdict);
            if verdict == Verdict::Failed {
                *seen = verdict;
            }
        }
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outweighs_a_pass_of_the_same_test() {
        let text = "[\"start\",{}]\n[\"pass\",{\"fullTitle\":\"A b\"}]\nnoise\n\
                    [\"fail\",{\"fullTitle\":\"A b\"}]\n[\"pass\",{\"fullTitle\":\"C\"}]\n";
        let found = parse(text);
        assert_eq!(found["A b"], Verdict::Failed);
        assert_eq!(found["C"], Verdict::Passed);
    }
}
