//! The one file that knows all parts of a running broker, and the order they start and stop in.
//!
//! Built by the binaries; handed to every request handler.

/// All parts of one running broker.
#[derive(Debug)]
pub struct Broker {
    /// The process's clocks.
    pub clock: crate::clock::Clock,
}
