//! Keeps each log line one line: control characters are written as escapes, so that a name that a
//! client chose cannot forge lines, nor speak to the terminal.
//!
//! Wrapped around stderr by `Logging::start`, which gives each event's line in one write.

use std::io::{self, Write};

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    Text,
    /// Colours of our own are let through; a client that forges one changes no text.
    Colours,
    /// Escapes must be JSON's. What JSON itself lets through is DEL and U+0080 to U+009F.
    Json,
}

/// A writer of whole lines.
#[derive(Debug)]
pub(super) struct OneLine<W> {
    inner: W,
    spelling: Spelling,
}

impl<W: Write> OneLine<W> {
    pub(super) const fn new(inner: W, spelling: Spelling) -> Self {
        Self { inner, spelling }
    }
}

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let (text, end) = match line.split_last() {
            Some((b'\n', text)) => (text, &b"\n"[..]),
            _ => (line, &b""[..]),
        };
        if !String::from_utf8_lossy(text).contains(char::is_control) {
            self.inner.write_all(line)?;
            return Ok(line.len());
        }
        let escaped = escape(&String::from_utf8_lossy(text), self.spelling);
        self.inner.write_all(&[escaped.as_bytes(), end].concat())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn escape(text: &str, spelling: Spelling) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let colour = if spelling == Spelling::Colours { colour_length(rest) } else { 0 };
        let length = colour.max(c.len_utf8());
        match (colour, c.is_control()) {
            (0, true) if spelling == Spelling::Json => out.push_str(&json_escape(c)),
            (0, true) => out.extend(c.escape_default()),
            _ => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out
}

/// Control characters are all below U+10000.
fn json_escape(c: char) -> String {
    format!("\\u{:04x}", u32::from(c))
}

/// Bytes of the colour that `text` begins with (`ESC [ 1 ; 31 m`), 0 where it does not.
fn colour_length(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("\x1b[") else { return 0 };
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
    if after.starts_with('m') { text.len() - after.len() + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spelling: Spelling, line: &str, expected: &str) {
        let mut out = Vec::new();
        let written = OneLine::new(&mut out, spelling).write(line.as_bytes()).unwrap();
        assert_eq!(written, line.len());
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_line_stays_one_line() {
        check(Spelling::Text, "plain ünï\n", "plain ünï\n");
        check(Spelling::Text, "group=a\nERROR b\r\n", "group=a\\nERROR b\\r\n");
        check(Spelling::Text, "a\0\x1b[2Jb\n", "a\\u{0}\\u{1b}[2Jb\n");
    }

    #[test]
    fn only_colours_pass_and_only_where_we_use_them() {
        check(
            Spelling::Colours,
            "\x1b[2m12:00\x1b[0m \x1b[2J \x1b[31\n",
            "\x1b[2m12:00\x1b[0m \\u{1b}[2J \\u{1b}[31\n",
        );
        check(Spelling::Text, "\x1b[31mred\n", "\\u{1b}[31mred\n");
    }

    #[test]
    fn a_line_of_json_stays_json() {
        let line = serde_json::to_string("g\u{7f}\u{85}\u{9f}\n\u{1b}").unwrap();
        assert!(line.contains(char::is_control), "JSON lets them through: {line:?}");
        let expected = "\"g\\u007f\\u0085\\u009f\\n\\u001b\"\n";
        check(Spelling::Json, &format!("{line}\n"), expected);
        let read: String = serde_json::from_str(expected).unwrap();
        assert_eq!(read, "g\u{7f}\u{85}\u{9f}\n\u{1b}");
    }
}
