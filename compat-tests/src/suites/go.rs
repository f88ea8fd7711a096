//! franz-go's own tests of its client, `pkg/kgo`.

use std::process::Command;
use std::time::Duration;

use super::{Verdict, Verdicts, captured};
use crate::setup;

/// The tests that need nothing of later issues.
const TESTS: &str = "TestPing|TestIssue|TestClient_Produce|TestGroupETL";
const LIMIT: Duration = Duration::from_secs(330);

pub(super) fn franz(address: &str) -> (Verdicts, String) {
    let output = captured(
        Command::new(setup::franz_suite())
            .current_dir(setup::franz_source())
            .env("KGO_SEEDS", address)
            .env("KGO_TEST_RF", "1")
            .env("KGO_TEST_RECORDS", "5000")
            .env("KGO_LOG_LEVEL", "none")
            .args(["-test.timeout=5m", "-test.v", &format!("-test.run={TESTS}")]),
        LIMIT,
        |_| false,
    );
    (parse(&output), output)
}

/// Reads `--- PASS: TestName/sub (0.1s)` at any depth.
fn parse(output: &str) -> Verdicts {
    let mut verdicts = Verdicts::new();
    for line in output.lines() {
        let Some(line) = line.trim_start().strip_prefix("--- ") else { continue };
        let Some((verdict, rest)) = line.split_once(": ") else { continue };
        let verdict = match verdict {
            "PASS" => Verdict::Passed,
            "FAIL" => Verdict::Failed,
            "SKIP" => Verdict::Skipped,
            _ => continue,
        };
        let name = rest.rsplit_once(" (").map_or(rest, |(name, _)| name);
        verdicts.insert(name.to_string(), verdict);
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_and_their_parts_are_read() {
        let text = "=== RUN X\n--- FAIL: TestA (1.00s)\n    --- PASS: TestA/b c (0.0s)\nok\n";
        let found = parse(text);
        assert_eq!(found["TestA"], Verdict::Failed);
        assert_eq!(found["TestA/b c"], Verdict::Passed);
        assert_eq!(found.len(), 2);
    }
}
