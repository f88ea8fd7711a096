//! Walks a body's bytes along its grammar: every count and length against what is there.
//!
//! Called by `mod.rs` before the codec sees the body, since the codec allocates by what lengths
//! claim. Nothing here allocates; recursion is as deep as the grammar.

use super::limits::Limits;
use super::program::{Field, Program, Shape, Structure, Tagged};

/// Why a body is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it ends before its fields do")]
    Truncated,
    #[error("a length or count is larger than what follows, or negative")]
    Length,
    #[error("a field is null that may not be")]
    Null,
    #[error("a variable-length number is longer than five bytes")]
    Varint,
    #[error("a tagged field is unknown to this version or does not fill its size")]
    Tag,
    #[error("it has more elements than this API allows")]
    Elements,
    #[error("it has more unknown tagged fields than allowed")]
    UnknownTags,
    #[error("it would take more memory than this API allows")]
    Memory,
    #[error("no grammar is known for it")]
    Unknown,
}

/// What a string, blob, array, or the tags of a structure take in the decoded message.
const HANDLE_BYTES: usize = 32;
/// What a structure takes beside its fields, with those that its version lacks.
const STRUCTURE_BYTES: usize = 96;
/// A tree's first node, made for a first unknown tag; further ones share it in part.
const UNKNOWN_TAG_BYTES: usize = 512;

/// Walks `body` and returns an estimate of the decoded message's size. Bytes after the last field
/// are left alone, as Kafka does.
pub(super) fn walk(program: &Program, limits: &Limits, body: &[u8]) -> Result<usize, Refusal> {
    let flexible = program.flexible;
    let mut walker =
        Walker { rest: body, flexible, limits, elements: 0, unknown_tags: 0, decoded: 0 };
    walker.structure(&program.body)?;
    Ok(walker.decoded)
}

struct Walker<'a> {
    rest: &'a [u8],
    flexible: bool,
    limits: &'a Limits,
    elements: usize,
    unknown_tags: usize,
    decoded: usize,
}

impl Walker<'_> {
    fn structure(&mut self, structure: &Structure) -> Result<(), Refusal> {
        self.hold(STRUCTURE_BYTES)?;
        for field in &structure.fields {
            self.field(field)?;
        }
        if self.flexible { self.tags(structure) } else { Ok(()) }
    }

    fn field(&mut self, field: &Field) -> Result<(), Refusal> {
        match &field.shape {
            Shape::Fixed(size) => {
                self.hold(*size)?;
                self.skip(*size)
            }
            Shape::Structure(structure) => {
                if field.nullable {
                    match self.bytes::<1>()? {
                        [0xff] => return self.hold(structure_bytes(structure)),
                        [1] => {}
                        _ => return Err(Refusal::Length),
                    }
                }
                self.structure(structure)
            }
            Shape::Text => {
                let length =
                    self.length(if self.flexible { Width::Compact } else { Width::Two })?;
                self.run(length, field.nullable)
            }
            Shape::Blob => {
                let length =
                    self.length(if self.flexible { Width::Compact } else { Width::Four })?;
                self.run(length, field.nullable)
            }
            Shape::Array(element) => self.array(element, field.nullable),
        }
    }

    fn run(&mut self, length: Option<usize>, nullable: bool) -> Result<(), Refusal> {
        self.hold(HANDLE_BYTES)?;
        match length {
            Some(length) => self.skip(length).map_err(|_| Refusal::Length),
            None if nullable => Ok(()),
            None => Err(Refusal::Null),
        }
    }

    fn array(&mut self, element: &Shape, nullable: bool) -> Result<(), Refusal> {
        self.hold(HANDLE_BYTES)?;
        let width = if self.flexible { Width::Compact } else { Width::Four };
        let Some(count) = self.length(width)? else {
            return if nullable { Ok(()) } else { Err(Refusal::Null) };
        };
        // Every element takes at least one byte; without this a count is only a claim.
        if count > self.rest.len() {
            return Err(Refusal::Length);
        }
        self.elements += count;
        if self.elements > self.limits.elements_max {
            return Err(Refusal::Elements);
        }
        match element {
            Shape::Fixed(size) => {
                self.hold(count * size)?;
                self.skip(count * size).map_err(|_| Refusal::Length)
            }
            Shape::Structure(structure) => (0..count).try_for_each(|_| self.structure(structure)),
            Shape::Text | Shape::Blob => (0..count).try_for_each(|_| {
                let length = match (self.flexible, element) {
                    (true, _) => self.length(Width::Compact),
                    (false, Shape::Text) => self.length(Width::Two),
                    (false, _) => self.length(Width::Four),
                }?;
                self.run(length, false)
            }),
            Shape::Array(_) => unreachable!("no API has arrays of arrays"),
        }
    }

    fn tags(&mut self, structure: &Structure) -> Result<(), Refusal> {
        for _ in 0..self.varint()? {
            let tag = self.varint()?;
            let size = self.varint()? as usize;
            if structure.refused_tags.contains(&tag) {
                return Err(Refusal::Tag);
            }
            let known = structure.tagged.iter().find(|tagged| tagged.tag == tag);
            if let Some(Tagged { field, .. }) = known {
                let before = self.rest.len();
                self.field(field)?;
                if before - self.rest.len() != size {
                    return Err(Refusal::Tag);
                }
                continue;
            }
            self.unknown_tags += 1;
            if self.unknown_tags > self.limits.unknown_tags_max {
                return Err(Refusal::UnknownTags);
            }
            self.hold(UNKNOWN_TAG_BYTES)?;
            self.skip(size).map_err(|_| Refusal::Length)?;
        }
        Ok(())
    }

    /// A length or count; `None` is null.
    fn length(&mut self, width: Width) -> Result<Option<usize>, Refusal> {
        let length = match width {
            Width::Two => i64::from(i16::from_be_bytes(self.bytes()?)),
            Width::Four => i64::from(i32::from_be_bytes(self.bytes()?)),
            Width::Compact => i64::from(self.varint()?) - 1,
        };
        match length {
            -1 => Ok(None),
            length => usize::try_from(length).map(Some).map_err(|_| Refusal::Length),
        }
    }

    fn varint(&mut self) -> Result<u32, Refusal> {
        let (value, size) = super::varint::read(self.rest)?;
        self.rest = &self.rest[size..];
        Ok(value)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(Refusal::Truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn skip(&mut self, size: usize) -> Result<(), Refusal> {
        self.rest = self.rest.get(size..).ok_or(Refusal::Truncated)?;
        Ok(())
    }

    fn hold(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.decoded += bytes;
        if self.decoded > self.limits.decoded_bytes_max { Err(Refusal::Memory) } else { Ok(()) }
    }
}

#[derive(Clone, Copy)]
enum Width {
    Two,
    Four,
    Compact,
}

/// The memory that a structure takes although its bytes are absent.
fn structure_bytes(structure: &Structure) -> usize {
    STRUCTURE_BYTES + HANDLE_BYTES * structure.fields.len()
}
