//! Producer ids, given out in blocks so that no id is ever given twice.

use gofka_core::ids::{NodeId, ProducerId};

use super::Decision;
use crate::image::MetadataImage;
use crate::record::MetadataRecord;
use crate::request::ProducerIdBlock;

/// How many ids a broker gets at a time (`ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`).
const BLOCK: i32 = 1000;

/// The next block, for `broker`.
pub(crate) fn allocate_producer_ids(
    image: &MetadataImage,
    broker: NodeId,
) -> Decision<ProducerIdBlock> {
    let first = image.next_producer_id;
    let next = ProducerId(first.0 + i64::from(BLOCK));
    let broker_epoch = image.brokers.get(&broker).map_or(-1, |registered| registered.epoch);
    Decision {
        records: vec![MetadataRecord::ProducerIds { broker, broker_epoch, next }],
        answer: ProducerIdBlock { first, count: BLOCK },
    }
}
