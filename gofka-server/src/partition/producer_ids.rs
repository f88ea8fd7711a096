//! Producer ids for idempotent producers: taken from the controller a thousand at a time.
//!
//! Called by InitProducerId. One call at a time asks the controller; what is left of a block when
//! the broker stops is never given out.

use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::ids::{NodeId, ProducerId};
use gofka_raft::Controller;
use tokio::sync::Mutex;

/// The ids of this broker.
#[derive(Debug)]
pub struct ProducerIds {
    controller: Controller,
    node: NodeId,
    block: Mutex<Block>,
}

/// Ids that are left of the last block.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    next: i64,
    end: i64,
}

impl Block {
    fn take(&mut self) -> Option<ProducerId> {
        let id = self.next;
        (id < self.end).then(|| {
            self.next += 1;
            ProducerId(id)
        })
    }
}

impl ProducerIds {
    /// Takes no block before the first id is asked for.
    pub fn new(controller: Controller, node: NodeId) -> Self {
        Self { controller, node, block: Mutex::default() }
    }

    /// An id that nobody was given before.
    pub async fn next(&self) -> Result<ProducerId, ApiError> {
        let mut block = self.block.lock().await;
        if let Some(id) = block.take() {
            return Ok(id);
        }
        let fresh = self.controller.allocate_producer_ids(self.node).await?;
        let first = fresh.first.0;
        *block = Block { next: first, end: first.saturating_add(i64::from(fresh.count)) };
        block.take().ok_or(ApiError::from(ErrorCode::CoordinatorLoadInProgress))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_gives_each_id_once() {
        let mut block = Block { next: 1000, end: 1003 };
        let taken: Vec<_> = std::iter::from_fn(|| block.take()).map(|id| id.0).collect();
        assert_eq!(taken, [1000, 1001, 1002]);
        assert_eq!(Block::default().take(), None);
    }
}
