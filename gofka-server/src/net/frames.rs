//! Frames out of a socket: size, limits, and memory that grows as bytes arrive.
//!
//! Called by a connection's reader. What a frame's length claims is never allocated: the buffer
//! grows with what has come. A whole frame is one buffer, which becomes the request's `Bytes`.

use std::cell::RefCell;
use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::ApiKey;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::activity::Activity;
use super::header::{PRELUDE_BYTES, Prelude};
use super::memory::MemoryPermit;
use super::shared::Shared;
use crate::api::Entry;

const SIZE_BYTES: usize = 4;
/// What one read takes when it is not known what comes; small requests arrive whole in it.
const SCRATCH_BYTES: usize = 16 << 10;
/// The first buffer of a larger frame that has filled the scratch.
const LARGE_BYTES: usize = 64 << 10;
/// A frame's buffer may be this many times what has come of it.
const GROWTH: usize = 4;
/// The most that earlier frames earn the next one as its first buffer.
const PROVEN_BYTES_MAX: usize = 1 << 20;

/// Requests up to this size do not wait for memory.
pub(super) const SMALL_BYTES: usize = SCRATCH_BYTES;

thread_local! {
    /// An idle connection owns no buffer; it reads into its thread's and keeps what came.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into());
}

/// One whole request.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) prelude: Prelude,
    /// The API's row. It serves the version, or answers any.
    pub(super) entry: &'static Entry,
    /// What follows the prelude.
    pub(super) rest: Bytes,
    /// The frame's bytes, size included.
    pub(super) bytes: usize,
    pub(super) permit: MemoryPermit,
}

/// Why no frame follows.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the connection ended inside a frame")]
    EndInside,
    #[error("a frame of {size} bytes: {hint}")]
    Size { size: i32, hint: &'static str },
    #[error("a request of {size} bytes to {api} is larger than {limit} allowed there")]
    TooLargeForApi { size: usize, api: String, limit: usize },
    #[error("API key {0}{name} is not served", name = in_brackets(*.0))]
    UnservedKey(i16),
    #[error("{api} version {version} is not served")]
    UnservedVersion { api: String, version: i16 },
}

/// The name of an API that Kafka has and this table has not: it says what a client tried.
fn in_brackets(key: i16) -> String {
    ApiKey::try_from(key).map_or_else(|()| String::new(), |key| format!(" ({key:?})"))
}

/// The receiving side of one connection.
pub(super) struct Frames<'a> {
    stream: &'a TcpStream,
    shared: &'a Shared,
    activity: &'a Activity,
    received: BytesMut,
    proven_bytes: usize,
}

impl<'a> Frames<'a> {
    pub(super) fn new(stream: &'a TcpStream, shared: &'a Shared, activity: &'a Activity) -> Self {
        Self { stream, shared, activity, received: BytesMut::new(), proven_bytes: 0 }
    }

