//! Java's properties format, as Kafka's `server.properties` uses it.
//!
//! Called by `config/sources.rs`. Comments (`#`, `!`), `=`, `:` or blanks between key and value,
//! lines continued by a backslash, and the escapes `\t \n \r \f \\ \uXXXX`.

use std::iter::Peekable;
use std::str::Chars;

/// The pairs of `text`, in order; a later one of the same key counts.
pub(super) fn parse(text: &str) -> Vec<(String, String)> {
    logical_lines(text).iter().filter_map(|line| pair(line)).collect()
}

/// Lines without comments and blanks, continued lines joined.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut pending: Option<String> = None;
    for natural in text.lines() {
        let trimmed = natural.trim_start_matches([' ', '\t', '\x0c']);
        if pending.is_none() && (trimmed.is_empty() || trimmed.starts_with(['#', '!'])) {
            continue;
        }
        let mut line = pending.take().unwrap_or_default();
        let backslashes = trimmed.len() - trimmed.trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            line.push_str(&trimmed[..trimmed.len() - 1]);
            pending = Some(line);
        } else {
            line.push_str(trimmed);
            lines.push(line);
        }
    }
    lines.extend(pending);
    lines
}

fn pair(line: &str) -> Option<(String, String)> {
    let mut chars = line.chars().peekable();
    let key = take_until(&mut chars, |c| matches!(c, '=' | ':' | ' ' | '\t' | '\x0c'));
    let blank = |c: &char| matches!(c, ' ' | '\t' | '\x0c');
    while chars.next_if(blank).is_some() {}
    if chars.next_if(|c| matches!(c, '=' | ':')).is_some() {
        while chars.next_if(blank).is_some() {}
    }
    let value = take_until(&mut chars, |_| false);
    (!key.is_empty()).then(|| (key, value.trim_end().to_owned()))
}

fn take_until(chars: &mut Peekable<Chars<'_>>, end: impl Fn(char) -> bool) -> String {
    let mut taken = String::new();
    while let Some(c) = chars.next_if(|c| !end(*c)) {
        if c != '\\' {
            taken.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => taken.push('\t'),
            Some('n') => taken.push('\n'),
            Some('r') => taken.push('\r'),
            Some('f') => taken.push('\x0c'),
            Some('u') => {
                let digits: String = (0..4).filter_map(|_| chars.next()).collect();
                let number = u32::from_str_radix(&digits, 16).ok();
                taken.push(number.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => taken.push(other),
            None => {}
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_java_reads() {
        let cases = [
            ("a=b", "a", "b"),
            ("  a.b : c d ", "a.b", "c d"),
            ("a b", "a", "b"),
            ("a", "a", ""),
            ("a=", "a", ""),
            ("a=b=c", "a", "b=c"),
            ("a\\:b=c\\\\d", "a:b", "c\\d"),
            ("a=\\u0041\\tz", "a", "A\tz"),
            ("a=b,\\\n   c", "a", "b,c"),
            ("listeners=PLAINTEXT://:9092", "listeners", "PLAINTEXT://:9092"),
        ];
        for (text, key, value) in cases {
            assert_eq!(parse(text), [(key.to_owned(), value.to_owned())], "{text:?}");
        }
    }

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        assert!(parse("# a=b\n\n  ! c=d\n").is_empty());
    }
}
