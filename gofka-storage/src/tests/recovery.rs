//! Starts after a stop that was not clean: torn tails, flipped bits, lost and foreign files.

use crate::testing::*;
use gofka_core::config::TopicConfig;
use gofka_core::ids::{LeaderEpoch, Offset};
use gofka_core::record;
use std::fs;
use std::path::{Path, PathBuf};

/// Appends five batches of three records and leaves without closing. Path and bytes of the log.
fn left_behind(home: &Home) -> (PathBuf, Vec<u8>) {
    let (_dirs, log) = home.open();
    for n in 0..5 {
        append(&log, &idempotent(7, 0, n * 3, 3));
    }
    let path = home.log_dir().join(format!("{:020}.log", 0));
    let bytes = fs::read(&path).unwrap();
    (path, bytes)
}

/// Opens the log again; its end, after checking that all before it is readable, and that the
/// producer goes on where the log ends.
fn reopened_end(home: &Home) -> i64 {
    let (_dirs, log) = home.open();
    let end = log.log_end_offset().0;
    let offsets: Vec<i64> = read_all(&log, Offset(0), 200).iter().map(|r| r.offset.0).collect();
    assert_eq!(offsets, (0..end).collect::<Vec<_>>());
    assert_eq!(log.safe_offset(), Offset(end));
    let next = append(&log, &idempotent(7, 0, end as i32, 1));
    assert_eq!(next.first_offset, Offset(end));
    end
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_at_the_last_whole_batch() {
    let home = Home::new(config());
    let (path, bytes) = left_behind(&home);
    let last = bytes.len() * 4 / 5;
    for len in last..=bytes.len() {
        fs::write(&path, &bytes[..len]).unwrap();
        let expected = if len == bytes.len() { 15 } else { 12 };
        assert_eq!(reopened_end(&home), expected, "torn at {len}");
    }
}

#[test]
fn a_bit_flipped_anywhere_in_the_last_batch_cuts_it() {
    let home = Home::new(config());
    let (path, bytes) = left_behind(&home);
    let last = bytes.len() * 4 / 5;
    for bit in last * 8..bytes.len() * 8 {
        let mut broken = bytes.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &broken).unwrap();
        let (_dirs, log) = home.open();
        // The leader epoch is outside of the checksum: a changed one looks like an election.
        if (12..16).contains(&(bit / 8 - last)) {
            assert_eq!(log.log_end_offset(), Offset(15), "bit {bit}");
        } else {
            assert_eq!(log.log_end_offset(), Offset(12), "bit {bit}");
        }
    }
}

#[test]
fn zeros_after_the_last_batch_are_cut() {
    let home = Home::new(config());
    let (path, bytes) = left_behind(&home);
    for zeros in [1, 16, 17, 61, 62, 4096] {
        let mut longer = bytes.clone();
        longer.resize(bytes.len() + zeros, 0);
        fs::write(&path, &longer).unwrap();
        assert_eq!(reopened_end(&home), 15);
        fs::write(&path, &bytes).unwrap();
    }
}

#[test]
fn what_is_after_a_bad_batch_goes_with_it() {
    let home = Home::new(config());
    {
        let (_dirs, log) = home.open();
        (0..60).for_each(|n| {
            append(&log, &batch(&n.to_string(), 1));
        });
        assert!(log.segment_count() > 3);
    }
    let second = home.files().into_iter().filter(|name| name.ends_with(".log")).nth(1).unwrap();
    let path = home.log_dir().join(&second);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (_dirs, log) = home.open();
    let end = log.log_end_offset();
    assert_eq!(log.segment_count(), 2);
    assert!(end > Offset(12) && end < Offset(30), "{end}");
    assert_eq!(read_all(&log, Offset(0), 500).len() as i64, end.0);
}

