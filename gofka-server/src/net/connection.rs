//! One client's connection: requests in, stage one in order, replies out in order.
//!
//! A single task runs the reader, the writer and the watchdog side by side. The reader takes a
//! frame, checks it, and runs the handler's stage one; what comes of it goes into the queue that
//! the writer empties. So reading goes on while an answer waits, and no request passes from one
//! thread to another. Started by `listener.rs`, which owns the task.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;

use super::activity::{Activity, Overdue};
use super::frames::{Frame, FrameError, Frames, SMALL_BYTES};
use super::grammar::{self, Refusal};
use super::header;
use super::queue::{Answer, Queue, Ticket};
use super::shared::Shared;
use super::{watchdog, writer};
use crate::api::{Api, ConnectionInfo, Outcome, RequestContext, UndecodableBody, api_versions};
use crate::clock::Stopwatch;

/// A request that took this long in its stage one lets others have the thread.
const LONG: Duration = Duration::from_millis(5);

/// Why a connection ends by our doing.
#[derive(Debug)]
enum Problem {
    Frame(FrameError),
    Header(Refusal),
    Body { api: String, version: i16, refusal: Refusal },
    Undecodable { api: String, version: i16, error: UndecodableBody },
    Overdue(Overdue),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(error) => write!(f, "connection closed: {error}"),
            Self::Header(refusal) => write!(f, "connection closed: bad request header: {refusal}"),
            Self::Body { api, version, refusal } => {
                write!(f, "connection closed: bad request to {api} version {version}: {refusal}")
            }
            Self::Undecodable { api, version, error } => {
                write!(f, "connection closed: bad request to {api} version {version}: {error}")
            }
            Self::Overdue(Overdue::SlowSender) => {
                write!(f, "connection closed: a request did not arrive in time")
            }
            Self::Overdue(Overdue::SlowReader) => {
                write!(f, "connection closed: the client does not read its answers")
            }
            Self::Overdue(Overdue::Idle | Overdue::Drained) => write!(f, "connection closed"),
        }
    }
}

impl Problem {
    /// Idle connections and clients that go away are everyday; a person need not know.
    fn is_everyday(&self) -> bool {
        matches!(
            self,
            Self::Frame(FrameError::Io(_) | FrameError::EndInside)
                | Self::Overdue(Overdue::Idle | Overdue::Drained)
        )
    }
}

/// How the reader ends.
enum ReaderEnd {
    /// The client ended its side, or a handler closes the connection.
    Quiet,
    Problem(Problem),
}

/// Serves `stream` until either side ends it.
pub(super) async fn run(stream: TcpStream, shared: Arc<Shared>, info: Arc<ConnectionInfo>) {
    let problem = serve(&stream, &shared, &info).await;
    let Some(problem) = problem else { return };
    if problem.is_everyday() {
        tracing::debug!(peer = %info.peer, "{problem}");
    } else {
        shared.complaints.say(shared.clock.monotonic(), info.peer, problem);
    }
}

async fn serve(
    stream: &TcpStream,
    shared: &Arc<Shared>,
    info: &Arc<ConnectionInfo>,
) -> Option<Problem> {
    let queue = Queue::new(shared.reply_memory.clone());
    let activity = Activity::default();
    activity.touch(shared.clock.monotonic());
    let mut reader = pin!(read(stream, shared, info, &queue, &activity));
    let mut writer = pin!(writer::run(stream, &queue, shared, &activity));
    let mut watchdog = pin!(watchdog::run(shared, &queue, &activity));
    let mut stopping = pin!(shared.stopping.cancelled());
    let mut reading = true;
    let mut problem = None;
    poll_fn(|cx| {
        loop {
            if reading {
                let stops = stopping.as_mut().poll(cx).is_ready() && !activity.is_in_stage_one();
                let end =
                    if stops { Poll::Ready(ReaderEnd::Quiet) } else { reader.as_mut().poll(cx) };
                if let Poll::Ready(end) = end {
                    reading = false;
                    queue.end();
                    activity.frame_rests();
                    activity.drains(shared.clock.monotonic());
                    if let ReaderEnd::Problem(found) = end {
                        problem = Some(found);
                    }
                }
            }
            if let Poll::Ready(result) = writer.as_mut().poll(cx) {
                let lost = result.err().map(|error| Problem::Frame(FrameError::Io(error)));
                return Poll::Ready(problem.take().or(lost));
            }
            if !(reading && queue.reader_can_go_on()) {
                break;
            }
        }
        watchdog
            .as_mut()
            .poll(cx)
            .map(|overdue| Some(problem.take().unwrap_or(Problem::Overdue(overdue))))
    })
    .await
}

