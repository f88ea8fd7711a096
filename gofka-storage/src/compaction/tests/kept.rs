//! Which records stay, for how long, and where they are found.

use super::*;
use gofka_core::ids::LeaderEpoch;
use proptest::prelude::*;

#[test]
fn the_last_record_of_each_key_stays_at_its_offset() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    for n in 0..30 {
        append(
            &log,
            &batch_of(&[
                (&format!("k{}", n % 3), Some(&format!("v{n}")), NOW.0 + n),
                ("same", Some(&n.to_string()), NOW.0 + n),
            ]),
        );
    }
    log.roll().unwrap();
    let before = contents(&log);
    let outcome = compact(&log, NOW.0).unwrap();
    assert_eq!(outcome.clean_up_to, Offset(60));
    assert!(outcome.bytes_after < outcome.bytes_before);
    let after = contents(&log);
    assert_eq!(latest(&after), latest(&before));
    assert_eq!(after.len(), 4);
    assert!(after.iter().all(|record| before.contains(record)));
    assert_eq!((log.log_end_offset(), log.log_start_offset()), (Offset(60), Offset(0)));
    assert_eq!(log.size_bytes(), outcome.bytes_after);
    // Any offset in between leads to the next record that stayed.
    for from in 0..60 {
        let found = read_all(&log, Offset(from), 1).first().map(|record| record.offset.0);
        let expected = after.iter().map(|(.., offset)| *offset).find(|offset| *offset >= from);
        assert_eq!(found, expected, "from {from}");
    }
    assert!(compact(&log, NOW.0).is_none());
    put(&log, "more", Some("x"));
    assert_eq!(contents(&log).last().unwrap().2, 60);
}

#[test]
fn nothing_above_the_bound_or_in_the_active_segment_goes() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    (0..60).for_each(|n| put(&log, "k", Some(&n.to_string())));
    assert!(log.segment_count() > 3);
    let active = log.all_segments().last().unwrap().base.0;
    let outcome = compact_log(&log, NOW, Offset(active), MAP_BYTES).unwrap().unwrap();
    assert_eq!(outcome.clean_up_to, Offset(active));
    let offsets: Vec<i64> = contents(&log).iter().map(|(.., offset)| *offset).collect();
    let expected: Vec<i64> = (active - 1..60).collect();
    assert_eq!(offsets, expected);
    let second = Home::new(compacted());
    let (_dirs, log) = second.open();
    (0..60).for_each(|n| put(&log, "k", Some(&n.to_string())));
    let bound = log.all_segments()[1].base;
    compact_log(&log, NOW, bound, MAP_BYTES).unwrap().unwrap();
    assert_eq!(contents(&log).len() as i64, 60 - bound.0 + 1);
}

#[test]
fn a_tombstone_stays_for_its_time_and_then_goes() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    put(&log, "gone", Some("v"));
    put(&log, "gone", None);
    put(&log, "kept", Some("w"));
    log.roll().unwrap();
    compact(&log, NOW.0).unwrap();
    let tombstone = ("gone".to_owned(), None, 1);
    assert!(contents(&log).contains(&tombstone));
    let dirty = |log: &Log| {
        put(log, "other", Some("x"));
        log.roll().unwrap();
    };
    dirty(&log);
    compact(&log, NOW.0 + 999).unwrap();
    assert!(contents(&log).contains(&tombstone));
    dirty(&log);
    compact(&log, NOW.0 + 1000).unwrap();
    assert_eq!(contents(&log).len(), 2);
    let kept = read_all(&log, Offset(0), 1000);
    assert_eq!((kept[0].offset, kept[0].timestamp), (Offset(2), NOW));
}

#[test]
fn timestamps_and_headers_survive_a_delete_horizon() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    let mut builder = BatchBuilder::new(Offset(0), Compression::Zstd, TimestampType::CreateTime);
    let headers: &[(&[u8], Option<&[u8]>)] = &[(b"h", Some(b"1")), (b"h", None)];
    for (key, value) in [(b"a", Some(&b"x"[..])), (b"b", None), (b"a", Some(b"y"))] {
        let timestamp = TimestampMs(NOW.0 + i64::from(key[0]));
        builder.push(&NewRecord { timestamp, key: Some(key), value, headers });
    }
    append(&log, &builder.build_batch());
    log.roll().unwrap();
    let before = read_all(&log, Offset(0), 1000);
    compact(&log, NOW.0 + 5_000_000).unwrap();
    assert_eq!(read_all(&log, Offset(0), 1000), before[1..]);
}

#[test]
fn a_small_map_cleans_step_by_step() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    for round in 0..4 {
        (0..20).for_each(|n| put(&log, &format!("key{n}"), Some(&round.to_string())));
    }
    log.roll().unwrap();
    let before = latest(&contents(&log));
    let mut runs = 0;
    while compact_log(&log, NOW, log.log_end_offset(), 700).unwrap().is_some() {
        runs += 1;
        assert_eq!(latest(&contents(&log)), before);
    }
    assert!(runs > 3, "{runs}");
    // What was superseded by a part of the log that was mapped later goes in the later run.
    assert_eq!(contents(&log).len(), 20);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn the_latest_value_of_every_key_survives_any_history(
        steps in prop::collection::vec(
            (0u8..6, prop::option::weighted(0.8, 0u8..100), 0u8..12), 1..150
        ),
        map_bytes in 100usize..2000,
    ) {
        let home = Home::new(compacted());
        let (_dirs, log) = home.open();
        let mut model: BTreeMap<String, Option<String>> = BTreeMap::new();
        for (at, (key, value, event)) in steps.iter().enumerate() {
            let key = format!("k{key}");
            let value = value.map(|value| value.to_string());
            let now = NOW.0 + at as i64 * 100;
            log.append_as_leader(
                &[batch_of(&[(&key, value.as_deref(), now)])], LeaderEpoch(1), TimestampMs(now),
            ).unwrap();
            model.insert(key, value);
            if *event == 0 {
                log.roll().unwrap();
                compact_log(&log, TimestampMs(now), log.log_end_offset(), map_bytes).unwrap();
            }
        }
        let found = latest(&contents(&log));
        for (key, value) in &model {
            // A key that was deleted may be gone, but must not come back.
            prop_assert_eq!(found.get(key).cloned().flatten(), value.clone(), "key {}", key);
        }
        prop_assert_eq!(log.log_end_offset().0, steps.len() as i64);
    }
}

#[test]
fn what_compaction_has_emptied_does_not_stop_retention() {
    let home = Home::new(compacted_and_expiring());
    let (_dirs, log) = home.open();
    for n in 0..40 {
        put(&log, "k", Some(&n.to_string()));
    }
    log.roll().unwrap();
    compact(&log, NOW.0).unwrap();
    assert!(log.all_segments()[0].size() == 0 || log.all_segments().len() == 2);
    let empty = Segment::create(log.health.disk(), &log.dir, Offset(0)).unwrap();
    let first = log.all_segments()[0].base;
    if first == Offset(0) {
        // All of the first segment was compacted away, as when each key of it came again.
        log.segments.write()[0] = Arc::new(empty);
    }
    let late = TimestampMs(i64::MAX / 2);
    assert!(log.apply_retention(late, log.log_end_offset()).unwrap() > 0);
    assert_eq!(log.log_start_offset(), log.log_end_offset());
}
