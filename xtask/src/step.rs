//! Child processes with a name and a duration. Called by every command.

use std::process::Command;
use std::time::Instant;

use crate::root;

/// Runs `program` in the root of the workspace and says how long it took.
pub(crate) fn run(
    name: &str,
    program: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<(), String> {
    println!("== {name}: {program} {}", arguments.join(" "));
    let begin = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root())
        .status()
        .map_err(|cause| format!("{name}: cannot start {program}: {cause}"))?;
    println!("== {name}: {} s", begin.elapsed().as_secs());
    if status.success() { Ok(()) } else { Err(format!("{name} failed ({status})")) }
}

/// Runs this toolchain's cargo, or the one that a leading `+toolchain` names.
pub(crate) fn cargo(
    name: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<(), String> {
    // A `+toolchain` is understood by the rustup proxy only, not by the cargo that started us.
    let named = arguments.first().is_some_and(|first| first.starts_with('+'));
    let own = std::env::var("CARGO").ok().filter(|_| !named);
    run(name, own.as_deref().unwrap_or("cargo"), arguments, environment)
}
