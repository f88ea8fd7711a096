//! Whole requests at a broker that no socket leads to: checked, decoded, done and answered, as a
//! connection has it done. Topics are in `page-cache` mode, so that the answer is ready at once.

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::FutureExt;
use gofka_core::ids::{Offset, TopicPartition};
use gofka_raft::NewTopic;
use gofka_server::api::{
    self, ConnectionInfo, ListenerInfo, ListenerKind, Outcome, Reply, RequestContext,
};
use gofka_server::broker::Broker;
use gofka_server::config::{Inputs, Role, ServerConfig};
use gofka_server::net::{MemoryBudget, grammar};
use gofka_server::partition::{AppendOptions, Partition};
use kafka_protocol::messages::ApiKey;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::append::{LOG_BYTES_MAX, folder};
use super::decode::{Body, fetch_body, produce_body};
use super::records::{self, LARGE, ONE, Shape};
use super::{Operation, Work};

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "Produce, one partition of 128 KiB",
        bytes: LARGE.batch_bytes,
        prepare: || produce(LARGE),
    },
    Operation {
        name: "Produce, one record of 1 kB",
        bytes: ONE.value_bytes,
        prepare: || produce(ONE),
    },
    // The kernel sends what is found: no byte of it is touched here.
    Operation { name: "Fetch, 1 MiB of one partition", bytes: 0, prepare: fetch },
];

const TOPIC: &str = "t";

/// A broker in this process with one topic, and one request to it.
struct Requests {
    api: ApiKey,
    body: Body,
    context: RequestContext,
    partition: Arc<Partition>,
    runtime: Runtime,
    _dir: TempDir,
}

impl Requests {
    fn new(api: ApiKey) -> Self {
        let dir = folder();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a thread");
        let broker = runtime.block_on(start(&dir));
        let name = TopicPartition::new(TOPIC, 0);
        let partition = broker.partitions.get(&name).expect("it was made");
        let context = context(broker, api);
        Self { api, body: (Bytes::new(), 0), context, partition, runtime, _dir: dir }
    }

    fn handle(&mut self) -> Reply {
        let (body, version) = &self.body;
        self.context.api_version = *version;
        self.context.now = self.context.broker.clock.now();
        let entry = api::find(self.api as i16).expect("it is served");
        grammar::check(self.api as i16, *version, body).expect("a good body");
        let handled = (entry.handler)(&self.context, body.clone()).now_or_never();
        match handled.expect("nothing to wait for").expect("a good body") {
            Outcome::Now(reply) => reply,
            _ => panic!("the answer is not ready"),
        }
    }
}

impl Work for Requests {
    fn make_room(&mut self) {
        let log = self.partition.log();
        if log.size_bytes() > LOG_BYTES_MAX {
            log.roll().expect("a new segment");
            log.set_log_start_offset(log.log_end_offset()).expect("the old ones go");
        }
    }

    fn run(&mut self) {
        let reply = self.handle();
        assert!(reply.errors().is_empty() && !reply.closes(), "{reply:?}");
        black_box(reply);
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        let broker = &self.context.broker;
        let stop = async {
            broker.groups.stop().await;
            broker.close().await
        };
        if let Err(error) = self.runtime.block_on(stop) {
            eprintln!("the broker did not stop cleanly: {error}");
        }
    }
}

async fn start(dir: &TempDir) -> Arc<Broker> {
    let flags =
        [("log.dir", dir.path().display().to_string()), ("durability", "page-cache".to_owned())];
    let inputs = Inputs {
        role: Role::Combined,
        file: None,
        environment: Vec::new(),
        flags: flags.map(|(name, value)| (name.to_owned(), value)).into(),
    };
    let config = ServerConfig::load(&inputs).expect("the settings are valid");
    let broker = Broker::without_sockets(config).await.expect("a broker");
    let topic = NewTopic { name: TOPIC.to_owned(), ..NewTopic::default() };
    let made = broker.controller.create_topics(vec![topic], false).await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    broker.partitions.apply(broker.controller.image()).await;
    broker
}

fn context(broker: Arc<Broker>, api_key: ApiKey) -> RequestContext {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 9092));
    let listener = ListenerInfo { name: "PLAINTEXT".to_owned(), kind: ListenerKind::Client };
    let connection = ConnectionInfo {
        id: 1,
        peer: address,
        local: address,
        listener: Arc::new(listener),
        software: OnceLock::new(),
    };
    RequestContext {
        now: broker.clock.now(),
        broker,
        connection: Arc::new(connection),
        api_key,
        api_version: 0,
        client_id: Some("micro".into()),
        reply_memory: MemoryBudget::new(256 << 20),
    }
}

fn produce(shape: Shape) -> Box<dyn Work> {
    let mut requests = Requests::new(ApiKey::Produce);
    let topic = requests.partition.topic_id().0;
    requests.body = produce_body(topic, 1, &records::batch(shape).bytes);
    Box::new(requests)
}

fn fetch() -> Box<dyn Work> {
    let mut requests = Requests::new(ApiKey::Fetch);
    let topic = requests.partition.topic_id().0;
    let options = AppendOptions::internal(requests.context.now.wall);
    let batch = records::batch(LARGE).bytes;
    while requests.partition.log().size_bytes() < LOG_BYTES_MAX / 2 {
        requests.partition.append(batch.clone(), options).expect("the log takes it");
    }
    let Offset(end) = requests.partition.high_watermark();
    requests.body = fetch_body(topic, 1, end / 2);
    Box::new(requests)
}
