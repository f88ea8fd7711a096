//! Requests that ask for far more than they are: the same thing named again and again, batches
//! that grow a thousandfold when they are opened, answers that nobody reads. Each is answered
//! within bounds, and another client notices nothing.

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::slice;
use std::time::Duration;

use compat_tests::broker::Broker;
use compat_tests::process::eventually;
use compat_tests::siege::undisturbed;
use compat_tests::wire::{connect, frame, read_response};

const LIMIT: Duration = Duration::from_secs(30);
const MIB: u64 = 1 << 20;
/// That never read.
const CLIENTS: u64 = 60;
/// What one request may cost beside its frame.
const COST: u64 = 64 * MIB;

const PRODUCE: i16 = 0;
const FETCH: i16 = 1;
const OFFSET_COMMIT: i16 = 8;
const OFFSET_FETCH: i16 = 9;
const FIND_COORDINATOR: i16 = 10;
const JOIN_GROUP: i16 = 11;
const DESCRIBE_GROUPS: i16 = 15;
const CREATE_TOPICS: i16 = 19;
const DESCRIBE_CONFIGS: i16 = 32;

const INVALID_REQUEST: i16 = 42;
const POLICY_VIOLATION: i16 = 44;
const MESSAGE_TOO_LARGE: i16 = 10;

fn text(value: &str) -> Vec<u8> {
    [&(value.len() as i16).to_be_bytes()[..], value.as_bytes()].concat()
}

fn blob(value: &[u8]) -> Vec<u8> {
    [&(value.len() as i32).to_be_bytes()[..], value].concat()
}

fn array(elements: &[Vec<u8>]) -> Vec<u8> {
    [&(elements.len() as i32).to_be_bytes()[..], &elements.concat()].concat()
}

fn int(value: i32) -> Vec<u8> {
    value.to_be_bytes().to_vec()
}

fn code(body: &[u8], at: usize) -> i16 {
    i16::from_be_bytes([body[at], body[at + 1]])
}

/// Sends a request and gives the answer's body; `None` when the connection was closed instead.
fn ask(broker: &Broker, key: i16, version: i16, body: &[u8]) -> Option<Vec<u8>> {
    let mut stream = connect(broker.address(), LIMIT).expect("a connection");
    stream.write_all(&frame(key, version, 1, body)).ok()?;
    read_response(&mut stream).ok().map(|(_, body)| body)
}

fn create(broker: &Broker, topic: &str, partitions: i32, settings: &[(&str, &str)]) {
    let settings: Vec<_> = settings.iter().map(|(n, v)| [text(n), text(v)].concat()).collect();
    let topic = [text(topic), int(partitions), vec![0, 1], array(&[]), array(&settings)].concat();
    let body = [array(&[topic]), int(10_000), vec![0]].concat();
    ask(broker, CREATE_TOPICS, 2, &body).expect("a topic is made");
}

#[test]
fn settings_asked_for_again_and_again_are_told_within_bounds() {
    let resource = [vec![4], text("0"), int(-1)].concat();
    let body = [array(&vec![resource; 49_000]), vec![1, 1]].concat();
    undisturbed(COST, |broker| {
        let answer = ask(broker, DESCRIBE_CONFIGS, 3, &body).expect("an answer");
        // The first one is told, the last one is refused.
        assert_eq!(code(&answer, 8), 0);
        let refused = INVALID_REQUEST.to_be_bytes();
        assert!(answer[answer.len() - 100..].windows(2).any(|bytes| bytes == refused));
    });
}

