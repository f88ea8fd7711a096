//! node-rdkafka's end-to-end tests, by mocha.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::{Verdict, Verdicts, captured};
use crate::setup;

const LIMIT: Duration = Duration::from_secs(300);

/// Each file has a process of its own: one that hangs takes no other with it.
const FILES: [&str; 5] = ["admin", "consumer", "groups", "producer", "producer-transaction"];

/// Here each test has one. The binding's disconnect, which the hook after each test waits for, now
/// and then never ends on a busy machine, on Apache Kafka as on Gofka: the threads of the client
/// wait for each other.
const FILE_OF_CONSUMERS: &str = "both";

/// Disconnects its consumer from within the consumer's own callback, and the hook after it does so
/// again: the binding crashes in one of a hundred runs on an idle machine.
const LEFT_OUT: &str = "Consumer/Producer should emit [warning] event on UNKNOWN_TOPIC_OR_PART \
                        error: consumeLoop";

pub(super) fn node_rdkafka(address: &str) -> (Verdicts, String) {
    let mut verdicts = Verdicts::new();
    let mut all = String::new();
    let mut keep = |name: &str, output: &str| {
        verdicts.extend(parse(output));
        all.extend(["==== ", name, "\n", output, "\n"]);
    };
    for file in FILES {
        // The library's threads can keep the process from ending after its last line.
        keep(file, &mocha(address, file, &[], |event| event == "end"));
    }
    let titles = parse(&mocha(address, FILE_OF_CONSUMERS, &["--dry-run"], |event| event == "end"));
    for title in titles.into_keys().filter(|title| title != LEFT_OUT) {
        let only = ["--grep", &format!("^{}$", regex_of(&title))];
        let ends = |event: &str| matches!(event, "pass" | "fail" | "end");
        keep(&title, &mocha(address, FILE_OF_CONSUMERS, &only, ends));
    }
    (verdicts, all)
}

/// What mocha prints of a file until it ends, or until `ends` says so of an event.
fn mocha(address: &str, file: &str, more: &[&str], ends: impl Fn(&str) -> bool) -> String {
    captured(
        Command::new("node")
            .current_dir(setup::node_suite())
            .env("KAFKA_HOST", address)
            .arg("../mocha/bin/mocha.js")
            .args(["--exit", "--timeout", "60000", "--reporter", "json-stream"])
            .args(more)
            .arg(format!("e2e/{file}.spec.js")),
        LIMIT,
        |text| text.lines().filter_map(event_of).any(|event| ends(&event.0)),
    )
}

/// A regular expression of JavaScript that `title` alone fits.
fn regex_of(title: &str) -> String {
    let mut regex = String::new();
    for c in title.chars() {
        if c.is_ascii_punctuation() {
            regex.push('\\');
        }
        regex.push(c);
    }
    regex
}

/// Reads `["pass",{"fullTitle":"..."}]`.
fn event_of(line: &str) -> Option<(String, Value)> {
    serde_json::from_str(line).ok()
}

fn parse(output: &str) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for (event, test) in output.lines().filter_map(event_of) {
        let verdict = match event.as_str() {
            "pass" => Verdict::Passed,
            "fail" => Verdict::Failed,
            _ => continue,
        };
        if let Some(title) = test["fullTitle"].as_str() {
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

    #[test]
    fn a_title_fits_itself_alone() {
        assert_eq!(regex_of("emit [x]: a.b's"), r"emit \[x\]\: a\.b\'s");
    }
}
