//! What a handler gives back: an answer, a promise of one, or none.
//!
//! Made by handlers; `net::connection` puts size and header before it and writes it.

use std::fmt;
use std::fs::File;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use gofka_core::error::ErrorCode;
use gofka_storage::{LogRange, Records};
use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::{Encodable, HeaderVersion};

use super::BoxFuture;
use crate::net::MemoryPermit;

/// The end of a handler's stage one.
pub enum Outcome {
    /// The answer is ready.
    Now(Reply),
    /// The answer comes when this future is done. It is polled on the connection's task, beside
    /// those of the connection's other requests, and dropped when the connection closes.
    Later(BoxFuture<'static, Reply>),
    /// No answer is sent (Produce with `acks=0`).
    Silent,
    /// No answer; the connection is closed once the answers before this one have left.
    Close,
}

impl Outcome {
    /// Stage two from a plain future.
    pub fn later(future: impl Future<Output = Reply> + Send + 'static) -> Self {
        Self::Later(Box::pin(future))
    }
}

/// A piece of an answer.
#[derive(Clone, Debug)]
pub enum Part {
    /// In memory.
    Bytes(Bytes),
    /// In a file, and in the page cache.
    File(FileRange),
}

/// Where bytes are in a file.
#[derive(Clone, Debug)]
pub struct FileRange {
    /// The file.
    pub file: Arc<File>,
    /// Its first byte.
    pub position: u64,
    /// Number of bytes.
    pub len: usize,
}

impl Part {
    /// Number of bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File(range) => range.len,
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of a part that is in memory.
    #[cfg(test)]
    pub(crate) fn in_memory(&self) -> &Bytes {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::File(range) => panic!("it is in a file: {range:?}"),
        }
    }
}

impl From<Bytes> for Part {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&LogRange> for Part {
    fn from(range: &LogRange) -> Self {
        let (file, position, len) = (range.file().clone(), range.position(), range.len());
        Self::File(FileRange { file, position, len })
    }
}

impl From<&Records> for Part {
    fn from(records: &Records) -> Self {
        match records {
            Records::Loaded(bytes) => bytes.clone().into(),
            Records::InFile(range) => range.into(),
        }
    }
}

/// Most answers fit into this, which the codec would reach by growing five times.
const ENCODED_BYTES: usize = 256;

/// One encoded answer, without size and header.
pub struct Reply {
    parts: Vec<Part>,
    errors: Vec<ErrorCode>,
    permit: Option<MemoryPermit>,
    close: bool,
}

impl Reply {
    /// Encodes `response`. A failure to encode is a defect of the handler: it is logged, and the
    /// connection is closed, since the client could not tell what happened.
    pub fn encode<R: Encodable + HeaderVersion>(key: ApiKey, version: i16, response: &R) -> Self {
        let mut buffer = BytesMut::with_capacity(ENCODED_BYTES);
        match response.encode(&mut buffer, version) {
            Ok(()) => Self::parts(vec![buffer.freeze()]),
            Err(error) => {
                tracing::error!(api = ?key, version, %error, "an answer could not be encoded");
                Self::close()
            }
        }
    }

    /// An answer whose body is these parts one after the other, written without being copied.
    pub fn parts(parts: impl IntoIterator<Item = impl Into<Part>>) -> Self {
        let parts = parts.into_iter().map(Into::into).collect();
        Self { parts, errors: Vec::new(), permit: None, close: false }
    }

    /// No answer: the connection is closed in its stead.
    pub fn close() -> Self {
        Self { parts: Vec::new(), errors: Vec::new(), permit: None, close: true }
    }

    /// Counts `code` in `gofka_request_errors_total`, once per answer and code.
    #[must_use]
    pub fn with_error(mut self, code: ErrorCode) -> Self {
        if code != ErrorCode::None && !self.errors.contains(&code) {
            self.errors.push(code);
        }
        self
    }

    /// As [`Reply::with_error`], for several results in one answer.
    #[must_use]
    pub fn with_errors(self, codes: impl IntoIterator<Item = ErrorCode>) -> Self {
        codes.into_iter().fold(self, Self::with_error)
    }

    /// The error codes that the answer carries.
    pub fn errors(&self) -> &[ErrorCode] {
        &self.errors
    }

    /// Whether the connection is to be closed instead of answered.
    pub fn closes(&self) -> bool {
        self.close
    }

    /// Whether it holds memory of the budget already.
    pub fn has_permit(&self) -> bool {
        self.permit.is_some()
    }

    /// The size of the body in bytes.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// Whether the body has no bytes.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(Part::is_empty)
    }

    /// The bytes of the body that are held in memory.
    pub fn memory_bytes(&self) -> usize {
        let held = self.parts.iter().filter(|part| matches!(part, Part::Bytes(_)));
        held.map(Part::len).sum()
    }

    /// Holds `permit` until the answer has been sent.
    #[must_use]
    pub fn with_permit(mut self, permit: MemoryPermit) -> Self {
        self.permit = Some(permit);
        self
    }

    /// The body, and the memory that was taken for it.
    pub fn into_parts(self) -> (Vec<Part>, Option<MemoryPermit>) {
        (self.parts, self.permit)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("bytes", &self.len())
            .field("close", &self.close)
            .finish_non_exhaustive()
    }
}
