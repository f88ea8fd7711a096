//! The last offset of each key, in bounded memory.
//!
//! Keys are held whole, not by a hash alone: two keys with one hash would lose a record. They
//! stand one after the other in blocks, in the order in which they came, which is the order in
//! which they are asked for again; a table leads from hashes to them. So a look at a key costs one
//! jump through memory, and no key an allocation of its own. That jump is what the map costs: who
//! has several keys to look at `approaches` them first, and the jumps are made side by side.
//!
//! ```text
//! slot of the table: 0, or 48-63 the hash's highest bits | 0-47 place of the entry, plus 1
//! entry in a block:  0 last offset i64 | 8 length of the key u32 | 12 key
//! ```

use super::hash::KeyHash;
use gofka_core::ids::Offset;

/// Memory of an entry besides its key, at most: 12 bytes in its block, and, while the table grows,
/// four slots.
const ENTRY_BYTES: usize = 48;
const ENTRY_HEAD: usize = 12;

/// Bytes of a block. A longer entry than a sixteenth of it has a block of its own, so that little
/// is left over at the end of the others.
const BLOCK: usize = 1 << BLOCK_BITS;
const BLOCK_BITS: u32 = 18;
const ALONE: usize = BLOCK / 16;

/// As many keys are looked at side by side: more than a core has jumps under way at a time.
pub(super) const TOGETHER: usize = 32;

const PLACE_BITS: u32 = 48;
const PLACE_MASK: u64 = (1 << PLACE_BITS) - 1;
const SLOTS_LEAST: usize = 64;

/// A map from keys to offsets that ends where its memory does.
#[derive(Debug)]
pub(super) struct LastOffsets {
    hash: KeyHash,
    /// A power of two of them, of which at most three of four are taken.
    slots: Vec<u64>,
    blocks: Vec<Vec<u8>>,
    /// The block that gets the next entry, unless that has one of its own.
    open: Option<usize>,
    count: usize,
    bytes: usize,
    limit: usize,
    end: Offset,
}

/// Where an entry stands: block and byte in one number.
#[derive(Clone, Copy, Debug)]
struct Place(u64);

impl LastOffsets {
    /// An empty map over a log from `start` on.
    pub(super) fn new(limit: usize, start: Offset) -> Self {
        Self {
            hash: KeyHash::random(),
            slots: vec![0; SLOTS_LEAST],
            blocks: Vec::new(),
            open: None,
            count: 0,
            bytes: 0,
            limit,
            end: start,
        }
    }

    /// Whether a batch of this size fits in any case. An empty map takes any batch, so that a
    /// run always gets on.
    pub(super) fn has_room_for(&self, payload: usize, records: i32) -> bool {
        let records = usize::try_from(records).unwrap_or(0);
        self.count == 0 || self.bytes + payload + records * ENTRY_BYTES <= self.limit
    }

    /// The hash by which a key is found.
    pub(super) fn hash_of(&self, key: &[u8]) -> u64 {
        self.hash.of(key)
    }

    /// Brings what the keys with these hashes will be looked for in into the core's cache. No step
    /// waits for the one before it, as each would that decides by what it finds.
    pub(super) fn approach(&self, hashes: impl Iterator<Item = u64> + Clone) {
        let mask = self.slots.len() - 1;
        let found = hashes.clone().fold(0, |all, hash| all | self.slots[hash as usize & mask]);
        std::hint::black_box(found);
        let entries = hashes.fold(0, |all, hash| match self.slots[hash as usize & mask] {
            0 => all,
            slot => all | self.bytes_at(place_in(slot))[0],
        });
        std::hint::black_box(entries);
    }

    /// Notes that `key`, of this hash, was last seen at `offset`.
    pub(super) fn put(&mut self, key: &[u8], hash: u64, offset: Offset) {
        let at = match self.find(key, hash) {
            Ok(place) => return self.set_offset(place, offset),
            Err(free) => free,
        };
        let place = self.append(key, offset);
        self.slots[at] = slot(hash, place);
        self.count += 1;
        self.bytes += key.len() + ENTRY_BYTES;
        if self.count > self.slots.len() / 4 * 3 {
            self.grow();
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

    /// Whether there is a later record of `key`, which has this hash, than the one at `offset`.
    pub(super) fn is_superseded(&self, key: &[u8], hash: u64, offset: Offset) -> bool {
        let found = self.find(key, hash);
        found.is_ok_and(|place| offset < entry_at(self.bytes_at(place)).0)
    }

    /// Where the key's entry is, or else the slot that it gets.
    fn find(&self, key: &[u8], hash: u64) -> Result<Place, usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let found = self.slots[at];
            if found == 0 {
                return Err(at);
            }
            if (found ^ hash) >> PLACE_BITS == 0 {
                let place = place_in(found);
                if entry_at(self.bytes_at(place)).1 == key {
                    return Ok(place);
                }
            }
            at = (at + 1) & mask;
        }
    }

    fn append(&mut self, key: &[u8], offset: Offset) -> Place {
        let number = self.block_for(ENTRY_HEAD + key.len());
        let block = &mut self.blocks[number];
        let place = Place((number as u64) << BLOCK_BITS | block.len() as u64);
        block.extend_from_slice(&offset.0.to_le_bytes());
        block.extend_from_slice(&(key.len() as u32).to_le_bytes());
        block.extend_from_slice(key);
        place
    }

    /// The block that has room for an entry of `len` bytes.
    fn block_for(&mut self, len: usize) -> usize {
        if len > ALONE {
            self.blocks.push(Vec::with_capacity(len));
            return self.blocks.len() - 1;
        }
        if let Some(open) = self.open.filter(|open| self.blocks[*open].len() + len <= BLOCK) {
            return open;
        }
        let open = self.blocks.len();
        self.blocks.push(Vec::with_capacity(BLOCK));
        self.open = Some(open);
        open
    }

