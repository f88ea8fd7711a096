//! A broker under attack, watched by an honest client and by the kernel's account of its memory.
//!
//! Used by the tests of hostile clients.

use std::fs;
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::broker::{Broker, Kind};
use crate::wire::{api_versions, connect, read_response};

const LIMIT: Duration = Duration::from_secs(15);
/// Between two requests of the honest client.
const PACE: Duration = Duration::from_millis(2);
/// What the honest client may wait at most. Far above what a slow machine takes: this finds a
/// broker that stands still, and measures nothing.
const PATIENCE: Duration = Duration::from_secs(10);
const MIB: u64 = 1 << 20;

/// A number of kB from the process's status, in bytes.
pub fn status(pid: u32, field: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let line = text.lines().find(|line| line.starts_with(field)).expect("the field");
    let number = line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok());
    number.expect("a number") * 1024
}

/// Says on its way out that the attack is over, also where the attack panics: the honest client
/// would go on for ever.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `attack` while another client asks again and again; the broker must live, answer that
/// client before its patience ends, and not have grown by more than `growth` at any moment.
pub fn undisturbed(growth: u64, attack: impl FnOnce(&Broker)) {
    let broker = Broker::start(Kind::Gofka, &[]);
    let pid = broker.pid().expect("it runs");
    let before = status(pid, "VmRSS");
    let done = AtomicBool::new(false);
    let slowest = thread::scope(|scope| {
        let honest = scope.spawn(|| ask_until(&done, &broker));
        let over = Over(&done);
        attack(&broker);
        drop(over);
        honest.join().expect("the honest client does not panic")
    });
    let slowest = slowest.unwrap_or_else(|error| {
        panic!("another client was not answered: {error}\n{}", broker.output())
    });
    assert!(slowest < PATIENCE, "another client waited {slowest:?}\n{}", broker.output());
    let grown = status(pid, "VmHWM").saturating_sub(before);
    assert!(grown <= growth, "grew by {} MiB", grown / MIB);
    assert!(!broker.output().contains("panicked"), "{}", broker.output());
}

/// The longest wait of a client that asks again and again, or its first failure.
fn ask_until(done: &AtomicBool, broker: &Broker) -> io::Result<Duration> {
    let mut stream = connect(broker.address(), LIMIT)?;
    let mut slowest = Duration::ZERO;
    while !done.load(Ordering::Relaxed) {
        let since = Instant::now();
        ask(&mut stream)?;
        slowest = slowest.max(since.elapsed());
        thread::park_timeout(PACE);
    }
    Ok(slowest)
}

/// One ApiVersions, as an honest client sends it.
pub fn ask(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&api_versions(3))?;
    read_response(stream).map(|_| ())
}
