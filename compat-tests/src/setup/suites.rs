//! Suites of other projects, fetched by their package registries and compiled below the target
//! directory. Their tests are run as they are; `share_librdkafka` has the one change to a helper.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{SetupError, once, run, system};
use crate::paths;

/// The version of franz-go is that of the driver's `go.mod`.
const FRANZ: &str = "github.com/twmb/franz-go";

fn home(name: &str) -> PathBuf {
    paths::tools().join(name)
}

fn manifest(name: &str) -> PathBuf {
    paths::clients().with_file_name("suites").join(name)
}

/// The compiled tests of `pkg/kgo`.
pub fn franz_suite() -> PathBuf {
    home("suite-franz").join("kgo.test")
}

/// Where those tests are run: in the folder of their sources.
pub fn franz_source() -> PathBuf {
    let text = fs::read_to_string(home("suite-franz").join("source")).expect("it is installed");
    PathBuf::from(text).join("pkg/kgo")
}

pub(super) fn install_franz() -> Result<(), SetupError> {
    let driver = paths::clients().join("go");
    once(&home("suite-franz"), &[driver.join("go.mod"), driver.join("go.sum")], || {
        system("go", "version", "golang-go")?;
        let list = ["list", "-m", "-f", "{{.Dir}}", FRANZ];
        run(Command::new("go").current_dir(&driver).args(["mod", "download", FRANZ]))?;
        let source = text(Command::new("go").current_dir(&driver).args(list))?;
        let source = source.trim();
        run(Command::new("go")
            .current_dir(source)
            .args(["test", "-c", "-o"])
            .arg(franz_suite())
            .arg("./pkg/kgo"))?;
        fs::write(home("suite-franz").join("source"), source)?;
        Ok(())
    })
}

/// The two Rust suites form one workspace, so that librdkafka is compiled once.
pub(super) fn install_rust() -> Result<(), SetupError> {
    let home = home("suites-rust");
    let inputs = [manifest("rust.toml"), manifest("rust.lock")];
    once(&home, &inputs, || {
        let fetched = home.join("fetch");
        fs::create_dir_all(fetched.join("src"))?;
        fs::write(fetched.join("src/lib.rs"), "")?;
        fs::write(fetched.join("Cargo.toml"), FETCH)?;
        let metadata =
            text(cargo().current_dir(&fetched).args(["metadata", "--format-version=1"]))?;
        for name in ["rdkafka", "rskafka"] {
            let source = source_of(&metadata, name)?;
            run(Command::new("cp").arg("-r").arg(&source).arg(home.join(name)))?;
            run(Command::new("chmod").args(["-R", "u+w"]).arg(home.join(name)))?;
            // Both would pin what is older than the toolchain that is here.
            for pinned in ["Cargo.lock", "rust-toolchain.toml"] {
                let path = home.join(name).join(pinned);
                if path.exists() {
                    fs::remove_file(path)?;
                }
            }
        }
        share_librdkafka(&home.join("rskafka"))?;
        fs::copy(&inputs[0], home.join("Cargo.toml"))?;
        fs::copy(&inputs[1], home.join("Cargo.lock"))?;
        let build = ["test", "--no-run", "--tests", "--locked", "--message-format=json"];
        let messages = text(cargo().current_dir(&home).arg("--quiet").args(build))?;
        fs::write(home.join("programs"), programs(&messages).join("\n"))?;
        Ok(())
    })
}

/// A package that wants the two crates, to have cargo fetch them.
const FETCH: &str = r#"[package]
name = "fetch"
edition = "2024"
[workspace]
[dependencies]
rdkafka = "=0.39.0"
rskafka = "=0.6.0"
"#;

/// This toolchain's cargo, with a target directory of its own.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.env("CARGO_TARGET_DIR", home("suites-rust").join("target"));
    command
}

/// Where cargo has unpacked the sources of a crate.
fn source_of(metadata: &str, name: &str) -> Result<PathBuf, SetupError> {
    let value: Value = serde_json::from_str(metadata).map_err(std::io::Error::from)?;
    let packages = value["packages"].as_array();
    let package = packages.into_iter().flatten().find(|package| package["name"] == name);
    let path = package.and_then(|package| package["manifest_path"].as_str());
    path.and_then(|path| Path::new(path).parent()).map(Path::to_path_buf).ok_or_else(|| {
        SetupError::Failed { command: "cargo metadata".into(), output: format!("no {name}") }
    })
}

/// rskafka's tests compare it with an older release of rdkafka, which would be another librdkafka
/// to compile. They do as well with this one, where a delivery is a struct and no pair.
fn share_librdkafka(rskafka: &Path) -> Result<(), SetupError> {
    let changes = [
        (
            "Cargo.toml",
            "[dev-dependencies.rdkafka]\nversion = \"0.35\"",
            "[dev-dependencies.rdkafka]\nversion = \"0.39\"",
        ),
        (
            "tests/rdkafka_helper.rs",
            "let (_partition, offset) = client.send(f_record, Timeout::Never).await.unwrap();",
            "let offset = client.send(f_record, Timeout::Never).await.unwrap().offset;",
        ),
    ];
    for (file, old, new) in changes {
        let path = rskafka.join(file);
        let text = fs::read_to_string(&path)?;
        assert!(text.contains(old), "{file} is not what this was written for");
        fs::write(path, text.replace(old, new))?;
    }
    Ok(())
}

/// `crate program path` of each test program, from cargo's messages.
fn programs(messages: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let target = &message["target"];
        let integration = target["kind"][0] == "test";
        let path = message["executable"].as_str();
        let source = target["src_path"].as_str();
        if let (true, Some(path), Some(source)) = (integration, path, source) {
            let owner =
                if source.contains("/suites-rust/rskafka/") { "rskafka" } else { "rdkafka" };
            let program = target["name"].as_str().unwrap_or_default();
            found.push(format!("{owner} {program} {path}"));
        }
    }
    found.sort();
    found
}

/// The test programs of one of the two crates, by name.
pub fn rust_suite(crate_name: &str) -> Vec<(String, PathBuf)> {
    let text = fs::read_to_string(home("suites-rust").join("programs")).expect("it is installed");
    let mut found = Vec::new();
    for line in text.lines() {
        let parts: Vec<&str> = line.splitn(3, ' ').collect();
        if parts[0] == crate_name {
            found.push((parts[1].to_string(), PathBuf::from(parts[2])));
        }
    }
    found
}

/// The sources of one of the two crates.
pub fn rust_suite_source(crate_name: &str) -> PathBuf {
    home("suites-rust").join(crate_name)
}

/// The folder of node-rdkafka, which has its tests in it.
pub fn node_suite() -> PathBuf {
    home("suite-node").join("node_modules/node-rdkafka")
}

pub(super) fn install_node() -> Result<(), SetupError> {
    let home = home("suite-node");
    let inputs = [manifest("node/package.json"), manifest("node/package-lock.json")];
    once(&home, &inputs, || {
        system("node", "--version", "nodejs")?;
        system("npm", "--version", "npm")?;
        system("make", "--version", "make")?;
        system("g++", "--version", "g++")?;
        for input in &inputs {
            fs::copy(input, home.join(input.file_name().expect("a file")))?;
        }
        // Compiles librdkafka; its makefiles cannot be run in parallel.
        run(Command::new("npm").current_dir(&home).env("JOBS", "1").args([
            "ci",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]))
    })
}

/// Runs a command to its end and returns what it printed.
fn text(command: &mut Command) -> Result<String, SetupError> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let output = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(SetupError::Failed { command: format!("{command:?}"), output })
}
