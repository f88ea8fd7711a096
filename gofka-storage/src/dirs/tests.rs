//! Whose directories they are, several of them, deleting, and restarts.

use super::*;
use crate::error::OpenError;
use crate::testing::*;
use gofka_core::time::MonotonicMs;

pub(super) fn create(dirs: &LogDirs, topic: &str, index: i32) -> Arc<Log> {
    let partition = TopicPartition::new(topic, index);
    dirs.create(&partition, TOPIC_ID, Arc::new(config())).unwrap()
}

pub(super) fn load(dirs: &LogDirs) -> Vec<String> {
    let loaded = dirs.load(claim(&Arc::new(config())), NOW).unwrap();
    let mut names: Vec<String> = loaded.iter().map(|(name, _)| name.to_string()).collect();
    names.sort();
    names
}

#[test]
fn a_directory_belongs_to_one_broker_at_a_time() {
    let root = tempfile::tempdir().unwrap();
    let first = open_dirs(root.path());
    let second = LogDirs::open(&[root.path().to_owned()], &dir_options());
    assert!(matches!(second, Err(OpenError::Locked { .. })));
    drop(first);
    open_dirs(root.path());
}

#[test]
fn a_directory_of_another_node_cluster_or_release_is_refused_in_one_line() {
    let root = tempfile::tempdir().unwrap();
    let cluster = open_dirs(root.path()).cluster_id().to_owned();
    assert_eq!(open_dirs(root.path()).cluster_id(), cluster);
    let refused = |options: DirOptions| {
        let error = LogDirs::open(&[root.path().to_owned()], &options).unwrap_err();
        assert!(matches!(error, OpenError::Foreign { .. }));
        let line = error.to_string();
        assert!(!line.contains('\n'));
        line
    };
    let other_node = refused(DirOptions { node_id: NodeId(7), ..dir_options() });
    assert!(other_node.contains("belongs to node 0, not to 7"), "{other_node}");
    let other = DirOptions { cluster_id: Some("other".into()), ..dir_options() };
    assert!(refused(other).contains("not to other"));
    let path = root.path().join("meta.properties");
    let newer = std::fs::read_to_string(&path).unwrap().replace("version=1", "version=9");
    std::fs::write(&path, newer).unwrap();
    assert!(refused(dir_options()).contains("version 9"));
}

#[test]
fn a_path_that_is_no_directory_is_refused_before_anything_is_made() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    std::fs::write(&file, b"mine").unwrap();
    let error = LogDirs::open(std::slice::from_ref(&file), &dir_options()).unwrap_err();
    assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    // Beside a good one, it is offline, and the good one serves.
    let good = root.path().join("good");
    let dirs = LogDirs::open(&[file, good], &dir_options()).unwrap();
    assert!(load(&dirs).is_empty());
    create(&dirs, "a", 0);
    let described = dirs.describe();
    assert!(described[0].offline.is_some() && described[1].offline.is_none());
    assert_eq!(described[1].logs.len(), 1);
    assert!(described[1].total_bytes >= described[1].usable_bytes);
    assert!(described[1].usable_bytes > 0);
}

