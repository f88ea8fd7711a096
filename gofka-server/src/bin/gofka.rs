//! The whole thing in one process: broker and controller.

use std::process::ExitCode;

use gofka_server::config::Role;

fn main() -> ExitCode {
    gofka_server::cli::main(Role::Combined)
}
