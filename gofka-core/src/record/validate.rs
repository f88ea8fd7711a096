//! Decides whether a batch may be appended, and brings it into the form that its topic asks for.
//!
//! Called by the partition for each produce and for the broker's own appends. Looks at the header,
//! the sizes, the checksum and, without copying, at the lengths of uncompressed records. What is
//! compressed is opened only where the topic is compacted (each record needs a key) or asks for
//! another codec; elsewhere its header is believed, which is a stated difference from Kafka.
//! Errors follow Kafka 4.3.1 (`UnifiedLog.analyzeAndValidateRecords`, `LogValidator`).

use super::batch::{Batch, BatchError};
use super::builder::recompress;
use super::compression::CompressionLevel;
use super::header::{Compression, TimestampType};
use super::iterate::{RecordWalk, codec_of, uncompressed_payload};
use crate::error::ErrorCode;
use crate::ids::{Offset, ProducerId};
use crate::time::TimestampMs;

/// More bad records than these are refused without being listed.
const RECORD_ERRORS_MAX: usize = 100;

/// Who appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A client's produce: exactly one batch, from offset 0, no control records.
    Client,
    /// The broker itself: coordinators and markers.
    Internal,
}

/// A topic's `compression.type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TopicCompression {
    /// Stored as the producer sent it.
    #[default]
    Producer,
    /// Stored with this codec; `Compression::None` for `uncompressed`.
    Fixed(Compression, CompressionLevel),
}

/// What a topic asks of its batches.
#[derive(Clone, Copy, Debug)]
pub struct ValidationRules {
    /// Largest batch (`max.message.bytes`).
    pub max_message_bytes: usize,
    /// Most that a batch may become when it has to be opened.
    pub max_decompressed_bytes: usize,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// How far a timestamp may lie in the past.
    pub timestamp_before_max_ms: i64,
    /// How far a timestamp may lie in the future.
    pub timestamp_after_max_ms: i64,
    /// The wall clock.
    pub now: TimestampMs,
    /// `cleanup.policy` contains `compact`: every record needs a key.
    pub compacted: bool,
    /// Who appends.
    pub origin: Origin,
    /// `compression.type` and its level.
    pub compression: TopicCompression,
}

/// One record that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// Position of the record within its batch.
    pub batch_index: i32,
    /// What is wrong with it.
    pub message: String,
}

/// Why nothing was appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {message}")]
pub struct BatchRejection {
    /// The code for the producer.
    pub error: ErrorCode,
    /// The sentence for its log.
    pub message: String,
    /// The records at fault, where single records are.
    pub record_errors: Vec<RecordError>,
}

impl BatchRejection {
    /// A refusal of the batch as a whole.
    pub fn new(error: ErrorCode, message: impl Into<String>) -> Self {
        Self { error, message: message.into(), record_errors: Vec::new() }
    }
}

impl From<BatchError> for BatchRejection {
    fn from(error: BatchError) -> Self {
        let code = match &error {
            // The formats of before 0.11 are known, but a produce that is served may not use them.
            BatchError::Magic(0 | 1)
            | BatchError::Truncated { .. }
            | BatchError::Decompression { .. }
            | BatchError::Record { .. } => ErrorCode::InvalidRecord,
            BatchError::Magic(_) | BatchError::Length(_) | BatchError::Crc { .. } => {
                ErrorCode::CorruptMessage
            }
            // Kafka has no code of its own for a codec number that does not exist.
            BatchError::Codec(_) => ErrorCode::UnknownServerError,
            // A producer answers this code by sending the batch again in smaller ones.
            BatchError::TooLarge { .. } => ErrorCode::MessageTooLarge,
        };
        Self::new(code, error.to_string())
    }
}