fn refusal(paths: &[PathBuf]) -> String {
    let line = LogDirs::open(paths, &dir_options()).unwrap_err().to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

#[test]
fn a_directory_in_use_is_found_before_another_one_is_made() {
    let root = tempfile::tempdir().unwrap();
    let (taken, new) = (root.path().join("taken"), root.path().join("new"));
    let first = open_dirs(&taken);
    assert!(refusal(&[new.clone(), taken.clone()]).contains("in use"));
    assert!(!new.exists());
    drop(first);
    LogDirs::open(&[new, taken], &dir_options()).unwrap();
}

#[test]
fn partitions_without_meta_properties_are_refused() {
    let root = tempfile::tempdir().unwrap();
    append(&create(&open_dirs(root.path()), "a", 0), &batch("x", 1));
    std::fs::remove_file(root.path().join("meta.properties")).unwrap();
    let before = disk::list(root.path()).unwrap();
    let line = refusal(&[root.path().to_owned()]);
    assert!(line.contains("a-0") && line.contains("put that file back"), "{line}");
    assert_eq!(disk::list(root.path()).unwrap(), before);
}

#[test]
fn symbolic_links_among_the_logs_are_refused() {
    let outside = tempfile::tempdir().unwrap();
    for link in ["a-0", "a-0/00000000000000000000.log"] {
        let root = tempfile::tempdir().unwrap();
        append(&create(&open_dirs(root.path()), "a", 0), &batch("x", 1));
        let (inside, target) = (root.path().join(link), outside.path().join("there"));
        std::fs::rename(&inside, &target).unwrap();
        std::os::unix::fs::symlink(&target, &inside).unwrap();
        let line = refusal(&[root.path().to_owned()]);
        assert!(line.contains(&format!("a symbolic link, {link},")), "{line}");
        std::fs::remove_file(&inside).unwrap();
        std::fs::rename(&target, &inside).unwrap();
        assert_eq!(load(&open_dirs(root.path())), ["a-0"]);
    }
}

#[test]
fn a_partition_in_two_directories_is_refused_unless_one_is_of_another_topic() {
    let root = tempfile::tempdir().unwrap();
    let paths = [root.path().join("one"), root.path().join("two")];
    append(&create(&open_dirs(&paths[0]), "a", 0), &batch("x", 1));
    LogDirs::open(&paths, &dir_options()).unwrap();
    std::fs::create_dir(paths[1].join("a-0")).unwrap();
    std::fs::copy(paths[0].join("a-0/partition.metadata"), paths[1].join("a-0/partition.metadata"))
        .unwrap();
    let line = refusal(&paths);
    assert!(line.contains("holds a-0, and so does") && line.contains("move away"), "{line}");
    let other = meta::partition_metadata(TopicId(Uuid::from_u128(9)));
    std::fs::write(paths[1].join("a-0/partition.metadata"), other).unwrap();
    let dirs = LogDirs::open(&paths, &dir_options()).unwrap();
    let config = Arc::new(config());
    let told = |_: &TopicPartition, topic_id: TopicId| match topic_id {
        TOPIC_ID => wants(topic_id, &config),
        _ => Claim::Unknown,
    };
    assert_eq!(dirs.load(told, NOW).unwrap().len(), 1);
}

#[test]
fn a_new_log_does_not_inherit_what_was_noted_of_an_older_one() {
    let root = tempfile::tempdir().unwrap();
    let a0 = TopicPartition::new("a", 0);
    for restarted in [false, true] {
        let mut dirs = open_dirs(root.path());
        load(&dirs);
        let log = create(&dirs, "a", 0);
        (0..9).for_each(|_| {
            append(&log, &batch("x", 1));
        });
        log.sync().unwrap();
        log.set_log_start_offset(Offset(6)).unwrap();
        dirs.checkpoint(0, |_| Some(Offset(7))).unwrap();
        if restarted {
            drop((log, dirs));
            dirs = open_dirs(root.path());
            load(&dirs);
        }
        dirs.delete(&a0, MonotonicMs(0)).unwrap();
        let again = create(&dirs, "a", 0);
        append(&again, &batch("kept", 1));
        drop((again, dirs));
        for name in ["recovery-point-offset", "log-start-offset", "replication-offset"] {
            let text = std::fs::read_to_string(root.path().join(format!("{name}-checkpoint")));
            assert_eq!(text.unwrap(), "0\n0\n", "{name}");
        }
        let dirs = open_dirs(root.path());
        load(&dirs);
        let again = dirs.get(&a0).unwrap();
        assert_eq!(again.log_start_offset(), Offset(0));
        assert_eq!(texts(&read_all(&again, Offset(0), 100)), [(0, "kept".to_owned())]);
        dirs.delete(&a0, MonotonicMs(0)).unwrap();
    }
}

#[test]
fn recovery_points_are_written_when_they_have_moved() {
    let root = tempfile::tempdir().unwrap();
    let dirs = open_dirs(root.path());
    load(&dirs);
    let log = create(&dirs, "a", 0);
    let path = root.path().join("recovery-point-offset-checkpoint");
    let written = || std::fs::read_to_string(&path).ok();
    append(&log, &batch("x", 1));
    dirs.checkpoint_recovery_points(0).unwrap();
    assert_eq!(written().unwrap(), "0\n0\n", "nothing is on the disk");
    log.sync().unwrap();
    dirs.checkpoint_recovery_points(0).unwrap();
    assert_eq!(written().unwrap(), "0\n1\na 0 1\n");
    std::fs::remove_file(&path).unwrap();
    append(&log, &batch("x", 1));
    dirs.checkpoint_recovery_points(0).unwrap();
    assert_eq!(written(), None, "nothing has moved");
}

#[test]
fn logs_spread_over_the_directories_and_come_back() {
    let root = tempfile::tempdir().unwrap();
    let paths = [root.path().join("one"), root.path().join("two")];
    let dirs = LogDirs::open(&paths, &dir_options()).unwrap();
    assert!(load(&dirs).is_empty());
    for index in 0..6 {
        append(&create(&dirs, "a", index), &batch("x", 1));
    }
    assert!(dirs.describe().iter().all(|dir| dir.logs.len() == 3));
    (0..dirs.count()).for_each(|dir| dirs.checkpoint(dir, |_| Some(Offset(1))).unwrap());
    drop(dirs);
    let dirs = LogDirs::open(&paths, &dir_options()).unwrap();
    assert_eq!(load(&dirs), ["a-0", "a-1", "a-2", "a-3", "a-4", "a-5"]);
    let a3 = TopicPartition::new("a", 3);
    assert_eq!(dirs.get(&a3).unwrap().log_end_offset(), Offset(1));
    assert_eq!(dirs.get(&a3).unwrap().topic_id(), TOPIC_ID);
    assert_eq!(dirs.checkpointed_high_watermark(&a3), Some(Offset(1)));
}

#[test]
fn a_deleted_log_stays_deleted_and_its_name_is_free() {
    let root = tempfile::tempdir().unwrap();
    let dirs = open_dirs(root.path());
    let log = create(&dirs, "a", 0);
    append(&log, &batch("x", 1));
    dirs.delete(&TopicPartition::new("a", 0), MonotonicMs(0)).unwrap();
    assert!(matches!(log.sync(), Err(StorageError::Closed)));
    assert!(log.append_as_leader(&[batch("x", 1)], EPOCH, NOW).is_err());
    assert!(log.read(Offset(0), 100, Offset(1), true).is_err());
    let again = create(&dirs, "a", 0);
    assert_eq!(again.log_end_offset(), Offset(0));
    append(&again, &batch("y", 2));
    drop((dirs, log, again));
    let dirs = open_dirs(root.path());
    assert_eq!(load(&dirs), ["a-0"]);
    let a0 = TopicPartition::new("a", 0);
    assert_eq!(dirs.get(&a0).unwrap().log_end_offset(), Offset(2));
    assert!(has_deleted(root.path()));
    dirs.purge_deleted(MonotonicMs(0), || true);
    assert!(has_deleted(root.path()), "it was told to stop");
    drop(dirs);
    let dirs = open_dirs(root.path());
    assert_eq!(load(&dirs), ["a-0"]);
    dirs.purge_deleted(MonotonicMs(0), || false);
    assert!(!has_deleted(root.path()));
}

fn has_deleted(root: &std::path::Path) -> bool {
    disk::list(root).unwrap().iter().any(|name| name.ends_with("-delete"))
}

#[test]
fn a_deleted_log_is_removed_after_its_delay() {
    let root = tempfile::tempdir().unwrap();
    let dirs = open_dirs(root.path());
    let config = TopicConfig { file_delete_delay_ms: 500, ..config() };
    let a0 = TopicPartition::new("a", 0);
    let log = dirs.create(&a0, TOPIC_ID, Arc::new(config)).unwrap();
    append(&log, &batch("x", 1));
    dirs.delete(&a0, MonotonicMs(1000)).unwrap();
    dirs.purge_deleted(MonotonicMs(1499), || false);
    assert!(has_deleted(root.path()));
    dirs.purge_deleted(MonotonicMs(1500), || false);
    assert!(!has_deleted(root.path()));
}

#[test]
fn a_deletion_that_a_crash_has_interrupted_is_finished() {
    let root = tempfile::tempdir().unwrap();
    let dirs = open_dirs(root.path());
    append(&create(&dirs, "gone", 0), &batch("x", 1));
    drop(dirs);
    let dirs = open_dirs(root.path());
    assert!(dirs.load(|_, _| Claim::Deleted, NOW).unwrap().is_empty());
    assert!(has_deleted(root.path()));
    dirs.purge_deleted(MonotonicMs(0), || false);
    assert!(!disk::list(root.path()).unwrap().iter().any(|name| name.starts_with("gone")));
}

#[test]
fn what_another_topic_left_under_the_name_is_not_taken_over() {
    let root = tempfile::tempdir().unwrap();
    let dirs = open_dirs(root.path());
    append(&create(&dirs, "a", 0), &batch("x", 1));
    dirs.logs.write().clear();
    let a0 = TopicPartition::new("a", 0);
    let again = dirs.create(&a0, TopicId(Uuid::from_u128(9)), Arc::new(config())).unwrap();
    assert_eq!(again.log_end_offset(), Offset(0));
}

#[test]
fn a_log_whose_topic_cannot_be_read_is_told_by_its_name() {
    for damage in [&b""[..], b"version: 0\ntopic_id: #\n"] {
        let root = tempfile::tempdir().unwrap();
        let dirs = open_dirs(root.path());
        append(&create(&dirs, "a", 0), &batch("x", 1));
        drop(dirs);
        std::fs::write(root.path().join("a-0/partition.metadata"), damage).unwrap();
        let config = Arc::new(config());
        let told = |_: &TopicPartition, id: TopicId| {
            assert_eq!(id, TopicId::NONE);
            wants(TOPIC_ID, &config)
        };
        let dirs = open_dirs(root.path());
        let loaded = dirs.load(told, NOW).unwrap();
        assert_eq!(loaded[0].1.log_end_offset(), Offset(1));
        drop((dirs, loaded));
        let dirs = open_dirs(root.path());
        load(&dirs);
        assert_eq!(dirs.get(&TopicPartition::new("a", 0)).unwrap().topic_id(), TOPIC_ID);
    }
}

#[test]
fn logs_that_nobody_wants_are_set_aside() {
    let root = tempfile::tempdir().unwrap();
    let dirs = open_dirs(root.path());
    append(&create(&dirs, "old", 0), &batch("x", 1));
    append(&create(&dirs, "new", 0), &batch("x", 1));
    drop(dirs);
    std::fs::create_dir(root.path().join("half-0")).unwrap();
    std::fs::write(root.path().join("half-0/partition.metadata"), b"").unwrap();
    std::fs::create_dir(root.path().join("__cluster_metadata-0")).unwrap();
    std::fs::create_dir(root.path().join("lost+found")).unwrap();
    let dirs = open_dirs(root.path());
    let wanted = |name: &TopicPartition, topic_id: TopicId| {
        assert_eq!(topic_id, TOPIC_ID);
        match name.topic.as_str() {
            "new" => wants(topic_id, &Arc::new(config())),
            _ => Claim::Unknown,
        }
    };
    assert_eq!(dirs.load(wanted, NOW).unwrap().len(), 1);
    let names = disk::list(root.path()).unwrap();
    assert!(names.iter().any(|name| name.starts_with("old-0.") && name.ends_with("-stray")));
    assert!(!names.iter().any(|name| name == "half-0" || name == "old-0"));
    assert!(names.contains(&"__cluster_metadata-0".to_owned()));
    assert!(names.contains(&"lost+found".to_owned()));
}

#[test]
fn one_failing_directory_does_not_disturb_the_others() {
    let root = tempfile::tempdir().unwrap();
    let paths = [root.path().join("one"), root.path().join("two")];
    let dirs = LogDirs::open(&paths, &dir_options()).unwrap();
    assert!(load(&dirs).is_empty());
    let logs: Vec<Arc<Log>> = (0..2).map(|index| create(&dirs, "a", index)).collect();
    logs[0].health.fail(&StorageError::Closed);
    let appended = |log: &Log| log.append_as_leader(&[batch("x", 1)], EPOCH, NOW).is_ok();
    assert_eq!(logs.iter().filter(|log| appended(log)).count(), 1);
    for index in 2..5 {
        assert!(appended(&create(&dirs, "a", index)));
    }
    dirs.close(no_watermark).unwrap();
    let marked = |path: &PathBuf| path.join(".kafka_cleanshutdown").exists();
    assert_eq!(paths.iter().filter(|path| marked(path)).count(), 1);
}

#[test]
fn few_files_stay_open_for_many_logs() {
    let root = tempfile::tempdir().unwrap();
    let dirs = open_dirs(root.path());
    // Other tests of this process open files too.
    let open_files = || {
        let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        let targets = descriptors.filter_map(|entry| std::fs::read_link(entry.path()).ok());
        targets.filter(|target| target.starts_with(root.path())).count()
    };
    let logs: Vec<Arc<Log>> = (0..100).map(|index| create(&dirs, "a", index)).collect();
    let before = open_files();
    for log in &logs {
        append(log, &batch("x", 1));
        log.sync().unwrap();
    }
    for log in &logs {
        assert_eq!(read_all(log, Offset(0), 100).len(), 1);
    }
    let limit = before + dir_options().max_open_files;
    assert!(open_files() <= limit, "{} then {}", before, open_files());
}

/// The kernel could not write something of the directory's file system for want of room.
#[derive(Debug)]
struct NoRoomToSync(PathBuf);

impl disk::Faults for NoRoomToSync {
    fn check(
        &self,
        what: disk::Operation,
        path: &std::path::Path,
        len: usize,
    ) -> std::io::Result<usize> {
        if what == disk::Operation::Sync && path == self.0 {
            return Err(std::io::Error::from_raw_os_error(28));
        }
        Ok(len)
    }
}

/// It tells that only once: what a later sync of the file system says counts for nothing.
#[test]
fn an_error_that_a_checkpoint_hears_of_takes_the_directory_offline() {
    let root = tempfile::tempdir().unwrap();
    let mut dirs = open_dirs(root.path());
    let faults = Arc::new(NoRoomToSync(root.path().to_owned()));
    let health = DirHealth::new(root.path().to_owned(), Disk::with_faults(faults), 0);
    health.open_any_file_system();
    dirs.dirs[0].health = Arc::clone(&health);
    for index in 0..=checkpoints::SYNCED_ONE_BY_ONE as i32 {
        append(&create(&dirs, "a", index), &batch("x", 1));
    }
    dirs.checkpoint(0, |_| None).unwrap_err();
    assert!(health.offline().is_some());
}

#[test]
fn a_deleted_logs_reader_does_not_meet_the_files_of_a_new_one() {
    let root = tempfile::tempdir().unwrap();
    let dirs = open_dirs(root.path());
    let deleted = create(&dirs, "a", 0);
    append(&deleted, &batch("old", 1));
    let segment = Arc::clone(&deleted.segments.read()[0]);
    dirs.delete(&TopicPartition::new("a", 0), MonotonicMs(0)).unwrap();
    append(&create(&dirs, "a", 0), &batch("new", 1));
    assert!(segment.log.file().unwrap_err().is_not_found());
}
