//! Produce (0), versions 3-13: appends record batches.
//!
//! Behaviour: stage one validates and appends each partition's batch, which fixes the order;
//! stage two waits until what must be safe is. With one replica `acks=1` waits like `acks=all`,
//! since there is no other copy. `acks=0` gets no answer; an error closes the connection, as
//! Kafka does. A batch is stored as it came, or refused; partitions do not affect each other.
//! Versions 0-2 are announced, since older librdkafka looks for them, and answered with
//! UNSUPPORTED_VERSION by the table's dispatch.
//!
//! Version notes: 5 adds the log start offset, 7 zstd (KIP-110), 8 errors by record (KIP-467),
//! 9 is flexible, 10 names the leader to a client that missed it (KIP-951), 12 allows implicit
//! AddPartitionsToTxn (KIP-890), 13 names topics by id (KIP-516).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use gofka_core::error::ErrorCode;
use gofka_core::ids::{Offset, PartitionIndex, TopicId};
use gofka_core::record::BatchRejection;
use gofka_core::time::TimestampMs;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};
use kafka_protocol::protocol::StrBytes;

use super::leader_hint::{self, LeaderHint};
use super::{Api, Outcome, Reply, RequestContext};
use crate::partition::{AppendOptions, Appended, Partition, PartitionMap, TopicEntry};

/// The row of the table.
pub const API: Api = Api::new::<ProduceRequest>(3, 13).advertised_from(0);

const LOG_START_SINCE: i16 = 5;
const ZSTD_SINCE: i16 = 7;
const RECORD_ERRORS_SINCE: i16 = 8;
const LEADER_HINT_SINCE: i16 = 10;
const TOPIC_ID_SINCE: i16 = 13;

/// What Kafka's own administration tools call themselves; they may write internal topics.
const ADMIN_CLIENT_ID: &str = "__admin_client";

/// Appends, then answers when what was appended is safe.
#[allow(clippy::unused_async, reason = "every handler has this signature")]
pub async fn handle(context: &RequestContext, request: ProduceRequest) -> Outcome {
    let acks = request.acks;
    let time_limit = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let map = context.broker.partitions.snapshot();
    let mut work = Work::new(context);
    let mut response = work.append_all(&map, request);
    if work.missed_leader {
        add_leaders(context, &map, &mut response);
    }
    if acks == 0 {
        let failed = codes(&response).next().is_some();
        return if failed { Outcome::Close } else { Outcome::Silent };
    }
    let waiting = work.waiting;
    if waiting.iter().all(Waiting::is_over) {
        return Outcome::Now(reply(context, &response));
    }
    let context = context.clone();
    Outcome::later(async move {
        let response = wait(response, waiting, time_limit).await;
        reply(&context, &response)
    })
}

/// An appended batch that is not safe yet, and where its outcome goes.
struct Waiting {
    partition: Arc<Partition>,
    up_to: Offset,
    at: (usize, usize),
}

impl Waiting {
    fn is_over(&self) -> bool {
        self.partition.high_watermark() >= self.up_to
    }
}

/// Stage one.
struct Work {
    version: i16,
    now: TimestampMs,
    admin: bool,
    transactional: bool,
    acks: i16,
    waiting: Vec<Waiting>,
    /// Somebody else leads one of the partitions.
    missed_leader: bool,
}

impl Work {
    fn new(context: &RequestContext) -> Self {
        Self {
            version: context.api_version,
            now: context.now.wall,
            admin: context.client_id() == ADMIN_CLIENT_ID,
            transactional: false,
            acks: -1,
            waiting: Vec::new(),
            missed_leader: false,
        }
    }

    fn append_all(&mut self, map: &PartitionMap, request: ProduceRequest) -> ProduceResponse {
        self.transactional = request.transactional_id.is_some();
        self.acks = request.acks;
        let mut response = ProduceResponse::default();
        for topic in each_once(request.topic_data) {
            let entry = if self.version >= TOPIC_ID_SINCE {
                map.topic_by_id(TopicId(topic.topic_id))
            } else {
                map.topic(topic.name.as_str())
            };
            let answer = self.append_topic(entry, topic, response.responses.len());
            response.responses.push(answer);
        }
        response
    }

