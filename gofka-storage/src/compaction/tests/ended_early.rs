//! What a run leaves that was called off, refused, or ended by a crash.

use super::*;

#[test]
fn damaged_batches_are_not_compacted() {
    let home = Home::new(compacted());
    let (dirs, log) = home.open();
    (0..30).for_each(|n| put(&log, "k", Some(&n.to_string())));
    dirs.close(no_watermark).unwrap();
    drop((dirs, log));
    let path = home.log_dir().join(format!("{:020}.log", 0));
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (_dirs, log) = home.open();
    let error = compact_log(&log, NOW, log.log_end_offset(), MAP_BYTES).unwrap_err();
    assert!(matches!(error, StorageError::Corrupt { .. }));
    assert!(!home.files().iter().any(|name| name.ends_with(".swap")));
}

#[test]
fn unfinished_files_are_removed_and_finished_ones_take_their_place() {
    let home = Home::new(compacted());
    let (dirs, log) = home.open();
    (0..30).for_each(|n| put(&log, "k", Some(&n.to_string())));
    log.roll().unwrap();
    compact(&log, NOW.0).unwrap();
    let expected = contents(&log);
    log.sync().unwrap();
    dirs.checkpoint(0, no_watermark).unwrap();
    drop((dirs, log));
    let dir = home.log_dir();
    let at = |name: &str| dir.join(format!("{:020}.{name}", 0));
    // Decided, but not renamed: the swap wins over what has its name.
    for extension in ["log", "index", "timeindex"] {
        std::fs::rename(at(extension), at(&format!("{extension}.swap"))).unwrap();
    }
    std::fs::write(at("log"), b"old").unwrap();
    let (dirs, log) = home.open();
    assert_eq!(contents(&log), expected);
    drop((dirs, log));
    // Not decided: no log among the swap files.
    std::fs::write(at("index.swap"), b"half").unwrap();
    std::fs::write(at("log.cleaned"), b"half").unwrap();
    let (_dirs, log) = home.open();
    assert_eq!(contents(&log), expected);
    assert!(!home.files().iter().any(|name| name.contains("swap") || name.contains("cleaned")));
}

#[test]
fn a_run_that_is_called_off_leaves_the_log_as_it_was() {
    let home = Home::new(compacted());
    let (_dirs, log) = home.open();
    for n in 0..60 {
        put(&log, "k", Some(&n.to_string()));
    }
    log.roll().unwrap();
    // Each of them is read in one step, for its keys and then to be written anew.
    let segments = log.segment_count() - 1;
    assert!(segments > 3);
    let (before, files) = (contents(&log), home.files());
    let steps = std::cell::Cell::new(0);
    for allowed in 0.. {
        steps.set(0);
        let pace = |_, _: StillWanted<'_>| {
            steps.set(steps.get() + 1);
            steps.get() <= allowed
        };
        let (now, up_to) = (NOW, log.log_end_offset());
        let run = CompactionRun { now, up_to, map_bytes: MAP_BYTES, pace: &pace };
        if log.compact(&run).unwrap().is_some() {
            assert_eq!(contents(&log).len(), 1);
            break;
        }
        assert_eq!(latest(&contents(&log)), latest(&before));
        assert!(allowed > segments || home.files() == files, "{:?}", home.files());
    }
}

#[test]
fn a_log_that_is_not_compacted_any_more_keeps_what_its_holes_divide() {
    let small = |config| TopicConfig { segment_bytes: 160, ..config };
    let mut home = Home::new(small(compacted()));
    let (dirs, log) = home.open();
    // The segments are too large for one, and each ends with a hole.
    for (key, value) in [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5")] {
        put(&log, key, Some(value));
        put(&log, "often", Some(value));
    }
    log.roll().unwrap();
    let (now, up_to) = (NOW, log.log_end_offset());
    let run = CompactionRun { now, up_to, map_bytes: MAP_BYTES, pace: &|_, _| true };
    dirs.compact(&log, &run).unwrap().unwrap();
    put(&log, "last", Some("6"));
    let expected = contents(&log);
    assert_eq!(expected.len(), 7);
    log.sync().unwrap();
    drop((dirs, log));
    home.config = Arc::new(small(config()));
    // Killed before anything was checkpointed, and then every time without recovery points.
    for _ in 0..3 {
        let (dirs, log) = home.open();
        assert_eq!(contents(&log), expected);
        dirs.checkpoint(0, no_watermark).unwrap();
        drop((dirs, log));
        std::fs::remove_file(home.root.path().join(crate::names::RECOVERY_POINTS)).unwrap();
    }
}
