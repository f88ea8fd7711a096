//! Incremental fetch sessions (KIP-227), sans IO: what a client fetches without saying it again,
//! and what it is told again only when it changed.
//!
//! Called by the Fetch handler: `begin` when a request arrives, `finish` when its answer is made.
//! One instance holds all sessions behind the caller's lock; time and random ids are arguments.
//! Rules follow Kafka's `FetchSession.scala`.

mod cache;
mod session;

pub use cache::{FetchSessions, SessionLimits};
pub use session::{PartitionKey, TargetState, TopicKey};

use crate::ids::{LeaderEpoch, Offset};

/// The id that stands for no session.
pub const NO_SESSION: i32 = 0;
/// The epoch that asks for a new session.
pub const INITIAL_EPOCH: i32 = 0;
/// The epoch that closes the session.
pub const FINAL_EPOCH: i32 = -1;

/// What a client wants from one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchTarget {
    /// The first offset.
    pub offset: Offset,
    /// Bytes at most.
    pub max_bytes: i32,
    /// The leader epoch that the client believes in, or -1.
    pub current_leader_epoch: LeaderEpoch,
    /// The epoch of the last record that the client has, or -1 (KIP-595).
    pub last_fetched_epoch: LeaderEpoch,
}

/// The part of a request that concerns its session.
#[derive(Clone, Debug, Default)]
pub struct SessionRequest {
    /// The session, or [`NO_SESSION`].
    pub id: i32,
    /// Its epoch, [`INITIAL_EPOCH`] or [`FINAL_EPOCH`].
    pub epoch: i32,
    /// Topics are named by id.
    pub uses_topic_ids: bool,
    /// New and changed partitions.
    pub targets: Vec<(PartitionKey, FetchTarget)>,
    /// Partitions that are not wanted any more.
    pub forgotten: Vec<PartitionKey>,
}

/// What kind of answer a request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchKind {
    /// All partitions, no session.
    Sessionless,
    /// All partitions; a session is made if there is room.
    Full {
        /// Topics are named by id.
        uses_topic_ids: bool,
    },
    /// The partitions with news.
    Incremental {
        /// The session.
        id: i32,
        /// Its epoch once this request is answered.
        next_epoch: i32,
    },
}

/// A request with its session's memory filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchPlan {
    /// What kind of answer it gets.
    pub kind: FetchKind,
    /// Every partition to fetch, in this order.
    pub targets: Vec<(PartitionKey, FetchTarget)>,
}

/// What an answer says of one partition, as far as the session remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionNews {
    /// The high watermark in the answer.
    pub high_watermark: Offset,
    /// The log start offset in the answer.
    pub log_start_offset: Offset,
    /// It carries records.
    pub has_records: bool,
    /// It carries an error or something else that is always told.
    pub always: bool,
    /// It carries an error, after which the next answer is told again.
    pub is_error: bool,
}

/// What goes into the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchAnswer {
    /// The session to name.
    pub session_id: i32,
    /// For each partition of the plan, whether it is in the answer.
    pub included: Vec<bool>,
}

/// The epoch after `epoch`: 1 follows the initial one and the largest.
const fn next_epoch(epoch: i32) -> i32 {
    match epoch {
        FINAL_EPOCH => FINAL_EPOCH,
        i32::MAX => 1,
        _ => epoch + 1,
    }
}

#[cfg(test)]
mod tests;
