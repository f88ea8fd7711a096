//! A hash of keys that is different in every run.
//!
//! Whoever writes records chooses their keys, and must not be able to choose many that meet in one
//! place of a table: the result depends on a secret of which nothing is ever shown. It decides
//! where to look, not what is equal. Called by `keys`.

use std::hash::{BuildHasher, RandomState};

/// Hashes keys with a secret.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyHash {
    start: u64,
    factor: u64,
    finish: u64,
}

impl KeyHash {
    /// With a new secret, from the system's randomness by way of the standard library.
    pub(super) fn random() -> Self {
        let random = RandomState::new();
        let part = |n: u64| random.hash_one(n);
        Self { start: part(0), factor: part(1), finish: part(2) | 1 }
    }

    /// The hash of `key`; all its bits are equally good.
    pub(super) fn of(self, key: &[u8]) -> u64 {
        let (pairs, rest) = key.as_chunks::<16>();
        let mut state = self.start ^ key.len() as u64;
        for pair in pairs {
            state = self.mixed(state, pair);
        }
        // The length is in the state: what is filled up with zeros is not the same as zeros.
        let mut last = [0; 16];
        last[..rest.len()].copy_from_slice(rest);
        folded(self.mixed(state, &last), self.finish)
    }

    fn mixed(self, state: u64, pair: &[u8; 16]) -> u64 {
        let both = u128::from_le_bytes(*pair);
        folded(state ^ both as u64, self.factor ^ (both >> 64) as u64)
    }
}

/// Both halves of a product, so that each bit depends on every bit.
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Counted keys, as they are often, and keys that differ in one bit only.
    #[test]
    fn hashes_are_spread_over_the_table_and_over_its_marks() {
        let counted = (0..50_000_u32).map(|n| n.to_string().into_bytes());
        let one_bit = (0..8 * 4096_usize).map(|bit| {
            let mut key = vec![0; 4096];
            key[bit / 8] = 1 << (bit % 8);
            key
        });
        for keys in [counted.collect::<Vec<_>>(), one_bit.collect()] {
            let hash = KeyHash::random();
            let hashes: HashSet<u64> = keys.iter().map(|key| hash.of(key)).collect();
            assert_eq!(hashes.len(), keys.len(), "{hash:?}");
            for shift in [0, 16, 32, 48] {
                let mut counts = vec![0; 1 << 10];
                for hash in &hashes {
                    counts[(hash >> shift) as usize & 1023] += 1;
                }
                let fair = hashes.len() / counts.len();
                let most = counts.iter().max().copied().unwrap_or_default();
                assert!(most < 4 * fair, "{most} of {} at {shift}: {hash:?}", hashes.len());
            }
        }
    }

    #[test]
    fn a_key_filled_up_with_zeros_is_another_one_and_so_is_another_secret() {
        let hash = KeyHash::random();
        let hashes: HashSet<u64> = (0..100).map(|len| hash.of(&vec![0; len])).collect();
        assert_eq!(hashes.len(), 100);
        assert_ne!(hash.of(b"key"), KeyHash::random().of(b"key"));
    }
}
