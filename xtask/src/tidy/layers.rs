//! The crates are walls: which of ours may know which.

use super::SourceFile;

/// Crate, the crates of ours that it may depend on, and names of others that it must not know.
const LAYERS: &[(&str, &[&str], &[&str])] = &[
    ("gofka-core", &[], &["tokio", "rustix", "openraft", "kafka-protocol", "tracing"]),
    ("gofka-storage", &["gofka-core"], &["tokio", "openraft", "kafka-protocol", "axum"]),
    ("gofka-raft", &["gofka-core", "gofka-storage"], &["kafka-protocol", "axum"]),
    ("gofka-server", &["gofka-core", "gofka-storage", "gofka-raft"], &["openraft"]),
    ("compat-tests", &[], &[]),
];

pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, allowed, banned) in LAYERS {
        let path = format!("{name}/Cargo.toml");
        let Some(manifest) = files.iter().find(|file| file.path == path) else {
            complaints.push(format!("{path}: missing"));
            continue;
        };
        for dependency in dependencies(&manifest.text) {
            let ours = dependency.starts_with("gofka-") && !allowed.contains(&dependency);
            if ours || banned.contains(&dependency) {
                complaints.push(format!("{path}: {name} must not depend on {dependency}"));
            }
        }
    }
    complaints
}

/// The names under every `dependencies` table.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if inside && line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            names.extend(line.split(['.', ' ', '=']).next());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_through_a_wall_is_found() {
        let manifest = "[dependencies]\nbytes.workspace = true\ntokio = \"1\"\n";
        let file = SourceFile { path: "gofka-core/Cargo.toml".into(), text: manifest.into() };
        let complaints = check(&[file]);
        assert!(
            complaints.iter().any(|c| c.contains("must not depend on tokio")),
            "{complaints:?}"
        );
        assert!(!complaints.iter().any(|c| c.contains("bytes")), "{complaints:?}");
    }
}
