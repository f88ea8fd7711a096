//! What must stand in a file, and what must not.

use super::SourceFile;

/// A text that is banned, why, and the files (by the end of their path) where it may stand.
const BANNED: &[(&str, &str, &[&str])] = &[
    ("todo!(", "unfinished", &["tidy/text.rs"]),
    ("unimplemented!(", "unfinished", &["tidy/text.rs"]),
    ("dbg!(", "left over", &["tidy/text.rs"]),
    ("FIXME", "unfinished", &["tidy/text.rs"]),
    ("#[ignore", "a test that does not run", &["tidy/text.rs"]),
    ("unbounded_channel", "queues have a limit", &["tidy/text.rs", "clippy.toml"]),
];

/// Clocks are read in one place, so that time can be an argument everywhere else.
const CLOCKS: &[&str] = &["Instant::now(", "SystemTime::now("];
const CLOCK_CRATES: &[&str] = &["gofka-core/", "gofka-storage/", "gofka-raft/", "gofka-server/"];

pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.has_extension("rs")) {
        if !file.text.starts_with("//!") && !file.text.starts_with("#!") {
            complaints.push(format!("{}: begins without a `//!` header", file.path));
        }
        for (number, line) in file.lines_without_tests().enumerate() {
            let complaint = |why: &str| format!("{}:{}: {why}", file.path, number + 1);
            for (text, why, places) in BANNED {
                if line.contains(text) && !places.iter().any(|place| file.path.ends_with(place)) {
                    complaints.push(complaint(&format!("`{text}`: {why}")));
                }
            }
            let clock = CLOCKS.iter().any(|clock| line.contains(clock));
            if clock && reads_no_clock(file) {
                complaints.push(complaint("clocks are read in clock.rs only"));
            }
        }
    }
    complaints
}

fn reads_no_clock(file: &SourceFile) -> bool {
    let inside = CLOCK_CRATES.iter().any(|name| file.path.starts_with(name));
    inside && !file.is_test() && !file.path.ends_with("/clock.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_outside_its_file_and_a_missing_header_are_found() {
        let text = "fn a() {\n    let t = Instant::now();\n}\n".to_owned();
        let file = SourceFile { path: "gofka-server/src/a.rs".into(), text };
        assert_eq!(check(&[file]).len(), 2);
    }
}
