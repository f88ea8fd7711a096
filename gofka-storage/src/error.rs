//! What can go wrong in storage, cut by what the caller does about it.
//!
//! Returned by every public function of the crate; the server turns it into protocol codes with
//! the `code` functions here.

use gofka_core::error::ErrorCode;
use gofka_core::ids::Offset;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The disk, or what is on it, does not do what is asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// The log directory was taken offline; nothing in it is served until the next start.
    #[error("log directory {} is offline: {reason}", dir.display())]
    Offline {
        /// The directory.
        dir: PathBuf,
        /// What happened first.
        reason: Arc<str>,
    },
    /// No room left. Nothing was written; the same call can succeed later.
    #[error("no space left for {}", path.display())]
    Full {
        /// What was being written.
        path: PathBuf,
    },
    /// Less room is left than is kept for deleting. Nothing was written; the same call can
    /// succeed later.
    #[error(
        "log directory {} has {free_bytes} bytes free, fewer than log.dir.min.free.bytes \
         ({min_free_bytes})",
        dir.display()
    )]
    LowSpace {
        /// The directory.
        dir: PathBuf,
        /// What is free.
        free_bytes: u64,
        /// What is to be kept.
        min_free_bytes: u64,
    },
    /// The process has as many files open as it may have. The same call can succeed later.
    #[error("{}: too many open files", path.display())]
    OpenFiles {
        /// What was to be opened.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was being read or written.
        path: PathBuf,
        /// Its answer.
        source: Arc<io::Error>,
    },
    /// Bytes on disk contradict themselves.
    #[error("{}: {what}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The contradiction.
        what: String,
    },
    /// The log was deleted or closed while the caller held it.
    #[error("the log is closed")]
    Closed,
}

impl StorageError {
    /// The protocol's code for it.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Closed => ErrorCode::NotLeaderOrFollower,
            Self::Corrupt { .. } => ErrorCode::CorruptMessage,
            Self::Offline { .. }
            | Self::Full { .. }
            | Self::LowSpace { .. }
            | Self::OpenFiles { .. }
            | Self::Io { .. } => ErrorCode::KafkaStorageError,
        }
    }

    /// Whether the same call can succeed later; anything else has taken the log or its directory
    /// out of service.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::LowSpace { .. } | Self::OpenFiles { .. })
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        const TOO_MANY: [i32; 2] =
            [rustix::io::Errno::MFILE.raw_os_error(), rustix::io::Errno::NFILE.raw_os_error()];
        if source.raw_os_error().is_some_and(|code| TOO_MANY.contains(&code)) {
            return Self::OpenFiles { path: path.to_owned() };
        }
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            Self::Full { path: path.to_owned() }
        } else {
            Self::Io { path: path.to_owned(), source: Arc::new(source) }
        }
    }

    pub(crate) fn corrupt(path: &Path, what: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), what: what.into() }
    }

    /// Whether the operating system said that the path does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Why an append was refused. Nothing was stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// The idempotent producer's epoch or sequence does not fit.
    #[error("{code}: {reason}")]
    Producer {
        /// `OUT_OF_ORDER_SEQUENCE_NUMBER`, `INVALID_PRODUCER_EPOCH` or a transaction's code.
        code: ErrorCode,
        /// What was expected and what came.
        reason: String,
    },
    /// The batches together are larger than a segment.
    #[error("{size} bytes do not fit into a segment of {limit}")]
    TooLarge {
        /// Size of all batches.
        size: u64,
        /// `segment.bytes`.
        limit: u32,
    },
    /// A follower's batches do not continue this log.
    #[error("batch at offset {got} does not continue the log that ends at {end}")]
    Misplaced {
        /// Base offset of the batch.
        got: Offset,
        /// Log end offset.
        end: Offset,
    },
    /// The disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl AppendError {
    /// The protocol's code for it.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Producer { code, .. } => *code,
            Self::TooLarge { .. } => ErrorCode::RecordListTooLarge,
            Self::Misplaced { .. } => ErrorCode::UnknownServerError,
            Self::Storage(error) => error.code(),
        }
    }
}

/// Why a read was refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// Before the log's start or after its end.
    #[error("offset {offset} is outside of {start}..={end}")]
    OutOfRange {
        /// The offset asked for.
        offset: Offset,
        /// Log start offset.
        start: Offset,
        /// Log end offset.
        end: Offset,
    },
    /// The disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl ReadError {
    /// The protocol's code for it.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
            Self::Storage(error) => error.code(),
        }
    }
}

/// Why the log directories could not be opened. Each prints as one line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the directory.
    #[error("log directory {} is in use by another broker", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory was written by another node or cluster, or by an unknown release.
    #[error("log directory {} {problem}", dir.display())]
    Foreign {
        /// The directory.
        dir: PathBuf,
        /// What does not fit and what was expected.
        problem: String,
    },
    /// No directory can be used.
    #[error("log directory {} cannot be used: {problem}", dir.display())]
    Unusable {
        /// The directory.
        dir: PathBuf,
        /// Why.
        problem: String,
    },
}
