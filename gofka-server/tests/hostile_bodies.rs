//! The fuzz target's bounded form for the stable toolchain: every key and version, mutated real
//! messages and hostile counts. No panic, no abort, and bounded memory.
//!
//! The process's address space is limited, so that an allocation by a length that lies aborts
//! the test. Peak resident memory is read from the kernel, which starts it anew on request.

mod random;
#[path = "../../fuzz/requests.rs"]
mod requests;

use bytes::Bytes;
use gofka_server::net::grammar;
use random::Random;
use rustix::process::{Resource, Rlimit, setrlimit};

const MIB: usize = 1 << 20;

impl Random {
    /// Bytes that look like the beginnings of messages: small numbers, and now and then a claim.
    fn body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        for _ in 0..self.below(60) {
            match self.below(12) {
                0 => body.extend([0x7f, 0xff, 0xff, 0xff]),
                1 => body.extend([0xff, 0xff, 0xff, 0xff, 0x0f]),
                2 => body.extend([0xff, 0xff]),
                3 => body.extend([0, 0, 0, 1]),
                4 => body.extend([0, 1, b'a']),
                5 => body.extend([2, b'a']),
                _ => body.push(self.below(4) as u8),
            }
        }
        body
    }
}

fn check_and_decode(key: i16, version: i16, body: Vec<u8>) -> bool {
    grammar::check(key, version, &body).is_ok() && requests::decode(key, version, Bytes::from(body))
}

fn status_kib(field: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = status.lines().find(|line| line.starts_with(field)).expect("the field is there");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number of KiB")
}

/// The resident memory that `work` adds at its peak, in bytes.
fn peak_bytes(work: impl FnOnce()) -> usize {
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak can be started anew");
    let before = status_kib("VmRSS");
    work();
    status_kib("VmHWM").saturating_sub(before) * 1024
}

/// A request that begins with an array of `count` real elements.
fn filled(compact: bool, count: u32, element: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    if compact {
        let mut rest = count + 1;
        while rest >= 0x80 {
            body.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        body.push(rest as u8);
    } else {
        body.extend(count.to_be_bytes());
    }
    for _ in 0..count {
        body.extend(element);
    }
    body.extend([0; 64]);
    body
}

fn random_bodies_pass_or_fail() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut decoded = 0usize;
    for (key, lowest, highest) in requests::VERSIONS {
        for version in *lowest..=*highest {
            for _ in 0..150 {
                decoded += usize::from(check_and_decode(*key, version, random.body()));
            }
        }
    }
    assert!(decoded > 500, "only {decoded} bodies were real: the test checks too little");
}

fn counts_that_lie_do_no_harm() {
    let claims: &[&[u8]] = &[&[0x7f, 0xff, 0xff, 0xff], &[0xff, 0xff, 0xff, 0xff, 0x0f]];
    for (key, lowest, highest) in requests::VERSIONS {
        for version in *lowest..=*highest {
            for claim in claims {
                // The claim at every place where a message may have a count.
                for (at, fill) in (0..40).flat_map(|at| [(at, 0), (at, 1)]) {
                    let body = [&vec![fill; at], *claim, &[0; 8]].concat();
                    check_and_decode(*key, version, body);
                }
            }
        }
    }
}

/// Requests that really hold as many elements as their frame can: refused, or within the bound.
fn real_counts_stay_within_the_bound() {
    let elements: &[(i16, i16, bool, &[u8])] = &[
        (3, 1, false, &[0, 0]),
        (3, 12, true, &[0; 18]),
        (15, 0, false, &[0, 0]),
        (15, 5, true, &[1]),
        (19, 2, false, &[0; 20]),
        (19, 5, true, &[1, 0, 0, 0, 0, 0, 0, 1, 1, 0]),
        (20, 6, true, &[0; 18]),
        (32, 4, true, &[0, 1, 0, 0]),
        (42, 2, true, &[1]),
        (61, 0, true, &[1, 1, 0]),
        (66, 1, true, &[1]),
    ];
    let mut decoded = 0;
    for (key, version, compact, element) in elements {
        for count in [1_000, 10_000, 50_000, 100_000, 3_000_000] {
            let body = filled(*compact, count, element);
            let frame_bytes = body.len();
            let peak = peak_bytes(|| {
                decoded += usize::from(check_and_decode(*key, *version, body));
            });
            assert!(
                peak < frame_bytes + 64 * MIB,
                "key {key} version {version}: {count} elements in {frame_bytes} bytes took {peak}"
            );
        }
    }
    assert!(decoded > 10, "only {decoded} were real");
}

fn real_tagged_fields_are_refused() {
    // ApiVersions 3: two names and 20 million tagged fields of no bytes.
    let mut body = vec![2, b'a', 2, b'b', 0x80, 0xda, 0xc4, 0x09];
    for tag in 0..20_000_000u32 {
        body.extend([tag as u8 | 0x80, (tag >> 7) as u8 | 0x80, (tag >> 14) as u8 | 0x80]);
        body.extend([(tag >> 21) as u8 & 0x7f, 0]);
    }
    let peak = peak_bytes(|| assert!(!check_and_decode(18, 3, body)));
    assert!(peak < 64 * MIB, "{peak} bytes");
}

#[test]
fn no_body_harms() {
    // One test, since it limits the whole process and measures it.
    let limit = Some(4 << 30);
    setrlimit(Resource::As, Rlimit { current: limit, maximum: limit }).expect("may be lowered");
    random_bodies_pass_or_fail();
    counts_that_lie_do_no_harm();
    real_counts_stay_within_the_bound();
    real_tagged_fields_are_refused();
}
