//! This broker's part in the cluster: what is asked of the controller, and following it.
//!
//! Called by `broker.rs` at start and by the handlers of topics.

pub mod topics;