    fn append_topic(
        &mut self,
        entry: Result<&Arc<TopicEntry>, ErrorCode>,
        topic: TopicProduceData,
        topic_at: usize,
    ) -> TopicProduceResponse {
        let mut answer =
            TopicProduceResponse::default().with_name(topic.name).with_topic_id(topic.topic_id);
        for data in topic.partition_data {
            let index = data.index;
            let outcome = self.append_partition(entry, data).map(|(partition, appended)| {
                let at = (topic_at, answer.partition_responses.len());
                self.waiting.push(Waiting { partition, up_to: appended.commit_offset(), at });
                appended
            });
            let mut partition = match outcome {
                Ok(appended) => self.success(&appended),
                Err((refused, start)) => self.failure(refused, start),
            };
            partition.index = index;
            answer.partition_responses.push(partition);
        }
        answer
    }

    /// What was appended, or why nothing was, and the log start offset that goes with it.
    fn append_partition(
        &self,
        entry: Result<&Arc<TopicEntry>, ErrorCode>,
        data: PartitionProduceData,
    ) -> Result<(Arc<Partition>, Appended), (BatchRejection, Offset)> {
        let refuse = |code: ErrorCode| (BatchRejection::new(code, ""), Offset::NONE);
        let entry = entry.map_err(refuse)?;
        let partition = entry.get(PartitionIndex(data.index)).map_err(refuse)?;
        let records = data.records.unwrap_or_default();
        let has_the_form = is_one_batch(&records);
        if !(-1..=1).contains(&self.acks) && has_the_form {
            return Err(refuse(ErrorCode::InvalidRequiredAcks));
        }
        if is_internal(entry.name.as_str()) && !self.admin {
            return Err(refuse(ErrorCode::InvalidTopicException));
        }
        let mut options = AppendOptions::client(self.now, self.version >= ZSTD_SINCE);
        if self.transactional {
            options = options.with_transactional_id();
        }
        let appended = partition.append(records, options).map_err(|refused| {
            // Older versions look at the codec before the log does.
            let early = self.version < ZSTD_SINCE && refused.error == ErrorCode::UnknownServerError;
            let told = has_the_form && !early && tells_log_start(refused.error);
            let start = if told { partition.log().log_start_offset() } else { Offset::NONE };
            (refused, start)
        })?;
        Ok((partition.clone(), appended))
    }

    fn success(&self, appended: &Appended) -> PartitionProduceResponse {
        let mut answer = PartitionProduceResponse::default()
            .with_base_offset(appended.first_offset.0)
            .with_log_append_time_ms(appended.log_append_time.map_or(-1, |time| time.0));
        if self.version >= LOG_START_SINCE {
            answer.log_start_offset = appended.log_start_offset.0;
        }
        answer
    }

    fn failure(&mut self, refused: BatchRejection, start: Offset) -> PartitionProduceResponse {
        self.missed_leader |=
            refused.error == ErrorCode::NotLeaderOrFollower && self.version >= LEADER_HINT_SINCE;
        let mut answer = PartitionProduceResponse::default()
            .with_error_code(refused.error.code())
            .with_base_offset(-1)
            .with_log_append_time_ms(-1);
        if self.version >= LOG_START_SINCE {
            answer.log_start_offset = start.0;
        }
        if self.version >= RECORD_ERRORS_SINCE {
            if !refused.message.is_empty() {
                answer.error_message = Some(StrBytes::from_string(refused.message));
            }
            for error in refused.record_errors {
                let message = StrBytes::from_string(error.message);
                answer.record_errors.push(
                    BatchIndexAndErrorMessage::default()
                        .with_batch_index(error.batch_index)
                        .with_batch_index_error_message(Some(message)),
                );
            }
        }
        answer
    }
}

/// Each topic and partition once, in the place of its first mention, with what was said last. A
/// topic without partitions is not answered.
fn each_once(topics: Vec<TopicProduceData>) -> Vec<TopicProduceData> {
    if let [topic] = topics.as_slice()
        && topic.partition_data.len() == 1
    {
        // As most clients send it.
        return topics;
    }
    let mut merged: Vec<TopicProduceData> = Vec::with_capacity(topics.len());
    let mut places = HashMap::with_capacity(topics.len());
    for topic in topics {
        if topic.partition_data.is_empty() {
            continue;
        }
        match places.entry((topic.name.clone(), topic.topic_id)) {
            Entry::Vacant(place) => {
                place.insert(merged.len());
                merged.push(topic);
            }
            Entry::Occupied(place) => {
                merged[*place.get()].partition_data.extend(topic.partition_data);
            }
        }
    }
    for topic in &mut merged {
        let mut places = HashMap::with_capacity(topic.partition_data.len());
        let mut once: Vec<PartitionProduceData> = Vec::with_capacity(topic.partition_data.len());
        for data in topic.partition_data.drain(..) {
            match places.entry(data.index) {
                Entry::Vacant(place) => {
                    place.insert(once.len());
                    once.push(data);
                }
                Entry::Occupied(place) => once[*place.get()] = data,
            }
        }
        topic.partition_data = once;
    }
    merged
}

