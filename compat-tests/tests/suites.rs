//! The suites that other projects wrote for their own clients; see `src/suites`.

use compat_tests::suites;

fn check(suite: &str) {
    let found = suites::check(suite);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn franz_go_passes_what_it_passes_on_kafka() {
    check("franz-go");
}

#[test]
fn rust_rdkafka_passes_what_it_passes_on_kafka() {
    check("rust-rdkafka");
}

#[test]
fn rskafka_passes_what_it_passes_on_kafka() {
    check("rskafka");
}

#[test]
fn node_rdkafka_passes_what_it_passes_on_kafka() {
    check("node-rdkafka");
}
