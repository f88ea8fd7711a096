//! The way from one generation to the next, and the timers on it.
//!
//! Called by the handlers beside it and by `Shard` when a timer fires.

use std::time::Duration;

use super::{ClassicGroup, ClassicState, Context, Event, InitialDelay, Timer, Wait};
use crate::error::ErrorCode;
use crate::group::ids::MemberId;
use crate::group::reply::{RebalanceReason, SyncReply};

/// Members may name a rebalance timeout of nothing; looking for silent static ones again and again
/// must not take all of a shard's time.
const STATIC_WAIT_MIN: Duration = Duration::from_secs(1);

impl ClassicGroup {
    /// Whether the members of a group that was empty are gathering.
    pub(super) fn is_initial_rebalance(&self) -> bool {
        self.state == ClassicState::PreparingRebalance
            && self.previous_state == Some(ClassicState::Empty)
    }

    pub(super) fn rebalance_or_complete(
        &mut self,
        cx: &mut Context<'_>,
        reason: RebalanceReason,
        detail: String,
    ) {
        if self.state == ClassicState::PreparingRebalance {
            self.maybe_complete_join(cx);
        } else {
            self.prepare_rebalance(cx, reason, detail);
        }
    }

    /// Begins a rebalance: members that wait for an assignment have to join again.
    pub(super) fn prepare_rebalance(
        &mut self,
        cx: &mut Context<'_>,
        reason: RebalanceReason,
        detail: String,
    ) {
        if self.state == ClassicState::CompletingRebalance {
            self.fail_syncs(cx, ErrorCode::RebalanceInProgress);
        }
        self.pending_syncs.clear();
        cx.timers.cancel(&Timer::Sync(self.id.clone()));
        let group = self.id.clone();
        cx.event(Event::Rebalance { group, generation: self.generation, reason, detail });

        let was_empty = self.state == ClassicState::Empty;
        self.transition(ClassicState::PreparingRebalance, cx.now.wall);
        if was_empty {
            self.begin_initial_delay(cx);
        } else if self.have_all_joined() {
            self.complete_join(cx);
        } else {
            cx.schedule(Timer::Join(self.id.clone()), self.rebalance_timeout());
        }
    }

    fn begin_initial_delay(&mut self, cx: &mut Context<'_>) {
        let current = cx.settings.initial_rebalance_delay;
        self.joined_during_delay = false;
        if current.is_zero() {
            self.complete_join(cx);
            return;
        }
        let remaining = self.rebalance_timeout().saturating_sub(current);
        self.initial_delay = Some(InitialDelay { current, remaining });
        cx.schedule(Timer::Join(self.id.clone()), current);
    }

    /// The join phase has lasted long enough; the initial one is drawn out while members come.
    pub(crate) fn on_join_timer(&mut self, cx: &mut Context<'_>) {
        if self.state != ClassicState::PreparingRebalance {
            return;
        }
        let delay = self.initial_delay.take();
        let Some(delay) = delay.filter(|d| self.joined_during_delay && !d.remaining.is_zero())
        else {
            self.complete_join(cx);
            return;
        };
        self.joined_during_delay = false;
        let current = cx.settings.initial_rebalance_delay.min(delay.remaining);
        let remaining = delay.remaining.saturating_sub(delay.current);
        self.initial_delay = Some(InitialDelay { current, remaining });
        cx.schedule(Timer::Join(self.id.clone()), current);
    }

    /// Completes the join phase if everyone is there. The initial one runs its full delay.
    pub(super) fn maybe_complete_join(&mut self, cx: &mut Context<'_>) {
        let preparing = self.state == ClassicState::PreparingRebalance;
        if preparing && !self.is_initial_rebalance() && self.have_all_joined() {
            self.complete_join(cx);
        }
    }

    /// Ends the join phase with those who have come. Static members stay while their session lasts.
    pub(super) fn complete_join(&mut self, cx: &mut Context<'_>) {
        cx.timers.cancel(&Timer::Join(self.id.clone()));
        self.initial_delay = None;
        self.remove_missing_members(cx);
        if !self.elect_leader() && !self.members.is_empty() {
            // Only silent static members are left: wait for them or for their sessions to end.
            let wait = self.rebalance_timeout().max(STATIC_WAIT_MIN);
            cx.schedule(Timer::Join(self.id.clone()), wait);
            return;
        }
        self.generation = self.generation.next();
        self.pending_syncs.clear();
        if self.members.is_empty() {
            self.protocol_name = None;
            self.subscribed = self.read_subscriptions();
            self.transition(ClassicState::Empty, cx.now.wall);
            self.store(cx);
            return;
        }
        self.protocol_name = Some(self.select_protocol());
        self.subscribed = self.read_subscriptions();
        self.transition(ClassicState::CompletingRebalance, cx.now.wall);
        self.announce_generation(cx);
    }

