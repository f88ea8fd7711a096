//! `docs/protocol-support.md`, made from the table and kept true by a test.
//!
//! `UPDATE=1 cargo test -p gofka-server generated` (or `cargo xtask fix`) rewrites it.

use std::fmt::Write;
use std::path::PathBuf;

use super::{Api, TABLE};

const HEADER: &str = "\
# Which of Kafka's APIs Gofka serves

Made from the table in `gofka-server/src/api/mod.rs`; `cargo xtask fix` rewrites it. ApiVersions
announces exactly this, and a request is served if and only if it is in this table. \"Flexible
from\" is the first version with compact lengths and tagged fields (KIP-482).

| key | API | versions | flexible from |
|---|---|---|---|
";

fn document() -> String {
    let mut text = HEADER.to_owned();
    for entry in TABLE {
        let api = entry.api;
        let flexible = (api.lowest()..=api.highest())
            .find(|version| api.request_header_version(*version) >= 2)
            .map_or_else(|| "-".to_owned(), |version| version.to_string());
        let versions = versions(api);
        writeln!(text, "| {} | {:?} | {versions} | {flexible} |", api.key(), api.api_key())
            .expect("a string takes all");
    }
    text
}

fn versions(api: &Api) -> String {
    let served = match (api.lowest(), api.highest()) {
        (only, highest) if only == highest => only.to_string(),
        (lowest, highest) => format!("{lowest}-{highest}"),
    };
    if api.lowest_advertised() < api.lowest() {
        return format!("{served}, announced from {}", api.lowest_advertised());
    }
    served
}

#[test]
fn generated_document_is_the_table() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol-support.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, document()).expect("the document can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == document(), "docs/protocol-support.md is stale: run `cargo xtask fix`");
}
