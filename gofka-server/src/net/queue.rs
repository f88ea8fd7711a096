//! A connection's requests between their stage one and their reply, in the order they came.
//!
//! Filled by the connection's reader, emptied by its writer; both run on one task, which polls
//! the reader first, so that no wake-up passes between them.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use parking_lot::Mutex;

use super::memory::{MemoryBudget, MemoryPermit};
use crate::api::{BoxFuture, Reply};
use crate::clock::Stopwatch;

/// Requests of one connection that may be in work at once.
const REQUESTS_MAX: usize = 128;
/// Bytes of one connection's requests in work, above which no further one is read.
const REQUEST_BYTES_MAX: usize = 32 << 20;
/// Bytes of answers that may be ready before they are taken, above which no further request is
/// read and no waiting answer is made. Those in files count: they hold the files open.
const READY_BYTES_MAX: usize = 1 << 20;
/// Answers of one connection that need no memory of the budget, taken together: they come however
/// short it is.
const SMALL_BYTES: usize = 128 << 10;

/// What is known of a request whose answer is to be sent.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) key: i16,
    pub(super) correlation_id: i32,
    pub(super) header_version: i16,
    pub(super) request_bytes: usize,
    pub(super) started: Stopwatch,
    /// The request's memory: a future may still hold the frame.
    pub(super) _permit: MemoryPermit,
}