#[test]
fn after_a_clean_stop_nothing_is_scanned_and_everything_is_there() {
    let home = Home::new(config());
    let (dirs, log) = home.open();
    for n in 0..40 {
        append(&log, &idempotent(7, 0, n * 2, 2));
    }
    log.append_as_leader(&[batch("x", 1)], LeaderEpoch(9), NOW).unwrap();
    dirs.close(no_watermark).unwrap();
    assert!(log.append_as_leader(&[batch("x", 1)], EPOCH, NOW).is_err());
    drop((dirs, log));
    assert!(home.root.path().join(".kafka_cleanshutdown").exists());
    // A flipped bit in the middle of the last segment's payload shows that nobody looked.
    let last = home.files().into_iter().rfind(|name| name.ends_with(".log")).unwrap();
    let path = home.log_dir().join(last);
    let mut bytes = fs::read(&path).unwrap();
    bytes[65] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (dirs, log) = home.open();
    assert!(!home.root.path().join(".kafka_cleanshutdown").exists());
    assert_eq!(log.log_end_offset(), Offset(81));
    assert_eq!(log.safe_offset(), Offset(81));
    assert_eq!(log.latest_epoch(), LeaderEpoch(9));
    assert_eq!(log.end_offset_for_epoch(EPOCH), (EPOCH, Offset(80)));
    let retried = append(&log, &idempotent(7, 0, 78, 2));
    assert!(retried.duplicate);
    assert_eq!(retried.first_offset, Offset(78));
    drop((dirs, log));
    // Without the marker it lies below the recovery point still: for who reads it to find.
    let (dirs, log) = home.open();
    assert_eq!(log.log_end_offset(), Offset(81));
    drop((dirs, log));
    // Where nothing tells how far the log was on the disk, the same bit ends the log.
    fs::remove_file(home.root.path().join("recovery-point-offset-checkpoint")).unwrap();
    let (_dirs, log) = home.open();
    assert!(log.log_end_offset() < Offset(81));
}

#[test]
fn what_is_appended_while_the_log_closes_is_kept_or_refused() {
    for many in [false, true] {
        let home = Home::new(config());
        let (dirs, log) = home.open();
        for index in 1..if many { 80 } else { 2 } {
            let other = gofka_core::ids::TopicPartition::new("other", index);
            append(&dirs.create(&other, TOPIC_ID, home.config.clone()).unwrap(), &batch("x", 1));
        }
        let appended = std::thread::scope(|scope| {
            let appender = scope.spawn(|| {
                let mut count = 0;
                let one = |n| [batch_of(&[("k", Some("v"), n)])];
                while log.append_as_leader(&one(count), EPOCH, NOW).is_ok() {
                    count += 1;
                }
                count
            });
            while log.log_end_offset() < Offset(20) {
                std::thread::yield_now();
            }
            dirs.close(no_watermark).unwrap();
            appender.join().unwrap()
        });
        drop((dirs, log));
        let dirs = open_dirs(home.root.path());
        let loaded = dirs.load(claim(&home.config), NOW).unwrap();
        let log = &loaded.iter().find(|(name, _)| *name == partition()).unwrap().1;
        assert_eq!(log.log_end_offset(), Offset(appended));
        assert_eq!(read_all(log, Offset(0), 900).len() as i64, appended);
        let newest = log.max_timestamp_offset(Offset(appended)).unwrap().unwrap();
        assert_eq!(newest.0, Offset(appended - 1));
    }
}

#[test]
fn the_last_five_batches_are_known_after_a_crash() {
    let home = Home::new(config());
    left_behind(&home);
    let (_dirs, log) = home.open();
    for n in 0..5 {
        let again = append(&log, &idempotent(7, 0, n * 3, 3));
        assert!(again.duplicate);
        assert_eq!(again.first_offset, Offset(i64::from(n) * 3));
    }
}

#[test]
fn the_last_five_batches_are_known_wherever_the_newest_snapshot_is() {
    let record = idempotent(7, 0, 0, 1).header.size() as u32;
    for batches_in_a_segment in 1..8 {
        for clean in [false, true] {
            let segment_bytes = record * batches_in_a_segment + record / 2;
            let config = TopicConfig { segment_bytes, index_interval_bytes: 1, ..config() };
            let home = Home::new(config);
            let (dirs, log) = home.open();
            for n in 0..20 {
                append(&log, &idempotent(7, 0, n, 1));
                append(&log, &idempotent(8, 0, n, 1));
            }
            log.sync().unwrap();
            if clean {
                dirs.close(no_watermark).unwrap();
            } else {
                dirs.checkpoint(0, no_watermark).unwrap();
            }
            drop((dirs, log));
            let (_dirs, log) = home.open();
            for n in 15..20 {
                for id in [7, 8] {
                    let again = append(&log, &idempotent(id, 0, n, 1));
                    assert!(again.duplicate, "{n} of {id}, {batches_in_a_segment}, {clean}");
                }
            }
            assert!(!append(&log, &idempotent(7, 0, 20, 1)).duplicate);
        }
    }
}

