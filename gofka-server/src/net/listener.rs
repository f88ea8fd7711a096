//! Listening sockets: bound before anything is touched, accepting once the broker serves.
//!
//! Made and stopped by `broker.rs`. One task per socket, one per connection, all in one tracker
//! that stopping waits for.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use super::connection;
use super::options::NetOptions;
use super::quota::{ConnectionQuota, ConnectionSlot};
use super::shared::Shared;
use crate::api::{ConnectionInfo, ListenerInfo};
use crate::broker::Broker;

/// The wait before accepting again when the process or the machine is out of descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// The send buffer towards a client on this machine, as large as Kafka's. It takes what is sent at
/// once, so more would gain nothing, and cools down before it is read (docs/adr/0007).
const SAME_MACHINE_SEND_BYTES: usize = 100 << 10;

/// Where one listener listens.
#[derive(Clone, Debug)]
pub struct ListenerSpec {
    /// Its name and kind.
    pub info: ListenerInfo,
    /// A host name or address; empty means every address, `localhost` both loopbacks.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
}

/// An address could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("listener {listener} cannot listen on {address}: {why}", why = self.why())]
pub struct BindError {
    /// The listener's name.
    pub listener: String,
    /// The address as it was asked for.
    pub address: String,
    source: io::Error,
}

impl BindError {
    /// Whether another process has the port.
    pub fn is_in_use(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }

    fn why(&self) -> String {
        if self.is_in_use() {
            return "the address is already in use; stop what listens there, or choose another one \
                    with --addr or listeners"
                .to_owned();
        }
        plain(&self.source)
    }
}

/// An error of the operating system in words alone.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

struct BoundListener {
    info: Arc<ListenerInfo>,
    sockets: Vec<TcpListener>,
    port: u16,
}

/// Listeners whose ports are taken; clients that connect wait until they are started.
pub struct Bound(Vec<BoundListener>);

impl Bound {
    /// Binds every listener, or none. Needs a runtime.
    pub async fn bind(specs: &[ListenerSpec], options: &NetOptions) -> Result<Self, BindError> {
        let mut bound = Vec::new();
        for spec in specs {
            let fail = |source| BindError {
                listener: spec.info.name.clone(),
                address: format!("{}:{}", spec.host, spec.port),
                source,
            };
            let sockets = bind(spec, options).await.map_err(fail)?;
            let port = sockets[0].local_addr().map_err(fail)?.port();
            bound.push(BoundListener { info: Arc::new(spec.info.clone()), sockets, port });
        }
        Ok(Self(bound))
    }

    /// The port of each listener, in the order they were given.
    pub fn ports(&self) -> Vec<u16> {
        self.0.iter().map(|listener| listener.port).collect()
    }

    /// The addresses that each listener listens on.
    pub fn addresses(&self) -> Vec<Vec<SocketAddr>> {
        let of = |listener: &BoundListener| {
            listener.sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
        };
        self.0.iter().map(of).collect()
    }

    /// Begins to accept.
    pub fn start(self, broker: Arc<Broker>, options: NetOptions) -> Listeners {
        self.start_shared(Arc::new(Shared::new(broker, options)))
    }

    pub(super) fn start_shared(self, shared: Arc<Shared>) -> Listeners {
        for listener in self.0 {
            for socket in listener.sockets {
                let accept = accept(socket, listener.info.clone(), shared.clone());
                shared.tasks.spawn(accept);
            }
        }
        Listeners { shared }
    }
}

async fn bind(spec: &ListenerSpec, options: &NetOptions) -> io::Result<Vec<TcpListener>> {
    let v4 = |address| SocketAddr::new(IpAddr::V4(address), spec.port);
    let v6 = |address| SocketAddr::new(IpAddr::V6(address), spec.port);
    match spec.host.as_str() {
        "" => match listen(v6(Ipv6Addr::UNSPECIFIED), options) {
            Ok(both) => Ok(vec![both]),
            Err(error) if has_no_ipv6(&error) => {
                Ok(vec![listen(v4(Ipv4Addr::UNSPECIFIED), options)?])
            }
            Err(error) => Err(error),
        },
        "localhost" => {
            let first = listen(v4(Ipv4Addr::LOCALHOST), options)?;
            let port = first.local_addr()?.port();
            let mut sockets = vec![first];
            match listen(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port), options) {
                Ok(second) => sockets.push(second),
                Err(error) if has_no_ipv6(&error) => {}
                // A port of our own choice may be taken on the other family; one that was asked
                // for may not.
                Err(_) if spec.port == 0 => {}
                Err(error) => return Err(error),
            }
            Ok(sockets)
        }
        host => {
            let mut addresses: Vec<_> = tokio::net::lookup_host((host, spec.port)).await?.collect();
            addresses.dedup();
            let sockets: io::Result<Vec<_>> =
                addresses.into_iter().map(|address| listen(address, options)).collect();
            let sockets = sockets?;
            if sockets.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
            }
            Ok(sockets)
        }
    }
}

