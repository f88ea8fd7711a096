//! `cargo run -p compat-tests --bin fixture NAME`: keeps a data directory of today's binary.

fn main() {
    let name = std::env::args().nth(1).expect("the name of the set, such as a release's");
    compat_tests::fixture::make(&name);
}
