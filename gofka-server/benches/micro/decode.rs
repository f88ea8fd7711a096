//! Request bodies, as a connection decodes them: along the grammar first, then by the codec.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use gofka_core::ids::Uuid;
use gofka_server::api::{fetch, produce};
use gofka_server::net::grammar;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{FetchRequest, ProduceRequest};
use kafka_protocol::protocol::{Encodable, Request};

use super::records::{self, LARGE, ONE};
use super::{Operation, Work};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "decode Produce, one partition of 128 KiB",
        bytes: 0,
        prepare: || of::<ProduceRequest>(produce_body(TOPIC, 1, &records::batch(LARGE).bytes)),
    },
    Operation {
        name: "decode Produce, 100 partitions of 1 kB",
        bytes: 0,
        prepare: || of::<ProduceRequest>(produce_body(TOPIC, 100, &records::batch(ONE).bytes)),
    },
    Operation {
        name: "decode Fetch, one partition",
        bytes: 0,
        prepare: || of::<FetchRequest>(fetch_body(TOPIC, 1, 0)),
    },
    Operation {
        name: "decode Fetch, 100 partitions",
        bytes: 0,
        prepare: || of::<FetchRequest>(fetch_body(TOPIC, 100, 0)),
    },
];

/// Any.
const TOPIC: Uuid = Uuid::from_u128(1);

/// A body and its version, the newest that is served.
pub(crate) type Body = (Bytes, i16);

/// `records` for each of the first partitions of `topic`.
pub(crate) fn produce_body(topic: Uuid, partitions: i32, records: &Bytes) -> Body {
    let data = (0..partitions).map(|index| {
        PartitionProduceData::default().with_index(index).with_records(Some(records.clone()))
    });
    let topic =
        TopicProduceData::default().with_topic_id(topic).with_partition_data(data.collect());
    let request = ProduceRequest::default()
        .with_acks(-1)
        .with_timeout_ms(30_000)
        .with_topic_data(vec![topic]);
    encode(&request, produce::API.highest())
}

/// A MiB at most from each of the first partitions of `topic`, from `offset` on, in no session.
pub(crate) fn fetch_body(topic: Uuid, partitions: i32, offset: i64) -> Body {
    let targets = (0..partitions).map(|partition| {
        FetchPartition::default()
            .with_partition(partition)
            .with_fetch_offset(offset)
            .with_partition_max_bytes(1 << 20)
    });
    let topic = FetchTopic::default().with_topic_id(topic).with_partitions(targets.collect());
    let request = FetchRequest::default()
        .with_max_wait_ms(500)
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    encode(&request, fetch::API.highest())
}

fn encode(request: &impl Encodable, version: i16) -> Body {
    let mut body = BytesMut::new();
    request.encode(&mut body, version).expect("the version has all the fields");
    (body.freeze(), version)
}

fn of<R: Request>((body, version): Body) -> Box<dyn Work> {
    Box::new(move || {
        let mut body = black_box(body.clone());
        grammar::check(R::KEY, version, &body).expect("a good body");
        black_box(R::decode(&mut body, version).expect("a good body"));
    })
}
