//! Sockets: listeners, connections, frames, limits, and the check of every body before it is
//! decoded.

pub mod grammar;
