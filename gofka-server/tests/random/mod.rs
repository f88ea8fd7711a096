//! Numbers that look random, for the tests that change inputs.

/// xorshift: the same inputs at every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number from 0 on, below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}
