//! The sans-IO heart of Gofka: identifiers, error codes, the record format and the state
//! machines of groups and fetch sessions.
//!
//! **Invariant:** nothing in this crate reads a clock, a file, a socket or a random source; these
//! come in as arguments, so that tables, tests and a simulator run the production code.

pub mod config;
pub mod error;
pub mod fetch_session;
pub mod group;
pub mod ids;
pub mod record;
pub mod time;
pub mod topic_name;
