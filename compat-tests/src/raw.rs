//! A small client of plain requests, for tests that must see each answer as it is: one
//! connection, one request at a time, each API at one version without tagged fields.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::batch;
use crate::wire;

/// For one answer.
const LIMIT: Duration = Duration::from_secs(120);
const WAIT_MS: i32 = 60_000;

pub const NONE: i16 = 0;
pub const CORRUPT_MESSAGE: i16 = 2;
pub const KAFKA_STORAGE_ERROR: i16 = 56;
pub const INVALID_RECORD: i16 = 87;

/// What a fetch of one partition came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    pub error: i16,
    pub high_watermark: i64,
    /// As they came.
    pub records: Vec<u8>,
}

/// A log directory as DescribeLogDirs shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDir {
    pub error: i16,
    pub path: String,
    /// Topic, partition and bytes.
    pub partitions: Vec<(String, i32, i64)>,
}

/// A connection to a broker.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    asked: i32,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = wire::connect(address, LIMIT).expect("the broker listens");
        Self { stream, asked: 0 }
    }

    /// Sends a body and gives the answer's.
    fn ask(&mut self, key: i16, version: i16, body: &Body) -> io::Result<Reader> {
        self.asked += 1;
        self.stream.write_all(&wire::frame(key, version, self.asked, &body.0))?;
        let (id, bytes) = wire::read_response(&mut self.stream)?;
        assert_eq!(id, self.asked, "answers come in order");
        Ok(Reader { bytes, at: 0 })
    }

    fn must(&mut self, key: i16, version: i16, body: &Body) -> Reader {
        self.ask(key, version, body).unwrap_or_else(|error| panic!("API {key}: {error}"))
    }

    /// CreateTopics (19) version 4; the error code.
    pub fn create(&mut self, topic: &str, partitions: i32, configs: &[(&str, &str)]) -> i16 {
        let mut body = Body::default();
        body.i32(1).text(topic).i32(partitions).i16(1).i32(0).i32(configs.len() as i32);
        for (name, value) in configs {
            body.text(name).text(value);
        }
        body.i32(WAIT_MS).i8(0);
        let mut answer = self.must(19, 4, &body);
        answer.i32();
        answer.i32();
        answer.text();
        answer.i16()
    }

    /// Produce (0) version 7 with acks=all: a batch for each partition of one topic. Partition,
    /// error code and base offset of each.
    pub fn produce(&mut self, topic: &str, batches: &[(i32, Vec<u8>)]) -> Vec<(i32, i16, i64)> {
        let mut body = Body::default();
        body.i16(-1).i16(-1).i32(WAIT_MS).i32(1).text(topic).i32(batches.len() as i32);
        for (partition, batch) in batches {
            body.i32(*partition).bytes(batch);
        }
        let mut answer = self.must(0, 7, &body);
        answer.i32();
        answer.text();
        let row = |answer: &mut Reader| {
            let row = (answer.i32(), answer.i16(), answer.i64());
            answer.i64();
            answer.i64();
            row
        };
        (0..answer.i32()).map(|_| row(&mut answer)).collect()
    }

    /// Produces one batch of values without keys; the error code and the base offset.
    pub fn send(&mut self, topic: &str, partition: i32, values: &[&[u8]]) -> (i16, i64) {
        let records: Vec<_> = values.iter().map(|value| (None, Some(*value))).collect();
        let batch = batch::of(&records, batch::now_ms());
        let (_, error, offset) = self.produce(topic, &[(partition, batch)])[0];
        (error, offset)
    }

    /// Fetch (1) version 4 without waiting, of one topic: partition and offset of each.
    pub fn fetch_many(
        &mut self,
        topic: &str,
        from: &[(i32, i64)],
        max_bytes: i32,
    ) -> Vec<(i32, Fetched)> {
        let mut body = Body::default();
        body.i32(-1).i32(0).i32(0).i32(50 << 20).i8(0).i32(1).text(topic).i32(from.len() as i32);
        for (partition, offset) in from {
            body.i32(*partition).i64(*offset).i32(max_bytes);
        }
        let mut answer = self.must(1, 4, &body);
        answer.i32();
        answer.i32();
        answer.text();
        let row = |answer: &mut Reader| {
            let (partition, error, high_watermark) = (answer.i32(), answer.i16(), answer.i64());
            answer.i64();
            for _ in 0..answer.i32() {
                answer.i64();
                answer.i64();
            }
            (partition, Fetched { error, high_watermark, records: answer.bytes() })
        };
        (0..answer.i32()).map(|_| row(&mut answer)).collect()
    }

    /// Fetches one partition.
    pub fn fetch(&mut self, topic: &str, partition: i32, from: i64, max_bytes: i32) -> Fetched {
        self.fetch_many(topic, &[(partition, from)], max_bytes).remove(0).1
    }

    /// ListOffsets (2) version 1: the first offset (`-2`), the end (`-1`), or that of a time.
    pub fn offset(&mut self, topic: &str, partition: i32, time: i64) -> i64 {
        let mut body = Body::default();
        body.i32(-1).i32(1).text(topic).i32(1).i32(partition).i64(time);
        let mut answer = self.must(2, 1, &body);
        answer.i32();
        answer.text();
        answer.i32();
        answer.i32();
        answer.i16();
        answer.i64();
        answer.i64()
    }

    /// DeleteRecords (21) version 1; the error code.
    pub fn delete_records(&mut self, topic: &str, partition: i32, before: i64) -> i16 {
        let mut body = Body::default();
        body.i32(1).text(topic).i32(1).i32(partition).i64(before).i32(WAIT_MS);
        let mut answer = self.must(21, 1, &body);
        answer.i32();
        answer.i32();
        answer.text();
        answer.i32();
        answer.i32();
        answer.i64();
        answer.i16()
    }

    /// IncrementalAlterConfigs (44) version 0 of a topic; the error code.
    pub fn alter(&mut self, topic: &str, configs: &[(&str, &str)]) -> i16 {
        let mut body = Body::default();
        body.i32(1).i8(2).text(topic).i32(configs.len() as i32);
        for (name, value) in configs {
            body.text(name).i8(0).text(value);
        }
        body.i8(0);
        let mut answer = self.must(44, 0, &body);
        answer.i32();
        answer.i32();
        answer.i16()
    }

    /// DescribeLogDirs (35) version 1, of everything.
    pub fn log_dirs(&mut self) -> Vec<LogDir> {
        let mut body = Body::default();
        body.i32(-1);
        let mut answer = self.must(35, 1, &body);
        answer.i32();
        let mut dirs = Vec::new();
        for _ in 0..answer.i32() {
            let (error, path) = (answer.i16(), answer.text());
            let mut partitions = Vec::new();
            for _ in 0..answer.i32() {
                let topic = answer.text();
                for _ in 0..answer.i32() {
                    partitions.push((topic.clone(), answer.i32(), answer.i64()));
                    answer.i64();
                    answer.i8();
                }
            }
            dirs.push(LogDir { error, path, partitions });
        }
        dirs
    }
}

