//! Where Gofka answers a raw request otherwise than Apache Kafka on purpose, and why.
//!
//! The words of error messages are ours everywhere. Otherwise each entry must match a difference
//! in every version that it names, so that none outlives its reason. `tests/requests.rs` reads
//! this list.

use std::ops::RangeInclusive;

/// One difference that is meant.
#[derive(Clone, Debug)]
pub struct Stated {
    pub case: &'static str,
    pub versions: RangeInclusive<i16>,
    /// The step, and how the path to the place begins.
    pub path: &'static str,
    pub reason: &'static str,
}

const fn stated(
    case: &'static str,
    versions: RangeInclusive<i16>,
    path: &'static str,
    reason: &'static str,
) -> Stated {
    Stated { case, versions, path, reason }
}

const INTERNAL_ERROR: &str = "Kafka fails inside, Gofka takes it for the lowest that is valid";
const FAILS: &str = "Kafka fails inside, Gofka says what is wrong";
const CODEC: &str = "the codec ends one version below";
const UNSERVED_FEATURE: &str = "a feature is announced when it is served";
const ONE_BATCH: &str = "what is stored is one whole batch as it came; nothing is cut off silently";

const OURS: &str = "a setting of Gofka's own";
const AT_START: &str = "listeners are opened at the start";
const COLLISION: &str = "names that collide do so within one request, too";
const NAN: &str = "what is no number is within no bounds";

/// Every difference that is meant.
pub const STATED: &[Stated] = &[
    stated("api-versions/all", 0..=4, "good/ListOffsets/1", CODEC),
    stated("api-versions/all", 0..=4, "good/OffsetCommit/1", CODEC),
    stated("api-versions/all", 0..=4, "good/OffsetFetch/1", CODEC),
    stated("api-versions/all", 0..=4, "good/DescribeLogDirs/1", CODEC),
    stated("api-versions/all", 3..=4, "good/FinalizedFeatures:", UNSERVED_FEATURE),
    stated("api-versions/all", 4..=4, "good/SupportedFeatures:", UNSERVED_FEATURE),
    stated("create-topics/one", 5..=7, "new/Topics/0/Configs:", "durability and flush.ms are ours"),
    stated("create-topics/doubtful", 7..=7, "collide/", COLLISION),
    stated("create-topics/doubtful", 7..=7, "outcome create-topics.doubtful.v7.a_b/", COLLISION),
    stated(
        "create-topics/doubtful",
        7..=7,
        "settings of create-topics.doubtful.v7.a_b/",
        COLLISION,
    ),
    stated("create-topics/doubtful", 7..=7, "no number/", NAN),
    stated("create-topics/doubtful", 7..=7, "outcome create-topics.doubtful.v7.c/", NAN),
    stated("create-topics/doubtful", 7..=7, "settings of create-topics.doubtful.v7.c/", NAN),
    stated("describe-configs/all-keys", 4..=4, "BROKER addr", OURS),
    stated("describe-configs/all-keys", 4..=4, "BROKER bootstrap:", OURS),
    stated("describe-configs/all-keys", 4..=4, "BROKER durability", OURS),
    stated("describe-configs/all-keys", 4..=4, "BROKER http.addr", OURS),
    stated("describe-configs/all-keys", 4..=4, "BROKER listener.security.protocol.map/1", AT_START),
    stated("describe-configs/all-keys", 4..=4, "BROKER listeners/1", AT_START),
    stated("describe-configs/all-keys", 4..=4, "BROKER log.dir.min.free.bytes", OURS),
    stated("describe-configs/all-keys", 4..=4, "BROKER log.encoding", OURS),
    stated("describe-configs/all-keys", 4..=4, "BROKER log.level", OURS),
    stated("describe-configs/all-keys", 4..=4, "BROKER node.id/0", "a node id may be a word"),
    stated("describe-configs/all-keys", 4..=4, "BROKER peers", OURS),
    stated("describe-configs/all-keys", 4..=4, "BROKER raft.addr", OURS),
    stated("describe-configs/all-keys", 4..=4, "BROKER raft.dir", OURS),
    stated("describe-configs/all-keys", 4..=4, "TOPIC durability", OURS),
    stated("describe-configs/all-keys", 4..=4, "TOPIC flush.ms", "flushed within a second"),
    stated("describe-groups/all", 0..=6, "twice/Groups:", "answers are bounded: once is enough"),
    stated("describe-topic-partitions/all", 0..=0, "no name/", FAILS),
    stated("fetch/limits", 4..=18, "negative", INTERNAL_ERROR),
    stated("fetch/read", 4..=18, "isolation level 7/", INTERNAL_ERROR),
    stated("list-offsets/errors", 2..=10, "isolation level 7/", INTERNAL_ERROR),
    stated("fetch/replica", 4..=18, "replica", "followers fetch on the internal listener only"),
    stated("metadata/auto-create", 0..=13, "first/", "a topic made on demand is there at once"),
    stated("metadata/ids", 12..=13, "no name, no id/", FAILS),
    stated("produce/bad-batch", 3..=13, "gzip that is none/", "compressed records are not opened"),
    stated("produce/bad-batch", 3..=13, "record's delta/", "a record is stored at its own offset"),
    stated("produce/bad-shape", 3..=13, "bytes after/", ONE_BATCH),
    stated("produce/bad-shape", 3..=13, "length", "a bad partition does not fail the others"),
    stated("produce/bad-shape", 3..=13, "null", "Kafka never answers, Gofka refuses"),
];

/// Whether a difference is one of words alone: Gofka has its own, and may explain an error where
/// Kafka is silent. It may not be silent where Kafka explains.
pub fn is_wording(difference: &str) -> bool {
    difference
        .split_once("ErrorMessage: Kafka ")
        .is_some_and(|(path, values)| !path.contains(": ") && !values.ends_with("Gofka null"))
}

impl Stated {
    /// Whether this entry speaks of a difference (`path: Kafka this, Gofka that`).
    pub fn covers(&self, case: &str, version: i16, difference: &str) -> bool {
        self.case == case
            && self.versions.contains(&version)
            && difference.strip_prefix('/').is_some_and(|rest| rest.starts_with(self.path))
    }
}
