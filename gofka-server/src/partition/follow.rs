//! From one metadata image to the next: which logs are made, changed and removed.
//!
//! Called by `Partitions::apply`, on a blocking thread, one image at a time. Topics that the
//! images share are not looked at, so that a change costs what it changes.

use std::collections::HashMap;
use std::sync::Arc;

use gofka_core::config::TopicConfig;
use gofka_core::error::ErrorCode;
use gofka_core::ids::{PartitionIndex, TopicPartition};
use gofka_raft::{ConfigResource, MetadataImage, TopicImage};
use gofka_storage::Log;

use super::map::{PartitionMap, Slot, TopicEntry};
use super::partitions::Inner;
use super::replica::Partition;

/// One step.
pub(super) struct Follow<'a> {
    pub(super) inner: &'a Inner,
    pub(super) old: &'a MetadataImage,
    pub(super) new: &'a MetadataImage,
    /// Logs that were opened at start.
    pub(super) loaded: HashMap<TopicPartition, Arc<Log>>,
}

impl Follow<'_> {
    /// The map of the new image. Deleted topics leave the map, through `publish`, before their
    /// logs are closed, so that no request finds a closed log under a name that is known.
    pub(super) fn next_map(
        mut self,
        current: &PartitionMap,
        publish: impl FnOnce(PartitionMap),
    ) -> PartitionMap {
        let mut map = current.clone();
        let deleted: Vec<_> =
            map.by_id.values().filter(|entry| self.is_deleted(entry)).cloned().collect();
        for entry in &deleted {
            map.remove(entry);
        }
        if !deleted.is_empty() {
            publish(map.clone());
            for entry in &deleted {
                self.delete(entry);
            }
        }
        let defaults_changed = self.defaults_changed();
        for topic in self.new.topics.values() {
            let same =
                self.old.topic(topic.name.as_str()).is_some_and(|old| Arc::ptr_eq(old, topic));
            let entry = map.by_id.get(&topic.id).cloned();
            if !same || wants_retry(entry.as_deref()) {
                let config = self.inner.config_of(self.new, topic);
                map.insert(Arc::new(self.place(topic, entry.as_deref(), &config)));
            }
            if let Some(entry) = entry
                && (defaults_changed || self.config_changed(topic))
            {
                let config = self.inner.config_of(self.new, topic);
                for partition in entry.here() {
                    partition.set_config(config.clone());
                }
            }
        }
        map
    }

    fn is_deleted(&self, entry: &TopicEntry) -> bool {
        self.new.topic_by_id(entry.id).is_none()
    }

    fn delete(&self, entry: &TopicEntry) {
        let now = self.inner.options.clock.now().monotonic;
        for partition in entry.here() {
            partition.close(ErrorCode::UnknownTopicOrPartition);
            if let Err(error) = self.inner.options.dirs.delete(partition.name(), now) {
                tracing::error!(partition = %partition.name(), %error, "a log was not deleted");
            }
        }
        self.inner.options.metrics.remove_topic(&entry.name);
    }

    fn defaults_changed(&self) -> bool {
        let resources =
            [ConfigResource::all_brokers(), ConfigResource::broker(self.inner.options.node)];
        resources.iter().any(|of| self.old.configs_of(of) != self.new.configs_of(of))
    }

    fn config_changed(&self, topic: &TopicImage) -> bool {
        let resource = ConfigResource::topic(topic.name.as_str());
        let (old, new) = (self.old.configs.get(&resource), self.new.configs.get(&resource));
        match (old, new) {
            (Some(old), Some(new)) => !Arc::ptr_eq(old, new) && old != new,
            (None, None) => false,
            _ => true,
        }
    }

    fn place(
        &mut self,
        topic: &TopicImage,
        entry: Option<&TopicEntry>,
        config: &Arc<TopicConfig>,
    ) -> TopicEntry {
        let mut slots = Vec::with_capacity(topic.partitions.len());
        for (index, image) in topic.partitions.iter().enumerate() {
            let slot = match entry.and_then(|entry| entry.slots.get(index)) {
                _ if !image.replicas.contains(&self.inner.options.node) => Slot::Elsewhere,
                Some(Slot::Here(partition)) => {
                    partition.set_leadership(image);
                    Slot::Here(partition.clone())
                }
                _ => self.open(topic, index, config),
            };
            slots.push(slot);
        }
        TopicEntry { name: topic.name.clone(), id: topic.id, slots }
    }

    fn open(&mut self, topic: &TopicImage, index: usize, config: &Arc<TopicConfig>) -> Slot {
        let options = &self.inner.options;
        let name =
            TopicPartition { topic: topic.name.clone(), partition: PartitionIndex(index as i32) };
        let log = match self.loaded.remove(&name) {
            Some(log) => Ok(log),
            None => options.dirs.create(&name, topic.id, config.clone()),
        };
        match log {
            Ok(log) => {
                let shared = self.inner.shared_by(&log);
                let (image, metrics) = (&topic.partitions[index], options.metrics.partition(&name));
                Slot::Here(Partition::new(log, config.clone(), image, shared, metrics))
            }
            Err(error) => {
                tracing::error!(partition = %name, %error, "a log could not be made");
                Slot::Failed
            }
        }
    }
}

fn wants_retry(entry: Option<&TopicEntry>) -> bool {
    entry.is_none_or(|entry| entry.slots.iter().any(|slot| matches!(slot, Slot::Failed)))
}
