//! Bounds on HTTP connections: how many, and how long one may say nothing.
//!
//! Used by `http::serve`; one object per listener, one per connection.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

/// Connections at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 128;
/// A connection without a byte for so long is closed; scrapers come every minute at most.
const IDLE_MAX: Duration = Duration::from_secs(90);
/// The wait after a failure that is not the connection's own.
const PAUSE: Duration = Duration::from_millis(100);

/// A listener that accepts no more than so many connections.
pub(super) struct Limited {
    listener: TcpListener,
    slots: Arc<Semaphore>,
    idle_max: Duration,
}

impl Limited {
    pub(super) fn new(listener: TcpListener) -> Self {
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Self { listener, slots, idle_max: IDLE_MAX }
    }
}

impl axum::serve::Listener for Limited {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let slot = self.slots.clone().acquire_owned().await.expect("it is never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    let idle_max = self.idle_max;
                    let idle = Box::pin(sleep(idle_max));
                    return (Connection { stream, idle, idle_max, _slot: slot }, peer);
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when it is silent for too long.
pub(super) struct Connection {
    stream: TcpStream,
    idle: Pin<Box<Sleep>>,
    idle_max: Duration,
    _slot: OwnedSemaphorePermit,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            let idle_max = self.idle_max;
            self.idle.as_mut().set(sleep(idle_max));
            return Poll::Ready(read);
        }
        ready!(self.idle.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::serve::Listener;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn a_silent_connection_ends_and_gives_its_slot_back() {
        let mut limited = Limited::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        limited.idle_max = Duration::from_millis(10);
        let address = limited.local_addr().unwrap();
        let _client = std::net::TcpStream::connect(address).unwrap();
        let (mut connection, _) = limited.accept().await;
        assert_eq!(limited.slots.available_permits(), CONNECTIONS_MAX - 1);
        let read = connection.read_u8().await.unwrap_err();
        assert_eq!(read.kind(), io::ErrorKind::TimedOut);
        drop(connection);
        assert_eq!(limited.slots.available_permits(), CONNECTIONS_MAX);
    }
}
