//! What the log tells a person about what clients do: one line for each change, with who made it,
//! and one for whoever asks for what is not served yet, who is not left to wait for it either.

use std::process::{Command, Stdio};
use std::time::Duration;

use compat_tests::broker::{Broker, Kind, kafka_command};
use compat_tests::process::{Process, eventually};
use compat_tests::setup::{self, Tool};

const LIMIT: Duration = Duration::from_secs(60);

/// Runs a Python program with confluent-kafka, which finds the broker's address as `bootstrap`.
fn python(broker: &Broker, program: &str) -> String {
    Tool::Python.ensure();
    let program = format!("bootstrap = {:?}\n{program}", broker.bootstrap());
    let mut command = Command::new(setup::python());
    let output = command.args(["-B", "-c", &program]).output().expect("python runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("utf-8");
    assert!(output.status.success(), "{text}");
    text
}

/// Waits for a line of the log that has all of `words`.
fn waits_for_line(broker: &Broker, words: &[&str]) {
    let has = |line: &str| words.iter().all(|word| line.contains(word));
    let found = eventually(LIMIT, || broker.output().lines().any(has));
    assert!(found, "no line with {words:?}:\n{}", broker.output());
}

const CHANGES: &str = r#"
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

admin = AdminClient({"bootstrap.servers": bootstrap, "client.id": "the-admin"})

def done(futures):
    for future in futures.values():
        future.result(60)

def entry(name, value):
    return ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)

settings = {"segment.bytes": "1048576", "retention.bytes": "1"}
done(admin.create_topics([NewTopic("kept", 1, config=settings)], validate_only=True))
done(admin.create_topics([NewTopic("kept", 1, config=settings), NewTopic("gone", 1)]))
done(admin.create_partitions([NewPartitions("gone", 3)]))
topic = ConfigResource(ResourceType.TOPIC, "gone")
topic.add_incremental_config(entry("retention.ms", "7000"))
broker = ConfigResource(ResourceType.BROKER, "0")
broker.add_incremental_config(entry("secret.of.a.plugin", "s3cret"))
done(admin.incremental_alter_configs([topic, broker]))
done(admin.delete_topics(["gone"]))

producer = Producer({"bootstrap.servers": bootstrap, "client.id": "the-producer"})
for _ in range(4):
    producer.produce("kept", bytes(600_000))
    producer.flush(60)
producer.produce("on-demand", b"x")
producer.flush(60)
"#;

#[test]
fn each_change_is_one_line_that_says_who_made_it() {
    let settings = [("log.retention.check.interval.ms", "100")];
    let mut broker = Broker::start(Kind::Gofka, &settings);
    python(&broker, CHANGES);
    let admin = "client=\"the-admin\"";
    waits_for_line(&broker, &["topic created as asked", "topic=kept", "peer=127.0.0.1:", admin]);
    waits_for_line(&broker, &["partitions added", "topic=\"gone\"", "partitions=3", admin]);
    waits_for_line(&broker, &["settings changed: topic gone: retention.ms=7000", admin]);
    waits_for_line(&broker, &["broker 0: secret.of.a.plugin=[hidden]", admin]);
    waits_for_line(&broker, &["topic deleted", "topic=gone", admin]);
    let producer = "client=\"the-producer\"";
    waits_for_line(&broker, &["topic created on demand", "topic=on-demand", producer]);
    let removed = ["removed segments", "partition=kept-0", "bytes=", "more than retention.bytes"];
    waits_for_line(&broker, &removed);
    broker.stop();
    waits_for_line(&broker, &["stopped"]);
    let output = broker.output();
    assert!(!output.contains("s3cret"), "{output}");
    let created = output.lines().filter(|line| line.contains("topic=kept")).count();
    assert_eq!(created, 1, "what was only validated was not made:\n{output}");
}

const INIT_TRANSACTIONS: &str = r#"
from confluent_kafka import KafkaException, Producer

settings = {"bootstrap.servers": bootstrap, "client.id": "pays", "transactional.id": "pays-1"}
try:
    Producer(settings).init_transactions(600)
except KafkaException as error:
    print("fatal" if error.args[0].fatal() else "not fatal", error.args[0].str())
"#;

#[test]
fn transactions_are_refused_at_once_and_named() {
    let broker = Broker::start(Kind::Gofka, &[]);
    let said = python(&broker, INIT_TRANSACTIONS);
    let said = said.trim();
    assert!(said.starts_with("fatal ") && said.contains("not served yet"), "{said:?}");
    waits_for_line(&broker, &["transactions are not served yet", "\"pays\"", "peer=127.0.0.1:"]);

    Tool::Kafka.ensure();
    let mut producer = kafka_command("org.apache.kafka.tools.ProducerPerformance");
    producer.args(["--topic", "t", "--num-records", "1", "--record-size", "1"]);
    producer.args(["--throughput", "-1", "--transactional-id", "perf-1"]);
    producer.args(["--bootstrap-server", &broker.bootstrap()]);
    // It would wait for a coordinator as long as for any answer.
    producer.args(["--command-property", "max.block.ms=600000"]);
    producer.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut process = Process::spawn(&mut producer, None).expect("java runs");
    let status = process.wait(LIMIT).expect("it gives up at once");
    assert!(!status.success(), "{status}");
}
