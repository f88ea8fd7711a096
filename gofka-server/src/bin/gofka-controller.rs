//! A controller without a broker.

use std::process::ExitCode;

use gofka_server::config::Role;

fn main() -> ExitCode {
    gofka_server::cli::main(Role::Controller)
}
