//! `cargo xtask fuzz`: runs the targets of `fuzz/` for a while, one after the other.
//!
//! Needs a nightly toolchain. cargo-fuzz is installed below the target directory where it is
//! missing; inputs that the fuzzer finds stay there too.

use std::path::Path;

use clap::Args;

use crate::{root, step};

const CARGO_FUZZ: &str = "0.13.1";

/// Every target, and what it gets.
const TARGETS: [&str; 8] = [
    "request",
    "handler",
    "records",
    "codecs",
    "settings",
    "group_records",
    "log_files",
    "log_directory",
];

/// What an input may be at most; long ones are slow and find little.
const INPUT_BYTES_MAX: &str = "-max_len=8192";
const RESIDENT_MIB_MAX: &str = "-rss_limit_mb=2048";
/// An input that takes this long is a finding.
const INPUT_SECONDS_MAX: &str = "-timeout=10";

#[derive(Args)]
pub(crate) struct Options {
    /// How long each target runs, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Which targets; all where none is named
    targets: Vec<String>,
}

/// Fuzzes each target that was asked for.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let target_dir = root().join("target");
    install(&target_dir.join("tools"))?;
    let seconds = format!("-max_total_time={}", options.seconds);
    let asked = options.targets.iter().map(String::as_str);
    let targets: Vec<&str> =
        if options.targets.is_empty() { TARGETS.into() } else { asked.collect() };
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", target_dir.join("tools/bin").display());
    for target in targets {
        if !TARGETS.contains(&target) {
            return Err(format!("no fuzz target {target}; there are {}", TARGETS.join(", ")));
        }
        let corpus = target_dir.join("fuzz-corpus").join(target);
        std::fs::create_dir_all(&corpus).map_err(|e| format!("{}: {e}", corpus.display()))?;
        let artifacts = format!("-artifact_prefix={}/fuzz-found-{target}-", target_dir.display());
        let corpus = corpus.display().to_string();
        let fuzz_target_dir = target_dir.join("fuzz").display().to_string();
        let arguments = [
            "+nightly",
            "fuzz",
            "run",
            "--fuzz-dir",
            "fuzz",
            "--target-dir",
            &fuzz_target_dir,
            // The sanitizer makes the build slow and finds nothing in code without `unsafe`.
            "--sanitizer",
            "none",
            target,
            &corpus,
            "--",
            &seconds,
            &artifacts,
            INPUT_BYTES_MAX,
            RESIDENT_MIB_MAX,
            INPUT_SECONDS_MAX,
            "-print_final_stats=1",
        ];
        step::cargo(&format!("fuzz {target}"), &arguments, &[("PATH", &path)])?;
    }
    Ok(())
}

fn install(tools: &Path) -> Result<(), String> {
    if tools.join("bin/cargo-fuzz").exists() {
        return Ok(());
    }
    let tools = tools.display().to_string();
    let arguments =
        ["install", "--root", &tools, "cargo-fuzz", "--version", CARGO_FUZZ, "--locked"];
    step::cargo("cargo-fuzz", &arguments, &[])
}
