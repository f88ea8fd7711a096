//! Connections over loopback, with handlers made for the purpose.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::shared::Shared;
use super::*;
use crate::api::{
    self, Api, BoxFuture, Entry, ListenerInfo, ListenerKind, Outcome, Reply, RequestContext,
    UndecodableBody,
};
use crate::broker::Broker;
use kafka_protocol::messages::{HeartbeatRequest, ProduceRequest};

/// Heartbeat here: the answer is the client id; `wait` never answers, `silent` and `close` do so.
static HEARTBEAT: Api = Api::new::<HeartbeatRequest>(0, 3);
static HEARTBEAT_ENTRY: Entry = Entry { api: &HEARTBEAT, handler: by_client_id };
/// Produce here: the answer is the size of the body.
static PRODUCE: Api = Api::new::<ProduceRequest>(3, 3);
static PRODUCE_ENTRY: Entry = Entry { api: &PRODUCE, handler: by_size };

fn by_client_id(
    context: &RequestContext,
    _body: Bytes,
) -> BoxFuture<'_, Result<Outcome, UndecodableBody>> {
    let client_id = context.client_id().to_owned();
    let reply = Reply::parts(vec![Bytes::from(client_id.clone())]);
    let outcome = match client_id.as_str() {
        "wait" => Outcome::later(std::future::pending()),
        "yield" => Outcome::later(async move {
            tokio::task::yield_now().await;
            reply
        }),
        "silent" => Outcome::Silent,
        "close" => Outcome::Close,
        "large" => Outcome::Now(Reply::parts(vec![Bytes::from(vec![0; 64 << 20])])),
        _ => Outcome::Now(reply),
    };
    Box::pin(std::future::ready(Ok(outcome)))
}

#[allow(clippy::needless_pass_by_value)] // the table's signature
fn by_size(
    context: &RequestContext,
    body: Bytes,
) -> BoxFuture<'_, Result<Outcome, UndecodableBody>> {
    let size = Bytes::copy_from_slice(&(body.len() as u32).to_be_bytes());
    let _ = context;
    Box::pin(std::future::ready(Ok(Outcome::Now(Reply::parts(vec![size])))))
}

fn find(key: i16) -> Option<&'static Entry> {
    match key {
        0 => Some(&PRODUCE_ENTRY),
        12 => Some(&HEARTBEAT_ENTRY),
        key => api::find(key),
    }
}

struct Server {
    listeners: Listeners,
    address: std::net::SocketAddr,
    broker: Arc<Broker>,
    _dir: tempfile::TempDir,
}

async fn server(options: NetOptions) -> Server {
    let info = ListenerInfo { name: "PLAINTEXT".into(), kind: ListenerKind::Client };
    let spec = ListenerSpec { info, host: "127.0.0.1".into(), port: 0 };
    let bound = Bound::bind(&[spec], &options).await.unwrap();
    let address = bound.addresses()[0][0];
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::for_tests(dir.path()).await;
    let mut shared = Shared::new(broker.clone(), options);
    shared.find = find;
    let listeners = bound.start_shared(Arc::new(shared));
    Server { listeners, address, broker, _dir: dir }
}

fn frame(key: i16, version: i16, correlation_id: i32, client_id: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(key.to_be_bytes());
    bytes.extend(version.to_be_bytes());
    bytes.extend(correlation_id.to_be_bytes());
    bytes.extend((client_id.len() as i16).to_be_bytes());
    bytes.extend(client_id.as_bytes());
    bytes.extend(body);
    [&(bytes.len() as i32).to_be_bytes()[..], &bytes].concat()
}

fn heartbeat(correlation_id: i32, client_id: &str) -> Vec<u8> {
    frame(12, 0, correlation_id, client_id, &[0; 8])
}

/// A produce request whose records are `size` bytes.
fn produce(size: usize) -> Vec<u8> {
    let mut body = vec![0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1];
    body.extend([0, 0, 0, 0]);
    body.extend((size as i32).to_be_bytes());
    body.resize(body.len() + size, 0);
    frame(0, 3, 1, "c", &body)
}

