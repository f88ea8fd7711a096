//! This node's id: a number as given, or a word that stands for one.
//!
//! Called at start. Words are numbered from 1,000,000 up, in the order in which the node's
//! controller first met them, and kept in `node-names` in its folder.

use std::fmt::{self, Write};
use std::fs::{self, File};
use std::io;
use std::path::Path;

use gofka_core::ids::NodeId;

/// The id of the first word.
const FIRST_WORD_ID: i32 = 1_000_000;
/// The longest word.
const WORD_BYTES_MAX: usize = 100;
const FILE: &str = "node-names";

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

/// The number of a node, perhaps not yet written down.
#[derive(Debug)]
pub struct ResolvedNode {
    /// The number.
    pub id: NodeId,
    pending: Option<String>,
}

/// The number of `name`, where `dir` holds the words met before. Nothing is written yet.
pub fn resolve(name: &NodeName, dir: &Path) -> io::Result<ResolvedNode> {
    let word = match name {
        NodeName::Number(number) => return Ok(ResolvedNode { id: *number, pending: None }),
        NodeName::Word(word) => word,
    };
    let path = dir.join(FILE);
    let mut text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let mut next = FIRST_WORD_ID;
    for line in text.lines() {
        let entry = line.split_once(' ').and_then(|(id, word)| Some((id.parse().ok()?, word)));
        let Some((id, known)) = entry else {
            let what = format!("{} has a line that is no id and word: {line:?}", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        };
        if known == word {
            return Ok(ResolvedNode { id: NodeId(id), pending: None });
        }
        next = next.max(id + 1);
    }
    writeln!(text, "{next} {word}").expect("a string takes all");
    Ok(ResolvedNode { id: NodeId(next), pending: Some(text) })
}

impl ResolvedNode {
    /// Writes a new word down, in `dir`, which exists and is locked: beside the file and then
    /// renamed, so that a crash leaves the old list or the new one.
    pub fn remember(self, dir: &Path) -> io::Result<()> {
        let Some(text) = self.pending else { return Ok(()) };
        let beside = dir.join(format!("{FILE}.tmp"));
        let mut file = File::create(&beside)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, dir.join(FILE))?;
        File::open(dir)?.sync_all()
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

    #[test]
    fn words_keep_the_number_they_first_got() {
        let dir = tempfile::tempdir().unwrap();
        for (text, id) in [("b1", 1_000_000), ("c1", 1_000_001), ("b1", 1_000_000), ("3", 3)] {
            let resolved = resolve(&word(text), dir.path()).unwrap();
            assert_eq!(resolved.id, NodeId(id), "{text}");
            resolved.remember(dir.path()).unwrap();
        }
    }

    #[test]
    fn a_damaged_list_is_not_guessed_at() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "x\n").unwrap();
        assert!(resolve(&word("b1"), dir.path()).is_err());
    }
}
