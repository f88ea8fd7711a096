//! `cargo run -p compat-tests --bin setup [TOOL...]`: installs what the tests need, all of it
//! or the named tools, and says what it has. Run again it finds everything and is quick.

use std::env;
use std::process::ExitCode;

use compat_tests::setup::Tool;

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).map(|name| name.to_lowercase()).collect();
    let mut code = ExitCode::SUCCESS;
    for tool in Tool::ALL {
        let name = format!("{tool:?}").to_lowercase();
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        match tool.install() {
            Ok(()) => println!("{name}: ready"),
            Err(error) => {
                eprintln!("{name}: {error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
