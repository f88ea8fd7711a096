//! One request after the other from a bare socket: what is left of a record's time when its client
//! costs nothing, and what of that is the machine's.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use compat_tests::raw::Client;

use super::report::median;

/// A produce of one record of 1 kB, and its answer, on the wire.
const REQUEST_BYTES: usize = 1112;
const ANSWER_BYTES: usize = 56;
const VALUE: [u8; 1000] = [b'v'; 1000];

/// The median time in microseconds in which `topic` acknowledges a record.
pub(super) fn of_broker(address: SocketAddr, topic: &str, count: u64) -> Result<f64, String> {
    let mut client = Client::connect(address);
    median_of(count, || match client.send(topic, 0, &[&VALUE]) {
        (0, _) => Ok(()),
        (code, _) => Err(format!("a record was refused with error {code}")),
    })
}

/// The same from a thread that answers as many bytes with as many, and does nothing else.
pub(super) fn of_echo(count: u64) -> Result<f64, String> {
    let failed = |cause: io::Error| format!("an echo over loopback: {cause}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    // Ends with the client.
    thread::spawn(move || echo(&listener));
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let mut answer = [0; ANSWER_BYTES];
    median_of(count, || {
        stream.write_all(&[0; REQUEST_BYTES]).map_err(failed)?;
        stream.read_exact(&mut answer).map_err(failed)
    })
}

fn echo(listener: &TcpListener) -> io::Result<()> {
    let (mut stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    let mut request = [0; REQUEST_BYTES];
    loop {
        stream.read_exact(&mut request)?;
        stream.write_all(&[0; ANSWER_BYTES])?;
    }
}

fn median_of(count: u64, mut once: impl FnMut() -> Result<(), String>) -> Result<f64, String> {
    let mut took = Vec::new();
    for _ in 0..count {
        let begin = Instant::now();
        once()?;
        took.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    took.sort_by(f64::total_cmp);
    median(&took).ok_or_else(|| "nothing was asked".to_owned())
}
