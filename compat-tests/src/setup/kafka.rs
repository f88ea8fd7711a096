//! Apache Kafka's jars, by Maven: the broker, its tools, and the Java client.

use std::path::PathBuf;
use std::process::Command;

use super::{SetupError, once, run, system};
use crate::paths;

/// The folder of the jars.
pub fn jars() -> PathBuf {
    paths::tools().join("apache-kafka")
}

pub(super) fn install() -> Result<(), SetupError> {
    let pom = paths::clients().join("apache-kafka/pom.xml");
    once(&jars(), std::slice::from_ref(&pom), || {
        system("java", "-version", "default-jdk-headless")?;
        system("mvn", "-version", "maven")?;
        run(Command::new("mvn")
            .args(["-q", "-B", "-f"])
            .arg(&pom)
            .arg("dependency:copy-dependencies")
            .arg(format!("-DoutputDirectory={}", jars().display())))
    })
}
