//! How large an answer may become where a small request can ask for much that is stored: the same
//! thing again and again, or very many things at once.
//!
//! Called by the handlers that describe. What does not fit is answered with an error in its place,
//! so that the rest of the answer arrives.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Bytes that one answer may take, as a decoded message and on the wire together.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// What a structure of the codec takes in memory, with its encoded form.
const STRUCTURE_BYTES: usize = 200;

/// Said to whoever asks for too much at once.
pub(super) const TOO_MUCH: &str = "The answer would be too large: ask for less at once.";

/// Parts made in one go before others get the thread.
const PARTS_PER_TURN: usize = 64;

/// What an answer may have before it counts as large.
const SMALL_BYTES: usize = 1 << 20;
/// Large answers that are in the making at a time, by all connections.
static MAKING: Semaphore = Semaphore::const_new(2);

/// What is left of one answer.
#[derive(Debug)]
pub(super) struct AnswerBudget {
    left: usize,
    parts: usize,
    spent: bool,
    making: Option<SemaphorePermit<'static>>,
}

impl Default for AnswerBudget {
    fn default() -> Self {
        Self { left: ANSWER_BYTES_MAX, parts: 0, spent: false, making: None }
    }
}

impl AnswerBudget {
    /// Takes a part of `structures` messages with `bytes` of text or blobs in all; false when it
    /// does not fit. Nothing fits after that.
    pub(super) fn take(&mut self, structures: usize, bytes: usize) -> bool {
        // Text and blobs are there twice: decoded and encoded.
        let cost = structures * STRUCTURE_BYTES + bytes * 2;
        self.spent |= cost > self.left;
        if !self.spent {
            self.left -= cost;
        }
        !self.spent
    }

    /// Whether something did not fit: what follows need not even be looked up.
    pub(super) fn is_spent(&self) -> bool {
        self.spent
    }

    /// Called before each part of an answer made in stage one, so that a request about very many
    /// things keeps nobody waiting. Few large answers are in the making at a time.
    pub(super) async fn turn(&mut self) {
        self.parts += 1;
        let large = self.parts >= PARTS_PER_TURN || ANSWER_BYTES_MAX - self.left > SMALL_BYTES;
        if large && self.making.is_none() {
            self.making = MAKING.acquire().await.ok();
        } else if self.parts.is_multiple_of(PARTS_PER_TURN) {
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_fits_once_something_did_not() {
        let mut budget = AnswerBudget::default();
        assert!(budget.take(1, ANSWER_BYTES_MAX / 2 - 1000));
        assert!(budget.take(1, 100));
        assert!(!budget.is_spent());
        assert!(!budget.take(1, 2000));
        assert!(budget.is_spent() && !budget.take(0, 1));
    }
}
