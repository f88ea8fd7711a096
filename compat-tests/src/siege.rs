//! A broker under attack, watched by an honest client and by the kernel's account of its memory.
//!
//! Used by the tests of hostile clients.

use std::fs;
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::broker::{Broker, Kind};
use crate::wire::{api_versions, connect, read_response};

const LIMIT: Duration = Duration::from_secs(15);
/// Between two requests of the honest client.
const PACE: Duration = Duration::from_millis(2);
const MIB: u64 = 1 << 20;

/// A number of kB from the process's status, in bytes.
pub fn status(pid: u32, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let line = text.lines().find(|line| line.starts_with(field)).expect("the field");
    let number = line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok());
    number.expect("a number") * 1024
}

/// Runs `attack` while another client asks again and again; the broker must live, answer that
/// client within two seconds each time, and not have grown by more than `growth` at any moment.
pub fn undisturbed(growth: u64, attack: impl FnOnce(&Broker)) {
    let broker = Broker::start(Kind::Gofka, &[]);
    let pid = broker.pid().expect("it runs");
    let before = status(pid, "VmRSS");
    let done = AtomicBool::new(false);
    let slowest_ms = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut stream = connect(broker.address(), LIMIT).expect("a connection");
            while !done.load(Ordering::Relaxed) {
                let since = Instant::now();
                let answer = ask(&mut stream);
                let took_ms = since.elapsed().as_millis() as u64;
                let took_ms = if answer.is_ok() { took_ms } else { u64::MAX };
                slowest_ms.fetch_max(took_ms, Ordering::Relaxed);
                thread::park_timeout(PACE);
            }
        });
        attack(&broker);
        done.store(true, Ordering::Relaxed);
    });
    let slowest_ms = slowest_ms.into_inner();
    assert!(slowest_ms < 2000, "another client waited {slowest_ms} ms\n{}", broker.output());
    let grown = status(pid, "VmHWM").saturating_sub(before);
    assert!(grown <= growth, "grew by {} MiB", grown / MIB);
    assert!(!broker.output().contains("panicked"), "{}", broker.output());
}

/// One ApiVersions, as an honest client sends it.
pub fn ask(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&api_versions(3))?;
    read_response(stream).map(|_| ())
}