#[test]
fn lost_and_foreign_derived_files_are_made_anew() {
    let home = Home::new(config());
    {
        let (dirs, log) = home.open();
        (0..60).for_each(|n| {
            append(&log, &idempotent(7, 0, n, 1));
        });
        dirs.close(no_watermark).unwrap();
    }
    for clean in [true, false] {
        for name in home.files() {
            if !name.ends_with(".log") && name != "partition.metadata" {
                fs::remove_file(home.log_dir().join(name)).unwrap();
            }
        }
        fs::write(home.log_dir().join("00000000000000009999.index"), b"orphan").unwrap();
        fs::write(home.log_dir().join("00000000000000000000.log.deleted"), b"old").unwrap();
        fs::write(home.log_dir().join("leader-epoch-checkpoint.tmp"), b"half").unwrap();
        let marker = home.root.path().join(".kafka_cleanshutdown");
        if clean {
            fs::write(&marker, b"").unwrap();
        }
        let (dirs, log) = home.open();
        assert_eq!(log.log_end_offset(), Offset(60));
        assert_eq!(read_all(&log, Offset(0), 200).len(), 60);
        assert_eq!(log.latest_epoch(), EPOCH);
        assert!(append(&log, &idempotent(7, 0, 57, 1)).duplicate);
        let odd = |name: &String| name.contains("9999") || name.contains(".deleted");
        assert!(!home.files().iter().any(|name| odd(name) || name.ends_with(".tmp")));
        dirs.close(no_watermark).unwrap();
    }
}

#[test]
fn an_empty_file_is_a_segment_without_records() {
    let home = Home::new(config());
    let (path, _) = left_behind(&home);
    fs::write(&path, b"").unwrap();
    assert_eq!(reopened_end(&home), 0);
}

#[test]
fn a_log_cut_below_its_start_begins_there() {
    let home = Home::new(config());
    let (dirs, log) = home.open();
    for n in 0..5 {
        append(&log, &batch(&n.to_string(), 3));
    }
    log.sync().unwrap();
    log.set_log_start_offset(Offset(10)).unwrap();
    dirs.checkpoint(0, no_watermark).unwrap();
    drop((dirs, log));
    let path = home.log_dir().join(format!("{:020}.log", 0));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 5]).unwrap();
    let (_dirs, log) = home.open();
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (Offset(10), Offset(10)));
    assert_eq!(append(&log, &batch("x", 1)).first_offset, Offset(10));
    let read = log.read(Offset(10), 1000, Offset(11), true).unwrap();
    assert_eq!(record::split(read.records.load().unwrap()).unwrap().len(), 1);
}

/// Where each batch of a log's file begins, and the file's end.
fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let mut at = vec![0];
    while let Ok(header) = record::BatchHeader::parse(&bytes[at[at.len() - 1]..]) {
        at.push(at[at.len() - 1] + header.size());
    }
    at
}

