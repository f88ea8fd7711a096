//! Fetch (1), versions 4-18: reads records, waiting for more where the client asks for it.
//!
//! Behaviour: a fetch is a plan (from the request and its session, KIP-227), a read of each
//! partition in turn within the bytes asked for (the first batch comes whatever its size, KIP-74),
//! and, where that is less than `min_bytes`, a wait for the high watermarks to move or for
//! `max_wait_ms`. Records leave as they lie on disk. Partitions without records carry an empty
//! field, never null, which librdkafka refuses. A follower's fetch is refused here: on a
//! listener for clients it cannot be told from a forged one.
//!
//! Version notes: 5 log start offsets, 7 sessions (KIP-227), 9 leader epochs (KIP-320), 10 zstd,
//! 11 racks (KIP-392), 12 flexible and diverging epochs (KIP-595), 13 topic ids (KIP-516),
//! 15 replica state (KIP-903), 16 leader endpoints (KIP-951), 17 directory ids, 18 high watermarks
//! of followers (KIP-1166).

mod plan;
mod read;
mod reads;
mod response;

use std::sync::Arc;
use std::time::Duration;

use gofka_core::error::ErrorCode;
use gofka_core::fetch_session::{FetchPlan, PartitionNews};
use kafka_protocol::messages::FetchRequest;

use self::plan::{Limits, Source, resolve};
use self::read::Outcome as Read;
use self::reads::Reads;
use self::response::{Included, encode, encode_error};
use super::leader_hint::{self, LeaderHint};
use super::{Api, Outcome, Reply, RequestContext};
use crate::net::MemoryBudget;
use crate::partition::{Delayed, DelayedGuard};

/// The row of the table.
pub const API: Api = Api::new::<FetchRequest>(4, 18);

const LEADER_HINT_SINCE: i16 = 16;

/// Reads, and waits if that was too little.
#[allow(clippy::unused_async, reason = "every handler has this signature")]
pub async fn handle(context: &RequestContext, request: FetchRequest) -> Outcome {
    let limits = Limits::of(&request, context.broker.partitions.settings().fetch_max_bytes);
    let follower = plan::is_follower(&request, context.api_version);
    let session = plan::session_request(request, context.api_version);
    let begun = context.broker.fetch_sessions.begin(context.now.monotonic, session);
    let plan = match begun {
        Ok(plan) => plan,
        Err(code) => {
            let reply = Reply::parts(encode_error(context.api_version, code));
            return Outcome::Now(reply.with_error(code));
        }
    };
    let sources = if follower {
        vec![Source::Refused(ErrorCode::TopicAuthorizationFailed); plan.targets.len()]
    } else {
        resolve(&context.broker.partitions.snapshot(), &plan.targets)
    };
    let fetch = Fetch { plan, sources, limits, memory: context.reply_memory.clone() };
    let reads = fetch.read_at_once();
    let reads = match reads {
        Some(reads) if fetch.is_the_answer(&reads) => {
            return Outcome::Now(fetch.reply(context, reads));
        }
        other => other,
    };
    let (context, fetch) = (context.clone(), Arc::new(fetch));
    Outcome::later(async move {
        let mut reads = match reads {
            Some(reads) => reads,
            None => fetch.read().await,
        };
        if !fetch.is_the_answer(&reads) {
            reads = tokio::select! {
                reads = fetch.wait(reads) => reads,
                () = context.broker.stopping.cancelled() => fetch.read().await,
            };
        }
        fetch.reply(&context, reads)
    })
}

/// One fetch, from its plan to its answer.
struct Fetch {
    plan: FetchPlan,
    sources: Vec<Source>,
    limits: Limits,
    memory: MemoryBudget,
}

impl Fetch {
    /// Whether nothing is to be waited for: enough bytes, something the client must know at once,
    /// or no partition from which more could come.
    fn is_enough(&self, reads: &Reads) -> bool {
        let bytes = reads.bytes();
        let readable = self.sources.iter().any(|source| matches!(source, Source::Here(_)));
        bytes >= self.limits.min_bytes
            || (reads.is_short && bytes > 0)
            || !readable
            || reads.all.iter().any(|read| read.is_urgent)
    }

