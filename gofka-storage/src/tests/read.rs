//! Reads: budgets, bounds, timestamps, and indexes that lie.

use crate::error::ReadError;
use crate::testing::*;
use gofka_core::config::TopicConfig;
use gofka_core::ids::Offset;
use gofka_core::record;
use gofka_core::time::TimestampMs;

/// 40 batches of two records each, in several segments.
fn filled(home: &Home) -> (crate::LogDirs, std::sync::Arc<crate::Log>) {
    let (dirs, log) = home.open();
    for n in 0..40 {
        append(&log, &batch_of(&[("k", Some("v"), n * 10), ("k", Some("w"), n * 10 + 5)]));
    }
    assert!(log.segment_count() > 2);
    (dirs, log)
}

#[test]
fn no_budget_skips_a_batch() {
    let home = Home::new(config());
    let (_dirs, log) = filled(&home);
    for budget in [0, 1, 70, 79, 80, 81, 100, 160, 500, 950, 1000, 5000] {
        for from in [0, 1, 7, 23, 79] {
            let offsets: Vec<i64> =
                read_all(&log, Offset(from), budget).iter().map(|r| r.offset.0).collect();
            assert_eq!(offsets, (from..80).collect::<Vec<_>>(), "budget {budget} from {from}");
        }
    }
}

#[test]
fn budgets_and_bounds_are_kept() {
    let home = Home::new(config());
    let (_dirs, log) = filled(&home);
    let size = log.read(Offset(0), 0, Offset(80), true).unwrap().records.len();
    let read = |from, max, up_to, one| {
        let found = log.read(Offset(from), max, Offset(up_to), one).unwrap();
        found.records.load().unwrap()
    };
    assert!(read(0, size - 1, 80, false).is_empty());
    assert_eq!(read(0, 3 * size - 1, 80, false).len(), 2 * size);
    let bounded = record::split(read(0, 1 << 20, 6, true)).unwrap();
    assert_eq!(bounded.last().unwrap().header.last_offset(), Offset(5));
    // A bound inside a batch hides all of it.
    let bounded = record::split(read(0, 1 << 20, 7, true)).unwrap();
    assert_eq!(bounded.last().unwrap().header.last_offset(), Offset(5));
    assert!(read(80, 100, 80, true).is_empty());
    assert!(read(6, 100, 6, true).is_empty());
    for outside in [-1, 81] {
        let error = log.read(Offset(outside), 100, Offset(80), true).unwrap_err();
        assert!(matches!(error, ReadError::OutOfRange { .. }));
    }
}

#[test]
fn timestamps_lead_to_the_first_record_at_or_after_them() {
    let home = Home::new(config());
    let (_dirs, log) = filled(&home);
    let end = Offset(80);
    let find = |t| log.offset_for_timestamp(TimestampMs(t), end).unwrap().map(|(o, t)| (o.0, t.0));
    assert_eq!(find(-1), Some((0, 0)));
    for n in 0..40 {
        assert_eq!(find(n * 10), Some((n * 2, n * 10)));
        assert_eq!(find(n * 10 + 1), Some((n * 2 + 1, n * 10 + 5)));
    }
    assert_eq!(find(396), None);
    assert_eq!(log.offset_for_timestamp(TimestampMs(100), Offset(20)).unwrap(), None);
    assert_eq!(log.max_timestamp_offset(end).unwrap(), Some((Offset(79), TimestampMs(395))));
    assert_eq!(log.max_timestamp_offset(Offset(79)).unwrap(), None);
    log.set_log_start_offset(Offset(31)).unwrap();
    assert_eq!(find(0), Some((31, 155)));
}

#[test]
fn timestamps_out_of_order_are_found_too() {
    let home = Home::new(config());
    let (_dirs, log) = home.open();
    let times = [50, 10, 90, 20, 70, 90, 5, 60, 95, 1];
    for round in 0..4 {
        for t in times {
            append(&log, &batch_of(&[("k", Some("v"), t + round)]));
        }
    }
    let all: Vec<i64> = (0..4).flat_map(|round| times.iter().map(move |t| t + round)).collect();
    for wanted in 0..110 {
        let expected = all.iter().position(|t| *t >= wanted).map(|at| (at as i64, all[at]));
        let found = log.offset_for_timestamp(TimestampMs(wanted), Offset(40)).unwrap();
        assert_eq!(found.map(|(o, t)| (o.0, t.0)), expected, "timestamp {wanted}");
    }
    assert_eq!(log.max_timestamp_offset(Offset(40)).unwrap(), Some((Offset(38), TimestampMs(98))));
}