    fn remove_missing_members(&mut self, cx: &mut Context<'_>) {
        let missing: Vec<MemberId> = self
            .members
            .values()
            .filter(|member| member.awaiting_join.is_none() && !member.is_static())
            .map(|member| member.id.clone())
            .collect();
        for id in missing {
            self.remove_member(cx, &id);
            self.report_removal(cx, id, RebalanceReason::JoinExpired, String::new());
        }
    }

    /// A leader that has not joined is replaced by a member that has. False when nobody has.
    fn elect_leader(&mut self) -> bool {
        let leader = self.leader.as_ref().and_then(|leader| self.members.get(leader));
        if leader.is_some_and(|leader| leader.awaiting_join.is_some()) {
            return true;
        }
        let joined = self.members.values().find(|member| member.awaiting_join.is_some());
        if let Some(joined) = joined {
            self.leader = Some(joined.id.clone());
        }
        joined.is_some()
    }

    fn announce_generation(&mut self, cx: &mut Context<'_>) {
        let ids: Vec<MemberId> = self.members.keys().cloned().collect();
        for id in ids {
            let reply = self.join_reply(&id);
            let member = self.members.get_mut(&id).expect("listed above");
            member.is_new = false;
            let waiting = member.awaiting_join.take();
            let session = member.session_timeout();
            if let Some(to) = waiting {
                cx.answer(to, reply, Wait::No);
            }
            cx.schedule(Timer::Session(self.id.clone(), id.clone()), session);
            self.pending_syncs.insert(id);
        }
        cx.schedule(Timer::Sync(self.id.clone()), self.rebalance_timeout());
        let members = self.members.len();
        let group = self.id.clone();
        cx.event(Event::Joined { group, generation: self.generation, members });
    }

    /// Some members have not asked for their assignment in time: the others go on without them.
    pub(crate) fn on_sync_timer(&mut self, cx: &mut Context<'_>) {
        let synced = matches!(self.state, ClassicState::CompletingRebalance | ClassicState::Stable);
        if !synced || self.pending_syncs.is_empty() {
            return;
        }
        let missing = std::mem::take(&mut self.pending_syncs);
        let detail = join_ids(&missing);
        for id in missing {
            self.remove_member(cx, &id);
            self.report_removal(cx, id, RebalanceReason::SyncExpired, String::new());
        }
        self.prepare_rebalance(cx, RebalanceReason::SyncExpired, detail);
    }

    /// Refuses everyone who waits for an assignment.
    pub(super) fn fail_syncs(&mut self, cx: &mut Context<'_>, error: ErrorCode) {
        for member in self.members.values_mut() {
            member.assignment = bytes::Bytes::new();
            let Some(to) = member.awaiting_sync.take() else { continue };
            cx.answer(to, SyncReply::error(error), Wait::No);
            // A deadline may have passed unnoticed while the member was excused.
            let session = Timer::Session(self.id.clone(), member.id.clone());
            cx.schedule(session, member.session_timeout());
        }
    }

    /// Goes on after members have left or failed.
    pub(super) fn after_removal(
        &mut self,
        cx: &mut Context<'_>,
        reason: RebalanceReason,
        detail: String,
    ) {
        match self.state {
            ClassicState::Stable | ClassicState::CompletingRebalance => {
                self.prepare_rebalance(cx, reason, detail);
            }
            ClassicState::PreparingRebalance => self.maybe_complete_join(cx),
            ClassicState::Empty => {}
        }
    }

    pub(super) fn report_removal(
        &self,
        cx: &mut Context<'_>,
        member: MemberId,
        reason: RebalanceReason,
        detail: String,
    ) {
        cx.event(Event::MemberRemoved { group: self.id.clone(), member, reason, detail });
    }
}

/// Ids for a sentence in the log; a long list is cut.
pub(super) fn join_ids<'a>(ids: impl IntoIterator<Item = &'a MemberId>) -> String {
    const SHOWN: usize = 8;
    let ids: Vec<&str> = ids.into_iter().map(MemberId::as_str).collect();
    let more = if ids.len() > SHOWN { ", ..." } else { "" };
    format!("{}{more}", ids[..ids.len().min(SHOWN)].join(", "))
}
