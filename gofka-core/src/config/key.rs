//! One setting's definition, and how its text is checked.
//!
//! Used by the tables beside this file and by everyone who reads them; plain values, no threads.

use std::fmt;

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
    /// For a topic setting, the broker settings that give its default, the strongest first.
    pub synonyms: &'static [Synonym],
    /// What it does, in a sentence or two.
    pub doc: &'static str,
}

/// A broker setting from which a topic setting takes its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synonym {
    /// The broker setting.
    pub broker: &'static str,
    /// What its number is multiplied by to give the topic's: hours to milliseconds, for example.
    pub scale: i64,
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
