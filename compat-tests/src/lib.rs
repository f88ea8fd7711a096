//! Black-box tests: starts the real `gofka` binary and Apache Kafka 4.3.1, drives both with real
//! clients ("drivers"), and compares what the clients observed. Depends on no crate of ours.
//!
//! The way of a test: `setup` installs the tools, `broker` starts a server, `driver` runs a
//! client program against it, `scenario` says what is asked and expected, `compare` judges.

pub mod batch;
pub mod broker;
pub mod compare;
pub mod driver;
pub mod expected;
pub mod faults;
pub mod fixture;
pub mod judge;
pub mod partition_files;
pub mod paths;
pub mod ports;
pub mod process;
pub mod raw;
pub mod scenario;
pub mod setup;
pub mod siege;
pub mod stated;
pub mod suites;
pub mod wire;
