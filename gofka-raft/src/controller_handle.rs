//! The handle to the controller that the server holds.

use std::sync::Arc;

use gofka_core::error::ApiError;
use gofka_core::ids::{NodeId, TopicId, TopicName};
use tokio::sync::watch;

use crate::image::MetadataImage;
use crate::options::{ControllerOptions, RaftStatus, StartError};
use crate::request::{
    BrokerEpoch, BrokerRegistration, ConfigAlteration, CreatedTopic, NewPartitions, NewTopic,
    ProducerIdBlock, TopicRef,
};

/// Cheap to clone; every clone speaks to the same controller.
#[derive(Clone, Debug)]
pub struct Controller {
    images: watch::Receiver<Arc<MetadataImage>>,
}

impl Controller {
    /// Starts the member of the quorum on this node; done when its image is up to date.
    pub async fn start(options: ControllerOptions) -> Result<Self, StartError> {
        let _ = options;
        todo!()
    }

    /// The latest committed metadata.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.images.borrow().clone()
    }

    /// Tells of each new image.
    pub fn subscribe(&self) -> watch::Receiver<Arc<MetadataImage>> {
        self.images.clone()
    }

    /// One answer for each of `topics`, in order.
    pub async fn create_topics(
        &self,
        topics: Vec<NewTopic>,
        validate_only: bool,
    ) -> Vec<Result<CreatedTopic, ApiError>> {
        let _ = (topics, validate_only);
        todo!()
    }

    /// One answer for each of `topics`, in order.
    pub async fn delete_topics(
        &self,
        topics: Vec<TopicRef>,
    ) -> Vec<Result<(TopicName, TopicId), ApiError>> {
        let _ = topics;
        todo!()
    }

    /// One answer for each of `topics`, in order.
    pub async fn create_partitions(
        &self,
        topics: Vec<NewPartitions>,
        validate_only: bool,
    ) -> Vec<Result<(), ApiError>> {
        let _ = (topics, validate_only);
        todo!()
    }

    /// One answer for each of `alterations`, in order.
    pub async fn alter_configs(
        &self,
        alterations: Vec<ConfigAlteration>,
        validate_only: bool,
    ) -> Vec<Result<(), ApiError>> {
        let _ = (alterations, validate_only);
        todo!()
    }

    /// A thousand producer ids that nobody was given before.
    pub async fn allocate_producer_ids(&self, broker: NodeId) -> Result<ProducerIdBlock, ApiError> {
        let _ = broker;
        todo!()
    }

    /// Registers a broker, unfenced.
    pub async fn register_broker(
        &self,
        registration: BrokerRegistration,
    ) -> Result<BrokerEpoch, ApiError> {
        let _ = registration;
        todo!()
    }

    /// A look at raft.
    pub fn status(&self) -> RaftStatus {
        todo!()
    }

    /// Stops; what was acknowledged is on disk already.
    pub async fn shutdown(&self) {
        todo!()
    }
}
