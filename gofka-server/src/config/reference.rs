//! The reference of all settings, as the file `config/gofka.toml`: every key with its meaning,
//! default and unit, each commented out. Made from the tables, kept true by a test.

use std::fmt::Write;

use gofka_core::config::{BROKER_CONFIGS, ConfigKey, Dynamic, Kind, Unit};

const WIDTH: usize = 98;

const HEADER: &str = "\
# Every setting of Gofka with its default. A line without its leading '#' sets it:
#     gofka --config gofka.toml
# Stronger than this file are the environment (\"num.partitions\" is GOFKA_NUM_PARTITIONS there) and
# the flags (--num.partitions=3). Kafka's server.properties is read as well.
# Settings of Kafka's that are not listed here are accepted and change nothing, except those that
# would promise what is not served yet (an authorizer, quotas, TLS): these are refused by name. What
# belongs to products around Kafka (confluent.*, cruise.control.*, strimzi.*) is named in a warning.
";

/// The text of `config/gofka.toml`.
pub fn reference() -> String {
    let mut keys: Vec<&ConfigKey> =
        BROKER_CONFIGS.iter().copied().flatten().filter(|key| !key.hidden).collect();
    keys.sort_by_key(|key| key.name);
    let mut text = HEADER.to_owned();
    for key in keys {
        text.push('\n');
        for line in wrap(key.doc) {
            writeln!(text, "# {line}").expect("a string takes all");
        }
        writeln!(text, "# {}", describe(key)).expect("a string takes all");
        let value = key.default.map_or_else(|| "\"\"".to_owned(), |value| literal(key, value));
        writeln!(text, "#\"{}\" = {value}", key.name).expect("a string takes all");
    }
    text
}

fn literal(key: &ConfigKey, value: &str) -> String {
    match key.kind {
        Kind::Bool | Kind::Short(..) | Kind::Int(..) | Kind::Long(..) | Kind::Double(..) => {
            value.to_owned()
        }
        _ => format!("{value:?}"),
    }
}

/// Type, unit, default when there is none, and whether it changes at run time.
fn describe(key: &ConfigKey) -> String {
    let kind = match key.kind {
        Kind::Bool => "true or false".to_owned(),
        Kind::Short(low, high) => range("number", low, high, i16::MIN, i16::MAX),
        Kind::Int(low, high) => range("number", low, high, i32::MIN, i32::MAX),
        Kind::Long(low, high) => range("number", low, high, i64::MIN, i64::MAX),
        Kind::Double(low, high) => range("decimal number", low, high, f64::MIN, f64::MAX),
        Kind::OneOf(values) => values.join(" | "),
        Kind::ListOf(values) => format!("list of {}", values.join(" | ")),
        Kind::List => "list".to_owned(),
        Kind::LevelOrDefault(low, high) => format!("{low} to {high}, or -1"),
        Kind::Text
        | Kind::NonEmptyText
        | Kind::Password
        | Kind::Class
        | Kind::ThrottledReplicas
        | Kind::AddressLimits
        | Kind::OffsetReset => "text".to_owned(),
    };
    let unit = match key.unit {
        Unit::None => "",
        Unit::Bytes => ", in bytes",
        Unit::BytesPerSecond => ", in bytes per second",
        Unit::Milliseconds => ", in milliseconds",
        Unit::Seconds => ", in seconds",
        Unit::Minutes => ", in minutes",
        Unit::Hours => ", in hours",
        Unit::Ratio => ", a share of 1",
    };
    let default = if key.default.is_none() { "; not set by default" } else { "" };
    let dynamic = match key.dynamic {
        Dynamic::ReadOnly => "",
        Dynamic::PerBroker => "; can change while running, per broker",
        Dynamic::ClusterWide => "; can change while running",
    };
    format!("({kind}{unit}{default}{dynamic})")
}

/// The range, where it is narrower than the type's.
fn range<T: Copy + PartialEq + std::fmt::Display>(
    what: &str,
    low: T,
    high: T,
    min: T,
    max: T,
) -> String {
    match (low == min, high == max) {
        (true, true) => what.to_owned(),
        (false, true) => format!("{what} from {low} up"),
        (true, false) => format!("{what} up to {high}"),
        (false, false) => format!("{what} from {low} to {high}"),
    }
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn path() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/gofka.toml")
    }

    /// `cargo xtask fix` writes the file anew.
    #[test]
    fn the_generated_reference_is_current() {
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path(), reference()).unwrap();
        }
        let found = std::fs::read_to_string(path()).unwrap();
        assert!(found == reference(), "config/gofka.toml is stale; run `cargo xtask fix`");
    }

    #[test]
    fn every_line_that_sets_something_is_valid() {
        let mut text = String::new();
        for line in reference().lines().filter(|line| line.starts_with("#\"")) {
            if !line.ends_with("= \"\"") {
                writeln!(text, "{}", &line[1..]).unwrap();
            }
        }
        let table: toml::Table = text.parse().unwrap();
        for (name, value) in table {
            let key = gofka_core::config::broker_key(&name).unwrap();
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            key.parse(&text).unwrap();
        }
    }
}