async fn reply(stream: &mut TcpStream) -> (i32, Vec<u8>) {
    let size = stream.read_i32().await.unwrap() as usize;
    let mut bytes = vec![0; size];
    stream.read_exact(&mut bytes).await.unwrap();
    let body = bytes.split_off(4);
    (i32::from_be_bytes(bytes.try_into().unwrap()), body)
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    matches!(stream.read(&mut byte).await, Ok(0) | Err(_))
}

/// Runs `test` against a server on a runtime of its own, and stops the server.
fn with_server<F: Future<Output = ()>>(
    options: NetOptions,
    test: impl FnOnce(std::net::SocketAddr, Arc<Broker>) -> F,
) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = server(options).await;
        let limit = Duration::from_secs(60);
        let test = test(server.address, server.broker.clone());
        tokio::time::timeout(limit, test).await.expect("the test ends by itself");
        server.listeners.stop(Duration::ZERO).await;
        assert_eq!(server.broker.metrics.active_connections.get(), 0);
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    with_server(NetOptions::default(), |address, _| async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut bytes = Vec::new();
        for id in 0..300 {
            let client_id = ["now", "yield", "silent"][id as usize % 3];
            bytes.extend(heartbeat(id, client_id));
        }
        stream.write_all(&bytes).await.unwrap();
        for id in (0..300).filter(|id| id % 3 != 2) {
            let (correlation_id, body) = reply(&mut stream).await;
            assert_eq!(correlation_id, id);
            assert_eq!(body, if id % 3 == 0 { &b"now"[..] } else { b"yield" });
        }
    });
}

#[test]
fn a_waiting_request_does_not_stop_the_reading_of_the_next() {
    with_server(NetOptions::default(), |address, broker| async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&heartbeat(1, "wait")).await.unwrap();
        stream.write_all(&heartbeat(2, "silent")).await.unwrap();
        stream.write_all(&heartbeat(3, "close")).await.unwrap();
        let received = || broker.metrics.prometheus_text().contains("api_version=\"0\"} 3");
        while !received() {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_large_frame_arrives_whole_however_it_is_cut() {
    with_server(NetOptions::default(), |address, broker| async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        for size in [0, 1, 5_000, 16_384, 70_000, 300_000, 3 << 20] {
            let bytes = produce(size);
            for chunk in bytes.chunks(bytes.len() / 3 + 1) {
                stream.write_all(chunk).await.unwrap();
                tokio::task::yield_now().await;
            }
            let (_, body) = reply(&mut stream).await;
            assert_eq!(body, (27 + size as u32).to_be_bytes());
        }
        assert!(broker.metrics.bytes_received.get() > 3 << 20);
    });
}

#[test]
fn frames_that_cannot_be_end_the_connection() {
    with_server(NetOptions::default(), |address, _| async move {
        let bad: &[&[u8]] = &[
            &[0xff, 0xff, 0xff, 0xff],
            &[0, 0, 0, 0],
            &[0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0],
            &[0x7f, 0xff, 0xff, 0xff],
            &[0x06, 0x40, 0, 1],
            b"GET / HTTP/1.1\r\n\r\n",
            &frame(999, 0, 1, "c", &[]),
            &frame(-1, 0, 1, "c", &[]),
            &frame(12, 99, 1, "c", &[0; 8]),
            &frame(12, 0, 1, "c", &[0; 3]),
            &frame(18, 3, 1, "c", &[]),
            &[0, 0, 0, 10, 0, 12, 0, 0, 0, 0, 0, 1, 0, 99],
            &[0, 4, 0, 0, 0, 12, 0, 0, 0, 0, 0, 1],
        ];
        for bytes in bad {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            assert!(is_closed(&mut stream).await, "{bytes:?}");
        }
    });
}

#[test]
fn answers_before_a_bad_request_still_leave() {
    with_server(NetOptions::default(), |address, _| async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut bytes = heartbeat(1, "yield");
        bytes.extend(heartbeat(2, "close"));
        stream.write_all(&bytes).await.unwrap();
        assert_eq!(reply(&mut stream).await, (1, b"yield".to_vec()));
        assert!(is_closed(&mut stream).await);
    });
}

