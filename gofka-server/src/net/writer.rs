//! Replies into a socket: many in one vectored write, none copied unless it is small; what lies
//! in a file goes from the page cache into the socket.
//!
//! One per connection, on the connection's task.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::task::Poll;

use bytes::{Buf, BytesMut};
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::activity::Activity;
use super::header;
use super::memory::MemoryPermit;
use super::queue::{Queue, Ticket};
use super::shared::Shared;
use crate::api::{FileRange, Part, Reply};

/// Ready replies are gathered up to this before they are written.
const GATHER_BYTES: usize = 256 << 10;
/// Parts up to this size are copied together; a part of its own costs more than the copy.
const COPY_BYTES: usize = 2 << 10;
const SLICES: usize = 32;

/// What is to be written, in order.
#[derive(Default)]
struct Output {
    parts: VecDeque<Part>,
    /// The end of the output, while it is small parts copied together.
    tail: BytesMut,
    bytes: usize,
    permits: Vec<MemoryPermit>,
}

impl Output {
    fn push(&mut self, ticket: &Ticket, reply: Reply) {
        let body_bytes = reply.len();
        let before = self.tail.len();
        self.tail.reserve(header::REPLY_BYTES_MAX + body_bytes.min(COPY_BYTES));
        header::write_reply(
            &mut self.tail,
            ticket.correlation_id,
            ticket.header_version,
            body_bytes,
        );
        self.bytes += self.tail.len() - before + body_bytes;
        let (parts, permit) = reply.into_parts();
        for part in parts {
            match part {
                Part::Bytes(bytes) if bytes.len() <= COPY_BYTES => {
                    self.tail.extend_from_slice(&bytes);
                }
                other => {
                    self.seal_tail();
                    self.parts.push_back(other);
                }
            }
        }
        self.permits.extend(permit);
    }

    fn seal_tail(&mut self) {
        if !self.tail.is_empty() {
            self.parts.push_back(self.tail.split().freeze().into());
        }
    }

    fn advance(&mut self, mut count: usize) {
        self.bytes -= count;
        while count > 0 {
            let part = self.parts.front_mut().expect("no more is written than there is");
            if part.len() > count {
                match part {
                    Part::Bytes(bytes) => bytes.advance(count),
                    Part::File(range) => {
                        range.position += count as u64;
                        range.len -= count;
                    }
                }
                return;
            }
            count -= part.len();
            self.parts.pop_front();
        }
    }
}

/// Writes replies until the queue has ended, or one of them closes the connection.
pub(super) async fn run(
    stream: &TcpStream,
    queue: &Queue,
    shared: &Shared,
    activity: &Activity,
) -> io::Result<()> {
    loop {
        let mut output = Output::default();
        let ended = poll_fn(|cx| {
            while output.bytes < GATHER_BYTES {
                match queue.poll_next(cx) {
                    Poll::Ready(Some((ticket, reply))) => {
                        count(shared, &ticket, &reply);
                        if reply.closes() {
                            return Poll::Ready(true);
                        }
                        output.push(&ticket, reply);
                    }
                    Poll::Ready(None) => return Poll::Ready(true),
                    Poll::Pending if output.bytes == 0 => return Poll::Pending,
                    Poll::Pending => break,
                }
            }
            Poll::Ready(false)
        })
        .await;
        output.seal_tail();
        write(stream, &mut output, shared, activity).await?;
        queue.sent();
        if ended {
            return Ok(());
        }
    }
}

fn count(shared: &Shared, ticket: &Ticket, reply: &Reply) {
    shared.metrics.requests.finished(ticket.key, ticket.started.elapsed());
    for error in reply.errors() {
        shared.metrics.requests.failed(ticket.key, *error);
    }
}

