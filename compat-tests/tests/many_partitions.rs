//! Many more partitions than the process may have files open: each is made, acknowledges a record,
//! and gives it back, also after a kill.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use compat_tests::batch;
use compat_tests::broker::{Broker, Kind};
use compat_tests::process::eventually;
use compat_tests::raw::{Client, NONE};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const LIMIT: Duration = Duration::from_secs(120);
const TOPICS: usize = 5;
/// Partitions asked for in one request.
const AT_ONCE: usize = 500;
/// The test's own files: brokers inherit its limit.
const OPEN_FILES: u64 = 4096;
const PARTITIONS: i32 = 2_000;

fn topic(number: usize) -> String {
    format!("topic{number}")
}

/// Partitions of one topic in portions.
fn portions() -> impl Iterator<Item = Vec<i32>> {
    let all: Vec<i32> = (0..PARTITIONS).collect();
    all.chunks(AT_ONCE).map(<[i32]>::to_vec).collect::<Vec<_>>().into_iter()
}

fn value(topic: usize, partition: i32, round: usize) -> Vec<u8> {
    format!("{topic} {partition} {round}").into_bytes()
}

/// One record for each partition; those of a round have offset `round`.
fn produce(client: &mut Client, round: usize) {
    for number in 0..TOPICS {
        for partitions in portions() {
            let batch = |partition: i32| {
                let value = value(number, partition, round);
                (partition, batch::of(&[(None, Some(&value))], batch::now_ms()))
            };
            let mut waiting: BTreeSet<i32> = partitions.into_iter().collect();
            // A partition that was just made may not be led by anyone yet.
            let all = eventually(LIMIT, || {
                let batches: Vec<_> = waiting.iter().map(|partition| batch(*partition)).collect();
                for (partition, error, offset) in client.produce(&topic(number), &batches) {
                    if error == NONE {
                        assert_eq!(offset, round as i64, "{}-{partition}", topic(number));
                        waiting.remove(&partition);
                    }
                }
                waiting.is_empty()
            });
            assert!(all, "{}: {} partitions do not acknowledge", topic(number), waiting.len());
        }
    }
}

/// Every partition has the records of the first `rounds` rounds.
fn read_back(client: &mut Client, rounds: usize) {
    for number in 0..TOPICS {
        for partitions in portions() {
            let from: Vec<_> = partitions.into_iter().map(|partition| (partition, 0)).collect();
            for (partition, fetched) in client.fetch_many(&topic(number), &from, 4096) {
                let name = format!("{}-{partition}", topic(number));
                assert_eq!(fetched.error, NONE, "{name}");
                let found = batch::split(&fetched.records);
                assert_eq!(found.len(), rounds, "{name}");
                for (round, batch) in found.iter().enumerate() {
                    let value = value(number, partition, round);
                    let holds = batch.bytes.windows(value.len()).any(|part| part == value);
                    assert!(holds && batch.base_offset == round as i64, "{name}: {batch:?}");
                }
            }
        }
    }
}

/// How many files the process has open.
fn open_files(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// Runs `work` and gives the most files that `broker` had open meanwhile.
fn watched(broker: &Broker, work: impl FnOnce()) -> usize {
    let pid = broker.pid().expect("it runs");
    let (done, most) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            eventually(LIMIT * 10, || {
                most.fetch_max(open_files(pid), Ordering::Relaxed);
                done.load(Ordering::Relaxed)
            });
        });
        // However it ends, the watch does.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Ordering::Relaxed);
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
    most.into_inner()
}

#[test]
fn more_partitions_than_open_files() {
    let hard = getrlimit(Resource::Nofile).maximum;
    assert!(hard.is_none_or(|hard| hard >= OPEN_FILES), "it may not open {OPEN_FILES} files");
    let limit = Rlimit { current: Some(OPEN_FILES), maximum: Some(OPEN_FILES) };
    setrlimit(Resource::Nofile, limit).expect("a limit may be lowered");
    let begin = Instant::now();
    let mut broker = Broker::start(Kind::Gofka, &[]);
    let mut client = Client::connect(broker.address());
    let mut most = watched(&broker, || {
        for number in 0..TOPICS {
            assert_eq!(client.create(&topic(number), PARTITIONS, &[]), NONE);
        }
        println!("made after {:?}", begin.elapsed());
        produce(&mut client, 0);
        println!("acknowledged after {:?}", begin.elapsed());
        read_back(&mut client, 1);
        println!("read back after {:?}", begin.elapsed());
    });
    broker.kill();
    broker.resume();
    println!("started again after {:?}", begin.elapsed());
    let mut client = Client::connect(broker.address());
    most = most.max(watched(&broker, || {
        read_back(&mut client, 1);
        produce(&mut client, 1);
        read_back(&mut client, 2);
    }));
    println!("all after {:?}; at most {most} files open", begin.elapsed());
    assert!(most > 0 && most <= OPEN_FILES as usize, "{most} files were open");
    let said = broker.output();
    let complaints: Vec<_> = said
        .lines()
        .filter(|line| line.contains("ERROR") || line.contains("too many open files"))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    broker.stop();
    println!("stopped after {:?}", begin.elapsed());
}
