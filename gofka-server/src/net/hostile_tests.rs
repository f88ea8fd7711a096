//! Every API of the table at every version over real sockets and a real broker: valid bodies with
//! random contents are answered, mutated ones are answered or end their connection, in time, and
//! memory stays bounded.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::*;
use crate::api::{ListenerInfo, ListenerKind, TABLE};
use crate::broker::Broker;
use kafka_protocol::messages::ApiKey;

const CLIENTS: u64 = 8;
const SEEDS: u64 = 4;
/// A connection whose client has ended its side is over soon, whatever it asked for.
const ANSWER_MAX: Duration = Duration::from_secs(60);
const MEMORY_BYTES_MAX: usize = 512 << 20;

#[derive(Clone, Copy)]
struct Case {
    key: i16,
    version: i16,
    header_version: i16,
    seed: u64,
}

impl Case {
    fn frame(self, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.key.to_be_bytes());
        bytes.extend(self.version.to_be_bytes());
        bytes.extend(77i32.to_be_bytes());
        bytes.extend([0, 1, b'h']);
        if self.header_version >= 2 {
            bytes.push(0);
        }
        bytes.extend(body);
        [&(bytes.len() as i32).to_be_bytes()[..], &bytes].concat()
    }

    /// Requests whose contents may rightly ask for a long wait, or for no answer.
    fn may_be_silent(self) -> bool {
        let silent = [ApiKey::Produce, ApiKey::Fetch, ApiKey::JoinGroup, ApiKey::SyncGroup];
        silent.iter().any(|key| *key as i16 == self.key)
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in TABLE {
        for version in entry.api.lowest()..=entry.api.highest() {
            let header_version = entry.api.request_header_version(version);
            let key = entry.api.key();
            let case = |seed| Case { key, version, header_version, seed };
            cases.extend((1..=SEEDS).map(case));
        }
    }
    cases
}

/// Sends `bytes`, ends the client's side, and gives what came back before the server ended its.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("the server accepts");
    let mut answer = Vec::new();
    let talk = async {
        // The server may have closed already; what it said before still counts.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(ANSWER_MAX, talk).await.expect("an answer or an end in time");
    answer
}

async fn check(address: SocketAddr, case: Case) {
    let body = grammar::sample_body(case.key, case.version, case.seed);
    let answer = exchange(address, &case.frame(&body)).await;
    let at = format!("key {} version {} seed {}", case.key, case.version, case.seed);
    if !case.may_be_silent() {
        assert!(answer.len() > 8, "{at}: a valid request got no answer: {body:?}");
    }
    assert!(answer.is_empty() || answer[4..8] == 77i32.to_be_bytes(), "{at}: {answer:?}");
    for (index, value) in [(0, 0xff), (1, 0x7f), (2, 0x80), (3, 0xff), (5, 0x01), (9, 0xff)] {
        let mut mutated = body.clone();
        let step = mutated.len() / 7 + 1;
        for byte in mutated.iter_mut().skip(index).step_by(step + case.seed as usize) {
            *byte = value;
        }
        exchange(address, &case.frame(&mutated)).await;
    }
}

fn peak_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("it has a peak");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<usize>().ok()).expect("KiB") * 1024
}

#[test]
fn every_request_gets_an_answer_or_an_end() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let broker = Broker::for_tests(dir.path()).await;
        let info = ListenerInfo { name: "PLAINTEXT".into(), kind: ListenerKind::Client };
        let spec = ListenerSpec { info, host: "127.0.0.1".into(), port: 0 };
        let bound = Bound::bind(&[spec], &NetOptions::default()).await.unwrap();
        let address = bound.addresses()[0][0];
        let listeners = bound.start(broker, NetOptions::default());
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            clients.spawn(async move {
                for case in cases().into_iter().skip(client as usize).step_by(CLIENTS as usize) {
                    check(address, case).await;
                }
            });
        }
        while let Some(client) = clients.join_next().await {
            client.expect("no client found a fault");
        }
        listeners.stop(Duration::ZERO).await;
    });
    assert!(peak_bytes() < MEMORY_BYTES_MAX, "{} bytes at the peak", peak_bytes());
}
