//! Names inside a group: the group, its members, their instances, its generation.
//!
//! Called by everything under `group` and by the server's handlers. Plain values.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

macro_rules! text_newtype {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes `text` as it is.
            #[must_use]
            pub fn new(text: &str) -> Self {
                Self(Arc::from(text))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether there is no text, which Kafka uses for "unknown".
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_newtype!(
    /// A group's id (`group.id`).
    GroupId
);
text_newtype!(
    /// The id that the coordinator gave a member; empty while it has none.
    MemberId
);
text_newtype!(
    /// The name a static member gives itself (`group.instance.id`, KIP-345).
    InstanceId
);

/// Counts a classic group's completed joins. `-1` on the wire: not a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub i32);

impl Generation {
    /// "No generation": a commit from outside the group's membership.
    pub const NONE: Self = Self(-1);

    /// The generation of the next completed join.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1) & i32::MAX)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
