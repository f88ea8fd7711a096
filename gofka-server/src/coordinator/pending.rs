//! A reply on its way: decided, perhaps waiting for others, perhaps for its records' commit.
//!
//! Given to handlers, which await it in their second stage.

use std::sync::Arc;
use std::time::Duration;

use gofka_core::error::ErrorCode;
use gofka_core::group::Reply;
use gofka_core::ids::Offset;
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::cell::ShardCell;

/// A reply, and up to where the shard's log must be committed before it leaves.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) reply: Reply,
    pub(super) committed: Option<Offset>,
}

/// The reply to one submitted command.
#[derive(Debug)]
pub struct Pending {
    state: State,
}

#[derive(Debug)]
enum State {
    Refused(ErrorCode),
    Waiting { receiver: oneshot::Receiver<Delivery>, shard: Arc<ShardCell>, limit: Duration },
    Decided { delivery: Delivery, shard: Arc<ShardCell>, limit: Duration },
}

impl Pending {
    pub(super) fn refused(error: ErrorCode) -> Self {
        Self { state: State::Refused(error) }
    }

    pub(super) fn waiting(
        receiver: oneshot::Receiver<Delivery>,
        shard: Arc<ShardCell>,
        limit: Duration,
    ) -> Self {
        Self { state: State::Waiting { receiver, shard, limit } }
    }

    /// The reply, if it was decided already, whether or not it may be seen: for its size.
    pub fn decided(&mut self) -> Option<&Reply> {
        if let State::Waiting { receiver, shard, limit } = &mut self.state {
            self.state = match receiver.try_recv() {
                Ok(delivery) => State::Decided { delivery, shard: shard.clone(), limit: *limit },
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Closed) => State::Refused(ErrorCode::NotCoordinator),
            };
        }
        match &self.state {
            State::Decided { delivery, .. } => Some(&delivery.reply),
            State::Refused(_) | State::Waiting { .. } => None,
        }
    }

    /// The reply once it may be seen; [`Reply::Unavailable`] when the shard cannot say.
    pub async fn reply(self) -> Reply {
        let (delivery, shard, limit) = match self.state {
            State::Refused(error) => return Reply::Unavailable(error),
            State::Decided { delivery, shard, limit } => (delivery, shard, limit),
            State::Waiting { receiver, shard, limit } => {
                let Ok(delivery) = receiver.await else {
                    return Reply::Unavailable(ErrorCode::NotCoordinator);
                };
                (delivery, shard, limit)
            }
        };
        let Some(up_to) = delivery.committed else { return delivery.reply };
        match tokio::time::timeout(limit, shard.partition().committed(up_to)).await {
            Ok(Ok(())) => delivery.reply,
            Ok(Err(error)) => {
                shard.fail(error);
                Reply::Unavailable(coordinator_error(error))
            }
            Err(_) => Reply::Unavailable(coordinator_error(ErrorCode::RequestTimedOut)),
        }
    }
}

/// What a client of the coordinator hears when its shard could not write.
pub(super) fn coordinator_error(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge
        | ErrorCode::RecordListTooLarge
        | ErrorCode::InvalidFetchSize => ErrorCode::UnknownServerError,
        other => other,
    }
}
