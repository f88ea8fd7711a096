//! Settings that change while the broker runs, on their way to the network layer.
//!
//! One task, started and joined by `start.rs`: it follows the metadata, and hands over what the
//! settings in force have become.

use std::sync::Arc;

use gofka_raft::MetadataImage;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Broker, options};
use crate::net::{ConnectionLimits, ConnectionQuota};

/// The limits of connections in force.
pub(super) fn limits(broker: &Broker) -> ConnectionLimits {
    limits_of(broker, &broker.controller.image())
}

fn limits_of(broker: &Broker, image: &MetadataImage) -> ConnectionLimits {
    options::connection_limits(&image.broker_layers(broker.node, &broker.config.fixed))
}

/// The task.
pub(super) struct LiveSettings(JoinHandle<()>);

impl LiveSettings {
    /// Keeps `quota` at what the settings say.
    pub(super) fn follow(broker: Arc<Broker>, quota: ConnectionQuota) -> Self {
        let images = broker.controller.subscribe();
        Self(tokio::spawn(run(broker, images, quota)))
    }

    pub(super) async fn stop(self) {
        self.0.abort();
        // It ends by being aborted, which is what this waits for.
        let _ = self.0.await;
    }
}

async fn run(
    broker: Arc<Broker>,
    mut images: watch::Receiver<Arc<MetadataImage>>,
    quota: ConnectionQuota,
) {
    let mut configs = None;
    loop {
        let image = images.borrow_and_update().clone();
        // Topics come and go far more often than limits change.
        if configs.as_ref() != Some(&image.configs) {
            quota.set(limits_of(&broker, &image));
            configs = Some(image.configs.clone());
        }
        if images.changed().await.is_err() {
            return;
        }
    }
}
