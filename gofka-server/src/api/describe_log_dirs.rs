//! DescribeLogDirs (35), versions 1-4: where the partitions lie and how large they are (KIP-113).
//!
//! Behaviour: one result per log directory, with the partitions that were asked for, or all for
//! null. A directory that is offline says KAFKA_STORAGE_ERROR and nothing else. Sizes come from
//! the file system, so the work runs on a blocking thread.
//!
//! Version notes: 2 flexible, 3 an error for the whole answer, 4 total and usable bytes (KIP-827).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use gofka_core::error::ErrorCode;
use gofka_core::ids::TopicName;
use gofka_storage::{DirDescription, Log};
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Api, Outcome, RequestContext};
use crate::partition::blocking;

/// The row of the table.
pub const API: Api = Api::new::<DescribeLogDirsRequest>(1, 4);

const SPACE_SINCE: i16 = 4;

/// Answers from a blocking thread.
#[allow(clippy::unused_async, reason = "every handler has this signature")]
pub async fn handle(context: &RequestContext, request: DescribeLogDirsRequest) -> Outcome {
    let dirs = context.broker.partitions.dirs().clone();
    let context = context.clone();
    Outcome::later(async move {
        let version = context.api_version;
        let response = blocking(move || answer(version, &dirs.describe(), request.topics)).await;
        context.reply(&response)
    })
}

/// Partitions by topic; all where nothing was named.
struct Wanted(Option<HashMap<String, HashSet<i32>>>);

impl Wanted {
    fn new(topics: Option<Vec<DescribableLogDirTopic>>) -> Self {
        let mut wanted: HashMap<String, HashSet<i32>> = HashMap::new();
        let Some(topics) = topics else {
            return Self(None);
        };
        for topic in topics {
            wanted.entry(topic.topic.to_string()).or_default().extend(topic.partitions);
        }
        Self(Some(wanted))
    }

    fn contains(&self, log: &Log) -> bool {
        let name = log.partition();
        self.0.as_ref().is_none_or(|topics| {
            topics
                .get(name.topic.as_str())
                .is_some_and(|partitions| partitions.contains(&name.partition.0))
        })
    }
}

fn answer(
    version: i16,
    dirs: &[DirDescription],
    topics: Option<Vec<DescribableLogDirTopic>>,
) -> DescribeLogDirsResponse {
    let wanted = Wanted::new(topics);
    let results = dirs.iter().map(|dir| {
        let path = dir.path.to_string_lossy().into_owned();
        let mut result =
            DescribeLogDirsResult::default().with_log_dir(StrBytes::from_string(path));
        if dir.offline.is_some() {
            return result.with_error_code(ErrorCode::KafkaStorageError.code());
        }
        if version >= SPACE_SINCE {
            result.total_bytes = saturating(dir.total_bytes);
            result.usable_bytes = saturating(dir.usable_bytes);
        }
        result.with_topics(describe(&dir.logs, &wanted))
    });
    DescribeLogDirsResponse::default().with_results(results.collect())
}

fn describe(logs: &[Arc<Log>], wanted: &Wanted) -> Vec<DescribeLogDirsTopic> {
    let mut topics: BTreeMap<TopicName, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
    for log in logs.iter().filter(|log| wanted.contains(log)) {
        let name = log.partition();
        // A leader lags behind nobody.
        let partition = DescribeLogDirsPartition::default()
            .with_partition_index(name.partition.0)
            .with_partition_size(saturating(log.size_bytes()))
            .with_offset_lag(0);
        topics.entry(name.topic.clone()).or_default().push(partition);
    }
    topics
        .into_iter()
        .map(|(name, mut partitions)| {
            partitions.sort_by_key(|partition| partition.partition_index);
            let name = StrBytes::from_string(name.to_string());
            DescribeLogDirsTopic::default().with_name(name.into()).with_partitions(partitions)
        })
        .collect()
}

fn saturating(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "describe_log_dirs_tests.rs"]
mod tests;
