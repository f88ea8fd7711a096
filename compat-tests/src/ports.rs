//! Hands out TCP ports that are free on loopback and lie below the kernel's ephemeral range, so
//! that a broker can be restarted on the port it had without racing an outgoing connection.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 21_000;
const COUNT: u16 = 1_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port nobody listens on, never given twice by one process.
pub fn free() -> u16 {
    // Test binaries that run side by side start at different places.
    let start = (process::id() % 50) as u16 * 20;
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start + step) % COUNT;
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port));
        if v4.is_ok() && v6.is_ok() {
            return port;
        }
    }
    panic!("no free port in {FIRST}..{}", FIRST + COUNT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_not_given_twice() {
        let a = free();
        let b = free();
        assert_ne!(a, b);
    }
}