/// A group with an offset and a text of 4,000 bytes for each of 3,000 partitions.
fn commit_much(broker: &Broker) {
    create(broker, "wide", 3_000, &[]);
    let note = text(&"n".repeat(4_000));
    let partitions: Vec<_> = (0..3_000)
        .map(|index| [int(index), 5i64.to_be_bytes().to_vec(), note.clone()].concat())
        .collect();
    let topic = [text("wide"), array(&partitions)].concat();
    let outside = [text("g"), int(-1), text(""), vec![0xff; 8]].concat();
    let body = [outside, array(&[topic])].concat();
    ask(broker, FIND_COORDINATOR, 0, &text("g")).expect("an answer");
    let committed = eventually(LIMIT, || {
        let answer = ask(broker, OFFSET_COMMIT, 2, &body).expect("an answer");
        answer.ends_with(&[0, 0])
    });
    assert!(committed, "{}", broker.output());
}

#[test]
fn offsets_of_one_group_named_often_are_told_within_bounds() {
    // Version 8: a compact array of groups, each "g" with all its topics.
    let mut body = vec![0, 0xa1, 0x9c, 0x01];
    body.extend([2, b'g', 0, 0].repeat(20_000));
    body.extend([0, 0]);
    // Committing them is a request of 12 MB.
    undisturbed(12 * MIB + COST, |broker| {
        commit_much(broker);
        let answer = ask(broker, OFFSET_FETCH, 8, &body).expect("an answer");
        assert!(answer.len() > 12_000_000, "the group is told once: {} bytes", answer.len());
        let last = answer.len() - 4;
        assert_eq!(code(&answer, last), INVALID_REQUEST, "{:?}", &answer[last - 6..]);
    });
}

#[test]
fn members_with_very_many_or_huge_protocols_are_refused() {
    let join = |protocols: &[Vec<u8>]| {
        [text("j"), int(30_000), int(30_000), text(""), text("consumer"), array(protocols)].concat()
    };
    let many: Vec<_> =
        (0..45_000).map(|index| [text(&index.to_string()), blob(&[])].concat()).collect();
    let huge = [text("p"), blob(&vec![7; 7 << 20])].concat();
    undisturbed(COST, |broker| {
        ask(broker, FIND_COORDINATOR, 0, &text("j")).expect("an answer");
        assert_eq!(ask(broker, JOIN_GROUP, 2, &join(&many)), None, "the connection is closed");
        let refused = eventually(LIMIT, || {
            let answer =
                ask(broker, JOIN_GROUP, 2, &join(slice::from_ref(&huge))).expect("an answer");
            code(&answer, 4) == INVALID_REQUEST
        });
        assert!(refused, "{}", broker.output());
        let groups = array(&vec![text("j"); 49_000]);
        let answer = ask(broker, DESCRIBE_GROUPS, 0, &groups).expect("an answer");
        assert!(answer.len() < 100, "a group is described once: {} bytes", answer.len());
    });
}

#[test]
fn a_topic_with_its_own_assignment_counts_its_partitions() {
    let assignment: Vec<_> =
        (0..10_001).map(|index| [int(index), array(&[int(0)])].concat()).collect();
    let topic = [text("a"), int(-1), vec![0xff; 2], array(&assignment), array(&[])].concat();
    undisturbed(COST, |broker| {
        let body = [array(&[topic]), int(10_000), vec![0]].concat();
        let answer = ask(broker, CREATE_TOPICS, 2, &body).expect("an answer");
        // Throttle time, one topic, its name, its error.
        assert_eq!(code(&answer, 4 + 4 + 3), POLICY_VIOLATION);
    });
}

/// One batch of a client, with a checksum that fits.
fn batch(codec: u8, payload: &[u8]) -> Vec<u8> {
    let mut checked = vec![0, codec];
    checked.extend([0; 4]);
    checked.extend([1_700_000_000_000i64.to_be_bytes(); 2].concat());
    checked.extend([0xff; 8 + 2 + 4]);
    checked.extend(1i32.to_be_bytes());
    checked.extend(payload);
    let mut out = vec![0; 8];
    out.extend((checked.len() as i32 + 9).to_be_bytes());
    out.extend([0xff, 0xff, 0xff, 0xff, 2]);
    out.extend(crc32c::crc32c(&checked).to_be_bytes());
    out.extend(checked);
    out
}

