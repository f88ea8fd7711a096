//! The parts behind the sockets: opened from the inside out, closed the other way round.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gofka_core::ids::{NodeId, Uuid};
use gofka_raft::{BrokerRegistration, Controller, ControllerOptions, Endpoint};
use gofka_storage::{DirOptions, LogDirs};
use tokio_util::sync::CancellationToken;

use super::{Broker, RunError, limits, options};
use crate::api::api_versions;
use crate::clock::Clock;
use crate::config::ServerConfig;
use crate::coordinator::{CoordinatorOptions, GroupCoordinator};
use crate::logging::Logging;
use crate::metrics::Metrics;
use crate::net::Complaints;
use crate::partition::{FetchSessionTable, Partitions, PartitionsOptions, ProducerIds};

/// What every part is given.
#[derive(Clone, Debug)]
pub(super) struct Common {
    pub(super) config: Arc<ServerConfig>,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) logging: Logging,
}

/// The directories, locked, and the controller in one of them.
pub(super) struct Metadata {
    pub(super) node: NodeId,
    pub(super) dirs: Arc<LogDirs>,
    /// The lock on the metadata directory, where it is none of the log directories.
    pub(super) raft_lock: Option<LogDirs>,
    pub(super) controller: Controller,
}

impl Metadata {
    /// Locks the directories of `log_dirs` and starts the controller. What is not this node's is
    /// left as it was found.
    pub(super) async fn open(common: &Common, log_dirs: &[PathBuf]) -> Result<Self, RunError> {
        let config = &common.config;
        let text = config.node.to_string();
        let (node, node_name) =
            gofka_raft::node_number(&config.raft_dir, &text).map_err(RunError::new)?;
        let threads = usize::try_from(config.integer("num.recovery.threads.per.data.dir"));
        let mut dir_options = DirOptions {
            node_id: node,
            cluster_id: None,
            max_open_files: limits::open_files_for_logs(),
            recovery_threads: threads.unwrap_or(1) * log_dirs.len(),
            min_free_bytes: u64::try_from(config.integer("log.dir.min.free.bytes")).unwrap_or(0),
        };
        let own_raft_dir = !log_dirs.contains(&config.raft_dir);
        let made = own_raft_dir && !config.raft_dir.exists();
        if made {
            // First, so that a folder that cannot be made leaves the others as they were.
            std::fs::create_dir_all(&config.raft_dir)
                .map_err(|error| unusable_raft_dir(&config.raft_dir, &error))?;
        }
        let dirs = LogDirs::open(log_dirs, &dir_options).map_err(|error| {
            if made && let Err(error) = std::fs::remove_dir(&config.raft_dir) {
                tracing::debug!(%error, "an empty metadata directory is left behind");
            }
            RunError::new(error)
        })?;
        dir_options.cluster_id = Some(dirs.cluster_id().to_owned());
        let raft_lock = if own_raft_dir {
            let dir = std::slice::from_ref(&config.raft_dir);
            Some(LogDirs::open(dir, &dir_options).map_err(RunError::new)?)
        } else {
            None
        };
        let clock = common.clock;
        let controller = Controller::start(ControllerOptions {
            dir: config.raft_dir.clone(),
            node_id: node,
            node_name,
            cluster_id: dirs.cluster_id().to_owned(),
            fixed: config.fixed.clone(),
            clock: Arc::new(move || clock.now()),
            new_id: Arc::new(Uuid::new_v4),
        })
        .await
        .map_err(RunError::new)?;
        Ok(Self { node, dirs: Arc::new(dirs), raft_lock, controller })
    }
}

fn unusable_raft_dir(dir: &Path, error: &std::io::Error) -> RunError {
    let (dir, why) = (dir.display(), crate::net::plain(error));
    RunError::new(format!("metadata directory {dir} cannot be used: {why}"))
}

impl Broker {
    /// Registers the broker, loads its partitions and its groups.
    pub(super) async fn open(
        common: Common,
        metadata: Metadata,
        endpoints: Vec<Endpoint>,
    ) -> Result<Arc<Self>, RunError> {
        let Common { config, clock, metrics, logging } = common;
        let Metadata { node, dirs, raft_lock, controller } = metadata;
        let registration = BrokerRegistration {
            id: node,
            incarnation: Uuid::new_v4(),
            endpoints,
            rack: Some(config.text("broker.rack")).filter(|rack| !rack.is_empty()),
            features: api_versions::SUPPORTED_FEATURES
                .iter()
                .map(|(name, range)| ((*name).to_owned(), *range))
                .collect(),
            log_dirs: dirs.describe().iter().map(|dir| dir.id).collect(),
        };
        controller.register_broker(registration).await.map_err(RunError::new)?;
        let image = controller.image();
        let layers = image.broker_layers(node, &config.fixed);
        let settings = options::partitions(&layers);
        let partitions = PartitionsOptions {
            node,
            dirs,
            fixed: config.fixed.clone(),
            settings,
            clock,
            metrics: metrics.clone(),
            removed: controller.removed_topics(),
        };
        let partitions =
            Partitions::start(partitions, image.clone()).await.map_err(RunError::new)?;
        partitions.follow(controller.subscribe());
        let groups = CoordinatorOptions {
            node,
            fixed: config.fixed.clone(),
            partitions: partitions.clone(),
            controller: controller.clone(),
            clock,
            metrics: metrics.clone(),
        };
        let groups = GroupCoordinator::start(groups, &image);
        let fetch_sessions = FetchSessionTable::new(partitions.settings().fetch_session_slots);
        let producer_ids = ProducerIds::new(controller.clone(), node);
        Ok(Arc::new(Self {
            config,
            clock,
            metrics,
            logging,
            node,
            controller,
            partitions,
            groups,
            fetch_sessions,
            producer_ids,
            hints: Complaints::default(),
            stopping: CancellationToken::new(),
            raft_lock,
        }))
    }

    /// Flushes and closes everything; the groups are stopped already.
    pub async fn close(&self) -> Result<(), RunError> {
        let closed = self.partitions.stop().await;
        self.controller.shutdown().await;
        if let Some(lock) = &self.raft_lock {
            lock.close(|_| None).map_err(RunError::new)?;
        }
        closed.map_err(RunError::new)
    }
}