/// Whether `records` are exactly one batch by its length and magic, which Kafka looks at before
/// anything else.
fn is_one_batch(records: &[u8]) -> bool {
    const LENGTH_AT: usize = 8;
    const MAGIC_AT: usize = 16;
    let Some(length) = records.get(LENGTH_AT..LENGTH_AT + 4) else { return false };
    let length = i32::from_be_bytes(length.try_into().expect("four bytes"));
    let size = usize::try_from(length).ok().map(|length| length + LENGTH_AT + 4);
    size == Some(records.len()) && records.get(MAGIC_AT) == Some(&2)
}

/// Whether an answer with this error has the log start offset: where the log itself refuses.
fn tells_log_start(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::InvalidRecord
            | ErrorCode::InvalidTimestamp
            | ErrorCode::UnknownServerError
            | ErrorCode::OutOfOrderSequenceNumber
            | ErrorCode::InvalidProducerEpoch
            | ErrorCode::UnknownProducerId
    )
}

/// Names the leaders of partitions that are led elsewhere (KIP-951).
fn add_leaders(context: &RequestContext, map: &PartitionMap, response: &mut ProduceResponse) {
    let mut leaders = Vec::new();
    for topic in &mut response.responses {
        let by_id = context.api_version >= TOPIC_ID_SINCE;
        let entry = if by_id {
            map.topic_by_id(TopicId(topic.topic_id))
        } else {
            map.topic(topic.name.as_str())
        };
        let Ok(entry) = entry else { continue };
        for partition in &mut topic.partition_responses {
            if partition.error_code != ErrorCode::NotLeaderOrFollower.code() {
                continue;
            }
            let index = PartitionIndex(partition.index);
            if let Some(hint) = LeaderHint::find(context, entry.name.as_str(), index) {
                leaders.push(hint.leader.0);
                partition.current_leader = LeaderIdAndEpoch::default()
                    .with_leader_id(hint.leader.0.into())
                    .with_leader_epoch(hint.epoch.0);
            }
        }
    }
    response.node_endpoints = leader_hint::produce_endpoints(context, &leaders);
}

/// Stage two: waits for each append, all within `time_limit`.
async fn wait(
    mut response: ProduceResponse,
    waiting: Vec<Waiting>,
    time_limit: Duration,
) -> ProduceResponse {
    let mut outcomes: Vec<Option<ErrorCode>> = vec![None; waiting.len()];
    let all = async {
        for (waiting, outcome) in waiting.iter().zip(&mut outcomes) {
            *outcome = Some(match waiting.partition.committed(waiting.up_to).await {
                Ok(()) => ErrorCode::None,
                Err(code) => code,
            });
        }
    };
    // A time-out is not an error of the whole: each partition has its own outcome.
    drop(tokio::time::timeout(time_limit, all).await);
    for (waiting, outcome) in waiting.iter().zip(outcomes) {
        let code = match outcome {
            Some(code) => code,
            None if waiting.is_over() => ErrorCode::None,
            None => ErrorCode::RequestTimedOut,
        };
        if code != ErrorCode::None {
            let (topic, partition) = waiting.at;
            let answer = &mut response.responses[topic].partition_responses[partition];
            answer.error_code = code.code();
            answer.base_offset = -1;
            answer.log_append_time_ms = -1;
            answer.log_start_offset = PartitionProduceResponse::default().log_start_offset;
        }
    }
    response
}

fn reply(context: &RequestContext, response: &ProduceResponse) -> Reply {
    context.reply(response).with_errors(codes(response))
}

/// The errors in an answer.
fn codes(response: &ProduceResponse) -> impl Iterator<Item = ErrorCode> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    let failed = partitions.map(|partition| partition.error_code).filter(|code| *code != 0);
    failed.filter_map(ErrorCode::from_code)
}

/// The topics that only coordinators write.
pub(super) fn is_internal(name: &str) -> bool {
    matches!(name, "__consumer_offsets" | "__transaction_state" | "__share_group_state")
}

#[cfg(test)]
#[path = "produce_tests.rs"]
mod tests;