#[test]
fn api_versions_of_an_unknown_version_is_answered_in_version_0() {
    with_server(NetOptions::default(), |address, _| async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        for (version, body) in [(99, &[0, 0xff, 0xff][..]), (-1, &[]), (5, &[0])] {
            stream.write_all(&frame(18, version, 7, "c", body)).await.unwrap();
            let answer = reply(&mut stream).await;
            assert_eq!(answer, (7, vec![0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4]));
        }
    });
}

#[test]
fn idle_connections_are_closed_and_waiting_ones_are_not() {
    let idle_max = Some(Duration::from_millis(50));
    with_server(NetOptions { idle_max, ..NetOptions::default() }, |address, _| async move {
        let mut waiting = TcpStream::connect(address).await.unwrap();
        waiting.write_all(&heartbeat(1, "wait")).await.unwrap();
        let mut idle = TcpStream::connect(address).await.unwrap();
        idle.write_all(&heartbeat(1, "x")).await.unwrap();
        assert_eq!(reply(&mut idle).await.1, b"x");
        assert!(is_closed(&mut idle).await);
        let mut byte = [0];
        assert!(waiting.try_read(&mut byte).is_err(), "it still waits");
    });
}

#[test]
fn a_client_that_does_not_read_is_closed() {
    let idle_max = Some(Duration::from_millis(50));
    with_server(NetOptions { idle_max, ..NetOptions::default() }, |address, broker| async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&heartbeat(1, "large")).await.unwrap();
        while broker.metrics.connections_closed.get() == 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn connections_beyond_the_limit_of_an_address_are_closed() {
    let limits = ConnectionLimits { per_ip_max: 1, ..ConnectionLimits::default() };
    let options = NetOptions { limits, ..NetOptions::default() };
    with_server(options, |address, _| async move {
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(&heartbeat(1, "x")).await.unwrap();
        reply(&mut first).await;
        let mut second = TcpStream::connect(address).await.unwrap();
        assert!(is_closed(&mut second).await);
        first.write_all(&heartbeat(2, "x")).await.unwrap();
        assert_eq!(reply(&mut first).await.0, 2);
    });
}

#[test]
fn stopping_lets_answers_leave_and_ends_the_rest() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = server(NetOptions::default()).await;
        let mut waiting = TcpStream::connect(server.address).await.unwrap();
        waiting.write_all(&heartbeat(1, "x")).await.unwrap();
        assert_eq!(reply(&mut waiting).await.0, 1);
        waiting.write_all(&heartbeat(2, "wait")).await.unwrap();
        let mut idle = TcpStream::connect(server.address).await.unwrap();
        idle.write_all(&heartbeat(1, "x")).await.unwrap();
        assert_eq!(reply(&mut idle).await.0, 1);
        server.listeners.stop(Duration::from_millis(50)).await;
        assert!(is_closed(&mut idle).await);
        assert!(is_closed(&mut waiting).await);
        assert!(TcpStream::connect(server.address).await.is_err());
        assert_eq!(server.broker.metrics.active_connections.get(), 0);
    });
}

#[test]
fn a_port_that_is_taken_is_said_by_name() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = NetOptions::default();
        let info = ListenerInfo { name: "PLAINTEXT".into(), kind: ListenerKind::Client };
        let spec = ListenerSpec { info: info.clone(), host: "localhost".into(), port: 0 };
        let bound = Bound::bind(&[spec], &options).await.unwrap();
        let port = bound.ports()[0];
        let again = ListenerSpec { info, host: "127.0.0.1".into(), port };
        let error = Bound::bind(&[again], &options).await.err().expect("the port is taken");
        assert!(error.is_in_use());
        assert!(
            error.to_string().contains(&format!("PLAINTEXT cannot listen on 127.0.0.1:{port}"))
        );
    });
}