fn has_no_ipv6(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn listen(address: SocketAddr, options: &NetOptions) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // Inherited by accepted sockets; must be set before listening to shape the TCP window.
    if let Some(bytes) = options.receive_buffer_bytes {
        socket.set_recv_buffer_size(bytes)?;
    }
    if let Some(bytes) = options.send_buffer_bytes {
        socket.set_send_buffer_size(bytes)?;
    }
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
    TcpListener::from_std(socket.into())
}

/// Listeners that accept.
pub struct Listeners {
    shared: Arc<Shared>,
}

impl Listeners {
    /// The limits of connections, which can change while the listeners run.
    pub fn quota(&self) -> ConnectionQuota {
        self.shared.quota.clone()
    }

    /// Stops accepting and reading, and waits at most `bound` for answers in flight to leave.
    /// What is still open then is closed.
    pub async fn stop(self, bound: Duration) {
        self.shared.stopping.cancel();
        self.shared.tasks.close();
        if tokio::time::timeout(bound, self.shared.tasks.wait()).await.is_err() {
            self.shared.aborting.cancel();
            self.shared.tasks.wait().await;
        }
    }
}

async fn accept(socket: TcpListener, info: Arc<ListenerInfo>, shared: Arc<Shared>) {
    let mut pauses = false;
    loop {
        let accepted = tokio::select! {
            biased;
            () = shared.stopping.cancelled() => return,
            accepted = accept_one(&socket, &shared, &mut pauses) => accepted,
        };
        if let Some((stream, peer, slot)) = accepted {
            open(stream, peer, slot, &info, &shared);
        }
    }
}

/// Accepts the next connection, unless it fails or may not come. `pauses`: the last attempt
/// failed for want of something; that is said once, not at every attempt.
async fn accept_one(
    socket: &TcpListener,
    shared: &Shared,
    pauses: &mut bool,
) -> Option<(TcpStream, SocketAddr, ConnectionSlot)> {
    match socket.accept().await {
        Ok((stream, peer)) => {
            *pauses = false;
            let slot = shared.quota.admit(peer.ip()).await;
            if slot.is_none() {
                let problem = "connection refused: max.connections.per.ip is reached";
                shared.complaints.say(shared.clock.monotonic(), peer, problem);
            }
            slot.map(|slot| (stream, peer, slot))
        }
        Err(error) if is_of_one_connection(&error) => None,
        Err(error) => {
            if !std::mem::replace(pauses, true) {
                tracing::warn!(%error, "no connection can be accepted for now");
            }
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}

/// The client was gone before it was accepted; the listener itself is well.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

fn open(
    stream: TcpStream,
    peer: SocketAddr,
    slot: ConnectionSlot,
    listener: &Arc<ListenerInfo>,
    shared: &Arc<Shared>,
) {
    let Ok(local) = stream.local_addr() else { return };
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let local = SocketAddr::new(local.ip().to_canonical(), local.port());
    let is_same_machine = peer.ip().is_loopback() || peer.ip() == local.ip();
    set_up(&stream, is_same_machine, &shared.options);
    let info = Arc::new(ConnectionInfo {
        id: shared.next_connection_id(),
        peer,
        local,
        listener: listener.clone(),
        software: OnceLock::new(),
    });
    let counted = Counted::new(shared.clone(), slot);
    let shared = shared.clone();
    shared.tasks.clone().spawn(async move {
        let _counted = counted;
        let aborting = shared.aborting.clone();
        tokio::select! {
            biased;
            () = connection::run(stream, shared, info) => {}
            () = aborting.cancelled() => {}
        }
    });
}

/// What fails here is a connection that is gone, which its reader finds out.
fn set_up(stream: &TcpStream, is_same_machine: bool, options: &NetOptions) {
    // Replies are written whole; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let _ = socket.set_keepalive(true);
    if is_same_machine && options.send_buffer_bytes.is_none() {
        let _ = socket.set_send_buffer_size(SAME_MACHINE_SEND_BYTES);
    }
}

/// Counts a connection as open until it is dropped, also when its task panics.
struct Counted {
    shared: Arc<Shared>,
    _slot: ConnectionSlot,
}

impl Counted {
    fn new(shared: Arc<Shared>, slot: ConnectionSlot) -> Self {
        shared.metrics.connections_accepted.inc();
        shared.metrics.active_connections.inc();
        Self { shared, _slot: slot }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.shared.metrics.connections_closed.inc();
        self.shared.metrics.active_connections.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_client_on_this_machine_has_a_small_send_buffer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = NetOptions { send_buffer_bytes: Some(8192), ..NetOptions::default() };
        let size = async |is_same_machine, options: &NetOptions| {
            let stream = TcpStream::connect(address).await.expect("a connection");
            let before = SockRef::from(&stream).send_buffer_size().expect("a size");
            set_up(&stream, is_same_machine, options);
            (before, SockRef::from(&stream).send_buffer_size().expect("a size"))
        };
        // Linux keeps twice what it is asked for.
        let (_, near) = size(true, &NetOptions::default()).await;
        assert_eq!(near, 2 * SAME_MACHINE_SEND_BYTES);
        let (before, far) = size(false, &NetOptions::default()).await;
        assert_eq!(far, before);
        let (before, chosen) = size(true, &asked).await;
        assert_eq!(chosen, before, "the listening socket has what was asked for");
    }
}