/// Checks `batches` and gives them back as they are to be stored; all or none.
pub fn validate(
    batches: Vec<Batch>,
    rules: &ValidationRules,
) -> Result<Vec<Batch>, BatchRejection> {
    if batches.is_empty() {
        return Err(invalid("a produce must have one record batch a partition".to_owned()));
    }
    if rules.origin == Origin::Client && batches.len() > 1 {
        return Err(invalid("a produce may have only one record batch a partition".to_owned()));
    }
    batches.into_iter().map(|batch| validate_one(batch, rules)).collect()
}

fn validate_one(batch: Batch, rules: &ValidationRules) -> Result<Batch, BatchRejection> {
    let header = batch.header;
    if rules.origin == Origin::Client && header.base_offset != Offset::ZERO {
        return Err(invalid(format!("base offset is {} instead of 0", header.base_offset)));
    }
    check_size(&batch, rules)?;
    batch.check_crc()?;
    let codec = codec_of(header.attributes)?;
    if rules.origin == Origin::Client {
        check_client_header(&batch)?;
    }
    let target = match rules.compression {
        TopicCompression::Fixed(target, level) if target != codec => Some((target, level)),
        _ => None,
    };
    if codec == Compression::None || rules.compacted || target.is_some() {
        let payload =
            uncompressed_payload(&batch, rules.max_decompressed_bytes.max(header.size()))?;
        let max_timestamp = check_records(&batch, &payload, rules)?;
        let mut batch = with_timestamps(batch, max_timestamp, rules);
        if let Some((target, level)) = target {
            batch = recompress(&batch, &payload, target, level);
            check_size(&batch, rules)?;
        }
        return Ok(batch);
    }
    check_header_timestamps(&batch, rules)?;
    Ok(with_timestamps(batch, header.max_timestamp, rules))
}

fn check_size(batch: &Batch, rules: &ValidationRules) -> Result<(), BatchRejection> {
    let (size, max) = (batch.header.size(), rules.max_message_bytes);
    if size <= max {
        return Ok(());
    }
    Err(BatchRejection::new(
        ErrorCode::MessageTooLarge,
        format!("the batch has {size} bytes, which exceeds the topic's limit of {max}"),
    ))
}

fn check_client_header(batch: &Batch) -> Result<(), BatchRejection> {
    let header = &batch.header;
    if header.record_count <= 0 {
        return Err(invalid(format!("the batch claims {} records", header.record_count)));
    }
    if i64::from(header.last_offset_delta) + 1 != i64::from(header.record_count) {
        return Err(invalid(format!(
            "the batch claims {} records and a last offset of {}",
            header.record_count, header.last_offset_delta
        )));
    }
    if header.attributes.is_control() {
        return Err(invalid("clients may not write control records".to_owned()));
    }
    if header.producer_id != ProducerId::NONE && header.base_sequence.0 < 0 {
        return Err(invalid(format!(
            "sequence {} with producer id {}",
            header.base_sequence, header.producer_id
        )));
    }
    Ok(())
}

/// Walks the records; gives the largest timestamp among them.
fn check_records(
    batch: &Batch,
    payload: &[u8],
    rules: &ValidationRules,
) -> Result<TimestampMs, BatchRejection> {
    let header = &batch.header;
    let client = rules.origin == Origin::Client;
    let mut faults = Faults::default();
    let mut max_timestamp = TimestampMs::NONE;
    let mut walk = RecordWalk::new(payload, header.record_count);
    let mut index = 0;
    while let Some(record) = walk.next_record()? {
        if client && record.offset_delta != index {
            let problem = "its offset does not follow the one before";
            return Err(BatchError::Record { index, problem }.into());
        }
        if client && rules.compacted && record.key.is_none() {
            faults.add(ErrorCode::InvalidRecord, index, || {
                "a compacted topic cannot accept a record without a key".to_owned()
            });
        }
        let timestamp = TimestampMs(header.base_timestamp.0.saturating_add(record.timestamp_delta));
        max_timestamp = max_timestamp.max(timestamp);
        if client {
            check_timestamp(
                timestamp,
                header.attributes.timestamp_type(),
                index,
                rules,
                &mut faults,
            );
        }
        index += 1;
    }
    faults.into_result()?;
    Ok(max_timestamp)
}