fn produce(topic: &str, batch: &[u8]) -> Vec<u8> {
    let partition = [int(0), blob(batch)].concat();
    let topic = [text(topic), array(&[partition])].concat();
    [vec![0xff, 0xff, 0xff, 0xff], int(30_000), array(&[topic])].concat()
}

/// A zstd frame of 900 kB that becomes 29 GiB: blocks that repeat one byte 128 KiB times.
fn zstd_bomb() -> Vec<u8> {
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (27 - 10) << 3];
    let block = (131_072u32 << 3 | 2).to_le_bytes();
    bomb.extend([block[0], block[1], block[2], 0].repeat(230_000));
    bomb
}

/// A snappy block of 990 kB that claims, and has, 21 MB: a byte and copies of it.
fn snappy_bomb() -> Vec<u8> {
    let size = 1 + 64 * 330_000u32;
    let mut bomb: Vec<u8> = (0..4)
        .map(|index| (size >> (7 * index)) as u8 | if index < 3 { 0x80 } else { 0 })
        .collect();
    bomb.extend([0, 0]);
    bomb.extend([0xfe, 1, 0].repeat(330_000));
    bomb
}

#[test]
fn bombs_are_opened_to_their_bound() {
    undisturbed(COST, |broker| {
        create(broker, "open", 1, &[("compression.type", "uncompressed")]);
        create(broker, "keys", 1, &[("cleanup.policy", "compact")]);
        for topic in ["open", "keys"] {
            for (codec, bomb, expected) in
                [(4, zstd_bomb(), MESSAGE_TOO_LARGE), (2, snappy_bomb(), 87)]
            {
                let body = produce(topic, &batch(codec, &bomb));
                let answer = ask(broker, PRODUCE, 7, &body).expect("an answer");
                // One topic, its name, one partition, its number, its error.
                assert_eq!(code(&answer, 4 + 6 + 4 + 4), expected, "{topic} {codec}");
            }
        }
    });
}

#[test]
fn answers_that_nobody_reads_hold_a_bounded_part_of_memory() {
    let partition = [int(0), vec![0; 8], int(50 << 20)].concat();
    let topic = [text("t"), array(&[partition])].concat();
    let limits = [int(-1), int(100), int(1), int(50 << 20), vec![0]].concat();
    let fetch = frame(FETCH, 4, 1, &[limits, array(&[topic])].concat());
    // The budget, one answer in the making, and a batch or two for each client beyond it.
    undisturbed((256 + 64 + 3 * CLIENTS) * MIB, |broker| {
        create(broker, "t", 1, &[]);
        let record = vec![0x5a; 900_000];
        // Attributes, deltas and key, then the value; no headers.
        let mut body = vec![0, 0, 0, 1];
        body.extend([0xc0, 0xee, 0x6d]);
        body.extend(&record);
        body.push(0);
        let mut payload = vec![0xd0, 0xee, 0x6d];
        payload.extend(&body);
        for _ in 0..20 {
            let produce = produce("t", &batch(0, &payload));
            let answer = ask(broker, PRODUCE, 7, &produce).expect("an answer");
            assert_eq!(code(&answer, 4 + 3 + 4 + 4), 0);
        }
        let unread: Vec<TcpStream> = (0..CLIENTS)
            .map(|_| {
                let mut stream = connect(broker.address(), LIMIT).expect("a connection");
                stream.set_nonblocking(true).expect("a socket");
                match stream.write_all(&fetch.repeat(10)) {
                    Err(error) if error.kind() != ErrorKind::WouldBlock => panic!("{error}"),
                    _ => stream,
                }
            })
            .collect();
        // Who reads is served meanwhile.
        for _ in 0..20 {
            let mut honest = connect(broker.address(), LIMIT).expect("a connection");
            honest.write_all(&fetch).expect("a request");
            let (_, answer) = read_response(&mut honest).expect("an answer");
            assert!(answer.len() > record.len(), "at least one batch: {} bytes", answer.len());
        }
        drop(unread);
    });
}
