//! All sessions, a bounded number of them: making, finding and evicting.

use std::collections::HashMap;
use std::time::Duration;

use super::session::Session;
use super::{
    FINAL_EPOCH, FetchAnswer, FetchKind, FetchPlan, INITIAL_EPOCH, NO_SESSION, PartitionNews,
    SessionRequest, next_epoch,
};
use crate::error::ErrorCode;
use crate::time::MonotonicMs;

/// How much the sessions may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// `max.incremental.fetch.session.cache.slots`
    pub slots: usize,
    /// How long a session is safe from others (Kafka:
    /// `min.incremental.fetch.session.eviction.ms`).
    pub evict_after: Duration,
    /// Partitions of all sessions together. A client beyond it fetches without a session.
    pub partitions: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { slots: 1_000, evict_after: Duration::from_secs(120), partitions: 500_000 }
    }
}

/// Every session of a broker.
#[derive(Debug)]
pub struct FetchSessions {
    limits: SessionLimits,
    sessions: HashMap<i32, Session>,
    partitions: usize,
    evictions: u64,
}

impl FetchSessions {
    /// No sessions yet.
    pub fn new(limits: SessionLimits) -> Self {
        Self { limits, sessions: HashMap::new(), partitions: 0, evictions: 0 }
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Partitions of all sessions together.
    pub fn partition_count(&self) -> usize {
        self.partitions
    }

    /// Sessions that had to go for others.
    pub fn evictions(&self) -> u64 {
        self.evictions
    }

    /// Takes a request in: what to fetch, or the error that the whole answer carries.
    pub fn begin(
        &mut self,
        now: MonotonicMs,
        request: SessionRequest,
    ) -> Result<FetchPlan, ErrorCode> {
        let uses_topic_ids = request.uses_topic_ids;
        match request.epoch {
            INITIAL_EPOCH | FINAL_EPOCH => {
                self.remove(request.id);
                let kind = if request.epoch == INITIAL_EPOCH {
                    FetchKind::Full { uses_topic_ids }
                } else {
                    FetchKind::Sessionless
                };
                Ok(FetchPlan { kind, targets: without_repetition(request) })
            }
            _ => self.resume(now, request),
        }
    }

    fn resume(
        &mut self,
        now: MonotonicMs,
        request: SessionRequest,
    ) -> Result<FetchPlan, ErrorCode> {
        let id = request.id;
        let session = self.sessions.get_mut(&id).ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.epoch != request.epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.uses_topic_ids != request.uses_topic_ids {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        let before = session.len();
        for (key, target) in request.targets {
            session.want(key, target);
        }
        for key in &request.forgotten {
            session.forget(key);
        }
        let after = session.len();
        self.partitions = self.partitions + after - before;
        if after == 0 {
            self.remove(id);
            return Ok(FetchPlan { kind: FetchKind::Sessionless, targets: Vec::new() });
        }
        if self.partitions > self.limits.partitions && after > before {
            self.remove(id);
            return Err(ErrorCode::FetchSessionIdNotFound);
        }
        session.epoch = next_epoch(session.epoch);
        session.last_used = now;
        session.weight = after;
        let kind = FetchKind::Incremental { id, next_epoch: session.epoch };
        Ok(FetchPlan { kind, targets: session.targets() })
    }

    /// Makes the answer to `plan`, whose partitions came out as `news`, in the same order.
    /// `random_id` gives ids for a new session; any number will do.
    pub fn finish(
        &mut self,
        now: MonotonicMs,
        plan: &FetchPlan,
        news: &[PartitionNews],
        random_id: impl FnMut() -> i32,
    ) -> Result<FetchAnswer, ErrorCode> {
        assert_eq!(plan.targets.len(), news.len(), "every partition has an outcome");
        let everything = |session_id| FetchAnswer { session_id, included: vec![true; news.len()] };
        match plan.kind {
            FetchKind::Sessionless => Ok(everything(NO_SESSION)),
            FetchKind::Full { uses_topic_ids } => {
                let id = self.make_room(now, plan.targets.len(), random_id);
                if let Some(id) = id {
                    self.insert(id, Session::new(1, uses_topic_ids, now), plan, news);
                }
                Ok(everything(id.unwrap_or(NO_SESSION)))
            }
            FetchKind::Incremental { id, next_epoch } => {
                // Closed or evicted while the fetch waited: the answer is still what was asked
                // for, and the next fetch hears that the session is gone.
                let Some(session) = self.sessions.get_mut(&id) else { return Ok(everything(id)) };
                if session.epoch != next_epoch {
                    return Err(ErrorCode::InvalidFetchSessionEpoch);
                }
                let outcomes = plan.targets.iter().zip(news);
                let included = outcomes.map(|((key, _), news)| session.note(key, news)).collect();
                Ok(FetchAnswer { session_id: id, included })
            }
        }
    }

    fn insert(&mut self, id: i32, mut session: Session, plan: &FetchPlan, news: &[PartitionNews]) {
        for ((key, target), news) in plan.targets.iter().zip(news) {
            session.want(key.clone(), *target);
            session.note(key, news);
        }
        session.weight = session.len();
        self.partitions += session.len();
        self.sessions.insert(id, session);
    }

    /// An id for a session of `weight` partitions, if there is or can be made room for it.
    fn make_room(
        &mut self,
        now: MonotonicMs,
        weight: usize,
        mut random_id: impl FnMut() -> i32,
    ) -> Option<i32> {
        if self.partitions + weight > self.limits.partitions {
            return None;
        }
        if self.sessions.len() >= self.limits.slots && !self.evict_for(now, weight) {
            return None;
        }
        // Ids are positive; a used one is as unlikely as there are few sessions.
        loop {
            let id = random_id() & i32::MAX;
            if id != NO_SESSION && !self.sessions.contains_key(&id) {
                return Some(id);
            }
        }
    }

    /// Removes a session that was silent for long, or an old one that is smaller than `weight`.
    fn evict_for(&mut self, now: MonotonicMs, weight: usize) -> bool {
        let after = self.limits.evict_after;
        let stalest = self.sessions.iter().min_by_key(|(_, session)| session.last_used);
        let stale = stalest.filter(|(_, session)| now.since(session.last_used) > after);
        let victim = stale.or_else(|| {
            let old = self.sessions.iter().filter(|(_, s)| now.since(s.created) > after);
            old.min_by_key(|(id, session)| (session.weight, **id))
                .filter(|(_, session)| session.weight < weight)
        });
        let Some(id) = victim.map(|(id, _)| *id) else {
            return false;
        };
        self.remove(id);
        self.evictions += 1;
        true
    }

    fn remove(&mut self, id: i32) {
        if let Some(session) = self.sessions.remove(&id) {
            self.partitions -= session.len();
        }
    }
}

/// The request's partitions, the last word on each, in the order they were first named.
fn without_repetition(request: SessionRequest) -> Vec<(super::PartitionKey, super::FetchTarget)> {
    let mut once = Session::new(FINAL_EPOCH, request.uses_topic_ids, MonotonicMs::default());
    for (key, target) in request.targets {
        once.want(key, target);
    }
    once.targets()
}
