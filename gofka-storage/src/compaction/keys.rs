//! The last offset of each key, in bounded memory.
//!
//! Keys are held whole, not by a hash alone: two keys with one hash would lose a record.

use gofka_core::ids::Offset;
use std::collections::HashMap;

/// Memory of an entry besides its key: hash table, pointer, offset, allocation.
const ENTRY_BYTES: usize = 64;

/// A map from keys to offsets that ends where its memory does.
#[derive(Debug)]
pub(super) struct LastOffsets {
    offsets: HashMap<Box<[u8]>, Offset>,
    bytes: usize,
    limit: usize,
    end: Offset,
}

impl LastOffsets {
    /// An empty map over a log from `start` on.
    pub(super) fn new(limit: usize, start: Offset) -> Self {
        Self { offsets: HashMap::new(), bytes: 0, limit, end: start }
    }

    /// Whether a batch of this size fits in any case. An empty map takes any batch, so that a
    /// run always gets on.
    pub(super) fn has_room_for(&self, payload: usize, records: i32) -> bool {
        let records = usize::try_from(records).unwrap_or(0);
        self.offsets.is_empty() || self.bytes + payload + records * ENTRY_BYTES <= self.limit
    }

    /// Notes that `key` was last seen at `offset`.
    pub(super) fn put(&mut self, key: &[u8], offset: Offset) {
        if let Some(last) = self.offsets.get_mut(key) {
            *last = offset;
        } else {
            self.bytes += key.len() + ENTRY_BYTES;
            self.offsets.insert(key.into(), offset);
        }
    }

    /// Notes that everything below `offset` was looked at.
    pub(super) fn reach(&mut self, offset: Offset) {
        self.end = offset;
    }

    /// Everything below was looked at.
    pub(super) fn end(&self) -> Offset {
        self.end
    }

    /// Whether there is a later record than the one at `offset`.
    pub(super) fn is_superseded(&self, key: &[u8], offset: Offset) -> bool {
        self.offsets.get(key).is_some_and(|last| offset < *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_bounded_and_one_batch_always_fits() {
        let mut map = LastOffsets::new(200, Offset(0));
        assert!(map.has_room_for(1000, 10));
        map.put(b"a", Offset(0));
        assert!(map.has_room_for(10, 1));
        assert!(!map.has_room_for(100, 1));
        map.put(b"a", Offset(7));
        assert!(map.is_superseded(b"a", Offset(6)));
        assert!(!map.is_superseded(b"a", Offset(7)));
        assert!(!map.is_superseded(b"b", Offset(0)));
    }
}
