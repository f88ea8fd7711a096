//! How large a request of each API may be: the frame, what it counts, what it becomes in memory.
//!
//! Used by the grammar's walker, and by the connection for the frame. Together they keep the
//! promise that one request never makes the process hold more than its frame and 64 MiB, with
//! room for what a handler makes of each element.

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The limits of one API's requests.
#[derive(Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the frame; `None` means what `socket.request.max.bytes` allows.
    pub frame_bytes_max: Option<usize>,
    /// Elements of all arrays together.
    pub elements_max: usize,
    /// Tagged fields that no schema knows; clients send them only to newer brokers than this.
    pub unknown_tags_max: usize,
    /// Bytes of the decoded message beside the frame, as estimated from the grammar.
    pub decoded_bytes_max: usize,
}

/// Requests that carry records.
pub(super) const RECORDS: Limits = Limits {
    frame_bytes_max: None,
    elements_max: 100_000,
    unknown_tags_max: 256,
    decoded_bytes_max: 16 * MIB,
};

/// Requests about very many partitions, or with blobs of clients.
pub(super) const LARGE: Limits = Limits {
    frame_bytes_max: Some(32 * MIB),
    elements_max: 100_000,
    unknown_tags_max: 256,
    decoded_bytes_max: 16 * MIB,
};

/// Joins of a group: what a member says of itself under each of its few protocols.
pub(super) const GROUP: Limits = Limits {
    frame_bytes_max: Some(8 * MIB),
    elements_max: 256,
    unknown_tags_max: 256,
    decoded_bytes_max: 16 * MIB,
};

/// Requests about a number of things that an administrator names.
pub(super) const MEDIUM: Limits = Limits {
    frame_bytes_max: Some(8 * MIB),
    elements_max: 50_000,
    unknown_tags_max: 256,
    decoded_bytes_max: 16 * MIB,
};

/// Requests of a few fields.
pub(super) const SMALL: Limits = Limits {
    frame_bytes_max: Some(128 * KIB),
    elements_max: 0,
    unknown_tags_max: 64,
    decoded_bytes_max: MIB,
};
