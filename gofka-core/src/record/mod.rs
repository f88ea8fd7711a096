//! Kafka's record batch, magic 2: the header's view, framing, validation, iteration, building.
//!
//! Called by produce and fetch (framing and validation), by storage (headers), by whatever writes
//! records of its own (`builder`) and by whatever reads them (`iterate`). Serving a produce or a
//! fetch never decodes records; only `iterate` and recompression do. Pure functions, any thread.

mod batch;
mod builder;
pub mod compression;
mod header;
mod iterate;
mod validate;
mod varint;

pub use batch::{Batch, BatchError, BatchView, split};
pub use builder::{BatchBuilder, HeaderRef, NewRecord};
pub use compression::CompressionLevel;
pub use header::{
    Attributes, BATCH_HEADER_SIZE, BatchHeader, CRC_START, Compression, LENGTH_PREFIX_SIZE, MAGIC,
    TimestampType,
};
pub use iterate::{Record, RecordView, RecordWalk, records};
pub use validate::{
    BatchRejection, Origin, RecordError, TopicCompression, ValidationRules, validate,
};
