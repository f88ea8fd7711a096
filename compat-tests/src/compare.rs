//! Compares two observations and names every place where they differ.

use serde_json::Value;

/// The differences, one line each, with the path to the place; empty when equal.
pub fn differences(left: (&str, &Value), right: (&str, &Value)) -> Vec<String> {
    let mut found = Vec::new();
    walk("", left, right, &mut found);
    found
}

/// Where `observed` contradicts `expected`. Keys of objects that `expected` does not name are
/// free: a client may observe more than another.
pub fn contradictions(expected: &Value, observed: &Value) -> Vec<String> {
    let mut found = Vec::new();
    narrow("", expected, observed, &mut found);
    found
}

fn walk(path: &str, left: (&str, &Value), right: (&str, &Value), found: &mut Vec<String>) {
    match (left.1, right.1) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let (a, b) = (a.get(key), b.get(key));
                let path = format!("{path}/{key}");
                let absent = Value::String("(absent)".into());
                let (a, b) = (a.unwrap_or(&absent), b.unwrap_or(&absent));
                walk(&path, (left.0, a), (right.0, b), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                walk(&format!("{path}/{index}"), (left.0, a), (right.0, b), found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push(format!("{path}: {} {a}, {} {b}", left.0, right.0)),
    }
}

fn narrow(path: &str, expected: &Value, observed: &Value, found: &mut Vec<String>) {
    let Value::Object(fields) = expected else {
        walk(path, ("expected", expected), ("observed", observed), found);
        return;
    };
    for (key, expected) in fields {
        if let Some(observed) = observed.get(key) {
            narrow(&format!("{path}/{key}"), expected, observed, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_difference_is_named_by_its_path() {
        let kafka = json!({"count": 3, "steps": ["NONE", "NONE"], "only": 1});
        let gofka = json!({"count": 3, "steps": ["NONE", "TOPIC_ALREADY_EXISTS"]});
        let found = differences(("kafka", &kafka), ("gofka", &gofka));
        let steps = r#"/steps/1: kafka "NONE", gofka "TOPIC_ALREADY_EXISTS""#;
        assert_eq!(found, [r#"/only: kafka 1, gofka "(absent)""#, steps]);
    }

    #[test]
    fn an_expectation_leaves_other_fields_free() {
        let observed = json!({"count": 3, "more": true});
        assert!(contradictions(&json!({"count": 3, "hash": "x"}), &observed).is_empty());
        assert_eq!(contradictions(&json!({"count": 4}), &observed).len(), 1);
    }
}
