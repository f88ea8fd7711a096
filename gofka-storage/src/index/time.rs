//! `.timeindex`: how the largest timestamp of a segment grew.
//!
//! ```text
//! 0 largest timestamp so far i64 | 8 last offset of the batch that has it, relative u32
//! ```
//! The last entry of a sealed segment holds the largest timestamp of all of it.

use super::file::Entry;
use gofka_core::time::TimestampMs;

/// The largest timestamp up to some point, and the batch it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    /// The largest timestamp.
    pub(crate) timestamp: TimestampMs,
    /// Offset of the last record of its batch, counted from the segment's base offset.
    pub(crate) relative: u32,
}

impl Entry for TimeEntry {
    const SIZE: usize = 12;
    type Key = TimestampMs;

    fn key(&self) -> TimestampMs {
        self.timestamp
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.timestamp.0.to_be_bytes());
        out.extend_from_slice(&self.relative.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> Self {
        let (mut timestamp, mut relative) = ([0; 8], [0; 4]);
        timestamp.copy_from_slice(&bytes[..8]);
        relative.copy_from_slice(&bytes[8..12]);
        Self {
            timestamp: TimestampMs(i64::from_be_bytes(timestamp)),
            relative: u32::from_be_bytes(relative),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kafkas() {
        let entry = TimeEntry { timestamp: TimestampMs(0x0102_0304_0506_0708), relative: 9 };
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        assert_eq!(bytes, [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9]);
        assert_eq!(TimeEntry::decode(&bytes), entry);
    }
}
