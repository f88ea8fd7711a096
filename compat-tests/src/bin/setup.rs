//! `cargo run -p compat-tests --bin setup [TOOL...]`: installs everything that the tests drive, or
//! the named tools, and says what it has. Run again it is quick.

use std::env;
use std::process::ExitCode;
use std::thread;

use compat_tests::setup::Tool;

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).map(|name| name.to_lowercase()).collect();
    let name = |tool: Tool| format!("{tool:?}").to_lowercase();
    let chosen = |tool: &Tool| wanted.is_empty() || wanted.contains(&name(*tool));
    // Side by side, as far as the tools' locks allow.
    let mut installing = Vec::new();
    for tool in Tool::DRIVERS.into_iter().chain(Tool::SUITES).filter(chosen) {
        installing.push((tool, thread::spawn(move || tool.install())));
    }
    let mut code = ExitCode::SUCCESS;
    for (tool, installed) in installing {
        match installed.join().expect("an installation does not panic") {
            Ok(()) => println!("{}: ready", name(tool)),
            Err(error) => {
                eprintln!("{}: {error}", name(tool));
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
