//! The broker's incremental fetch sessions: the state machine behind a lock, with random ids.

use gofka_core::error::ErrorCode;
use gofka_core::fetch_session::{
    FetchAnswer, FetchPlan, FetchSessions, PartitionNews, SessionLimits, SessionRequest,
};
use gofka_core::time::MonotonicMs;
use parking_lot::Mutex;
use uuid::Uuid;

/// All sessions.
#[derive(Debug)]
pub struct FetchSessionTable {
    sessions: Mutex<FetchSessions>,
}

impl FetchSessionTable {
    /// No sessions yet, and never more than `slots`.
    pub fn new(slots: usize) -> Self {
        let limits = SessionLimits { slots, ..SessionLimits::default() };
        Self { sessions: Mutex::new(FetchSessions::new(limits)) }
    }

    /// Takes a request in.
    pub fn begin(&self, now: MonotonicMs, request: SessionRequest) -> Result<FetchPlan, ErrorCode> {
        self.sessions.lock().begin(now, request)
    }

    /// Decides what goes into the answer.
    pub fn finish(
        &self,
        now: MonotonicMs,
        plan: &FetchPlan,
        news: &[PartitionNews],
    ) -> Result<FetchAnswer, ErrorCode> {
        self.sessions.lock().finish(now, plan, news, random_id)
    }
}

fn random_id() -> i32 {
    Uuid::new_v4().as_u128() as i32
}
