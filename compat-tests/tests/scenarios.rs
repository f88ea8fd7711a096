//! Every client runs every scenario on Apache Kafka and on Gofka, and must see the same.
//! One broker of each kind serves the whole file; each client's topics have its own prefix.

use std::sync::OnceLock;
use std::thread;

use compat_tests::broker::{Broker, Kind};
use compat_tests::driver::driver;
use compat_tests::judge::{Outcomes, brokers, chosen, complaints};
use compat_tests::scenario::of_client;
use compat_tests::setup::Tool;

/// The shared broker of a kind; its guard ends it with the test process.
fn broker(kind: Kind) -> &'static Broker {
    static KAFKA: OnceLock<Broker> = OnceLock::new();
    static GOFKA: OnceLock<Broker> = OnceLock::new();
    let start = || Broker::start(kind, &[]);
    match kind {
        Kind::Kafka => KAFKA.get_or_init(start),
        Kind::Gofka => GOFKA.get_or_init(start),
    }
}

fn outcomes_on(kind: Kind, client: &str) -> Outcomes {
    let scenarios = chosen(&of_client(client));
    driver(client).run(&broker(kind).bootstrap(), client, &scenarios)
}

fn check(client: &str) {
    Tool::Kafka.ensure();
    driver(client).tool.ensure();
    let wanted = brokers();
    let on = |kind: Kind| wanted.contains(&kind).then_some(kind);
    let (kafka, gofka) = thread::scope(|scope| {
        let kafka = scope.spawn(|| on(Kind::Kafka).map(|kind| outcomes_on(kind, client)));
        let gofka = on(Kind::Gofka).map(|kind| outcomes_on(kind, client));
        (kafka.join().expect("no panic on Kafka"), gofka)
    });
    let found = complaints(client, kafka.as_ref(), gofka.as_ref());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn confluent_kafka_sees_the_same_on_both() {
    check("confluent-kafka");
}

#[test]
fn aiokafka_sees_the_same_on_both() {
    check("aiokafka");
}

#[test]
fn kafka_python_sees_the_same_on_both() {
    check("kafka-python");
}

#[test]
fn kcat_sees_the_same_on_both() {
    check("kcat");
}

#[test]
fn kafka_clients_sees_the_same_on_both() {
    check("kafka-clients");
}

#[test]
fn franz_go_sees_the_same_on_both() {
    check("franz-go");
}

#[test]
fn sarama_sees_the_same_on_both() {
    check("sarama");
}

#[test]
fn kafka_go_sees_the_same_on_both() {
    check("kafka-go");
}

#[test]
fn kafkajs_sees_the_same_on_both() {
    check("kafkajs");
}

#[test]
fn java_tools_see_the_same_on_both() {
    check("java-tools");
}
