//! Any text as a file of settings: properties, TOML, or what has neither extension.
//!
//! The first byte chooses the extension.

use std::path::Path;

use gofka_server::config::{Inputs, Role, ServerConfig};

pub(crate) fn seeds() -> impl Iterator<Item = Vec<u8>> {
    let properties = concat!(
        "# comment\nlog.dirs=/tmp/a,/tmp/b\nlisteners=PLAINTEXT://:9092,\\\n  A://[::1]:1\n",
        "listener.security.protocol.map=A:PLAINTEXT\nnode.id = 1\nlog.retention.ms:\\u0031\n",
    );
    let toml = concat!(
        "node.id = 3\n[log]\nretention.hours = 5\ndirs = [\"a\", 'b']\n",
        "[socket.request]\nmax.bytes = 1_000\n",
    );
    [(0u8, properties), (1, toml), (2, toml), (2, properties)]
        .into_iter()
        .chain([(1, include_str!("../../config/gofka.toml"))])
        .map(|(which, text)| [&[which], text.as_bytes()].concat())
}

/// One input.
pub(crate) fn run(dir: &Path, data: &[u8]) {
    let [which, text @ ..] = data else { return };
    let name = ["a.properties", "a.toml", "a"][*which as usize % 3];
    let file = dir.join(name);
    std::fs::write(&file, text).expect("the folder takes files");
    let inputs = Inputs {
        role: Role::Combined,
        file: Some(file),
        environment: Vec::new(),
        flags: [].into(),
    };
    if let Err(problems) = ServerConfig::load(&inputs) {
        assert!(!problems.to_string().is_empty());
    }
}
