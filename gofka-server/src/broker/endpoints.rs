//! What clients are told to connect to.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use gofka_raft::Endpoint;

use crate::config::{Listener, ServerConfig};

/// A name that takes longer to look up is not worth holding up the start.
const LOOK_UP: Duration = Duration::from_millis(50);
/// Kafka's number of PLAINTEXT.
const PLAINTEXT: i16 = 0;

/// One endpoint a listener: as `advertised.listeners` says, else as the listener is bound, with
/// the ports that it got.
pub(super) async fn advertised(config: &ServerConfig, ports: &[u16]) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for (listener, port) in config.listeners.iter().zip(ports) {
        let given = config.advertised.iter().find(|given| given.name == listener.name);
        let (host, port) = match given {
            Some(Listener { address, .. }) => {
                let host = address.host.clone().unwrap_or_default();
                (host, if address.port == 0 { *port } else { address.port })
            }
            None => (own_host(listener).await, *port),
        };
        let listener = listener.name.clone();
        endpoints.push(Endpoint { listener, host, port, security_protocol: PLAINTEXT });
    }
    endpoints
}

async fn own_host(listener: &Listener) -> String {
    match &listener.address.host {
        Some(host) if !listener.address.is_wildcard() => host.clone(),
        _ => machine_name().await,
    }
}

/// The machine's name where it can be looked up, else an address that others can reach.
async fn machine_name() -> String {
    let uname = rustix::system::uname();
    if let Ok(name) = uname.nodename().to_str()
        && !name.is_empty()
        && let Ok(Ok(mut found)) =
            tokio::time::timeout(LOOK_UP, tokio::net::lookup_host((name, 0))).await
        && found.next().is_some()
    {
        return name.to_owned();
    }
    outward_address().unwrap_or_else(|| "localhost".to_owned())
}

/// The address that packets to elsewhere would leave from. None is sent: connecting a UDP socket
/// only picks a route.
fn outward_address() -> Option<String> {
    /// Kept free for documents (RFC 5737), so that it is nobody's.
    const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ELSEWHERE).ok()?;
    Some(socket.local_addr().ok()?.ip().to_string())
}