async fn write(
    stream: &TcpStream,
    output: &mut Output,
    shared: &Shared,
    activity: &Activity,
) -> io::Result<()> {
    while output.bytes > 0 {
        match try_write(stream, output) {
            Ok(count) => {
                output.advance(count);
                shared.metrics.bytes_sent.inc_by(count as u64);
                activity.touch(shared.clock.monotonic());
                activity.all_read();
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                activity.unread(shared.clock.monotonic());
                stream.writable().await?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn try_write(stream: &TcpStream, output: &Output) -> io::Result<usize> {
    let written = match output.parts.front() {
        Some(Part::File(range)) => stream.try_io(Interest::WRITABLE, || send_file(stream, range)),
        _ => stream.try_io(Interest::WRITABLE, || send_bytes(stream, &output.parts)),
    };
    match written? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        count => Ok(count),
    }
}

/// The bytes before the first range of a file, if any; the kernel is told when something follows.
fn send_bytes(stream: &TcpStream, parts: &VecDeque<Part>) -> io::Result<usize> {
    let mut slices = [IoSlice::new(&[]); SLICES];
    let mut used = 0;
    for (slice, part) in slices.iter_mut().zip(parts) {
        let Part::Bytes(bytes) = part else { break };
        *slice = IoSlice::new(bytes);
        used += 1;
    }
    let mut flags = SendFlags::NOSIGNAL;
    flags.set(SendFlags::MORE, used < parts.len());
    let mut ancillary = SendAncillaryBuffer::default();
    Ok(sendmsg(stream, &slices[..used], &mut ancillary, flags)?)
}

fn send_file(stream: &TcpStream, range: &FileRange) -> io::Result<usize> {
    let mut position = range.position;
    Ok(rustix::fs::sendfile(stream, &range.file, Some(&mut position), range.len)?)
}

#[cfg(test)]
mod tests {
    use super::super::memory::MemoryBudget;
    use super::*;
    use crate::clock::Clock;
    use bytes::Bytes;
    use std::sync::Arc;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    fn ticket() -> Ticket {
        Ticket {
            key: 0,
            correlation_id: 9,
            header_version: 0,
            request_bytes: 0,
            started: Clock::start().stopwatch(),
            _permit: MemoryBudget::new(1).permit(),
        }
    }

    fn flat(output: &Output) -> Vec<u8> {
        output.parts.iter().flat_map(|part| part.in_memory().iter().copied()).collect()
    }

    #[test]
    fn small_parts_are_joined_and_large_ones_are_not_copied() {
        let large = Bytes::from(vec![7; COPY_BYTES + 1]);
        let mut output = Output::default();
        output.push(&ticket(), Reply::parts(vec![Bytes::from_static(b"ab")]));
        output.push(&ticket(), Reply::parts(vec![Bytes::from_static(b"c"), large.clone()]));
        output.push(&ticket(), Reply::parts(vec![Bytes::from_static(b"d")]));
        output.seal_tail();
        assert_eq!(output.parts.len(), 3);
        assert_eq!(output.parts[1].in_memory().as_ptr(), large.as_ptr());
        assert_eq!(flat(&output).len(), output.bytes);
        assert_eq!(&flat(&output)[..10], [0, 0, 0, 6, 0, 0, 0, 9, b'a', b'b']);
    }

    #[test]
    fn advancing_stops_within_parts() {
        let mut output = Output::default();
        let parts = vec![Bytes::from(vec![1; 5000]), Bytes::from(vec![2; 5000])];
        output.push(&ticket(), Reply::parts(parts));
        output.seal_tail();
        output.advance(8 + 5000 + 10);
        assert_eq!(output.bytes, 4990);
        assert_eq!(flat(&output), vec![2; 4990]);
        output.advance(4990);
        assert!(output.parts.is_empty());
    }

    #[tokio::test]
    async fn a_range_of_a_file_stands_between_the_parts_around_it() {
        let mut file = tempfile::tempfile().expect("a file");
        let content: Vec<u8> = (0..3_000_000u32).map(|at| (at / 7) as u8).collect();
        io::Write::write_all(&mut file, &content).expect("it is written");
        let range = FileRange { file: Arc::new(file), position: 5, len: 2_999_990 };
        let large = Bytes::from(vec![7; COPY_BYTES + 1]);
        let parts = [large.clone().into(), Part::File(range), Bytes::from_static(b"end").into()];
        let mut output = Output::default();
        output.push(&ticket(), Reply::parts(parts));
        output.seal_tail();
        let expected = [&large[..], &content[5..2_999_995], b"end"].concat();
        let all = output.bytes;

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut client = TcpStream::connect(address).await.expect("a connection");
        let (stream, _) = listener.accept().await.expect("a connection");
        let sending = async {
            while output.bytes > 0 {
                match try_write(&stream, &output) {
                    Ok(count) => output.advance(count),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        stream.writable().await.expect("the client reads");
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            drop(stream);
        };
        let mut received = Vec::new();
        let ((), read) = tokio::join!(sending, client.read_to_end(&mut received));
        assert_eq!(read.expect("all of it"), all);
        assert!(received.ends_with(&expected), "after size and header");
    }

    #[tokio::test]
    async fn a_file_that_is_shorter_than_it_was_ends_the_connection() {
        let file = Arc::new(tempfile::tempfile().expect("a file"));
        let mut output = Output::default();
        output.parts.push_back(Part::File(FileRange { file, position: 0, len: 10 }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stream = TcpStream::connect(address).await.expect("a connection");
        let error = try_write(&stream, &output).expect_err("nothing is there");
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    }
}
