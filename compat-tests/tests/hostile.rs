//! Frames that no client sends: each is answered with Kafka's own error or a closed connection,
//! the process lives, its memory stays bounded, and another client notices nothing.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use compat_tests::broker::{Broker, Kind};
use compat_tests::siege::{ask, undisturbed};
use compat_tests::wire::{api_versions, connect, frame, read_response};

const LIMIT: Duration = Duration::from_secs(15);
const MIB: u64 = 1 << 20;

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Answered,
    Closed,
    Silent,
}

/// Sends bytes and waits for what comes back.
fn send(address: SocketAddr, bytes: &[u8], then_close: bool) -> End {
    let mut stream = connect(address, LIMIT).expect("a connection");
    // The broker may hang up in the middle of a large frame.
    if stream.write_all(bytes).is_err() {
        return End::Closed;
    }
    if then_close {
        stream.shutdown(Shutdown::Write).ok();
    }
    let mut first = [0];
    match stream.read(&mut first) {
        Ok(0) => End::Closed,
        Ok(_) => End::Answered,
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            End::Silent
        }
        Err(_) => End::Closed,
    }
}

#[test]
fn impossible_sizes_close_the_connection() {
    undisturbed(16 * MIB, |broker| {
        for size in [-1, 0, 1, 7, i32::MIN, i32::MAX, 104_857_601] {
            let mut bytes = i32::to_be_bytes(size).to_vec();
            bytes.extend([0; 7]);
            assert_eq!(send(broker.address(), &bytes, false), End::Closed, "size {size}");
        }
    });
}

#[test]
fn truncated_frames_are_dropped_with_their_connection() {
    undisturbed(16 * MIB, |broker| {
        let whole = api_versions(1);
        for length in 0..whole.len() {
            let end = send(broker.address(), &whole[..length], true);
            assert_eq!(end, End::Closed, "cut after {length} bytes");
        }
    });
}

#[test]
fn a_slow_sender_is_served() {
    undisturbed(16 * MIB, |broker| {
        let mut stream = connect(broker.address(), LIMIT).expect("a connection");
        for byte in api_versions(9) {
            stream.write_all(&[byte]).expect("the broker waits");
        }
        assert_eq!(read_response(&mut stream).expect("an answer").0, 9);
    });
}

#[test]
fn sockets_that_announce_much_and_send_little_cost_little() {
    undisturbed(64 * MIB, |broker| {
        let announce = |_| -> TcpStream {
            let mut stream = connect(broker.address(), LIMIT).expect("a connection");
            stream.write_all(&100_000_000_i32.to_be_bytes()).expect("a size");
            stream.write_all(&[0]).expect("one byte");
            stream
        };
        let waiting: Vec<TcpStream> = (0..500).map(announce).collect();
        for _ in 0..50 {
            let mut other = connect(broker.address(), LIMIT).expect("a connection");
            ask(&mut other).expect("others are served");
        }
        drop(waiting);
    });
}

#[test]
fn unknown_keys_and_versions_close_the_connection() {
    undisturbed(16 * MIB, |broker| {
        let cases = [(999, 0), (-1, 0), (i16::MAX, 0), (i16::MIN, 0), (3, 99), (3, -1), (0, 127)];
        for (key, version) in cases {
            let end = send(broker.address(), &frame(key, version, 5, &[0; 16]), false);
            assert_eq!(end, End::Closed, "key {key}, version {version}");
        }
    });
}

#[test]
fn api_versions_too_new_are_answered_in_version_0() {
    let broker = Broker::start(Kind::Gofka, &[]);
    let mut stream = connect(broker.address(), LIMIT).expect("a connection");
    // A flexible header ends with its tagged fields, here none; the body is for the future.
    stream.write_all(&frame(18, 99, 4, &[0, 1, 2, 3])).expect("a request");
    let (correlation_id, body) = read_response(&mut stream).expect("an answer");
    assert_eq!(correlation_id, 4);
    assert_eq!(body[..2], 35_i16.to_be_bytes(), "UNSUPPORTED_VERSION");
    assert_eq!(body[2..6], 1_i32.to_be_bytes(), "one range: that of ApiVersions");
    assert_eq!(body[6..8], 18_i16.to_be_bytes());
    // The connection goes on: clients ask again in a version that they were told.
    stream.write_all(&api_versions(5)).expect("a request");
    let (correlation_id, body) = read_response(&mut stream).expect("an answer");
    assert_eq!((correlation_id, &body[..2]), (5, &[0, 0][..]));
}

#[test]
fn counts_that_lie_are_refused_before_memory_is_taken() {
    let bodies: [&[u8]; 5] = [
        &[0x7f, 0xff, 0xff, 0xff],
        &[0xff; 12],
        &[0x00; 3],
        // A compact array of two thousand million elements, and a nullable string before it.
        &[0x00, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00],
        &[0x00, 0x01, b'x', 0x7f, 0xff, 0xff, 0xf0, 0x7f, 0xff, 0xff, 0xf0],
    ];
    undisturbed(64 * MIB, |broker| {
        for key in 0..=94 {
            for version in 0..=18 {
                for body in bodies {
                    // Sent without waiting: what counts is that nothing breaks.
                    let mut stream = connect(broker.address(), LIMIT).expect("a connection");
                    stream.write_all(&frame(key, version, 1, body)).ok();
                }
            }
        }
    });
}

#[test]
fn millions_of_real_tagged_fields_are_refused() {
    let mut body = vec![0x01, 0x01];
    varint(20_000_000, &mut body);
    for tag in 0..20_000_000 {
        varint(tag, &mut body);
        body.push(0);
    }
    body.truncate(100_000_000);
    let bytes = frame(18, 3, 1, &body);
    let size = bytes.len() as u64;
    undisturbed(size + 64 * MIB, |broker| {
        send(broker.address(), &bytes, true);
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let broker = Broker::start(Kind::Gofka, &[]);
    let mut stream = connect(broker.address(), LIMIT).expect("a connection");
    let requests: Vec<u8> = (0..200).flat_map(api_versions).collect();
    stream.write_all(&requests).expect("requests");
    for expected in 0..200 {
        assert_eq!(read_response(&mut stream).expect("an answer").0, expected);
    }
}

#[test]
fn a_thousand_connections_that_are_reset_leave_nothing_behind() {
    undisturbed(32 * MIB, |broker| {
        let pid = broker.pid().expect("it runs");
        let files = || fs::read_dir(format!("/proc/{pid}/fd")).expect("it lives").count();
        let before = files();
        for _ in 0..1000 {
            let mut stream = connect(broker.address(), LIMIT).expect("a connection");
            stream.write_all(&api_versions(1)[..9]).ok();
            // Unread data in either direction makes the close a reset.
        }
        let settled = compat_tests::process::eventually(LIMIT, || files() <= before + 16);
        assert!(settled, "{} files open, {before} before", files());
    });
}

fn varint(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