/// A reply, or the promise of one.
pub(super) enum Answer {
    Ready(Reply),
    Waiting(BoxFuture<'static, Reply>),
    /// A reply that waits for memory, beyond what each connection has for nothing.
    Unfunded(BoxFuture<'static, Reply>),
}

struct Inner {
    memory: MemoryBudget,
    slots: VecDeque<(Ticket, Answer)>,
    request_bytes: usize,
    ready_bytes: usize,
    /// Those of them that are in memory.
    ready_memory: usize,
    /// Bytes of answers that no permit covers, until they are sent.
    free_bytes: usize,
    /// Those of them that the writer has taken.
    taken_bytes: usize,
    /// Slots whose answer waits for memory.
    unfunded: usize,
    ended: bool,
    reader_waits: bool,
}

/// The queue.
pub(super) struct Queue(Mutex<Inner>);

impl Inner {
    fn has_room(&self) -> bool {
        self.slots.len() < REQUESTS_MAX
            && self.request_bytes < REQUEST_BYTES_MAX
            && self.may_make_more()
    }

    /// Whether another answer may be made before those that are ready are taken. Where memory is
    /// short a connection waits early, instead of asking for what may not be there.
    fn may_make_more(&self) -> bool {
        self.unfunded == 0
            && self.ready_bytes < READY_BYTES_MAX
            && (self.ready_memory < SMALL_BYTES || !self.memory.is_short())
    }

    /// Takes the memory that `reply` holds until it is sent, if it is there. A connection has one
    /// answer or two that wait for it, so that what waits is bounded as well.
    fn admit(&mut self, reply: Reply) -> Answer {
        let bytes = reply.memory_bytes();
        if reply.has_permit() {
            return self.ready(reply);
        }
        if self.free_bytes + bytes <= SMALL_BYTES {
            self.free_bytes += bytes;
            return self.ready(reply);
        }
        let mut permit = self.memory.permit();
        if permit.try_hold(bytes) {
            return self.ready(reply.with_permit(permit));
        }
        self.unfunded += 1;
        Answer::Unfunded(Box::pin(async move {
            permit.hold(bytes).await;
            reply.with_permit(permit)
        }))
    }

    fn ready(&mut self, reply: Reply) -> Answer {
        self.ready_bytes += reply.len();
        self.ready_memory += reply.memory_bytes();
        Answer::Ready(reply)
    }

    /// Polls the answers that wait: the first always, the others while what is ready behind it
    /// is little, so that a client that does not read cannot pile up answers here.
    fn poll_answers(&mut self, cx: &mut Context<'_>) {
        for index in 0..self.slots.len() {
            if index > 0 && !self.may_make_more() {
                return;
            }
            self.poll_answer(index, cx);
        }
    }

    /// Only the first asks for memory: what another held could not leave before the first, which
    /// may need the same.
    fn poll_answer(&mut self, index: usize, cx: &mut Context<'_>) {
        if let Answer::Waiting(future) = &mut self.slots[index].1
            && let Poll::Ready(reply) = future.as_mut().poll(cx)
        {
            self.slots[index].1 = self.admit(reply);
        }
        if index == 0
            && let Answer::Unfunded(future) = &mut self.slots[index].1
            && let Poll::Ready(reply) = future.as_mut().poll(cx)
        {
            self.unfunded -= 1;
            self.slots[index].1 = self.ready(reply);
        }
    }
}

impl Queue {
    /// An empty queue whose answers, beyond a few small ones, share `memory` with those of other
    /// connections.
    pub(super) fn new(memory: MemoryBudget) -> Self {
        Self(Mutex::new(Inner {
            memory,
            slots: VecDeque::new(),
            request_bytes: 0,
            ready_bytes: 0,
            ready_memory: 0,
            free_bytes: 0,
            taken_bytes: 0,
            unfunded: 0,
            ended: false,
            reader_waits: false,
        }))
    }

    /// Waits until another request may be read.
    pub(super) fn poll_room(&self) -> Poll<()> {
        let mut inner = self.0.lock();
        inner.reader_waits = !inner.has_room();
        if inner.reader_waits { Poll::Pending } else { Poll::Ready(()) }
    }

    /// Whether the reader waits for room that there is now.
    pub(super) fn reader_can_go_on(&self) -> bool {
        let mut inner = self.0.lock();
        let can = inner.reader_waits && inner.has_room();
        inner.reader_waits &= !can;
        can
    }

    /// Adds a request. The next [`Queue::poll_next`] sees it.
    pub(super) fn push(&self, ticket: Ticket, answer: Answer) {
        let mut inner = self.0.lock();
        let inner = &mut *inner;
        inner.request_bytes += ticket.request_bytes;
        let answer = match answer {
            Answer::Ready(reply) => inner.admit(reply),
            waiting => waiting,
        };
        inner.slots.push_back((ticket, answer));
    }

    /// No request follows.
    pub(super) fn end(&self) {
        self.0.lock().ended = true;
    }

    /// What was taken is sent.
    pub(super) fn sent(&self) {
        let mut inner = self.0.lock();
        inner.free_bytes -= inner.taken_bytes;
        inner.taken_bytes = 0;
    }

    /// Whether answers that are ready hold memory behind one that is not.
    pub(super) fn parks_memory(&self) -> bool {
        let inner = self.0.lock();
        let head_waits = inner
            .slots
            .front()
            .is_some_and(|(_, answer)| matches!(answer, Answer::Waiting(_) | Answer::Unfunded(_)));
        head_waits && inner.ready_memory > SMALL_BYTES
    }

    /// Whether no request is in work.
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().slots.is_empty()
    }

    /// The next reply in order; `None` once the queue has ended and is empty.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<(Ticket, Reply)>> {
        let mut inner = self.0.lock();
        inner.poll_answers(cx);
        match inner.slots.pop_front() {
            None if inner.ended => Poll::Ready(None),
            None => Poll::Pending,
            Some((ticket, Answer::Ready(reply))) => {
                inner.request_bytes -= ticket.request_bytes;
                inner.ready_bytes -= reply.len();
                inner.ready_memory -= reply.memory_bytes();
                if !reply.has_permit() {
                    inner.taken_bytes += reply.memory_bytes();
                }
                if inner.slots.is_empty() {
                    inner.slots.shrink_to(4);
                }
                Poll::Ready(Some((ticket, reply)))
            }
            Some(waiting) => {
                inner.slots.push_front(waiting);
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{FileRange, Part};
    use crate::clock::Clock;
    use bytes::Bytes;
    use futures_util::task::noop_waker;
    use std::sync::Arc;
    use tokio::sync::oneshot;

    fn ticket(correlation_id: i32, request_bytes: usize) -> Ticket {
        Ticket {
            key: 0,
            correlation_id,
            header_version: 0,
            request_bytes,
            started: Clock::start().stopwatch(),
            _permit: MemoryBudget::new(1024).permit(),
        }
    }

    fn new_queue() -> Queue {
        Queue::new(MemoryBudget::new(64 << 20))
    }

    fn reply(size: usize) -> Reply {
        Reply::parts(vec![Bytes::from(vec![0; size])])
    }

    fn next(queue: &Queue) -> Poll<Option<i32>> {
        let waker = noop_waker();
        queue
            .poll_next(&mut Context::from_waker(&waker))
            .map(|next| next.map(|(ticket, _)| ticket.correlation_id))
    }

    #[test]
    fn replies_leave_in_request_order() {
        let queue = new_queue();
        let (send, receive) = oneshot::channel::<()>();
        let slow = async move {
            receive.await.expect("the sender lives");
            reply(1)
        };
        queue.push(ticket(1, 1), Answer::Waiting(Box::pin(slow)));
        queue.push(ticket(2, 1), Answer::Ready(reply(1)));
        queue.push(ticket(3, 1), Answer::Waiting(Box::pin(async { reply(1) })));
        assert!(next(&queue).is_pending());
        send.send(()).expect("the future waits");
        assert_eq!(next(&queue), Poll::Ready(Some(1)));
        assert_eq!(next(&queue), Poll::Ready(Some(2)));
        assert_eq!(next(&queue), Poll::Ready(Some(3)));
        assert!(next(&queue).is_pending());
        queue.end();
        assert_eq!(next(&queue), Poll::Ready(None));
    }

    #[test]
    fn answers_overlap_until_enough_are_ready() {
        let queue = new_queue();
        queue.push(ticket(0, 1), Answer::Waiting(Box::pin(std::future::pending())));
        let started = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        for id in 1..10 {
            let started = started.clone();
            let answer = async move {
                started.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                reply(READY_BYTES_MAX / 2)
            };
            queue.push(ticket(id, 1), Answer::Waiting(Box::pin(answer)));
        }
        assert!(next(&queue).is_pending());
        assert_eq!(started.load(std::sync::atomic::Ordering::Relaxed), 2);
        assert!(queue.parks_memory());
    }

    #[test]
    fn the_reader_waits_for_room_in_requests_and_in_bytes() {
        let queue = new_queue();
        for id in 0..REQUESTS_MAX as i32 {
            assert!(queue.poll_room().is_ready());
            queue.push(ticket(id, 1), Answer::Ready(reply(1)));
        }
        assert!(queue.poll_room().is_pending());
        assert!(!queue.reader_can_go_on());
        assert_eq!(next(&queue), Poll::Ready(Some(0)));
        assert!(queue.reader_can_go_on());
        assert!(!queue.reader_can_go_on(), "told once");

        let queue = new_queue();
        queue.push(ticket(0, REQUEST_BYTES_MAX), Answer::Ready(reply(1)));
        assert!(queue.poll_room().is_pending());

        let queue = new_queue();
        queue.push(ticket(0, 1), Answer::Ready(reply(READY_BYTES_MAX)));
        assert!(queue.poll_room().is_pending());
    }

    #[test]
    fn answers_that_are_not_read_hold_few_files_open_and_no_memory() {
        let queue = new_queue();
        let file = Arc::new(tempfile::tempfile().expect("a file"));
        queue.push(ticket(0, 1), Answer::Waiting(Box::pin(std::future::pending())));
        let mut count = 0;
        while queue.poll_room().is_ready() {
            let range = FileRange { file: file.clone(), position: 0, len: READY_BYTES_MAX / 4 };
            queue.push(ticket(1, 1), Answer::Ready(Reply::parts([Part::File(range)])));
            count += 1;
        }
        assert_eq!(count, 4);
        assert!(!queue.parks_memory());
    }

    /// Takes the next answer, which is ready.
    fn take(queue: &Queue) -> Reply {
        let waker = noop_waker();
        match queue.poll_next(&mut Context::from_waker(&waker)) {
            Poll::Ready(Some((_, reply))) => reply,
            _ => panic!("the answer is ready"),
        }
    }

    #[test]
    fn a_large_answer_waits_for_memory_and_a_small_one_does_not() {
        let memory = MemoryBudget::new(3 * SMALL_BYTES);
        let queues = [(); 4].map(|()| Queue::new(memory.clone()));
        let push = |queue: &Queue, size| queue.push(ticket(0, 1), Answer::Ready(reply(size)));
        for queue in &queues[..3] {
            push(queue, 2 * SMALL_BYTES);
        }
        let held = take(&queues[0]);
        let beyond = take(&queues[1]);
        assert_eq!(memory.available_bytes(), SMALL_BYTES, "one may go beyond what there is");
        assert!(next(&queues[2]).is_pending() && memory.is_awaited());
        assert!(queues[2].poll_room().is_pending(), "nothing else is made meanwhile");
        push(&queues[3], SMALL_BYTES);
        drop(take(&queues[3]));
        drop(held);
        drop(take(&queues[2]));
        assert!(!memory.is_awaited() && queues[2].reader_can_go_on());
        drop(beyond);
        assert_eq!(memory.available_bytes(), 3 * SMALL_BYTES);
    }

    #[test]
    fn an_answer_behind_another_does_not_take_the_memory_that_the_first_may_need() {
        let memory = MemoryBudget::new(2 * SMALL_BYTES);
        let mut all = memory.permit();
        assert!(all.try_hold(2 * SMALL_BYTES));
        let queue = Queue::new(memory.clone());
        let (send, receive) = oneshot::channel::<()>();
        let slow = async move {
            receive.await.expect("the sender lives");
            reply(2 * SMALL_BYTES)
        };
        queue.push(ticket(0, 1), Answer::Waiting(Box::pin(slow)));
        queue.push(ticket(1, 1), Answer::Ready(reply(2 * SMALL_BYTES)));
        assert!(next(&queue).is_pending() && !memory.is_awaited());
        assert!(!queue.parks_memory());
        drop(all);
        assert!(next(&queue).is_pending());
        assert_eq!(memory.available_bytes(), 2 * SMALL_BYTES);
        send.send(()).expect("the future waits");
        assert_eq!(next(&queue), Poll::Ready(Some(0)));
        assert_eq!(next(&queue), Poll::Ready(Some(1)));
    }

    #[test]
    fn small_answers_that_are_not_read_need_memory_too() {
        const SIZE: usize = SMALL_BYTES / 4;
        let memory = MemoryBudget::new(2 * SMALL_BYTES);
        let queue = Queue::new(memory.clone());
        let push = |count| {
            (0..count).for_each(|id| queue.push(ticket(id, 1), Answer::Ready(reply(SIZE))));
        };
        push(4);
        assert_eq!(memory.available_bytes(), 2 * SMALL_BYTES, "a few cost nothing");
        let first: Vec<Reply> = (0..4).map(|_| take(&queue)).collect();
        push(6);
        assert_eq!(memory.available_bytes(), 2 * SIZE, "also while the writer has the first");
        assert!(queue.poll_room().is_ready());
        push(1);
        assert!(queue.poll_room().is_pending(), "short of memory, none is read ahead");
        push(2);
        assert_eq!(memory.available_bytes(), 0, "the last one waits");
        drop(first);
        (0..9).for_each(|_| drop(take(&queue)));
        queue.sent();
        assert_eq!(memory.available_bytes(), 2 * SMALL_BYTES);
        push(4);
        assert_eq!(memory.available_bytes(), 2 * SMALL_BYTES, "what is sent is forgotten");
    }
}
