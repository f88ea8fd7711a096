//! Names that stand twice in one request, which Kafka's controller refuses as a whole.
//!
//! Called by the handlers that change topics.

use std::collections::BTreeSet;

use gofka_core::error::{ApiError, ErrorCode};

/// The items that `items` has more than once.
pub(super) fn of<T: Ord>(items: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut seen = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for item in items {
        if let Some(earlier) = seen.replace(item) {
            twice.insert(earlier);
        }
    }
    twice
}

/// The items whose name stands once, in order, and the names that stand more often.
pub(super) fn split<'a, T>(
    items: &'a [T],
    name: impl Fn(&'a T) -> &'a str,
) -> (Vec<&'a T>, BTreeSet<&'a str>) {
    let twice = of(items.iter().map(&name));
    (items.iter().filter(|item| !twice.contains(name(item))).collect(), twice)
}

/// What each of them is answered with.
pub(super) fn error() -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, "Duplicate topic name.")
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_duplicate_is_named_once() {
        let twice = super::of(["a", "b", "a", "c", "a", "b"].into_iter());
        assert_eq!(twice.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }
}
