//! Sizes: a file of 600 lines, a function of 70, a line of 100 columns want to be two.
//!
//! Exceptions stand in one list, `xtask/tidy-exceptions.txt`, which only shrinks: an entry that
//! is no longer needed, or larger than it has to be, is a complaint too.

use std::collections::BTreeMap;

use super::SourceFile;

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_COLUMNS_MAX: usize = 100;
const EXCEPTIONS: &str = "xtask/tidy-exceptions.txt";

pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    let mut exceptions = exceptions(files);
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.has_extension("rs")) {
        for (what, size, limit) in measures(file) {
            match exceptions.remove(&what) {
                Some(allowed) if size == allowed => {}
                Some(allowed) if size < allowed => {
                    complaints.push(format!("{EXCEPTIONS}: {what} shrank to {size}: say so there"));
                }
                _ => complaints.push(format!("{what}: {size}, the limit is {limit}")),
            }
        }
    }
    complaints.extend(exceptions.keys().map(|what| format!("{EXCEPTIONS}: {what} is not needed")));
    complaints
}

/// What of `file` is over its limit: a name, its size, the limit.
fn measures(file: &SourceFile) -> Vec<(String, usize, usize)> {
    let mut over = Vec::new();
    let lines: Vec<&str> = file.lines_without_tests().collect();
    if !file.is_test() && lines.len() > FILE_LINES_MAX {
        over.push((file.path.clone(), lines.len(), FILE_LINES_MAX));
    }
    for (number, line) in file.text.lines().enumerate() {
        let columns = line.chars().count();
        if columns > LINE_COLUMNS_MAX {
            over.push((format!("{}:{}", file.path, number + 1), columns, LINE_COLUMNS_MAX));
        }
    }
    for (name, size) in functions(&lines) {
        if size > FUNCTION_LINES_MAX {
            over.push((format!("{} fn {name}", file.path), size, FUNCTION_LINES_MAX));
        }
    }
    over
}

/// Name and length of each function. rustfmt aligns the closing brace with the line that
/// carries `fn`, which is all that this needs.
fn functions(lines: &[&str]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(name) = function_name(code) else { continue };
        let close = format!("{}}}", " ".repeat(line.len() - code.len()));
        if let Some(length) = lines[start..].iter().position(|line| *line == close) {
            found.push((name.to_owned(), length + 1));
        }
    }
    found
}

fn function_name(code: &str) -> Option<&str> {
    let mut words = code.split_whitespace();
    loop {
        match words.next()? {
            "fn" => return words.next()?.split(['(', '<']).next(),
            "pub" | "async" | "const" | "unsafe" | "extern" => {}
            word if word.starts_with("pub(") => {}
            _ => return None,
        }
    }
}

fn exceptions(files: &[SourceFile]) -> BTreeMap<String, usize> {
    let list = files.iter().find(|file| file.path == EXCEPTIONS);
    let lines = list.map_or("", |file| file.text.as_str()).lines();
    let entries = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    entries.filter_map(|line| line.split_once(' ').and_then(entry)).collect()
}

/// `SIZE WHAT`, as one line of the list has it.
fn entry((size, what): (&str, &str)) -> Option<(String, usize)> {
    Some((what.to_owned(), size.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: String) -> SourceFile {
        SourceFile { path: path.into(), text }
    }

    #[test]
    fn a_long_function_is_found_and_an_exact_exception_lets_it_pass() {
        let body = "    step();\n".repeat(80);
        let long = || file("a.rs", format!("pub async fn run() {{\n{body}}}\n"));
        let complaints = check(&[long()]);
        assert_eq!(complaints, ["a.rs fn run: 82, the limit is 70"]);
        assert!(check(&[long(), file(EXCEPTIONS, "82 a.rs fn run\n".into())]).is_empty());
        assert_eq!(check(&[long(), file(EXCEPTIONS, "90 a.rs fn run\n".into())]).len(), 1);
    }

    #[test]
    fn an_exception_that_is_not_needed_is_a_complaint() {
        let complaints = check(&[file(EXCEPTIONS, "700 b.rs\n".into())]);
        assert_eq!(complaints, [format!("{EXCEPTIONS}: b.rs is not needed")]);
    }

    #[test]
    fn tests_do_not_count_into_the_size_of_a_file() {
        let text = format!("fn a() {{}}\n#[cfg(test)]\n{}", "// t\n".repeat(700));
        assert!(check(&[file("a.rs", text)]).is_empty());
    }
}
