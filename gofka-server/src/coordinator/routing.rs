//! Which partition of the offsets topic a group belongs to.

use gofka_core::ids::PartitionIndex;

/// Kafka's choice: Java's hash of the id, without its sign, over the number of partitions. `None`
/// while there are none.
pub(super) fn partition_of(group: &str, partition_count: i32) -> Option<PartitionIndex> {
    if partition_count <= 0 {
        return None;
    }
    let hash = group
        .encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    // The smallest number has no positive counterpart; Kafka takes 0 for it.
    let positive = hash.checked_abs().unwrap_or(0);
    Some(PartitionIndex(positive % partition_count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_go_where_kafka_puts_them() {
        // Hashes as Java's String.hashCode gives them.
        for (group, hash) in [
            ("", 0),
            ("a", 97),
            ("my-group", 1_906_497_762),
            ("größe", 98_762_257),
            ("polygenelubricants", 0),
        ] {
            assert_eq!(partition_of(group, i32::MAX), Some(PartitionIndex(hash)), "{group}");
        }
        assert_eq!(partition_of("a", 50), Some(PartitionIndex(47)));
        assert_eq!(partition_of("a", 0), None);
    }
}
