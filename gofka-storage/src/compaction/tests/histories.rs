//! Any history of a log with every codec, tombstones, records without keys, idempotent producers
//! and transactions: what a reader of committed records finds after compaction.

use super::*;
use gofka_core::ids::{ProducerEpoch, Sequence};
use proptest::prelude::*;

/// A record: key, value, milliseconds after its batch.
type Put = (Option<u8>, Option<u16>, i16);

#[derive(Clone, Debug)]
enum Step {
    /// A batch of a producer, or of none; in a transaction or not.
    Batch {
        producer: Option<u8>,
        transactional: bool,
        codec: usize,
        appended: bool,
        puts: Vec<Put>,
    },
    End {
        producer: u8,
        commits: bool,
    },
    Compact {
        later: i64,
        map_bytes: usize,
    },
    Restart {
        clean: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let put =
        (prop::option::weighted(0.95, 0u8..12), prop::option::weighted(0.8, 0u16..500), -5i16..400);
    let batch = (
        prop::option::weighted(0.7, 0u8..3),
        any::<bool>(),
        0..Compression::ALL.len(),
        any::<bool>(),
        prop::collection::vec(put, 1..70),
    );
    prop_oneof![
        12 => batch.prop_map(|(producer, transactional, codec, appended, puts)| {
            Step::Batch { producer, transactional, codec, appended, puts }
        }),
        4 => (0u8..3, any::<bool>())
            .prop_map(|(producer, commits)| Step::End { producer, commits }),
        3 => (0i64..2000, 200usize..4000)
            .prop_map(|(later, map_bytes)| Step::Compact { later, map_bytes }),
        1 => any::<bool>().prop_map(|clean| Step::Restart { clean }),
    ]
}

fn batch_for(
    codec: usize,
    appended: bool,
    producer: Option<(i64, i32)>,
    transactional: bool,
    now: i64,
    puts: &[Put],
) -> record::Batch {
    let kind = if appended { TimestampType::LogAppendTime } else { TimestampType::CreateTime };
    let mut builder = BatchBuilder::new(Offset(0), Compression::ALL[codec], kind);
    if let Some((id, sequence)) = producer {
        builder = builder.producer(ProducerId(id), ProducerEpoch(0), Sequence(sequence));
    }
    if transactional {
        builder = builder.transactional();
    }
    for (key, value, after) in puts {
        let (key, value) = (key.map(|key| format!("k{key}")), value.map(|v| format!("v{v}")));
        builder.push(&NewRecord {
            timestamp: TimestampMs(now + i64::from(*after)),
            key: key.as_deref().map(str::as_bytes),
            value: value.as_deref().map(str::as_bytes),
            headers: &[(b"h", key.as_deref().map(str::as_bytes))],
        });
    }
    builder.build_batch()
}

fn marker(id: i64, commits: bool) -> record::Batch {
    let mut marker = BatchBuilder::new(Offset(0), Compression::None, TimestampType::CreateTime)
        .producer(ProducerId(id), ProducerEpoch(0), Sequence(-1))
        .transactional()
        .control();
    let (key, value) = ([0, 0, 0, u8::from(commits)], [0u8, 0, 0, 0, 0, 1]);
    let (key, value) = (Some(&key[..]), Some(&value[..]));
    marker.push(&NewRecord { timestamp: NOW, key, value, headers: &[] });
    marker.build_batch()
}

/// What a reader of committed records finds, as it leaves out the others.
fn committed(log: &Log) -> Vec<Record> {
    let end = log.last_stable_offset();
    let mut aborted = log.aborted_transactions(Offset(0), end).unwrap();
    aborted.sort_by_key(|txn| txn.first_offset);
    let mut aborting: Vec<ProducerId> = Vec::new();
    let (mut next, mut found) = (log.log_start_offset(), Vec::new());
    loop {
        let read = log.read(next, 700, end, true).unwrap();
        let batches = record::split(read.records.load().unwrap()).unwrap();
        let Some(last) = batches.last() else { return found };
        next = last.header.next_offset();
        for batch in &batches {
            batch.check_crc().unwrap();
            let (header, id) = (&batch.header, batch.header.producer_id);
            aborted.retain(|txn| {
                let begins = txn.first_offset <= header.last_offset();
                aborting.extend(begins.then_some(txn.producer_id));
                !begins
            });
            if header.attributes.is_control() {
                aborting.retain(|one| *one != id);
            } else if !(header.attributes.is_transactional() && aborting.contains(&id)) {
                found.extend(record::records(batch, 1 << 20).unwrap());
            }
        }
    }
}

fn last_of_each(records: &[Record]) -> BTreeMap<Vec<u8>, Record> {
    let keyed = records.iter().filter_map(|one| Some((one.key.as_ref()?.to_vec(), one.clone())));
    keyed.collect()
}

fn check(log: &Log, model: &[Record], what: &str) {
    let found = committed(log);
    let end = log.last_stable_offset();
    assert!(found.windows(2).all(|pair| pair[0].offset < pair[1].offset), "{what}");
    for one in &found {
        let at = model.binary_search_by_key(&one.offset, |known| known.offset);
        let at = at.unwrap_or_else(|_| panic!("{what}: {one:?} was never committed"));
        assert_eq!(&model[at], one, "{what}");
    }
    let stable: Vec<Record> = model.iter().filter(|one| one.offset < end).cloned().collect();
    let (found, wanted) = (last_of_each(&found), last_of_each(&stable));
    for (key, last) in &wanted {
        let got = found.get(key);
        // A key that was deleted may be gone, but must not come back.
        let is_right = got == Some(last) || got.is_none() && last.value.is_none();
        assert!(is_right, "{what}: {got:?} instead of {last:?}");
    }
}

/// Opens the log again, after a clean stop, or so that producers are found in what compaction has
/// left.
fn restarted(
    home: &Home,
    dirs: crate::dirs::LogDirs,
    log: &Log,
    clean: bool,
    what: &str,
) -> (crate::dirs::LogDirs, Arc<Log>) {
    let producers = |log: &Log| -> Vec<_> {
        let all = log.active_producers().into_iter();
        all.map(|one| (one.producer_id, one.last_sequence, one.current_txn_start)).collect()
    };
    let before = (producers(log), log.log_end_offset());
    if clean {
        dirs.close(no_watermark).unwrap();
    } else {
        log.sync().unwrap();
        for name in home.files().iter().filter(|name| name.ends_with(".snapshot")) {
            std::fs::remove_file(home.log_dir().join(name)).unwrap();
        }
    }
    drop(dirs);
    let (dirs, log) = home.open();
    assert_eq!((producers(&log), log.log_end_offset()), before, "{what}");
    (dirs, log)
}

fn live(steps: &[Step]) {
    let config = TopicConfig { segment_bytes: 4000, ..compacted() };
    let home = Home::new(config);
    let (mut dirs, mut log) = home.open();
    // What was committed, or will be; and the open transactions' records.
    let mut model: Vec<Record> = Vec::new();
    let mut open: BTreeMap<u8, Vec<Record>> = BTreeMap::new();
    let mut sequences: BTreeMap<u8, i32> = BTreeMap::new();
    let mut now = NOW.0;
    for (at, step) in steps.iter().enumerate() {
        now += 10;
        let what = format!("step {at}: {step:?}");
        match step {
            Step::Batch { producer, transactional, codec, appended, puts } => {
                // Transactions' producers are others than those of single batches.
                let id = producer.map(|one| i64::from(one) + if *transactional { 10 } else { 0 });
                let number = id.map(|id| id as u8);
                let in_txn = *transactional && id.is_some();
                let sequence = number.map(|number| {
                    let next = sequences.entry(number).or_default();
                    let first = *next;
                    *next += puts.len() as i32;
                    first
                });
                let batch = batch_for(*codec, *appended, id.zip(sequence), in_txn, now, puts);
                let first = append(&log, &batch).first_offset;
                let mut records = record::records(&batch, 1 << 20).unwrap();
                for (delta, one) in records.iter_mut().enumerate() {
                    one.offset = first.plus(delta as i64);
                }
                match number.filter(|_| in_txn) {
                    Some(number) => open.entry(number).or_default().extend(records),
                    None => model.extend(records),
                }
            }
            Step::End { producer, commits } => {
                let Some(records) = open.remove(&(producer + 10)) else { continue };
                append(&log, &marker(i64::from(producer + 10), *commits));
                if *commits {
                    model.extend(records);
                }
                model.sort_by_key(|one| one.offset);
            }
            Step::Compact { later, map_bytes } => {
                now += later;
                log.note_high_watermark(log.log_end_offset());
                log.roll().unwrap();
                let (up_to, map_bytes) = (log.log_end_offset(), *map_bytes);
                let run =
                    CompactionRun { now: TimestampMs(now), up_to, map_bytes, pace: &|_, _| true };
                dirs.compact(&log, &run).unwrap();
            }
            Step::Restart { clean } => {
                (dirs, log) = restarted(&home, dirs, &log, *clean, &what);
            }
        }
        log.note_high_watermark(log.log_end_offset());
        check(&log, &model, &what);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn committed_records_survive_any_history(steps in prop::collection::vec(step(), 1..60)) {
        live(&steps);
    }
}