#[test]
fn an_index_that_lies_is_rebuilt() {
    let home = Home::new(config());
    let (dirs, log) = filled(&home);
    dirs.close(no_watermark).unwrap();
    drop((dirs, log));
    let first = |extension: &str| home.log_dir().join(format!("{:020}.{extension}", 0));
    for extension in ["index", "timeindex"] {
        let good = std::fs::read(first(extension)).unwrap();
        assert!(!good.is_empty());
        for bit in (0..good.len() * 8).step_by(3) {
            let mut broken = good.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(first(extension), broken).unwrap();
            let (dirs, log) = home.open();
            for from in 0..12 {
                let read = log.read(Offset(from), 0, Offset(80), true).unwrap();
                let found =
                    record::split(read.records.load().unwrap()).unwrap()[0].header.base_offset;
                assert_eq!(found, Offset(from / 2 * 2), "bit {bit} of {extension}");
                let time = TimestampMs(from * 5);
                let found = log.offset_for_timestamp(time, Offset(80)).unwrap();
                assert_eq!(found, Some((Offset(from), time)), "bit {bit} of {extension}");
            }
            dirs.close(no_watermark).unwrap();
        }
        std::fs::remove_file(first(extension)).unwrap();
        let (dirs, log) = home.open();
        assert_eq!(read_all(&log, Offset(0), 200).len(), 80);
        let found = log.offset_for_timestamp(TimestampMs(15), Offset(80)).unwrap();
        assert_eq!(found, Some((Offset(3), TimestampMs(15))));
        dirs.close(no_watermark).unwrap();
    }
}

const BATCHES: i64 = 3000;

#[test]
fn readers_and_an_appender_do_not_disturb_each_other() {
    let home = Home::new(TopicConfig { segment_bytes: 3000, ..config() });
    let (_dirs, log) = home.open();
    std::thread::scope(|scope| {
        for reader in 0..2usize {
            let log = &log;
            scope.spawn(move || {
                let mut next = Offset(0);
                while next < Offset(BATCHES * 2) {
                    let read = log.read(next, 100 + reader * 900, log.log_end_offset(), true);
                    for batch in record::split(read.unwrap().records.load().unwrap()).unwrap() {
                        assert_eq!(batch.header.base_offset, next);
                        batch.check_crc().unwrap();
                        next = batch.header.next_offset();
                    }
                }
            });
        }
        for n in 0..BATCHES {
            append(&log, &batch(&n.to_string(), 2));
            if n % 500 == 0 {
                log.sync().unwrap();
            }
        }
    });
}

/// A bit that has changed on the disk is found when it is read: what comes before it is given, it
/// and its batch never are.
#[test]
fn what_has_changed_on_the_disk_is_not_given() {
    let home = Home::new(config());
    let (dirs, log) = filled(&home);
    let read = log.read(Offset(0), 1 << 20, Offset(80), true).unwrap();
    let size = log.read(Offset(0), 0, Offset(80), true).unwrap().records.len();
    assert!(read.records.len() > 3 * size, "the first segment has several batches");
    let path = log.dir().join("00000000000000000000.log");
    dirs.close(|_| None).unwrap();
    drop((dirs, log));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[2 * size + size / 2 + 20] ^= 4;
    std::fs::write(&path, bytes).unwrap();

    let (_dirs, log) = home.open();
    for max_bytes in [0, 1 << 20] {
        let read = |from| log.read(Offset(from), max_bytes, Offset(80), true);
        let loaded = |from| read(from).and_then(|read| Ok(read.records.load()?));
        let batches = record::split(loaded(0).unwrap()).unwrap();
        assert!(batches.last().unwrap().header.last_offset() <= Offset(3));
        assert_eq!(record::split(loaded(2).unwrap()).unwrap().len(), 1);
        for inside in [4, 5] {
            let error = loaded(inside).unwrap_err();
            assert_eq!(error.code(), gofka_core::error::ErrorCode::CorruptMessage);
        }
        assert!(!loaded(6).unwrap().is_empty(), "what comes after it can be read");
    }
}

