//! On what, when and how something was measured, and the places in the documents for results.

use std::fs;
use std::process::Command;

use crate::root;

const END: &str = "<!-- end of the result -->\n";

/// Where a result goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Bench,
    Compare,
    Micro,
    /// Every run of faults.
    Faults,
    /// What they came to, for each mode of durability.
    Durability,
}

impl Place {
    fn document(self) -> &'static str {
        match self {
            Self::Bench | Self::Compare | Self::Micro => "docs/performance.md",
            Self::Faults => "docs/testing.md",
            Self::Durability => "README.md",
        }
    }

    fn begin(self) -> &'static str {
        match self {
            Self::Bench => "<!-- result of `cargo xtask bench --write` -->\n",
            Self::Compare => "<!-- result of `cargo xtask compare --write` -->\n",
            Self::Micro => "<!-- result of `cargo xtask micro --write` -->\n",
            Self::Faults | Self::Durability => "<!-- result of `cargo xtask faults --write` -->\n",
        }
    }
}

/// One line about the machine, the day and the state of the tree.
pub(crate) fn describe(command: &str) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = super::bench::total_memory_bytes().unwrap_or_default() / f64::from(1 << 30);
    let day = output("date", &["-u", "+%Y-%m-%d"]);
    let commit = output("git", &["rev-parse", "--short", "HEAD"]);
    format!("{day}, commit {commit}, {cores} cores, {memory:.0} GiB: `{command}`")
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| "unknown".to_owned())
}

/// Puts `text` between the two marks of the place.
pub(crate) fn write(place: Place, text: &str) -> Result<(), String> {
    let name = place.document();
    let path = root().join(name);
    let failed = |cause: std::io::Error| format!("{}: {cause}", path.display());
    let document = fs::read_to_string(&path).map_err(failed)?;
    let document =
        replaced(&document, place.begin(), text).ok_or_else(|| format!("{name}: no marks"))?;
    fs::write(&path, document).map_err(failed)
}

fn replaced(document: &str, begin: &str, text: &str) -> Option<String> {
    let (before, rest) = document.split_once(begin)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{begin}{}\n{END}{after}", text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [Place; 5] =
        [Place::Bench, Place::Compare, Place::Micro, Place::Faults, Place::Durability];

    #[test]
    fn what_stands_between_the_marks_is_replaced() {
        let begin = Place::Compare.begin();
        let document = format!("a\n{begin}old\n{END}b\n");
        let expected = format!("a\n{begin}new\n{END}b\n");
        assert_eq!(replaced(&document, begin, "new\n"), Some(expected));
        assert_eq!(replaced("a", begin, "new"), None);
    }

    #[test]
    fn the_documents_have_the_marks() {
        for place in PLACES {
            let document = fs::read_to_string(root().join(place.document())).unwrap();
            assert!(replaced(&document, place.begin(), "").is_some(), "{place:?}");
        }
    }
}
