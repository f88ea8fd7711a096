//! The pages, asked for over a real socket.

use super::*;
use crate::config::Address;
use std::io::{Read, Write};

fn choice(port: u16, asked_for: bool) -> PortChoice {
    PortChoice { address: Address { host: Some("127.0.0.1".into()), port }, asked_for }
}

fn health(status: Status, ready: bool) -> Health {
    let part = |name, status| Component { name, status, detail: "because".to_owned() };
    let components = vec![
        part("broker", Status::Healthy),
        part("raft", status),
        part("storage", Status::Healthy),
    ];
    Health { components, ready }
}

/// The answer to a GET, head and body.
fn get(health: Health, path: &str, accept: &str) -> String {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = bind("HTTP", &choice(0, true)).unwrap().listener;
    let address = listener.local_addr().unwrap();
    let pages = Pages::new(Arc::new(Metrics::new()), move || health.clone());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = runtime.spawn(serve(listener, pages, async {
        let _ = stopped.await;
    }));
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\naccept: {accept}\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    stop.send(()).unwrap();
    runtime.block_on(server).unwrap().unwrap();
    answer
}

#[test]
fn metrics_are_prometheus_text_unless_open_metrics_is_asked_for() {
    let plain = get(health(Status::Healthy, true), "/metrics", "*/*");
    assert!(plain.contains("content-type: text/plain; version=0.0.4"), "{plain}");
    assert!(plain.contains("# TYPE gofka_bytes_sent_total counter"), "{plain}");
    let accept = "application/openmetrics-text; version=1.0.0";
    let open = get(health(Status::Healthy, true), "/metrics", accept);
    assert!(open.contains("content-type: application/openmetrics-text"), "{open}");
    assert!(open.contains("# EOF"), "{open}");
}

#[test]
fn the_root_names_every_page() {
    let index = get(health(Status::Healthy, true), "/", "*/*");
    assert!(index.starts_with("HTTP/1.1 200") && index.contains("text/plain"), "{index}");
    for page in ["/metrics", "/health", "/health/live", "/health/ready"] {
        assert!(index.contains(&format!("\n{page} ")), "{index}");
    }
}

#[test]
fn health_tells_the_worst_component() {
    let cases = [
        (Status::Healthy, "200", "healthy"),
        (Status::Degraded, "200", "degraded"),
        (Status::Unhealthy, "503", "unhealthy"),
    ];
    for (status, code, name) in cases {
        let answer = get(health(status, true), "/health", "*/*");
        assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{answer}");
        let body: serde_json::Value =
            serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(body["status"], name);
        assert_eq!(body["components"]["raft"]["status"], name);
        assert_eq!(body["components"]["broker"]["status"], "healthy");
        assert_eq!(body["components"]["storage"]["status"], "healthy");
    }
}

#[test]
fn ready_and_live_are_not_the_same() {
    let sick = || health(Status::Unhealthy, false);
    assert!(get(sick(), "/health/live", "*/*").starts_with("HTTP/1.1 200"));
    assert!(get(sick(), "/health/ready", "*/*").starts_with("HTTP/1.1 503"));
    assert!(get(health(Status::Healthy, true), "/health/ready", "*/*").starts_with("HTTP/1.1 200"));
    assert!(get(sick(), "/nothing", "*/*").starts_with("HTTP/1.1 404"));
}

#[test]
fn a_default_port_that_is_taken_moves_on_and_one_asked_for_does_not() {
    let taken = bind("HTTP", &choice(0, true)).unwrap();
    assert_eq!(taken.notice, None);
    let port = taken.listener.local_addr().unwrap().port();
    let moved = bind("HTTP", &choice(port, false)).unwrap();
    let new = moved.listener.local_addr().unwrap().port();
    assert!(new > port);
    assert_eq!(moved.notice, Some(format!("HTTP port {port} is taken; using {new}")));
    let error = bind("HTTP", &choice(port, true)).unwrap_err();
    let expected = format!("HTTP address 127.0.0.1:{port} is already in use; ");
    assert!(error.starts_with(&expected) && error.ends_with("--http.addr"), "{error}");
}
