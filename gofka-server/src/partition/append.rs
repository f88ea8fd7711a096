//! Appending to a partition: what a batch must be, and what an append makes known.
//!
//! Called by Produce and by coordinators, on their own threads. The log keeps appends apart.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use gofka_core::config::Durability;
use gofka_core::error::ErrorCode;
use gofka_core::ids::{LeaderEpoch, Offset};
use gofka_core::record::{Batch, BatchRejection, Compression, Origin, split, validate};
use gofka_core::time::TimestampMs;
use gofka_storage::AppendError;

use super::replica::Partition;
use super::rules::rules;

/// Who appends, and when.
#[derive(Clone, Copy, Debug)]
pub struct AppendOptions {
    origin: Origin,
    now: TimestampMs,
    zstd_known: bool,
    names_transactional_id: bool,
}

impl AppendOptions {
    /// A client's produce; versions before 7 know nothing of zstd (KIP-110).
    pub fn client(now: TimestampMs, zstd_known: bool) -> Self {
        Self { origin: Origin::Client, now, zstd_known, names_transactional_id: false }
    }

    /// A coordinator of this broker.
    pub fn internal(now: TimestampMs) -> Self {
        Self { origin: Origin::Internal, ..Self::client(now, true) }
    }

    /// Notes that the request names a transactional id.
    #[must_use]
    pub fn with_transactional_id(mut self) -> Self {
        self.names_transactional_id = true;
        self
    }

    fn check(&self, batches: &[Batch]) -> Result<(), BatchRejection> {
        let zstd = Some(Compression::Zstd);
        if !self.zstd_known && batches.iter().any(|b| b.header.attributes.compression() == zstd) {
            return Err(BatchRejection::new(
                ErrorCode::UnsupportedCompressionType,
                "zstd needs Produce version 7 or later",
            ));
        }
        let transactional = batches.iter().any(|b| b.header.attributes.is_transactional());
        if self.origin == Origin::Client && transactional {
            // No transactional id has ever been given out here, so none can own a producer id.
            return Err(if self.names_transactional_id {
                let message = "the producer id belongs to no transactional id";
                BatchRejection::new(ErrorCode::InvalidProducerIdMapping, message)
            } else {
                let message = "transactional records without a transactional id";
                BatchRejection::new(ErrorCode::TransactionalIdAuthorizationFailed, message)
            });
        }
        Ok(())
    }
}

/// A successful append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the first record.
    pub first_offset: Offset,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// The broker's timestamp, where the topic has `LogAppendTime`.
    pub log_append_time: Option<TimestampMs>,
    /// Log start offset at that moment.
    pub log_start_offset: Offset,
}

impl Appended {
    /// What the high watermark must reach for all of it to be committed.
    pub fn commit_offset(&self) -> Offset {
        self.last_offset.plus(1)
    }
}

impl Partition {
    /// Validates and appends `records` as they came from the wire. On return their order is
    /// fixed; [`Partition::committed`] tells when they are safe.
    pub fn append(
        self: &Arc<Self>,
        records: Bytes,
        options: AppendOptions,
    ) -> Result<Appended, BatchRejection> {
        self.check_leader(LeaderEpoch::NONE).map_err(|code| BatchRejection::new(code, ""))?;
        let config = self.config.load();
        let batches = split(records)?;
        options.check(&batches)?;
        let batches = validate(batches, &rules(&config, options.origin, options.now))?;
        if options.origin == Origin::Client {
            // Not for coordinators: who reads must be able to commit, and so to let records go.
            let bytes = batches.iter().map(|batch| batch.header.size() as u64).sum();
            let room = self.log.check_space(bytes);
            room.map_err(|error| BatchRejection::new(error.code(), error.to_string()))?;
        }
        let (_, epoch) = self.leader();
        let appended = self.log.append_as_leader(&batches, epoch, options.now);
        let info = appended.map_err(|error| self.refusal(&error))?;
        if !info.duplicate {
            let bytes = batches.iter().map(|batch| batch.header.size() as u64).sum();
            let records = batches.iter().map(|batch| i64::from(batch.header.record_count)).sum();
            self.appended(bytes, records);
        }
        Ok(Appended {
            first_offset: info.first_offset,
            last_offset: info.last_offset,
            log_append_time: info.log_append_time,
            log_start_offset: info.log_start_offset,
        })
    }

    fn appended(self: &Arc<Self>, bytes: u64, records: i64) {
        // Those of now: who changes them to `fsync` has what is in the log by then synced.
        let config = self.config.load();
        self.metrics.produced(records.unsigned_abs(), bytes);
        self.appended_bytes.fetch_add(bytes, Ordering::AcqRel);
        if config.durability == Durability::Fsync {
            self.shared.flusher.request(self);
            return;
        }
        self.raise_high_watermark();
        if self.has_too_many_unsynced(&config) {
            self.shared.flusher.request(self);
        } else {
            self.flush_later(&config);
        }
    }

    fn refusal(&self, error: &AppendError) -> BatchRejection {
        if let AppendError::Storage(storage) = error {
            self.note_failure(storage, "append");
        }
        BatchRejection::new(error.code(), error.to_string())
    }
}
