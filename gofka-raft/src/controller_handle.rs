//! The handle to the controller that the server holds.
//!
//! A decision is made against the image with all earlier decisions in it, and handed to raft
//! before the next one begins, so that the order of decisions is the order of the log. Its answer
//! waits for the commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gofka_core::config::StaticConfig;
use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::ids::{NodeId, TopicId, TopicName, Uuid};
use openraft::ServerState;
use openraft::error::ClientWriteError;
use tokio::sync::{Mutex, watch};

use crate::controller::{self, Decision, Environment};
use crate::image::MetadataImage;
use crate::options::{ControllerOptions, RaftState, RaftStatus, StartError};
use crate::raft::{Command, LogStore, Raft, RemovedTopics};
use crate::request::{
    BrokerEpoch, BrokerRegistration, ConfigAlteration, CreatedTopic, NewPartitions, NewTopic,
    ProducerIdBlock, TopicRef,
};
use crate::start::{self, Started};

#[cfg(test)]
#[path = "controller_tests.rs"]
mod tests;

/// Cheap to clone; every clone speaks to the same controller.
#[derive(Clone)]
pub struct Controller {
    inner: Arc<Inner>,
}

struct Inner {
    node: NodeId,
    fixed: Arc<StaticConfig>,
    new_id: Arc<dyn Fn() -> Uuid + Send + Sync>,
    raft: Raft,
    log: LogStore,
    images: watch::Receiver<Arc<MetadataImage>>,
    removed: RemovedTopics,
    speculation: Mutex<Speculation>,
    snapshot_bytes: u64,
    /// Bytes written to the log when the last snapshot was asked for.
    snapshot_at: AtomicU64,
}

/// What was decided and is not applied yet.
#[derive(Default)]
struct Speculation {
    /// The image with everything proposed; `None` when all of it is applied.
    image: Option<MetadataImage>,
    /// Proposals whose end is not known. One whose caller went away stays counted, which costs
    /// memory only: then decisions go on from the image here.
    in_flight: usize,
}

impl std::fmt::Debug for Controller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Controller").field("node", &self.inner.node).finish_non_exhaustive()
    }
}

impl Controller {
    /// Starts the member of the quorum on this node; done when its image is up to date.
    pub async fn start(options: ControllerOptions) -> Result<Self, StartError> {
        let Started { raft, log, images, removed } = start::start(&options).await?;
        let own = MetadataImage::default();
        let layers = own.broker_layers(options.node_id, &options.fixed);
        let snapshot_bytes = layers
            .broker_value("metadata.log.max.record.bytes.between.snapshots")
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(u64::MAX);
        let inner = Inner {
            node: options.node_id,
            fixed: options.fixed,
            new_id: options.new_id,
            raft,
            log,
            images,
            removed,
            speculation: Mutex::default(),
            snapshot_bytes,
            snapshot_at: AtomicU64::new(0),
        };
        let controller = Self { inner: Arc::new(inner) };
        controller.establish(options.node_name.as_deref()).await?;
        Ok(controller)
    }