    fn is_the_answer(&self, reads: &Reads) -> bool {
        self.limits.max_wait.is_zero() || self.is_enough(reads)
    }

    /// Stage two: reads again whenever there may be enough, until there is or time is up.
    async fn wait(self: &Arc<Self>, mut reads: Reads) -> Reads {
        let deadline = tokio::time::sleep(self.limits.max_wait);
        tokio::pin!(deadline);
        loop {
            let bytes = reads.bytes();
            let operation = DelayedGuard(Delayed::new(self.limits.min_bytes.saturating_sub(bytes)));
            // What was read may be stale by the time of the answer, and is not held meanwhile.
            let unchanged = self.watch(&operation.0, &reads.all);
            drop(reads);
            let expired = unchanged
                && tokio::select! {
                    () = operation.0.completed() => false,
                    () = &mut deadline => true,
                };
            reads = self.read().await;
            if expired || self.is_enough(&reads) {
                return reads;
            }
        }
    }

    fn watch(&self, operation: &Arc<Delayed>, reads: &[Read]) -> bool {
        let mut unchanged = true;
        for (source, read) in self.sources.iter().zip(reads) {
            if let Source::Here(partition) = source {
                unchanged &= partition.watch(operation, self.limits.isolation, read.readable_end);
            }
        }
        unchanged
    }

    fn reply(&self, context: &RequestContext, reads: Reads) -> Reply {
        let Reads { all: mut reads, permit, .. } = reads;
        let (broker, version) = (&context.broker, context.api_version);
        let news: Vec<PartitionNews> = reads.iter().map(Read::news).collect();
        let now = broker.clock.now().monotonic;
        let answer = match broker.fetch_sessions.finish(now, &self.plan, &news) {
            Ok(answer) => answer,
            Err(code) => return Reply::parts(encode_error(version, code)).with_error(code),
        };
        let leaders = self.add_leader_hints(context, &mut reads);
        let endpoints = if leaders.is_empty() {
            Vec::new()
        } else {
            leader_hint::endpoints(context, &leaders)
        };
        self.count(context, &reads);
        let codes: Vec<ErrorCode> = reads.iter().map(|read| read.error).collect();
        let partitions = self.plan.targets.iter().map(|(key, _)| key).zip(&reads);
        let included: Included<'_> =
            partitions.zip(answer.included).filter(|(_, is)| *is).map(|(part, _)| part).collect();
        let parts = encode(version, answer.session_id, &included, &endpoints);
        let reply = Reply::parts(parts).with_errors(codes);
        match permit {
            Some(permit) => reply.with_permit(permit),
            None => reply,
        }
    }

    /// Notes who leads the partitions that are led elsewhere, and gives those leaders.
    fn add_leader_hints(&self, context: &RequestContext, reads: &mut [Read]) -> Vec<i32> {
        let mut leaders = Vec::new();
        if context.api_version < LEADER_HINT_SINCE {
            return leaders;
        }
        for (source, read) in self.sources.iter().zip(reads) {
            let missed =
                matches!(read.error, ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch);
            let name = match source {
                Source::Here(partition) if missed => partition.name(),
                Source::Elsewhere(name) if missed => name,
                _ => continue,
            };
            let hint = LeaderHint::find(context, name.topic.as_str(), name.partition);
            if let Some(hint) = hint.filter(|hint| hint.leader.0 >= 0) {
                leaders.push(hint.leader.0);
                read.leader_hint = Some(hint);
            }
        }
        leaders
    }

    fn count(&self, context: &RequestContext, reads: &[Read]) {
        if reads.iter().all(|read| read.records.is_empty()) {
            return;
        }
        let groups = &context.broker.groups;
        let group = groups.group_of(context.client_id(), context.peer().ip());
        let group = group.as_deref().unwrap_or_default();
        for (source, read) in self.sources.iter().zip(reads) {
            if let Source::Here(partition) = source {
                partition.metrics().consumed(group, read.record_count);
            }
        }
    }
}

/// A wait of `milliseconds`, none where it is negative.
fn wait_of(milliseconds: i32) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}

#[cfg(test)]
mod tests;
