//! `cargo xtask tidy`: the repository checks its own shape.
//!
//! Each check reads the files that git tracks and returns its complaints; nothing is written.

mod layers;
mod links;
mod sizes;
mod text;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tracked text file.
pub(crate) struct SourceFile {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl SourceFile {
    fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// The lines before the file's own unit tests.
    fn lines_without_tests(&self) -> impl Iterator<Item = &str> {
        self.text.lines().take_while(|line| *line != "#[cfg(test)]")
    }

    /// A file that holds tests only.
    fn is_test(&self) -> bool {
        let folder = |name: &str| self.path.split('/').any(|part| part == name);
        folder("tests") || folder("benches") || folder("fuzz") || self.path.ends_with("tests.rs")
    }
}

/// Runs every check and prints every complaint.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    println!("== tidy");
    let files = tracked_files(root)?;
    let mut complaints = Vec::new();
    complaints.extend(layers::check(&files));
    complaints.extend(sizes::check(&files));
    complaints.extend(text::check(&files));
    complaints.extend(links::check(root, &files));
    if complaints.is_empty() {
        return Ok(());
    }
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    Err(format!("tidy: {} complaints", complaints.len()))
}

/// The tracked and the new, not ignored, text files.
fn tracked_files(root: &Path) -> Result<Vec<SourceFile>, String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|cause| format!("tidy: git ls-files: {cause}"))?;
    let mut files = Vec::new();
    for path in String::from_utf8_lossy(&listed.stdout).lines() {
        let full: PathBuf = root.join(path);
        // Binary fixtures and files deleted from the work tree have no text to look at.
        if let Ok(text) = fs::read_to_string(full) {
            files.push(SourceFile { path: path.to_owned(), text });
        }
    }
    if files.is_empty() {
        return Err("tidy: git lists no files".to_owned());
    }
    Ok(files)
}