    /// What every cluster's metadata begins with.
    async fn establish(&self, node_name: Option<&str>) -> Result<(), StartError> {
        let refused = |error: ApiError| StartError::Raft(error.to_string());
        let features = |image: &MetadataImage, _: Environment<'_>| {
            controller::finalize_features(image, start::FEATURES)
        };
        self.decide(features).await.map_err(refused)?;
        let Some(name) = node_name else { return Ok(()) };
        let node = self.inner.node;
        let named = self.decide(|image, _| controller::name_node(image, node, name));
        named.await.map_err(refused)
    }

    /// The latest committed metadata.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.inner.images.borrow().clone()
    }

    /// Topics that were removed, as far as the log since the last snapshot tells.
    pub fn removed_topics(&self) -> RemovedTopics {
        self.inner.removed.clone()
    }

    /// Tells of each new image.
    pub fn subscribe(&self) -> watch::Receiver<Arc<MetadataImage>> {
        self.inner.images.clone()
    }

    /// One answer for each of `topics`, in order.
    pub async fn create_topics(
        &self,
        topics: Vec<NewTopic>,
        validate_only: bool,
    ) -> Vec<Result<CreatedTopic, ApiError>> {
        self.grow(topics.len(), validate_only, |image, environment| {
            controller::create_topics(image, environment, &topics, validate_only)
        })
        .await
    }

    /// One answer for each of `topics`, in order.
    pub async fn delete_topics(
        &self,
        topics: Vec<TopicRef>,
    ) -> Vec<Result<(TopicName, TopicId), ApiError>> {
        let decided = self.decide(|image, _| controller::delete_topics(image, &topics));
        each(topics.len(), decided.await)
    }

    /// One answer for each of `topics`, in order.
    pub async fn create_partitions(
        &self,
        topics: Vec<NewPartitions>,
        validate_only: bool,
    ) -> Vec<Result<(), ApiError>> {
        self.grow(topics.len(), validate_only, |image, _| {
            controller::create_partitions(image, &topics, validate_only)
        })
        .await
    }

    /// One answer for each of `alterations`, in order.
    pub async fn alter_configs(
        &self,
        alterations: Vec<ConfigAlteration>,
        validate_only: bool,
    ) -> Vec<Result<(), ApiError>> {
        let decided = self.decide(|image, environment| {
            controller::alter_configs(image, environment, &alterations, validate_only)
        });
        each(alterations.len(), decided.await)
    }

    /// A thousand producer ids that nobody was given before.
    pub async fn allocate_producer_ids(&self, broker: NodeId) -> Result<ProducerIdBlock, ApiError> {
        self.decide(|image, _| controller::allocate_producer_ids(image, broker)).await
    }

    /// Registers a broker, unfenced.
    pub async fn register_broker(
        &self,
        registration: BrokerRegistration,
    ) -> Result<BrokerEpoch, ApiError> {
        self.decide(|image, _| controller::register_broker(image, &registration)).await
    }

    /// A look at raft.
    pub fn status(&self) -> RaftStatus {
        let metrics = self.inner.raft.metrics();
        let metrics = metrics.borrow();
        let voters = metrics.membership_config.membership().voter_ids();
        RaftStatus {
            state: match metrics.state {
                ServerState::Learner => RaftState::Learner,
                ServerState::Follower => RaftState::Follower,
                ServerState::Candidate => RaftState::Candidate,
                ServerState::Leader => RaftState::Leader,
                ServerState::Shutdown => RaftState::Shutdown,
            },
            term: metrics.current_term,
            last_index: metrics.last_log_index.unwrap_or(0),
            // An entry is applied as soon as it is known to be committed.
            commit_index: metrics.last_applied.map_or(0, |id| id.index),
            applied_index: metrics.last_applied.map_or(0, |id| id.index),
            peers: voters.filter(|id| *id != metrics.id).count(),
            leader: metrics.current_leader.map(|id| NodeId(id as i32)),
        }
    }

    /// Done when raft cannot go on, with the reason; the process should then end.
    pub async fn failed(&self) -> String {
        let mut metrics = self.inner.raft.metrics();
        loop {
            if let Err(fatal) = &metrics.borrow_and_update().running_state {
                return fatal.to_string();
            }
            if metrics.changed().await.is_err() {
                return "raft is gone".to_owned();
            }
        }
    }

    /// Stops; what was acknowledged is on disk already.
    pub async fn shutdown(&self) {
        if let Err(error) = self.inner.raft.shutdown().await {
            tracing::warn!(%error, "raft did not stop cleanly");
        }
        let log = self.inner.log.clone();
        let stopped = tokio::task::spawn_blocking(move || log.stop());
        if let Err(error) = stopped.await {
            tracing::warn!(%error, "the metadata log did not stop cleanly");
        }
    }

    /// A decision that makes the metadata larger; refused when the disk is full.
    async fn grow<T>(
        &self,
        count: usize,
        validate_only: bool,
        decide: impl FnOnce(&MetadataImage, Environment<'_>) -> Decision<Vec<Result<T, ApiError>>>,
    ) -> Vec<Result<T, ApiError>> {
        if !validate_only && self.inner.log.is_short_of_space() {
            let text = "The disk of the metadata log is full; delete topics first.";
            let full = ApiError::new(ErrorCode::KafkaStorageError, text);
            return each(count, Err(full));
        }
        each(count, self.decide(decide).await)
    }

    /// Decides, proposes what was decided, and waits until it is committed and applied.
    async fn decide<T>(
        &self,
        decide: impl FnOnce(&MetadataImage, Environment<'_>) -> Decision<T>,
    ) -> Result<T, ApiError> {
        let (answer, proposed) = {
            let mut speculation = self.inner.speculation.lock().await;
            let mut image = match speculation.image.take() {
                Some(image) => image,
                None => MetadataImage::clone(&self.image()),
            };
            let Decision { records, answer } = decide(&image, self.inner.environment());
            if records.is_empty() {
                speculation.image = (speculation.in_flight > 0).then_some(image);
                return Ok(answer);
            }
            let mut command = Command::default();
            for record in &records {
                image.replay(record).expect("a decision fits the image it was made from");
                command.records.push(record.encode());
            }
            image.offset = image.offset.plus(records.len() as i64);
            let proposed = self.inner.raft.client_write_ff(command).await;
            let proposed = proposed.map_err(|fatal| unavailable(&fatal))?;
            speculation.image = Some(image);
            speculation.in_flight += 1;
            (answer, proposed)
        };
        let outcome = proposed.await;
        {
            let mut speculation = self.inner.speculation.lock().await;
            speculation.in_flight -= 1;
            // Refused ones were never applied, and what was decided after them does not hold.
            let refused = !matches!(outcome, Ok(Ok(_)));
            if refused || speculation.in_flight == 0 {
                speculation.image = None;
            }
        }
        match outcome {
            Ok(Ok(_applied)) => {
                self.snapshot_if_due().await;
                Ok(answer)
            }
            Ok(Err(error)) => Err(write_error(&error)),
            Err(_) => Err(unavailable(&"raft is gone")),
        }
    }

    async fn snapshot_if_due(&self) {
        let written = self.inner.log.written();
        let last = self.inner.snapshot_at.load(Ordering::Relaxed);
        if written - last < self.inner.snapshot_bytes {
            return;
        }
        self.inner.snapshot_at.store(written, Ordering::Relaxed);
        if let Err(error) = self.inner.raft.trigger().snapshot().await {
            tracing::warn!(%error, "no snapshot of the metadata was taken");
        }
    }
}

impl Inner {
    fn environment(&self) -> Environment<'_> {
        Environment { fixed: &self.fixed, node: self.node, new_id: &*self.new_id }
    }
}

/// The answers of a decision, or its failure once for each thing asked.
fn each<T>(
    count: usize,
    decided: Result<Vec<Result<T, ApiError>>, ApiError>,
) -> Vec<Result<T, ApiError>> {
    decided.unwrap_or_else(|error| (0..count).map(|_| Err(error.clone())).collect())
}

fn unavailable(why: &dyn std::fmt::Display) -> ApiError {
    let text = format!("The controller cannot answer: {why}");
    ApiError::new(ErrorCode::BrokerNotAvailable, text)
}

fn write_error(error: &ClientWriteError<u64, openraft::BasicNode>) -> ApiError {
    match error {
        ClientWriteError::ForwardToLeader(_) => ErrorCode::NotController.into(),
        ClientWriteError::ChangeMembershipError(error) => unavailable(error),
    }
}
