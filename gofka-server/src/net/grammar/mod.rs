//! The check of every request body before the codec decodes it.
//!
//! The codec allocates by what lengths on the wire claim: four bytes can make it ask for more
//! memory than there is, and the process aborts. So each body is first walked along its grammar
//! (`table.rs`: one line per API), which proves every count and length against the bytes that
//! are there, and holds the message to its API's limits. Called by `net::connection`.

mod limits;
mod program;
mod sample;
mod table;
mod varint;
mod walk;

use std::sync::{LazyLock, OnceLock};

pub use limits::Limits;
pub use walk::Refusal;

pub(in crate::net) use varint::read as read_varint;

/// Above every version of any API.
const VERSIONS: usize = 32;

struct Compiled {
    row: &'static table::Row,
    programs: [OnceLock<program::Program>; VERSIONS],
}

static COMPILED: LazyLock<Vec<Option<Compiled>>> = LazyLock::new(|| {
    let mut by_key = Vec::new();
    for row in table::ROWS {
        let key = usize::try_from(row.key).expect("keys are not negative");
        by_key.resize_with(key + 1, || None);
        by_key[key] = Some(Compiled { row, programs: [const { OnceLock::new() }; VERSIONS] });
    }
    by_key
});

fn compiled(key: i16) -> Option<&'static Compiled> {
    COMPILED.get(usize::try_from(key).ok()?)?.as_ref()
}

/// The limits of an API's requests.
pub fn limits(key: i16) -> Option<&'static Limits> {
    compiled(key).map(|compiled| compiled.row.limits)
}

/// Checks a request's body and estimates the bytes that the decoded message takes beside the
/// frame. Bytes after the last field are ignored, by Kafka and by the codec.
pub fn check(key: i16, version: i16, body: &[u8]) -> Result<usize, Refusal> {
    let compiled = compiled(key).ok_or(Refusal::Unknown)?;
    let index = usize::try_from(version).map_err(|_| Refusal::Unknown)?;
    let program = compiled.programs.get(index).ok_or(Refusal::Unknown)?;
    let program = program.get_or_init(|| program::compile(compiled.row, version));
    walk::walk(program, compiled.row.limits, body)
}

#[cfg(test)]
mod tests;

/// A valid body of an API at a version, for tests and for fuzzing; the same for the same seed.
pub fn sample_body(key: i16, version: i16, seed: u64) -> Vec<u8> {
    let row = compiled(key).expect("the API has a grammar").row;
    sample::body(&program::compile(row, version), seed)
}
