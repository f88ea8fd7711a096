//! The Java driver, compiled against Apache Kafka's jars.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{SetupError, kafka, once, run, system};
use crate::paths;

/// The class path of the driver and all that it uses.
pub fn class_path() -> String {
    let jars = kafka::jars().join("*");
    format!("{}:{}", classes().display(), jars.display())
}

fn classes() -> PathBuf {
    paths::tools().join("java")
}

pub(super) fn install() -> Result<(), SetupError> {
    kafka::install()?;
    let sources = files(&paths::clients().join("java/src/gofka/compat"), "java")?;
    once(&classes(), &sources, || {
        system("javac", "-version", "default-jdk-headless")?;
        run(Command::new("javac")
            .args(["-nowarn", "--release", "17", "-d"])
            .arg(classes())
            .arg("-cp")
            .arg(kafka::jars().join("*"))
            .args(&sources))
    })
}

/// The files of a folder with this extension, in the order of their names.
pub(super) fn files(dir: &Path, extension: &str) -> Result<Vec<PathBuf>, SetupError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