    /// The rest of a block, from an entry on.
    fn bytes_at(&self, place: Place) -> &[u8] {
        &self.blocks[place.block()][place.byte()..]
    }

    fn set_offset(&mut self, place: Place, offset: Offset) {
        let entry = &mut self.blocks[place.block()][place.byte()..];
        entry[..8].copy_from_slice(&offset.0.to_le_bytes());
    }

    /// Twice as many slots. The keys are looked at in the order in which they stand.
    fn grow(&mut self) {
        let mut slots = vec![0; 2 * self.slots.len()];
        let mask = slots.len() - 1;
        let mut group = Vec::with_capacity(TOGETHER);
        let mut entries = self.entries();
        loop {
            group.extend(entries.by_ref().take(TOGETHER));
            if group.is_empty() {
                break;
            }
            let touched = group.iter().fold(0, |all, (hash, _)| all | slots[*hash as usize & mask]);
            std::hint::black_box(touched);
            for (hash, place) in group.drain(..) {
                let mut at = hash as usize & mask;
                while slots[at] != 0 {
                    at = (at + 1) & mask;
                }
                slots[at] = slot(hash, place);
            }
        }
        drop(entries);
        self.slots = slots;
    }

    /// Hash and place of every entry.
    fn entries(&self) -> impl Iterator<Item = (u64, Place)> {
        self.blocks.iter().enumerate().flat_map(move |(number, block)| {
            let mut byte = 0;
            std::iter::from_fn(move || {
                let rest = block.get(byte..).filter(|rest| !rest.is_empty())?;
                let (_, key) = entry_at(rest);
                let place = Place((number as u64) << BLOCK_BITS | byte as u64);
                byte += ENTRY_HEAD + key.len();
                Some((self.hash.of(key), place))
            })
        })
    }
}

impl Place {
    fn block(self) -> usize {
        (self.0 >> BLOCK_BITS) as usize
    }

    fn byte(self) -> usize {
        self.0 as usize & (BLOCK - 1)
    }
}

fn slot(hash: u64, place: Place) -> u64 {
    hash & !PLACE_MASK | (place.0 + 1)
}

/// What a slot that is taken leads to.
fn place_in(slot: u64) -> Place {
    Place((slot & PLACE_MASK) - 1)
}

/// The entry at the start of `bytes`: last offset and key.
fn entry_at(bytes: &[u8]) -> (Offset, &[u8]) {
    let (mut offset, mut len) = ([0; 8], [0; 4]);
    offset.copy_from_slice(&bytes[..8]);
    len.copy_from_slice(&bytes[8..ENTRY_HEAD]);
    let end = ENTRY_HEAD + u32::from_le_bytes(len) as usize;
    (Offset(i64::from_le_bytes(offset)), &bytes[ENTRY_HEAD..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn put(map: &mut LastOffsets, key: &[u8], offset: i64) {
        map.put(key, map.hash_of(key), Offset(offset));
    }

    fn is_superseded(map: &LastOffsets, key: &[u8], offset: i64) -> bool {
        let hash = map.hash_of(key);
        map.approach(std::iter::once(hash));
        map.is_superseded(key, hash, Offset(offset))
    }

    #[test]
    fn the_memory_is_bounded_and_one_batch_always_fits() {
        let mut map = LastOffsets::new(200, Offset(0));
        assert!(map.has_room_for(1000, 10));
        put(&mut map, b"a", 0);
        assert!(map.has_room_for(10, 1));
        assert!(!map.has_room_for(110, 1));
        put(&mut map, b"a", 7);
        assert!(is_superseded(&map, b"a", 6));
        assert!(!is_superseded(&map, b"a", 7));
        assert!(!is_superseded(&map, b"b", 0));
    }

    #[test]
    fn the_memory_is_what_is_said() {
        let mut map = LastOffsets::new(usize::MAX, Offset(0));
        for n in 0..200_000_u32 {
            // Of every length about a sixteenth of a block, now and then.
            let len = if n % 1000 == 0 { ALONE + n as usize / 1000 - 100 } else { 4 };
            let mut key = n.to_be_bytes().to_vec();
            key.resize(len, 0);
            put(&mut map, &key, i64::from(n));
            if map.count == map.slots.len() / 4 * 3 {
                let blocks: usize = map.blocks.iter().map(Vec::capacity).sum();
                // To grow, it has the table that there is and one twice as large.
                let taken = blocks + 3 * 8 * map.slots.len();
                assert!(taken <= map.bytes + map.bytes / 8 + BLOCK, "{taken} of {n} keys");
            }
        }
    }

    proptest! {
        #[test]
        fn it_says_what_a_plain_map_says(
            steps in prop::collection::vec((0u16..400, 0usize..40), 1..2000),
            long in prop::collection::vec(0usize..(2 * BLOCK), 0..4),
        ) {
            let mut map = LastOffsets::new(usize::MAX, Offset(0));
            let mut plain: HashMap<Vec<u8>, i64> = HashMap::new();
            let long = long.into_iter().map(|len| (7, len));
            for (at, (n, len)) in steps.into_iter().chain(long).enumerate() {
                let mut key = n.to_be_bytes().to_vec();
                key.resize(len, b'x');
                put(&mut map, &key, at as i64);
                plain.insert(key, at as i64);
            }
            for (key, last) in &plain {
                prop_assert!(is_superseded(&map, key, last - 1));
                prop_assert!(!is_superseded(&map, key, *last));
                let mut other = key.clone();
                other.push(b'y');
                prop_assert!(plain.contains_key(&other) || !is_superseded(&map, &other, -1));
            }
            prop_assert_eq!(map.count, plain.len());
        }
    }
}
