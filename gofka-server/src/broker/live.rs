//! Settings that change while the broker runs, on their way to the network layer.
//!
//! One task, started and joined by `start.rs`: it follows the metadata, and hands over what the
//! settings in force have become.

use std::sync::Arc;

use gofka_raft::MetadataImage;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Broker;
use super::options::ConnectionTexts;
use crate::net::{ConnectionLimits, ConnectionQuota};
use crate::partition::blocking;

/// The limits of connections in force, and what they were read from.
#[derive(Debug)]
pub(super) struct KnownLimits {
    texts: ConnectionTexts,
    pub(super) limits: ConnectionLimits,
}

impl KnownLimits {
    /// Looks them up.
    pub(super) async fn of(broker: &Broker) -> Self {
        let texts = texts(broker, &broker.controller.image());
        Self { limits: look_up(texts.clone()).await, texts }
    }
}

fn texts(broker: &Broker, image: &MetadataImage) -> ConnectionTexts {
    ConnectionTexts::of(&image.broker_layers(broker.node, &broker.config.fixed))
}

async fn look_up(texts: ConnectionTexts) -> ConnectionLimits {
    blocking(move || texts.limits()).await
}

/// The task.
pub(super) struct LiveSettings(JoinHandle<()>);

impl LiveSettings {
    /// Keeps `quota`, which has the limits that are `known`, at what the settings say.
    pub(super) fn follow(broker: Arc<Broker>, quota: ConnectionQuota, known: KnownLimits) -> Self {
        let images = broker.controller.subscribe();
        Self(tokio::spawn(run(broker, images, quota, known.texts)))
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
    mut known: ConnectionTexts,
) {
    loop {
        let image = images.borrow_and_update().clone();
        // Topics come and go far more often than limits change.
        let texts = texts(&broker, &image);
        if known != texts {
            quota.set(look_up(texts.clone()).await);
            known = texts;
        }
        if images.changed().await.is_err() {
            return;
        }
    }
}
