//! A broker; its controller is in the same process as long as there are no peers.

use std::process::ExitCode;

use gofka_server::config::Role;

fn main() -> ExitCode {
    gofka_server::cli::main(Role::Broker)
}
