//! The names of files and folders, all of them Kafka's.
//!
//! Called by every module that makes or finds a file.

use gofka_core::ids::{Offset, TopicPartition, Uuid};

pub(crate) const LOG: &str = "log";
pub(crate) const INDEX: &str = "index";
pub(crate) const TIME_INDEX: &str = "timeindex";
pub(crate) const TXN_INDEX: &str = "txnindex";
pub(crate) const SNAPSHOT: &str = "snapshot";
/// On a file that a compaction is writing.
pub(crate) const CLEANED: &str = "cleaned";
/// On a file that a compaction has finished, and that takes the place of others.
pub(crate) const SWAP: &str = "swap";
/// On a file that is about to be removed.
pub(crate) const DELETED: &str = "deleted";

pub(crate) const LEADER_EPOCHS: &str = "leader-epoch-checkpoint";
pub(crate) const PARTITION_METADATA: &str = "partition.metadata";

pub(crate) const META_PROPERTIES: &str = "meta.properties";
pub(crate) const LOCK: &str = ".lock";
pub(crate) const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";
pub(crate) const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
pub(crate) const LOG_STARTS: &str = "log-start-offset-checkpoint";
pub(crate) const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
pub(crate) const CLEANER_OFFSETS: &str = "cleaner-offset-checkpoint";

/// `00000000000000000042.log`
pub(crate) fn file(base: Offset, extension: &str) -> String {
    format!("{:020}.{extension}", base.0)
}

/// The base offset and the rest of a segment's file name.
pub(crate) fn parse_file(name: &str) -> Option<(Offset, &str)> {
    let (digits, extension) = name.split_at_checked(20)?;
    let extension = extension.strip_prefix('.')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().map(|base| (Offset(base), extension))
}

/// What a folder in a log directory is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    /// A partition's log.
    Log(TopicPartition),
    /// A log that was deleted.
    Deleted,
    /// None of the broker's: a log set aside, the metadata log, or something foreign.
    Other,
}

/// The name of Kafka's own metadata log, which is none of the broker's partitions.
pub(crate) const METADATA_LOG: &str = "__cluster_metadata-0";

/// Tells a folder by its name.
pub(crate) fn parse_folder(name: &str) -> Folder {
    if name.ends_with("-delete") {
        return Folder::Deleted;
    }
    if name == METADATA_LOG || name.ends_with("-stray") || name.ends_with("-future") {
        return Folder::Other;
    }
    match name.rsplit_once('-') {
        Some((topic, index)) if !topic.is_empty() && is_plain_number(index) => {
            match index.parse() {
                Ok(index) => Folder::Log(TopicPartition::new(topic, index)),
                Err(_) => Folder::Other,
            }
        }
        _ => Folder::Other,
    }
}

fn is_plain_number(text: &str) -> bool {
    text == "0"
        || !text.is_empty()
            && !text.starts_with('0')
            && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The name under which a folder waits to be removed, or is set aside (`kind`); at most 255 bytes
/// long, as file systems want it.
pub(crate) fn renamed_folder(partition: &TopicPartition, kind: &str) -> String {
    let suffix = format!("-{}.{}-{kind}", partition.partition, Uuid::new_v4().simple());
    let topic = partition.topic.as_str();
    let mut room = (255 - suffix.len()).min(topic.len());
    while !topic.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}{suffix}", &topic[..room])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_read_back() {
        assert_eq!(file(Offset(42), LOG), "00000000000000000042.log");
        assert_eq!(parse_file("00000000000000000042.log"), Some((Offset(42), "log")));
        assert_eq!(parse_file("00000000000000000042.log.swap"), Some((Offset(42), "log.swap")));
        for odd in ["42.log", "0000000000000000004x.log", "00000000000000000042", "", "é"] {
            assert_eq!(parse_file(odd), None, "{odd}");
        }
    }

    #[test]
    fn folders_are_told_by_their_names() {
        let log = |topic, index| Folder::Log(TopicPartition::new(topic, index));
        assert_eq!(parse_folder("orders-3"), log("orders", 3));
        assert_eq!(parse_folder("a-b-0"), log("a-b", 0));
        assert_eq!(parse_folder("__consumer_offsets-49"), log("__consumer_offsets", 49));
        let deleted = renamed_folder(&TopicPartition::new("orders", 3), "delete");
        assert_eq!(parse_folder(&deleted), Folder::Deleted, "{deleted}");
        for other in ["orders", "orders-", "-1", "orders-03", "orders-x", "__cluster_metadata-0"] {
            assert_eq!(parse_folder(other), Folder::Other, "{other}");
        }
    }

    #[test]
    fn a_renamed_folder_of_a_long_topic_is_short_enough() {
        let partition = TopicPartition::new(&"t".repeat(249), 100_000);
        assert!(renamed_folder(&partition, "delete").len() <= 255);
    }
}
