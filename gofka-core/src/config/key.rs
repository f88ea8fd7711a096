//! One setting's definition.
//!
//! Used by the tables beside this file and by everyone who reads them; plain values, no threads.

use std::fmt;

use super::parse::has_empty_entry;

/// The type of a setting's value, with the range it allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `true` or `false`, in any case.
    Bool,
    /// A 16-bit number from the first to the second, both included.
    Short(i16, i16),
    /// A 32-bit number from the first to the second, both included.
    Int(i32, i32),
    /// A 64-bit number from the first to the second, both included.
    Long(i64, i64),
    /// A decimal number from the first to the second, both included.
    Double(f64, f64),
    /// Any text.
    Text,
    /// Text with at least one character that is not a blank.
    NonEmptyText,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Comma-separated texts.
    List,
    /// Comma-separated texts, each one of these.
    ListOf(&'static [&'static str]),
    /// Text that is never shown.
    Password,
    /// The name of a Java class; kept, never loaded.
    Class,
    /// A codec's level between the two, or -1 for the codec's own.
    LevelOrDefault(i32, i32),
    /// `partition:broker` pairs separated by commas, or `*`.
    ThrottledReplicas,
    /// `address:limit` pairs separated by commas.
    AddressLimits,
    /// `earliest`, `latest`, or `by_duration:` and an ISO 8601 duration.
    OffsetReset,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A plain number, or no number at all.
    None,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// A share of one, from 0 to 1.
    Ratio,
}

/// How a broker setting can change while the broker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dynamic {
    /// Only by a restart.
    ReadOnly,
    /// For one broker.
    PerBroker,
    /// For one broker, or for all as their default.
    ClusterWide,
}

/// One setting: everything that is known about it without a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfigKey {
    /// Kafka's name.
    pub name: &'static str,
    /// Type and range.
    pub kind: Kind,
    /// The default as text; `None` is Kafka's null.
    pub default: Option<&'static str>,
    /// What a number counts.
    pub unit: Unit,
    /// How it changes at run time. Topic and group settings always change at once.
    pub dynamic: Dynamic,
    /// The broker settings that give a topic or group setting its default, the strongest first,
    /// each with what its number is multiplied by: hours to milliseconds, for example. For a broker
    /// setting, itself and the weaker ones that mean the same.
    pub synonyms: &'static [(&'static str, i64)],
    /// Works, but is not listed.
    pub hidden: bool,
    /// What it does, in a sentence or two.
    pub doc: &'static str,
}

impl ConfigKey {
    /// A read-only setting without unit and synonyms.
    #[must_use]
    pub const fn new(
        name: &'static str,
        kind: Kind,
        default: Option<&'static str>,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            default,
            unit: Unit::None,
            dynamic: Dynamic::ReadOnly,
            synonyms: &[],
            hidden: false,
            doc,
        }
    }

    pub(super) const fn unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    pub(super) const fn dynamic(self, dynamic: Dynamic) -> Self {
        Self { dynamic, ..self }
    }

    pub(super) const fn synonyms(self, synonyms: &'static [(&'static str, i64)]) -> Self {
        Self { synonyms, ..self }
    }

    pub(super) const fn hidden(self) -> Self {
        Self { hidden: true, ..self }
    }

    /// Whether the value must never be shown.
    #[must_use]
    pub const fn is_sensitive(&self) -> bool {
        matches!(self.kind, Kind::Password)
    }

    /// `text` as it reads once it is a value: without blanks, leading zeros, capitals of no
    /// meaning and entries that come again. What is no value stays as it is.
    #[must_use]
    pub fn normal(&self, text: String) -> String {
        match self.kind.parse(&text) {
            Ok(ConfigValue::List(entries)) => {
                let mut once: Vec<String> = Vec::with_capacity(entries.len());
                for entry in entries {
                    if !once.contains(&entry) {
                        once.push(entry);
                    }
                }
                once.join(",")
            }
            Ok(value) => value.to_string(),
            Err(_) => text,
        }
    }

    /// Checks `text` against type and range. The sentence of a refusal names setting and value.
    pub fn parse(&self, text: &str) -> Result<ConfigValue, String> {
        if self.kind.is_list() && has_empty_entry(text) {
            return Err(format!("Configuration '{}' values must not be empty.", self.name));
        }
        self.kind.parse(text).map_err(|why| {
            let shown =
                if self.is_sensitive() { "[hidden]".to_owned() } else { self.kind.shown(text) };
            // Two kinds name the setting once more, as Kafka's do.
            let again = match self.kind {
                Kind::ThrottledReplicas => format!("{} ", self.name),
                Kind::OffsetReset => {
                    format!("Invalid value `{shown}` for configuration {}. ", self.name)
                }
                _ => String::new(),
            };
            format!("Invalid value {shown} for configuration {}: {again}{why}", self.name)
        })
    }
}

/// A checked value.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigValue {
    /// From [`Kind::Bool`].
    Bool(bool),
    /// From the whole-number kinds.
    Integer(i64),
    /// From [`Kind::Double`].
    Double(f64),
    /// From the textual kinds.
    Text(String),
    /// From the list kinds: trimmed, in order.
    List(Vec<String>),
}

impl fmt::Display for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Double(value) => write!(f, "{value:?}"),
            Self::Text(value) => f.write_str(value),
            Self::List(values) => f.write_str(&values.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::topic_key;

    #[test]
    fn a_value_reads_the_same_however_it_was_written() {
        for (name, text, expected) in [
            ("retention.ms", " 007 ", "7"),
            ("retention.ms", "soon", "soon"),
            ("preallocate", "TRUE", "true"),
            ("compression.type", " gzip ", "gzip"),
            ("cleanup.policy", "compact , delete,compact", "compact,delete"),
            ("cleanup.policy", "", ""),
            ("min.cleanable.dirty.ratio", ".50", "0.5"),
            ("min.cleanable.dirty.ratio", "1", "1.0"),
        ] {
            let key = topic_key(name).expect("a topic setting");
            assert_eq!(key.normal(text.to_owned()), expected, "{name}={text}");
        }
    }
}
