//! The internal port: held for other nodes, none of which is served yet, so that a connection is
//! closed at once rather than left to wait.

use std::net::TcpListener;
use std::time::Duration;

use crate::clock::Clock;
use crate::net::Complaints;

/// The wait after a failure that is not the connection's own.
const PAUSE: Duration = Duration::from_millis(100);

/// Closes what connects, until it is dropped.
pub(super) async fn refuse(listener: TcpListener, clock: Clock) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let complaints = Complaints::default();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                drop(stream);
                let problem = "internal connection closed: other nodes are not served yet";
                complaints.say(clock.monotonic(), peer, problem);
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