fn flip(path: &Path, byte: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[byte] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn below_the_recovery_point_headers_are_enough_and_above_it_all_is_read() {
    let home = Home::new(TopicConfig { segment_bytes: 1 << 20, ..config() });
    let (dirs, log) = home.open();
    for n in 0..5 {
        append(&log, &idempotent(7, 0, n, 1));
        if n == 2 {
            log.sync().unwrap();
            dirs.checkpoint_recovery_points(0).unwrap();
        }
    }
    drop((dirs, log));
    let path = home.log_dir().join(format!("{:020}.log", 0));
    let whole = fs::read(&path).unwrap();
    let at = boundaries(&whole);
    let ends_after = |byte: usize| {
        fs::write(&path, &whole).unwrap();
        flip(&path, byte);
        let (_dirs, log) = home.open();
        assert_eq!(log.size_bytes() as usize, fs::metadata(&path).unwrap().len() as usize);
        log.log_end_offset().0
    };
    // Of records: whoever reads them finds it, unless they end where the recovery point is.
    assert_eq!(ends_after(at[0] + 62), 5);
    assert_eq!(ends_after(at[4] + 62), 4);
    assert_eq!(ends_after(at[3] + 62), 3);
}

#[test]
fn a_log_cut_below_its_recovery_point_is_not_believed_to_be_on_the_disk() {
    for byte in [0, 16, 62] {
        let home = Home::new(TopicConfig { segment_bytes: 1 << 20, ..config() });
        let (dirs, log) = home.open();
        (0..5).for_each(|n| {
            append(&log, &idempotent(7, 0, n, 1));
        });
        log.sync().unwrap();
        dirs.checkpoint_recovery_points(0).unwrap();
        drop((dirs, log));
        let path = home.log_dir().join(format!("{:020}.log", 0));
        let at = boundaries(&fs::read(&path).unwrap());
        // The last batch has to be whole, of the one before only the header has.
        let (batch, end) = if byte == 62 { (4, 4) } else { (3, 3) };
        flip(&path, at[batch] + byte);
        let points = home.root.path().join("recovery-point-offset-checkpoint");
        assert_eq!(fs::read_to_string(&points).unwrap(), "0\n1\norders 0 5\n");
        assert_eq!(reopened_end(&home), end);
        assert_eq!(fs::read_to_string(&points).unwrap(), format!("0\n1\norders 0 {end}\n"));
    }
}

#[test]
fn whatever_the_recovery_point_the_same_is_found() {
    let home = Home::new(TopicConfig { segment_bytes: 700, ..config() });
    {
        let (_dirs, log) = home.open();
        for n in 0..24 {
            append(&log, &idempotent(7 + i64::from(n % 3), 0, n / 3, 1));
        }
        assert!(log.segment_count() > 2);
    }
    let points = home.root.path().join("recovery-point-offset-checkpoint");
    let mut expected = None;
    for point in 0..=24 {
        fs::write(&points, format!("0\n1\norders 0 {point}\n")).unwrap();
        let (dirs, log) = home.open();
        let records = texts(&read_all(&log, Offset(0), 300));
        let newest = log.max_timestamp_offset(Offset(24)).unwrap();
        let found = (records, newest, log.active_producers(), log.latest_epoch());
        assert_eq!(*expected.get_or_insert_with(|| found.clone()), found, "{point}");
        assert_eq!((log.log_end_offset(), log.safe_offset()), (Offset(24), Offset(24)));
        for id in 7..10 {
            assert!(append(&log, &idempotent(id, 0, 7, 1)).duplicate, "{point}");
        }
        drop((dirs, log));
    }
}

#[test]
fn room_that_was_never_written_is_cut_wherever_it_is() {
    let home = Home::new(TopicConfig { segment_bytes: 700, ..config() });
    {
        let (_dirs, log) = home.open();
        (0..24).for_each(|n| {
            append(&log, &idempotent(7, 0, n, 1));
        });
    }
    let logs = home.files().into_iter().filter(|name| name.ends_with(".log"));
    let paths: Vec<PathBuf> = logs.map(|name| home.log_dir().join(name)).collect();
    assert!(paths.len() > 2);
    let sizes: Vec<u64> = paths.iter().map(|path| fs::metadata(path).unwrap().len()).collect();
    for path in &paths {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() + (16 << 20)).unwrap();
    }
    let (_dirs, log) = home.open();
    assert_eq!(log.log_end_offset(), Offset(24));
    assert_eq!(read_all(&log, Offset(0), 300).len(), 24);
    let cut: Vec<u64> = paths.iter().map(|path| fs::metadata(path).unwrap().len()).collect();
    assert_eq!(cut, sizes);
}

#[test]
fn an_index_without_entries_beside_a_log_that_needs_some_is_made_anew() {
    let home = Home::new(TopicConfig { segment_bytes: 200_000, ..config() });
    {
        let (dirs, log) = home.open();
        let text = "x".repeat(1000);
        (0..400).for_each(|_| {
            append(&log, &batch(&text, 1));
        });
        assert!(log.segment_count() > 1);
        dirs.close(no_watermark).unwrap();
    }
    let index = home.log_dir().join(format!("{:020}.index", 0));
    fs::write(&index, b"").unwrap();
    let (_dirs, log) = home.open();
    assert_eq!(read_all(&log, Offset(0), 5000).len(), 400);
    assert!(fs::metadata(&index).unwrap().len() > 0);
}

#[test]
fn what_was_appended_after_a_cut_is_read_whole_after_a_crash() {
    let home = Home::new(config());
    let (dirs, log) = home.open();
    for n in 0..8 {
        append(&log, &batch(&format!("old {n}"), 1));
    }
    log.sync().unwrap();
    dirs.checkpoint_recovery_points(0).unwrap();
    dirs.truncate(&log, Offset(2), NOW).unwrap();
    let file = home.log_dir().join(format!("{:020}.log", 0));
    let kept = std::fs::metadata(&file).unwrap().len() as usize;
    for n in 2..8 {
        append(&log, &batch(&format!("new {n}"), 1));
    }
    drop((dirs, log));
    // Of what was never synced, the power loss has taken a part of the first record.
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[kept + gofka_core::record::BATCH_HEADER_SIZE + 5] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let (_dirs, log) = home.open();
    assert_eq!(log.log_end_offset(), Offset(2));
    assert_eq!(read_all(&log, Offset(0), 300).len(), 2);
}
