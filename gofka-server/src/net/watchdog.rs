//! Ends connections that wait too long: idle ones, slow senders, clients that never read.
//!
//! Polled last of a connection's three parts, so that it sees what the others just did.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use super::activity::{Activity, Overdue, Short};
use super::queue::Queue;
use super::shared::Shared;

/// How often a client that is slow is looked at again: memory may have become short.
const SLOW_CHECK: Duration = Duration::from_secs(1);
/// Deadlines that move back by less than this do not move the timer.
const SLACK: Duration = Duration::from_secs(1);
/// The timer of a connection without a deadline.
const NONE: Duration = Duration::from_secs(3600);

/// Ends when the connection is overdue.
pub(super) async fn run(shared: &Shared, queue: &Queue, activity: &Activity) -> Overdue {
    let mut timer = pin!(sleep(NONE));
    poll_fn(|cx| check(shared, queue, activity, timer.as_mut(), cx)).await
}

fn check(
    shared: &Shared,
    queue: &Queue,
    activity: &Activity,
    mut timer: std::pin::Pin<&mut Sleep>,
    cx: &mut Context<'_>,
) -> Poll<Overdue> {
    loop {
        let moment = shared.clock.stopwatch();
        let now = shared.clock.monotonic_at(moment);
        activity.parks(queue.parks_memory(), now);
        let short = Short {
            requests: shared.request_memory.is_short(),
            replies: shared.reply_memory.is_short(),
            replies_awaited: shared.reply_memory.is_awaited(),
        };
        let idle_max = shared.options.idle_max;
        let deadline = activity.deadline(idle_max, !queue.is_empty(), short);
        let left = match deadline {
            Some((at, overdue)) => {
                let left = at.since(now);
                if left.is_zero() {
                    return Poll::Ready(overdue);
                }
                let slow = matches!(overdue, Overdue::SlowReader | Overdue::SlowSender);
                if slow { left.min(SLOW_CHECK) } else { left }
            }
            None => NONE,
        };
        // The timer only ever moves forward to an earlier moment; when it fires early, it is
        // set anew. So a busy connection does not touch it at each request.
        let wanted = moment.on_timer() + left;
        if wanted + SLACK < timer.deadline() {
            timer.as_mut().reset(wanted);
        }
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        timer.as_mut().reset(wanted);
    }
}
