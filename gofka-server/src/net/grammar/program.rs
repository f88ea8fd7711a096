//! Compiles a grammar line for one version: which fields there are, and how they are framed.
//!
//! Called by `mod.rs`, once per API and version; the result lives as long as the process.

use super::table::Row;

/// A structure: fields in order, then, in flexible versions, a section of tagged fields.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Structure {
    pub(super) fields: Vec<Field>,
    pub(super) tagged: Vec<Tagged>,
    /// Tags that a higher version gives a meaning; the codec and Kafka refuse them here.
    pub(super) refused_tags: Vec<u32>,
}

/// A field that a tag announces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tagged {
    pub(super) tag: u32,
    pub(super) field: Field,
}

/// One field.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) shape: Shape,
    pub(super) nullable: bool,
}

/// How a field's bytes are laid out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// That many bytes; neighbouring fields of fixed size are one.
    Fixed(usize),
    /// Length on two bytes, or compact.
    Text,
    /// Length on four bytes, or compact.
    Blob,
    Array(Box<Shape>),
    Structure(Structure),
}

/// One request body at one version.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) flexible: bool,
    pub(super) body: Structure,
}

/// Compiles `row` for `version`. The table is ours and covered by tests: a line that does not
/// parse is a defect of the program.
pub(super) fn compile(row: &Row, version: i16) -> Program {
    let mut parser = Parser { words: row.text.split_whitespace().collect(), at: 0, version };
    let body = parser.structure();
    assert_eq!(parser.at, parser.words.len(), "{}: unmatched brace", row.name);
    Program { flexible: version >= row.flexible_from, body }
}

struct Parser<'a> {
    words: Vec<&'a str>,
    at: usize,
    version: i16,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let word = self.words.get(self.at).copied();
        self.at += 1;
        word
    }

    /// Fields up to the end of the line or before the closing brace.
    fn structure(&mut self) -> Structure {
        let mut structure = Structure::default();
        while self.at < self.words.len() && !self.words[self.at].starts_with('}') {
            let word = self.next().expect("the index is within the line");
            if let Some(tag) = word.strip_prefix('#') {
                let tag = tag.parse().expect("a tag is a number");
                let word = self.next().expect("a tag has a field");
                match self.field(word) {
                    Some(field) => structure.tagged.push(Tagged { tag, field }),
                    None => structure.refused_tags.push(tag),
                }
            } else if let Some(field) = self.field(word) {
                push_merged(&mut structure.fields, field);
            }
        }
        structure
    }

    /// The field that `word` begins, if this version has it.
    fn field(&mut self, word: &'a str) -> Option<Field> {
        let (is_array, word) = match word.strip_prefix("[]") {
            Some(element) => (true, element),
            None => (false, word),
        };
        let (sign, suffix) = word.split_at(word.find(['?', '@']).unwrap_or(word.len()));
        let (shape, suffix) = match sign {
            "s" => (Shape::Text, suffix),
            "b" | "r" => (Shape::Blob, suffix),
            "{" => {
                let structure = self.structure();
                let close = self.next().expect("a brace is closed");
                (Shape::Structure(structure), &close[1..])
            }
            size => (Shape::Fixed(size.parse().expect("a size is a number")), suffix),
        };
        let shape = if is_array { Shape::Array(Box::new(shape)) } else { shape };
        let (null, present) = suffix.split_at(suffix.find('@').unwrap_or(suffix.len()));
        let nullable = match null.strip_prefix('?') {
            None => false,
            Some("") => true,
            Some(from) => self.version >= from.parse().expect("a version is a number"),
        };
        self.has(present.strip_prefix('@')).then_some(Field { shape, nullable })
    }

    fn has(&self, range: Option<&str>) -> bool {
        let Some(range) = range else { return true };
        let bound = |text: &str, open: i16| match text {
            "" => open,
            number => number.parse().expect("a version is a number"),
        };
        let (from, to) = range.split_once('-').unwrap_or((range, ""));
        bound(from, 0) <= self.version && self.version <= bound(to, i16::MAX)
    }
}

fn push_merged(fields: &mut Vec<Field>, field: Field) {
    if let (Some(Field { shape: Shape::Fixed(before), .. }), Shape::Fixed(size)) =
        (fields.last_mut(), &field.shape)
    {
        *before += size;
        return;
    }
    fields.push(field);
}

#[cfg(test)]
mod tests {
    use super::super::limits::SMALL;
    use super::*;

    fn body(text: &'static str, version: i16) -> Structure {
        let row = Row { key: 0, name: "Test", flexible_from: 0, limits: &SMALL, text };
        compile(&row, version).body
    }

    fn fixed(size: usize) -> Field {
        Field { shape: Shape::Fixed(size), nullable: false }
    }

    #[test]
    fn fields_come_and_go_with_versions() {
        assert_eq!(body("4@2 s@1-2 8@-1", 0).fields, [fixed(8)]);
        assert_eq!(body("4@2 8@-1", 2).fields, [fixed(4)]);
        assert_eq!(body("4@2 s@1-2 8@-1", 1).fields.len(), 2);
        assert!(body("4@2 s@1-2 8@-1", 3).fields.len() == 1);
    }

    #[test]
    fn fixed_fields_merge() {
        assert_eq!(body("1 2 4 8 16", 0).fields, [fixed(31)]);
    }

    #[test]
    fn arrays_and_structures_carry_their_own_suffix() {
        let parsed = body("[]{ 4 []s? }?2@1 2", 2);
        assert_eq!(parsed.fields.len(), 2);
        assert!(parsed.fields[0].nullable);
        let Shape::Array(element) = &parsed.fields[0].shape else { panic!("an array") };
        let Shape::Structure(element) = &**element else { panic!("of structures") };
        assert!(element.fields[1].nullable);
        assert_eq!(body("[]{ 4 []s? }?2@1 2", 0).fields, [fixed(2)]);
        assert!(!body("[]{ 4 []s? }?2@1 2", 1).fields[0].nullable);
    }

    #[test]
    fn a_tag_of_a_later_version_is_refused() {
        let parsed = body("4 #0 s? #1 { 4 8 }@15", 14);
        assert_eq!(parsed.tagged.len(), 1);
        assert_eq!(parsed.refused_tags, [1]);
    }
}
