//! Random valid request bodies, written along the grammar with every field filled.
//!
//! Made for tests and for fuzzing.

use super::program::{Field, Program, Shape, Structure};

/// A body for `program`; the same for the same seed.
pub(super) fn body(program: &Program, seed: u64) -> Vec<u8> {
    let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut writer = Writer { state, out: Vec::new(), flexible: program.flexible };
    writer.structure(&program.body);
    writer.out
}

struct Writer {
    state: u64,
    out: Vec<u8>,
    flexible: bool,
}

impl Writer {
    fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % bound
    }

    fn structure(&mut self, structure: &Structure) {
        for field in &structure.fields {
            self.field(field);
        }
        if !self.flexible {
            return;
        }
        let unknown = self.below(2);
        self.varint(structure.tagged.len() as u64 + unknown);
        for tagged in &structure.tagged {
            let mut inner = Self { state: self.state, out: Vec::new(), flexible: true };
            inner.field(&tagged.field);
            self.varint(u64::from(tagged.tag));
            self.varint(inner.out.len() as u64);
            self.out.extend(inner.out);
        }
        for _ in 0..unknown {
            self.out.extend([0x64, 2, 1, 2]);
        }
    }

    fn field(&mut self, field: &Field) {
        let null = field.nullable && self.below(4) == 0;
        match &field.shape {
            Shape::Structure(_) if null => self.out.push(0xff),
            Shape::Structure(structure) => {
                if field.nullable {
                    self.out.push(1);
                }
                self.structure(structure);
            }
            shape if null => self.length(shape, None),
            shape => self.shape(shape),
        }
    }

    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Fixed(size) => {
                for _ in 0..*size {
                    let byte = self.below(0x40) as u8;
                    self.out.push(byte);
                }
            }
            Shape::Text | Shape::Blob => {
                let size = self.below(5);
                self.length(shape, Some(size));
                for _ in 0..size {
                    let letter = b'a' + self.below(26) as u8;
                    self.out.push(letter);
                }
            }
            Shape::Array(element) => {
                let count = self.below(4);
                self.length(shape, Some(count));
                for _ in 0..count {
                    self.shape(element);
                }
            }
            Shape::Structure(structure) => self.structure(structure),
        }
    }

    fn length(&mut self, shape: &Shape, length: Option<u64>) {
        let signed = length.map_or(-1, |length| length as i32);
        match (self.flexible, shape) {
            (true, _) => self.varint(length.map_or(0, |length| length + 1)),
            (false, Shape::Text) => self.out.extend((signed as i16).to_be_bytes()),
            (false, _) => self.out.extend(signed.to_be_bytes()),
        }
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }
}
