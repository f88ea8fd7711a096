//! Relative links of the documents lead to files that are there.

use std::path::Path;

use super::SourceFile;

pub(super) fn check(root: &Path, files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.has_extension("md")) {
        let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        for target in targets(&file.text) {
            let local = target.split('#').next().unwrap_or_default();
            let outside = local.is_empty() || local.contains("://") || local.starts_with("mailto:");
            if !outside && !root.join(folder).join(local).exists() {
                complaints.push(format!("{}: the link to {target} leads nowhere", file.path));
            }
        }
    }
    complaints
}

/// What stands in the parentheses of `[text](target)`.
fn targets(text: &str) -> Vec<&str> {
    let rest = text.split("](").skip(1);
    rest.filter_map(|part| part.split_once(')')).map(|(target, _)| target).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_link_is_found() {
        let text = "[a](Cargo.toml) [b](https://kafka.apache.org) [c](no/such.md#x)".to_owned();
        let file = SourceFile { path: "README.md".into(), text };
        let complaints = check(&crate::root(), &[file]);
        assert_eq!(complaints, ["README.md: the link to no/such.md#x leads nowhere"]);
    }
}
