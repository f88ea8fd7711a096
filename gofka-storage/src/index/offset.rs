//! `.index`: where in the segment the batch with a given offset is.
//!
//! ```text
//! 0 last offset of the batch, counted from the segment's base offset u32 | 4 its position u32
//! ```

use super::file::Entry;

/// One batch and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    /// Offset of the batch's last record, counted from the segment's base offset.
    pub(crate) relative: u32,
    /// First byte of the batch in the segment.
    pub(crate) position: u32,
}

impl Entry for OffsetEntry {
    const SIZE: usize = 8;
    type Key = u32;

    fn key(&self) -> u32 {
        self.relative
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.relative.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> Self {
        let word = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        Self { relative: word(0), position: word(4) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, FileSlot};
    use crate::index::IndexFile;

    fn entry(n: u32) -> OffsetEntry {
        OffsetEntry { relative: n * 10, position: n * 1000 }
    }

    #[test]
    fn floor_finds_the_same_in_memory_and_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(8);
        for count in [0u32, 1, 2, 511, 512, 513, 514, 1500] {
            let slot = FileSlot::new(&disk, dir.path().join(count.to_string()));
            let index = IndexFile::growing(slot);
            (1..=count).for_each(|n| index.push(entry(n)));
            let keys: Vec<u32> = (0..count * 10 + 20).step_by(7).collect();
            let floor = |key| index.floor(key).unwrap();
            let in_memory: Vec<_> = keys.iter().map(|key| floor(*key)).collect();
            index.store().unwrap();
            index.mark_sealed();
            let on_disk: Vec<_> = keys.iter().map(|key| floor(*key)).collect();
            assert_eq!(in_memory, on_disk);
            for (key, found) in keys.iter().zip(on_disk) {
                let expected = (1..=count).rev().map(entry).find(|e| e.relative <= *key);
                assert_eq!(found, expected, "key {key} of {count}");
            }
        }
    }

    #[test]
    fn bytes_are_kafkas() {
        let mut bytes = Vec::new();
        OffsetEntry { relative: 0x0102_0304, position: 0x0506_0708 }.encode(&mut bytes);
        assert_eq!(bytes, [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_file_of_zeros_or_of_odd_size_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(8);
        for (name, len) in [("zeros", 80), ("odd", 81)] {
            std::fs::write(dir.path().join(name), vec![0; len]).unwrap();
            let slot = FileSlot::new(&disk, dir.path().join(name));
            assert!(IndexFile::<OffsetEntry>::sealed(slot).floor(5).is_err(), "{name}");
        }
    }
}
