//! Says whether what a client saw on Kafka and on Gofka is right, one line for each complaint.

use std::collections::BTreeMap;
use std::env;

use crate::broker::Kind;
use crate::compare::{contradictions, differences};
use crate::driver::Outcome;
use crate::expected::expected;
use crate::scenario;

/// The outcomes of one client on one broker, by scenario.
pub type Outcomes = BTreeMap<String, Outcome>;

/// Which brokers a run is for. `COMPAT_BROKERS=kafka` calibrates the drivers on Apache Kafka
/// alone; without it both are run and compared.
pub fn brokers() -> Vec<Kind> {
    match env::var("COMPAT_BROKERS").as_deref() {
        Ok("kafka") => vec![Kind::Kafka],
        Ok("gofka") => vec![Kind::Gofka],
        _ => vec![Kind::Kafka, Kind::Gofka],
    }
}

/// The scenarios of `all` that a run is for: those named in `COMPAT_SCENARIOS`, or all.
pub fn chosen<'a>(all: &[&'a str]) -> Vec<&'a str> {
    let Ok(names) = env::var("COMPAT_SCENARIOS") else { return all.to_vec() };
    all.iter().copied().filter(|name| names.split(',').any(|n| n == *name)).collect()
}

/// Everything that is wrong with what `client` saw.
pub fn complaints(client: &str, kafka: Option<&Outcomes>, gofka: Option<&Outcomes>) -> Vec<String> {
    let mut found = Vec::new();
    for (broker, outcomes) in [("Kafka", kafka), ("Gofka", gofka)] {
        for (scenario, outcome) in outcomes.into_iter().flatten() {
            for complaint in alone(client, scenario, outcome) {
                found.push(format!("{client} {scenario} on {broker}: {complaint}"));
            }
        }
    }
    for (scenario, outcome) in kafka.into_iter().flatten() {
        let other = gofka.and_then(|outcomes| outcomes.get(scenario));
        if let (Outcome::Observed(a), Some(Outcome::Observed(b))) = (outcome, other) {
            for difference in differences(("Kafka", a), ("Gofka", b)) {
                found.push(format!("{client} {scenario}: {difference}"));
            }
        }
    }
    found
}

/// What can be said of one outcome without the other broker's.
fn alone(client: &str, scenario: &str, outcome: &Outcome) -> Vec<String> {
    let known = scenario::unsupported(client, scenario);
    match (outcome, known) {
        (Outcome::Error(error), _) => vec![error.clone()],
        (Outcome::Unsupported(_), Some(_)) => Vec::new(),
        (Outcome::Unsupported(why), None) => vec![format!("unexpectedly unsupported: {why}")],
        (Outcome::Observed(_), Some(why)) => vec![format!("listed as unsupported ({why}), works")],
        (Outcome::Observed(value), None) => {
            expected(scenario).map(|expected| contradictions(&expected, value)).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn outcomes(outcome: Outcome) -> Outcomes {
        BTreeMap::from([("codec-none".to_string(), outcome)])
    }

    #[test]
    fn equal_observations_are_fine() {
        let seen = outcomes(Outcome::Observed(json!({"count": 200, "more": 1})));
        assert!(complaints("kcat", Some(&seen), Some(&seen)).is_empty());
    }

    #[test]
    fn an_expectation_binds_kafka_too() {
        let seen = outcomes(Outcome::Observed(json!({"count": 199})));
        assert_eq!(complaints("kcat", Some(&seen), None).len(), 1);
    }

    #[test]
    fn a_refusal_that_is_not_listed_is_a_complaint() {
        let seen = outcomes(Outcome::Unsupported("no".into()));
        assert_eq!(complaints("kcat", None, Some(&seen)).len(), 1);
    }
}
