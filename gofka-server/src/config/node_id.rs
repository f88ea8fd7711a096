//! This node's id: a number as given, or a word that stands for one.
//!
//! Checked here; the controller numbers words from 1,000,000 up, and remembers.

use std::fmt;

use gofka_core::ids::NodeId;

/// The longest word.
const WORD_BYTES_MAX: usize = 100;

/// What `node.id` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeName {
    /// Kafka's way.
    Number(NodeId),
    /// A word.
    Word(String),
}

impl NodeName {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(number) = text.parse::<i32>() {
            return match number {
                0.. => Ok(Self::Number(NodeId(number))),
                _ => Err(format!("{number} is below 0")),
            };
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if text.is_empty() || text.len() > WORD_BYTES_MAX || !text.chars().all(allowed) {
            return Err(format!("\"{text}\" is neither a number nor a word of a-z, 0-9, _ - ."));
        }
        if text.chars().all(|c| c.is_ascii_digit()) {
            return Err(format!("{text} is above {}", i32::MAX));
        }
        Ok(Self::Word(text.to_owned()))
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> NodeName {
        NodeName::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_taken_as_they_are() {
        assert_eq!(word("0"), NodeName::Number(NodeId(0)));
        assert_eq!(word(" 7 "), NodeName::Number(NodeId(7)));
        for text in ["-1", "", "a b", "a/b", "99999999999", "ü"] {
            assert!(NodeName::parse(text).is_err(), "{text}");
        }
    }
}