/// Checks the header's timestamps in place of each record's own.
fn check_header_timestamps(batch: &Batch, rules: &ValidationRules) -> Result<(), BatchRejection> {
    if rules.origin != Origin::Client {
        return Ok(());
    }
    let header = &batch.header;
    let mut faults = Faults::default();
    for timestamp in [header.base_timestamp, header.max_timestamp] {
        check_timestamp(timestamp, header.attributes.timestamp_type(), 0, rules, &mut faults);
    }
    if faults.count > 0 {
        // The records say which of them it is. Where they cannot be read, the header's word counts.
        if let Ok(payload) = uncompressed_payload(batch, rules.max_decompressed_bytes) {
            check_records(batch, &payload, rules)?;
        }
    }
    faults.into_result()
}

fn check_timestamp(
    timestamp: TimestampMs,
    sent_as: TimestampType,
    index: i32,
    rules: &ValidationRules,
    faults: &mut Faults,
) {
    let append_time_sent = sent_as == TimestampType::LogAppendTime;
    if rules.timestamp_type == TimestampType::CreateTime && timestamp != TimestampMs::NONE {
        let now = rules.now.0;
        let earliest = now.saturating_sub(rules.timestamp_before_max_ms);
        let latest = now.saturating_add(rules.timestamp_after_max_ms);
        if timestamp.0 < earliest || timestamp.0 > latest {
            faults.add(ErrorCode::InvalidTimestamp, index, || {
                format!("timestamp {timestamp} is not within [{earliest}, {latest}]")
            });
        }
    } else if append_time_sent {
        faults.add(ErrorCode::InvalidTimestamp, index, || {
            "a producer may not set the timestamp type to LogAppendTime".to_owned()
        });
    }
}

/// Sets timestamp type and largest timestamp as the topic wants them, and the checksum with them.
fn with_timestamps(mut batch: Batch, largest: TimestampMs, rules: &ValidationRules) -> Batch {
    let max_timestamp = match rules.timestamp_type {
        TimestampType::CreateTime => largest,
        TimestampType::LogAppendTime => rules.now,
    };
    let header = &batch.header;
    let attributes = header.attributes.with_timestamp_type(rules.timestamp_type);
    if header.attributes != attributes || header.max_timestamp != max_timestamp {
        batch.header.attributes = attributes;
        batch.header.max_timestamp = max_timestamp;
        batch.header.crc = batch.header.compute_crc(batch.payload());
    }
    batch
}

fn invalid(message: String) -> BatchRejection {
    BatchRejection::new(ErrorCode::InvalidRecord, message)
}

/// The records at fault; the texts of the first ones only, so that a batch of millions of bad
/// records costs no more than a good one.
#[derive(Default)]
struct Faults {
    count: usize,
    timestamp: bool,
    listed: Vec<RecordError>,
}

impl Faults {
    fn add(&mut self, code: ErrorCode, batch_index: i32, message: impl FnOnce() -> String) {
        self.count += 1;
        self.timestamp |= code == ErrorCode::InvalidTimestamp;
        if self.listed.len() < RECORD_ERRORS_MAX {
            self.listed.push(RecordError { batch_index, message: message() });
        }
    }

    fn into_result(self) -> Result<(), BatchRejection> {
        if self.count == 0 {
            return Ok(());
        }
        let (error, message) = if self.timestamp {
            let message = "One or more records have been rejected due to invalid timestamp";
            (ErrorCode::InvalidTimestamp, message.to_owned())
        } else {
            let count = self.count;
            (ErrorCode::InvalidRecord, format!("{count} records of the batch are not valid"))
        };
        Err(BatchRejection { error, message, record_errors: self.listed })
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