/// Takes a file's bytes out of memory; whether its file system lets one do that.
fn evict(path: &std::path::Path) -> bool {
    let file = std::fs::File::open(path).unwrap();
    file.sync_all().unwrap();
    let advise = |advice| rustix::fs::fadvise(&file, 0, None, advice).unwrap();
    advise(rustix::fs::Advice::Random);
    advise(rustix::fs::Advice::DontNeed);
    let is_gone = !crate::disk::is_in_memory(&file, 0);
    // Asking has brought it back.
    advise(rustix::fs::Advice::DontNeed);
    is_gone
}

/// What this process wrote is trusted only for as long as it is in memory, page by page.
#[test]
fn what_has_changed_on_the_disk_since_it_was_written_is_not_given() {
    let home = Home::new(config());
    let (_dirs, log) = filled(&home);
    log.sync().unwrap();
    let size = log.read(Offset(0), 0, Offset(80), true).unwrap().records.len();
    let path = log.dir().join("00000000000000000000.log");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[2 * size + size / 2 + 20] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    for max_bytes in [0, 1 << 20] {
        if !evict(&path) {
            return;
        }
        let read = |from| log.read(Offset(from), max_bytes, Offset(80), true);
        let first = read(0).unwrap().records;
        if let crate::Records::InFile(range) = &first {
            assert!(!range.is_warm(), "nobody has compared it");
        }
        assert!(first.load().unwrap().len() <= 2 * size);
        let error = read(4).and_then(|read| Ok(read.records.load()?)).unwrap_err();
        assert_eq!(error.code(), gofka_core::error::ErrorCode::CorruptMessage);
    }
}

/// No checksum covers the offset of a batch.
#[test]
fn a_batch_in_another_ones_place_is_not_given() {
    let home = Home::new(config());
    let (dirs, log) = filled(&home);
    let size = log.read(Offset(0), 0, Offset(80), true).unwrap().records.len();
    let path = log.dir().join("00000000000000000000.log");
    dirs.close(|_| None).unwrap();
    drop((dirs, log));
    let good = std::fs::read(&path).unwrap();
    for (byte, bit) in [(7, 0), (7, 2), (5, 1), (0, 6)] {
        let mut bytes = good.clone();
        bytes[2 * size + byte] ^= 1 << bit;
        std::fs::write(&path, bytes).unwrap();
        let (dirs, log) = home.open();
        let read = log.read(Offset(0), 1 << 20, Offset(80), true).unwrap();
        let batches = record::split(read.records.load().unwrap()).unwrap();
        let mut next = Offset(0);
        for batch in &batches {
            assert!(batch.header.base_offset >= next && batch.header.next_offset() <= Offset(80));
            next = batch.header.next_offset();
        }
        dirs.close(no_watermark).unwrap();
    }
}

/// Also where the header of a batch cannot be read that an index entry leads to.
#[test]
fn what_comes_before_a_changed_header_is_given() {
    let home = Home::new(config());
    let (dirs, log) = filled(&home);
    let size = log.read(Offset(0), 0, Offset(80), true).unwrap().records.len();
    let count = log.read(Offset(0), 1 << 20, Offset(80), true).unwrap().records.len() / size;
    let path = log.dir().join("00000000000000000000.log");
    dirs.close(no_watermark).unwrap();
    drop((dirs, log));
    let good = std::fs::read(&path).unwrap();
    for changed in 1..count {
        let mut bytes = good.clone();
        bytes[changed * size + 16] ^= 4;
        std::fs::write(&path, bytes).unwrap();
        let (dirs, log) = home.open();
        let read = log.read(Offset(0), 1 << 20, Offset(80), true).unwrap();
        let batches = record::split(read.records.load().unwrap()).unwrap();
        assert_eq!(batches.len(), changed);
        dirs.close(no_watermark).unwrap();
    }
}

#[test]
fn a_segment_of_a_small_and_a_large_batch_needs_no_index_entry() {
    let home = Home::new(TopicConfig::default());
    let (_dirs, log) = home.open();
    let large = "v".repeat(100_000);
    append(&log, &batch_of(&[("k", Some("v"), 0)]));
    append(&log, &batch_of(&[("k", Some(&large), 1)]));
    log.roll().unwrap();
    append(&log, &batch_of(&[("k", Some("v"), 2)]));
    for from in 0..3 {
        let read = log.read(Offset(from), 1000, Offset(3), true).unwrap();
        let batches = record::split(read.records.load().unwrap()).unwrap();
        assert_eq!(batches[0].header.base_offset, Offset(from));
    }
}
