//! One batch as it travels: its header, taken apart, and its bytes, not copied.
//!
//! Called by produce (from the wire), storage (to the disk) and the readers of internal topics.

use super::header::{BATCH_HEADER_SIZE, BatchHeader, Compression, LENGTH_PREFIX_SIZE, MAGIC};
use bytes::Bytes;

/// A whole batch in a buffer that is somebody else's: for who looks at a batch and keeps none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchView<'a> {
    /// The header.
    pub header: BatchHeader,
    /// The records, compressed or not.
    pub payload: &'a [u8],
}

impl BatchView<'_> {
    /// Compares the stored checksum with the bytes' own.
    pub fn check_crc(&self) -> Result<(), BatchError> {
        let computed = self.header.compute_crc(self.payload);
        if computed == self.header.crc {
            Ok(())
        } else {
            Err(BatchError::Crc { stored: self.header.crc, computed })
        }
    }
}

/// A whole batch.
///
/// **Invariant:** `header` is what counts. Its fields may have been changed since `bytes` arrived
/// (offset, epoch, timestamps, checksum), so that a change of the header copies no record; who
/// stores or sends a batch writes `header`, then `payload()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The header, authoritative.
    pub header: BatchHeader,
    /// The batch as it arrived: 61 bytes of header, then the records.
    pub bytes: Bytes,
}

impl Batch {
    /// Takes the one batch that `bytes` holds from end to end.
    pub fn parse(bytes: Bytes) -> Result<Self, BatchError> {
        let header = BatchHeader::parse(&bytes)?;
        if header.size() != bytes.len() {
            return Err(BatchError::Truncated { needed: header.size(), available: bytes.len() });
        }
        Ok(Self { header, bytes })
    }

    /// The records, compressed or not.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[BATCH_HEADER_SIZE..]
    }

    /// The batch in one piece, with the header as it is now. Copies only when that has changed.
    pub fn to_bytes(&self) -> Bytes {
        let head = self.header.to_bytes();
        if self.bytes[..BATCH_HEADER_SIZE] == head {
            return self.bytes.clone();
        }
        let mut out = Vec::with_capacity(self.bytes.len());
        out.extend_from_slice(&head);
        out.extend_from_slice(self.payload());
        Bytes::from(out)
    }

    /// Compares the stored checksum with the bytes' own.
    pub fn check_crc(&self) -> Result<(), BatchError> {
        self.view().check_crc()
    }

    /// The same where it lies.
    pub fn view(&self) -> BatchView<'_> {
        BatchView { header: self.header, payload: self.payload() }
    }
}

/// What is wrong with bytes that should be a batch, as far as a caller decides by it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The bytes end inside the batch.
    #[error("{available} bytes are left of a batch that needs {needed}")]
    Truncated {
        /// Bytes that the batch claims.
        needed: usize,
        /// Bytes that there are.
        available: usize,
    },
    /// The length field cannot hold a header.
    #[error("batch length {0} is too small for a header")]
    Length(i32),
    /// Another format than magic 2.
    #[error("magic {0} instead of 2")]
    Magic(i8),
    /// The bytes changed since they were written.
    #[error("stored checksum {stored:#010x}, computed {computed:#010x}")]
    Crc {
        /// The header's.
        stored: u32,
        /// The bytes' own.
        computed: u32,
    },
    /// A codec number that stands for none.
    #[error("codec {0} does not exist")]
    Codec(u8),
    /// The codec refuses its input.
    #[error("{} data cannot be decompressed: {reason}", codec.name())]
    Decompression {
        /// The codec.
        codec: Compression,
        /// What it said.
        reason: String,
    },
    /// The decompressed records would be larger than the caller's limit.
    #[error("records are larger than {limit} bytes when decompressed")]
    TooLarge {
        /// The caller's limit.
        limit: usize,
    },
    /// A record's lengths, count or offsets contradict each other.
    #[error("record {index}: {problem}")]
    Record {
        /// Position of the record within the batch.
        index: i32,
        /// What does not fit.
        problem: &'static str,
    },
}

/// Cuts `records` into its batches, without copying. Checks framing only: that each batch's
/// length fits into what is left, and its magic. Empty input gives no batch.
pub fn split(records: Bytes) -> Result<Vec<Batch>, BatchError> {
    // The length and the magic are at the same place in every format, so that an old message,
    // smaller than today's header, is named as such and not as a short batch.
    const MAGIC_AT: usize = 16;
    let mut rest = records;
    let mut batches = Vec::with_capacity(1);
    while !rest.is_empty() {
        if rest.len() > MAGIC_AT && rest[MAGIC_AT] as i8 != MAGIC {
            return Err(BatchError::Magic(rest[MAGIC_AT] as i8));
        }
        let header = BatchHeader::parse(&rest)?;
        let size = header.size();
        if size > rest.len() {
            return Err(BatchError::Truncated { needed: size, available: rest.len() });
        }
        debug_assert!(size > LENGTH_PREFIX_SIZE);
        batches.push(Batch { header, bytes: rest.split_to(size) });
    }
    Ok(batches)
}
