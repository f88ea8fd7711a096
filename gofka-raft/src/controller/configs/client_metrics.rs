//! Client telemetry subscriptions (KIP-714).

use gofka_core::config::{ConfigValue, client_metrics_key};
use gofka_core::error::ApiError;

use super::{invalid_config, invalid_request};
use crate::image::ConfigMap;

const INTERVAL_MS: std::ops::RangeInclusive<i64> = 100..=3_600_000;

/// What a client can be chosen by.
const SELECTORS: &[&str] = &[
    "client_id",
    "client_instance_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// Checks all that a subscription holds.
pub(super) fn check(wanted: &ConfigMap) -> Result<(), ApiError> {
    for (name, value) in wanted {
        let Some(key) = client_metrics_key(name) else {
            return Err(invalid_request(format!("Unknown client metrics configuration: {name}")));
        };
        let parsed = key.parse(value).map_err(invalid_config)?;
        match (name.as_str(), parsed) {
            ("interval.ms", ConfigValue::Integer(interval)) if !INTERVAL_MS.contains(&interval) => {
                return Err(invalid_request(format!(
                    "Invalid value {interval} for interval.ms, interval must be between {} and {} \
                     (1 hour)",
                    INTERVAL_MS.start(),
                    INTERVAL_MS.end()
                )));
            }
            ("match", ConfigValue::List(patterns)) => {
                if let Some(wrong) = patterns.iter().find(|pattern| !is_pattern(pattern)) {
                    let text = format!("Illegal client matching pattern: {wrong}");
                    return Err(invalid_config(text));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// `selector=expression`.
fn is_pattern(pattern: &str) -> bool {
    pattern.split_once('=').is_some_and(|(selector, expression)| {
        let expression = expression.trim();
        SELECTORS.contains(&selector.trim())
            && !expression.is_empty()
            && !expression.contains('=')
            && is_closed(expression)
    })
}

/// Whether every bracket of a regular expression is closed and nothing is repeated that is not
/// there. Nobody runs these expressions yet, so more is not looked at.
fn is_closed(expression: &str) -> bool {
    let (mut open, mut in_class, mut escaped) = (0_u32, false, false);
    for (position, letter) in expression.chars().enumerate() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match letter {
            '\\' => escaped = true,
            ']' => in_class = false,
            _ if in_class => {}
            '[' => in_class = true,
            '(' => open += 1,
            ')' if open == 0 => return false,
            ')' => open -= 1,
            '*' | '+' | '?' if position == 0 => return false,
            _ => {}
        }
    }
    open == 0 && !in_class && !escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_a_selector_and_an_expression() {
        for good in ["client_id=x", "client_software_name=apache-.*", "client_id=(a|[b)])"] {
            assert!(is_pattern(good), "{good}");
        }
        for bad in ["client_id", "zz=1", "client_id=", "client_id=[", "client_id=)", "client_id=*"]
        {
            assert!(!is_pattern(bad), "{bad}");
        }
    }
}
