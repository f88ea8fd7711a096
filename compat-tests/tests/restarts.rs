//! What clients see across restarts of the broker: a clean one, kill -9 at rest, and kill -9 in
//! the middle of producing. All clients go through a phase together, so that each broker is
//! restarted once a phase and not once a client.

use std::collections::BTreeMap;
use std::thread;

use compat_tests::broker::{Broker, Kind};
use compat_tests::driver::{DRIVERS, Running, driver};
use compat_tests::judge::{Outcomes, brokers, complaints};
use compat_tests::scenario::{IDEMPOTENT, RESUME};
use compat_tests::setup::Tool;

/// The outcomes of each client.
type ByClient = BTreeMap<&'static str, Outcomes>;

/// Starts every client on one phase.
fn start(broker: &Broker, phase: &str) -> Vec<(&'static str, Running)> {
    let start = |client| driver(client).start(&broker.bootstrap(), client, &[phase]);
    DRIVERS.iter().map(|driver| (driver.client, start(driver.client))).collect()
}

fn finish(running: Vec<(&'static str, Running)>, seen: &mut ByClient) {
    for (client, running) in running {
        seen.entry(client).or_default().extend(running.finish());
    }
}

fn resume(kind: Kind) -> ByClient {
    let mut seen = ByClient::new();
    let mut broker = Broker::start(kind, &[]);
    finish(start(&broker, RESUME[0]), &mut seen);
    broker.stop();
    broker.resume();
    finish(start(&broker, RESUME[1]), &mut seen);
    broker.kill();
    broker.resume();
    finish(start(&broker, RESUME[2]), &mut seen);
    seen
}

fn idempotent(kind: Kind) -> ByClient {
    let mut seen = ByClient::new();
    let mut broker = Broker::start(kind, &[]);
    let mut running = start(&broker, IDEMPOTENT[0]);
    for (_, running) in &mut running {
        running.wait_until_ready();
    }
    broker.kill();
    broker.resume();
    finish(running, &mut seen);
    finish(start(&broker, IDEMPOTENT[1]), &mut seen);
    seen
}

fn check(run: fn(Kind) -> ByClient) {
    Tool::Kafka.ensure();
    for driver in DRIVERS {
        driver.tool.ensure();
    }
    let runs: Vec<_> = brokers().into_iter().map(|k| (k, thread::spawn(move || run(k)))).collect();
    let mut seen: Vec<(Kind, ByClient)> = Vec::new();
    for (kind, run) in runs {
        seen.push((kind, run.join().expect("the run does not panic")));
    }
    let of = |kind, client| seen.iter().find(|(k, _)| *k == kind).and_then(|(_, c)| c.get(client));
    let mut found = Vec::new();
    for driver in DRIVERS {
        let client = driver.client;
        found.extend(complaints(client, of(Kind::Kafka, client), of(Kind::Gofka, client)));
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn groups_resume_exactly_where_they_committed() {
    check(resume);
}

#[test]
fn idempotent_producers_survive_a_crash_of_the_broker() {
    check(idempotent);
}