    /// The next frame; `None` when the client ended the connection between frames.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        while self.received.len() < SIZE_BYTES + PRELUDE_BYTES {
            if let Some(size) = self.received.first_chunk::<SIZE_BYTES>() {
                self.check_size(*size)?;
            }
            if !self.receive(None).await? {
                if self.received.is_empty() {
                    return Ok(None);
                }
                return Err(FrameError::EndInside);
            }
        }
        let (size, rest) = self.received.split_first_chunk().expect("that many were received");
        let prelude = Prelude::parse(*rest.first_chunk().expect("that many were received"));
        let size = self.check_size(*size)?;
        let entry = self.check_api(prelude, size)?;
        let bytes = SIZE_BYTES + size;
        let permit = self.receive_all(bytes).await?;
        self.activity.frame_rests();
        let mut frame = self.received.split_to(bytes);
        if self.received.is_empty() {
            self.received = BytesMut::new();
        }
        frame.advance(SIZE_BYTES + PRELUDE_BYTES);
        Ok(Some(Frame { prelude, entry, rest: frame.freeze(), bytes, permit }))
    }

    fn check_size(&self, bytes: [u8; SIZE_BYTES]) -> Result<usize, FrameError> {
        let size = i32::from_be_bytes(bytes);
        let limit = self.shared.options.request_bytes_max;
        let hint = match &bytes {
            [0x16, 0x03, ..] => "the client speaks TLS, this listener does not",
            b"GET " | b"POST" | b"HEAD" | b"PUT " => "the client speaks HTTP, this is Kafka's port",
            _ if size < PRELUDE_BYTES as i32 => "too small for a request",
            _ => "larger than socket.request.max.bytes",
        };
        match usize::try_from(size) {
            Ok(size) if size >= PRELUDE_BYTES && size <= limit => Ok(size),
            _ => Err(FrameError::Size { size, hint }),
        }
    }

    fn check_api(&self, prelude: Prelude, size: usize) -> Result<&'static Entry, FrameError> {
        let Prelude { key, version, .. } = prelude;
        let entry = (self.shared.find)(key).ok_or(FrameError::UnservedKey(key))?;
        if !entry.api.serves(version) && !entry.api.answers_any_version() {
            let api = format!("{:?}", entry.api.api_key());
            return Err(FrameError::UnservedVersion { api, version });
        }
        let limit = super::grammar::limits(key).and_then(|limits| limits.frame_bytes_max);
        match limit {
            Some(limit) if size > limit => {
                let api = format!("{:?}", entry.api.api_key());
                Err(FrameError::TooLargeForApi { size, api, limit })
            }
            _ => Ok(entry),
        }
    }

    /// Receives until `bytes` are there, with memory taken before the buffer grows.
    async fn receive_all(&mut self, bytes: usize) -> Result<MemoryPermit, FrameError> {
        let mut permit = self.shared.request_memory.permit();
        if bytes <= SMALL_BYTES {
            // Never waits: however much others hold, small requests are served.
            permit.try_hold(bytes);
        } else if self.received.len() >= bytes {
            self.hold(&mut permit, bytes).await;
        }
        while self.received.len() < bytes {
            // Only a client that sends in earnest is trusted with the size of its earlier frames.
            let in_earnest = self.received.len() >= SCRATCH_BYTES / 2;
            let trust = if in_earnest { LARGE_BYTES.max(self.proven_bytes) } else { 0 };
            let capacity = trust.max(self.received.len() * GROWTH).max(SMALL_BYTES / 8).min(bytes);
            if bytes > SMALL_BYTES {
                self.hold(&mut permit, capacity).await;
            }
            self.received.reserve(capacity - self.received.len());
            while self.received.len() < capacity {
                if !self.receive(Some(capacity)).await? {
                    return Err(FrameError::EndInside);
                }
            }
        }
        self.proven_bytes = bytes.min(PROVEN_BYTES_MAX);
        Ok(permit)
    }

    /// Takes memory; time spent waiting for it is ours, not the client's.
    async fn hold(&self, permit: &mut MemoryPermit, bytes: usize) {
        if !permit.try_hold(bytes) {
            self.activity.frame_rests();
            permit.hold(bytes).await;
        }
    }

    /// Receives something: into the buffer's room up to `end` where that is given, else through
    /// the thread's scratch. False at the end of the stream.
    async fn receive(&mut self, end: Option<usize>) -> io::Result<bool> {
        loop {
            match self.try_receive(end) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.activity.touch(self.shared.clock.monotonic());
                    self.shared.metrics.bytes_received.inc_by(count as u64);
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.received.is_empty() {
                        let now = self.shared.clock.monotonic();
                        self.activity.frame_waits(now, self.received.len());
                    }
                    self.stream.readable().await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn try_receive(&mut self, end: Option<usize>) -> io::Result<usize> {
        let (stream, received) = (self.stream, &mut self.received);
        if let Some(end) = end {
            let room = end - received.len();
            return try_drain(stream, room, || stream.try_read_buf(&mut received.limit(room)));
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let count = try_drain(stream, scratch.len(), || stream.try_read(scratch))?;
            received.extend_from_slice(&scratch[..count]);
            Ok(count)
        })
    }
}

/// Reads with `read`, which has room for so many bytes. Fewer mean that the socket is empty: then
/// it is not asked again before it has told of more.
fn try_drain(
    stream: &TcpStream,
    room: usize,
    mut read: impl FnMut() -> io::Result<usize>,
) -> io::Result<usize> {
    let mut taken = None;
    let all = stream.try_io(Interest::READABLE, || {
        let count = read()?;
        if 0 < count && count < room {
            // What the runtime takes for "not ready", and what it knew of before the read only.
            taken = Some(count);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(count)
    });
    taken.map_or(all, Ok)
}
