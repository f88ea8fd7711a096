//! The files that say where in a segment something is. Derived from the log: on any doubt they
//! are rebuilt from it, and what they say is checked against the batch they point to.

mod file;
mod offset;
mod time;
mod txn;

pub(crate) use file::IndexFile;
pub(crate) use offset::OffsetEntry;
pub(crate) use time::TimeEntry;
pub(crate) use txn::{TxnEntry, TxnIndex};