async fn read(
    stream: &TcpStream,
    shared: &Arc<Shared>,
    info: &Arc<ConnectionInfo>,
    queue: &Queue,
    activity: &Activity,
) -> ReaderEnd {
    let mut frames = Frames::new(stream, shared, activity);
    let mut client_id = None;
    loop {
        poll_fn(|_| queue.poll_room()).await;
        if shared.stopping.is_cancelled() {
            return ReaderEnd::Quiet;
        }
        let frame = match frames.next().await {
            Ok(Some(frame)) => frame,
            Ok(None) => return ReaderEnd::Quiet,
            Err(error) => return ReaderEnd::Problem(Problem::Frame(error)),
        };
        activity.stage_one(true);
        let started = shared.clock.stopwatch();
        let request = Incoming { shared, info, client_id: &mut client_id };
        let end = request.handle(frame, started, queue).await;
        activity.stage_one(false);
        let done = shared.clock.stopwatch();
        activity.touch(shared.clock.monotonic_at(done));
        if let Some(end) = end {
            return end;
        }
        // A client that never pauses must not keep the thread from the others, nor one whose
        // requests take long: batches that must be opened, long lists.
        if done.since(started) >= LONG {
            tokio::task::yield_now().await;
        } else {
            tokio::task::consume_budget().await;
        }
    }
}

/// One request on its way through stage one.
struct Incoming<'a> {
    shared: &'a Arc<Shared>,
    info: &'a Arc<ConnectionInfo>,
    /// Kept from request to request: clients do not change theirs.
    client_id: &'a mut Option<Arc<str>>,
}

impl Incoming<'_> {
    async fn handle(
        mut self,
        frame: Frame,
        started: Stopwatch,
        queue: &Queue,
    ) -> Option<ReaderEnd> {
        let Frame { prelude, entry, rest, bytes, mut permit } = frame;
        let (api, version) = (entry.api, prelude.version);
        self.shared.metrics.requests.received(prelude.key, version);
        let body = match self.header(&rest, api, version) {
            Ok(body) => body,
            Err(refusal) => return Some(ReaderEnd::Problem(Problem::Header(refusal))),
        };
        let mut header_version = api.response_header_version(version);
        let outcome = if api.serves(version) {
            let decoded_bytes = match grammar::check(prelude.key, version, &body) {
                Ok(decoded_bytes) => decoded_bytes,
                Err(refusal) => {
                    let api = format!("{:?}", api.api_key());
                    return Some(ReaderEnd::Problem(Problem::Body { api, version, refusal }));
                }
            };
            if !permit.try_hold(bytes + decoded_bytes) && bytes > SMALL_BYTES {
                permit.hold(bytes + decoded_bytes).await;
            }
            let context = self.context(api, version);
            match (entry.handler)(&context, body).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    let api = format!("{:?}", api.api_key());
                    let problem = Problem::Undecodable { api, version, error };
                    return Some(ReaderEnd::Problem(problem));
                }
            }
        } else {
            header_version = api.response_header_version(0);
            Outcome::Now(api_versions::unsupported_version())
        };
        permit.release_to(bytes);
        let answer = match outcome {
            Outcome::Now(reply) => Answer::Ready(reply),
            Outcome::Later(future) => Answer::Waiting(future),
            Outcome::Silent => {
                self.shared.metrics.requests.finished(prelude.key, started.elapsed());
                return None;
            }
            Outcome::Close => return Some(ReaderEnd::Quiet),
        };
        let ticket = Ticket {
            key: prelude.key,
            correlation_id: prelude.correlation_id,
            header_version,
            request_bytes: bytes,
            started,
            _permit: permit,
        };
        queue.push(ticket, answer);
        None
    }

    /// Reads the rest of the header, and gives the body.
    fn header(&mut self, rest: &Bytes, api: &Api, version: i16) -> Result<Bytes, Refusal> {
        let header = header::parse_rest(rest, api.request_header_version(version))?;
        if self.client_id.as_deref().map(str::as_bytes) != header.client_id {
            *self.client_id = header.client_id.map(|id| String::from_utf8_lossy(id).into());
        }
        Ok(rest.slice(header.size..))
    }

    fn context(&self, api: &Api, version: i16) -> RequestContext {
        RequestContext {
            broker: self.shared.broker.clone(),
            connection: self.info.clone(),
            api_key: api.api_key(),
            api_version: version,
            client_id: self.client_id.clone(),
            now: self.shared.clock.now(),
            reply_memory: self.shared.reply_memory.clone(),
        }
    }
}
