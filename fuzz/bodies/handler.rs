//! Whole frames at a broker that runs in this process: sockets, headers, grammar, codec, handlers
//! and what lies behind them. A panic in any thread of the process is a finding.
//!
//! The first two bytes choose key and version, the rest follows the correlation id: client id,
//! tags, body. Seeds are valid requests of every API that is served at every version.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use gofka_server::api::TABLE;
use gofka_server::config::{Inputs, Role, ServerConfig};
use gofka_server::logging::Logging;
use gofka_server::net::grammar;

/// Requests may rightly wait for records or members; the next input does not wait with them.
const PATIENCE: Duration = Duration::from_millis(20);

static BROKER: OnceLock<SocketAddr> = OnceLock::new();

fn free() -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("it is bound")
}

/// Starts the broker with its data in `dir`.
pub(crate) fn start(dir: &Path) {
    let [client, http, raft] = [(); 3].map(|()| free());
    let flags = [
        ("addr", client.to_string()),
        ("http.addr", http.to_string()),
        ("raft.addr", raft.to_string()),
        ("log.dir", dir.display().to_string()),
        ("durability", "page-cache".to_owned()),
        ("offsets.topic.num.partitions", "2".to_owned()),
    ];
    let flags = flags.map(|(name, value)| (name.to_owned(), value)).into();
    let inputs = Inputs { role: Role::Combined, file: None, environment: Vec::new(), flags };
    let config = ServerConfig::load(&inputs).expect("the settings are valid");
    std::thread::spawn(move || {
        gofka_server::broker::run(config, &Logging::silent("error")).expect("the broker runs");
    });
    while TcpStream::connect(client).is_err() {
        std::thread::yield_now();
    }
    BROKER.set(client).expect("started once");
}

pub(crate) fn seeds() -> impl Iterator<Item = Vec<u8>> {
    (0u8..).zip(TABLE).flat_map(|(which, entry)| {
        (entry.api.lowest()..=entry.api.highest()).flat_map(move |version| {
            let nth = (version - entry.api.lowest()) as u8;
            let tags = if entry.api.request_header_version(version) >= 2 { &[0][..] } else { &[] };
            (1..4).map(move |seed| {
                let body = grammar::sample_body(entry.api.key(), version, seed);
                [&[which, nth, 0, 1, b'f'], tags, &body[..]].concat()
            })
        })
    })
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    let [which, version, rest @ ..] = data else { return };
    let api = &TABLE[*which as usize % TABLE.len()].api;
    let version = api.lowest() + i16::from(*version) % (api.highest() - api.lowest() + 1);
    let mut frame = Vec::new();
    frame.extend((rest.len() as i32 + 8).to_be_bytes());
    frame.extend(api.key().to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend([0, 0, 0, 1]);
    frame.extend(rest);
    let address = BROKER.get().expect("it was started");
    let mut stream = TcpStream::connect(address).expect("the broker accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes a time-out");
    let mut answer = [0; 4096];
    if stream.write_all(&frame).is_ok() {
        let _ = stream.read(&mut answer);
    }
}
