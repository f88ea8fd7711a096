//! Faults of a real kernel, and what must hold after them: power that is lost, processes that are
//! killed, disks that fill up, while clients write. Driven by `cargo xtask faults`, and a bounded
//! part by `tests/power_loss.rs`.
//!
//! The way of a run: `load` starts clients (`clients/go/faults`) that write down what they know,
//! `power`, `kill` or `full` makes the
//! faults, `history` reads the lines, `checks` judges them. The same
//! run on Apache Kafka shows what the judge can find.

pub mod checks;
pub mod disk;
pub mod full;
pub mod history;
pub mod kill;
pub mod load;
pub mod namespace;
pub mod power;
pub mod report;
mod scene;
pub mod seed;
pub mod topic;