/// A body being written.
#[derive(Default)]
struct Body(Vec<u8>);

impl Body {
    fn i8(&mut self, value: i8) -> &mut Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    fn i16(&mut self, value: i16) -> &mut Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    fn i32(&mut self, value: i32) -> &mut Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    fn i64(&mut self, value: i64) -> &mut Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    fn text(&mut self, value: &str) -> &mut Self {
        self.i16(value.len() as i16);
        self.0.extend(value.as_bytes());
        self
    }

    fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.i32(value.len() as i32);
        self.0.extend(value);
        self
    }
}

/// An answer being read. What is missing panics: the broker is wrong.
struct Reader {
    bytes: Vec<u8>,
    at: usize,
}

impl Reader {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let part = self.bytes[self.at..self.at + N].try_into().expect("so many bytes");
        self.at += N;
        part
    }

    fn i8(&mut self) -> i8 {
        i8::from_be_bytes(self.take())
    }

    fn i16(&mut self) -> i16 {
        i16::from_be_bytes(self.take())
    }

    fn i32(&mut self) -> i32 {
        i32::from_be_bytes(self.take())
    }

    fn i64(&mut self) -> i64 {
        i64::from_be_bytes(self.take())
    }

    fn text(&mut self) -> String {
        let len = self.i16();
        String::from_utf8(self.some(i32::from(len))).expect("utf-8")
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = self.i32();
        self.some(len)
    }

    /// Nothing for null.
    fn some(&mut self, len: i32) -> Vec<u8> {
        let len = usize::try_from(len).unwrap_or(0);
        self.at += len;
        self.bytes[self.at - len..self.at].to_vec()
    }
}
