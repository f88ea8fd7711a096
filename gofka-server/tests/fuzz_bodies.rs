//! The body of every fuzz target on the stable toolchain: its seeds as they are, and each of them
//! with a few changes. It keeps the targets compiling, and finds what needs no luck.

#[path = "../../fuzz/bodies/codecs.rs"]
mod codecs;
#[path = "../../fuzz/bodies/group_records.rs"]
mod group_records;
#[path = "../../fuzz/bodies/handler.rs"]
mod handler;
#[path = "../../fuzz/bodies/log_directory.rs"]
mod log_directory;
#[path = "../../fuzz/bodies/log_files.rs"]
mod log_files;
mod random;
#[path = "../../fuzz/bodies/records.rs"]
mod records;
#[path = "../../fuzz/bodies/request.rs"]
mod request;
#[path = "../../fuzz/bodies/settings.rs"]
mod settings;

use random::Random;
use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};

impl Random {
    /// `seed` with one to four changes: a bit, a claim, a cut, a part that comes twice.
    fn changed(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut input = seed.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(input.len() + 1);
            match self.below(5) {
                0 => input.truncate(at),
                1 => drop(input.splice(at..at, [0x7f, 0xff, 0xff, 0xff])),
                2 => input.extend_from_within(at..),
                _ if at < input.len() => input[at] ^= 1 << self.below(8),
                _ => input.push(self.below(256) as u8),
            }
        }
        input
    }
}

/// Runs `body` on each of `seeds`, and on so many changed forms of each.
fn feed(seeds: impl IntoIterator<Item = Vec<u8>>, changes: usize, body: impl Fn(&[u8])) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut count = 0;
    for seed in seeds {
        body(&seed);
        (0..changes).for_each(|_| body(&random.changed(&seed)));
        count += 1;
    }
    assert!(count > 0, "there are no seeds");
}

#[test]
fn codecs_take_any_bytes() {
    feed(codecs::seeds(), 50, codecs::run);
}

#[test]
fn records_of_groups_take_any_bytes() {
    feed(group_records::seeds(), 500, group_records::run);
}

#[test]
fn the_files_of_a_log_take_any_bytes() {
    let dir = tempfile::tempdir().unwrap();
    feed(log_files::seeds(), 300, |input| log_files::run(dir.path(), input));
}

#[test]
fn a_log_directory_takes_any_bytes() {
    let dir = tempfile::tempdir().unwrap();
    feed(log_directory::seeds(), 300, |input| log_directory::run(dir.path(), input));
}

#[test]
fn records_of_a_produce_take_any_bytes() {
    feed(records::seeds(), 50, records::run);
}

#[test]
fn bodies_of_requests_take_any_bytes() {
    feed(request::seeds(), 5, request::run);
}

#[test]
fn files_of_settings_take_any_bytes() {
    let dir = tempfile::tempdir().unwrap();
    feed(settings::seeds(), 20, |input| settings::run(dir.path(), input));
}

#[test]
fn a_broker_takes_any_bytes() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::AcqRel);
        usual(panic);
    }));
    let dir = tempfile::tempdir().unwrap();
    handler::start(dir.path());
    // Many requests may rightly wait, and each takes its time.
    feed(handler::seeds().step_by(3), 1, handler::run);
    assert_eq!(PANICS.load(Ordering::Acquire), 0, "a thread of the broker, or a test, panicked");
}
