//! What the controller decides: pure functions from an image and a request to records and answers.
//!
//! Called by the controller's runtime, one at a time, against the image that has everything
//! decided before, committed or not. Nothing here changes anything; `replay` of the records does.

mod brokers;
mod configs;
mod partitions;
mod placement;
mod producer_ids;
mod topic_name;
mod topics;
#[cfg(test)]
mod topics_tests;

use gofka_core::config::StaticConfig;
use gofka_core::ids::{NodeId, Uuid};

use crate::image::MetadataImage;
use crate::record::MetadataRecord;

pub(crate) use brokers::{
    FIRST_NAMED_NODE, NODE_NAME_CONFIG, finalize_features, name_node, register_broker,
};
pub(crate) use configs::alter_configs;
pub(crate) use partitions::create_partitions;
pub(crate) use producer_ids::allocate_producer_ids;
pub(crate) use topics::{create_topics, delete_topics};

/// What a decision takes from outside beside the image and the request.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    /// This node, whose settings are the defaults of topics.
    pub node: NodeId,
    /// The settings the process was started with.
    pub fixed: &'a StaticConfig,
    /// Makes a random id.
    pub new_id: &'a dyn Fn() -> Uuid,
}

/// Records to append, and what to answer once they are committed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decision<T> {
    /// In order; together or not at all.
    pub records: Vec<MetadataRecord>,
    /// The answer.
    pub answer: T,
}

/// An image on which the parts of one request are tried one after the other, so that each sees
/// those before it.
struct Draft {
    image: MetadataImage,
    records: Vec<MetadataRecord>,
}

impl Draft {
    fn of(image: &MetadataImage) -> Self {
        Self { image: image.clone(), records: Vec::new() }
    }

    /// Takes records that were decided against this very image.
    fn add(&mut self, records: Vec<MetadataRecord>) {
        for record in records {
            self.image.replay(&record).expect("a decision fits the image it was made from");
            self.records.push(record);
        }
    }

    /// The outcome; a request that only validates leaves no records.
    fn decide<T>(self, validate_only: bool, answer: T) -> Decision<T> {
        let records = if validate_only { Vec::new() } else { self.records };
        Decision { records, answer }
    }
}

#[cfg(test)]
mod testing {
    //! A cluster to decide about.

    use std::cell::Cell;
    use std::collections::BTreeMap;

    use gofka_core::error::ApiError;

    use super::{Decision, Environment};
    use crate::image::{Endpoint, MetadataImage};
    use crate::request::{BrokerRegistration, ConfigAlteration, CreatedTopic, NewTopic};
    use gofka_core::config::StaticConfig;
    use gofka_core::ids::{NodeId, Uuid};

    pub(crate) struct Cluster {
        pub(crate) image: MetadataImage,
        pub(crate) fixed: StaticConfig,
        ids: Cell<u128>,
    }

    pub(crate) fn topic(name: &str) -> NewTopic {
        NewTopic { name: name.to_owned(), ..NewTopic::default() }
    }

    impl Cluster {
        /// Brokers 0 to `count`.
        pub(crate) fn of_brokers(count: i32) -> Self {
            let fixed = StaticConfig::default();
            let mut cluster = Self { image: MetadataImage::default(), fixed, ids: Cell::new(1) };
            for id in 0..count {
                let registration = BrokerRegistration {
                    id: NodeId(id),
                    incarnation: Uuid::from_u128(1),
                    endpoints: vec![Endpoint {
                        listener: "PLAINTEXT".to_owned(),
                        host: "localhost".to_owned(),
                        port: 9092,
                        security_protocol: 0,
                    }],
                    rack: None,
                    features: BTreeMap::new(),
                    log_dirs: vec![Uuid::from_u128(50)],
                };
                cluster.run(|image, _| super::register_broker(image, &registration));
            }
            cluster
        }

        /// Decides, and takes the records in.
        pub(crate) fn run<T>(
            &mut self,
            decide: impl FnOnce(&MetadataImage, Environment<'_>) -> Decision<T>,
        ) -> T {
            let new_id = || {
                self.ids.set(self.ids.get() + 1);
                Uuid::from_u128(self.ids.get())
            };
            let environment = Environment { node: NodeId(0), fixed: &self.fixed, new_id: &new_id };
            let Decision { records, answer } = decide(&self.image, environment);
            for record in records {
                self.image.replay(&record).unwrap();
            }
            answer
        }

        pub(crate) fn create(
            &mut self,
            topics: &[NewTopic],
        ) -> Vec<Result<CreatedTopic, ApiError>> {
            self.run(|image, environment| super::create_topics(image, environment, topics, false))
        }

        pub(crate) fn alter(&mut self, all: &[ConfigAlteration]) -> Vec<Result<(), ApiError>> {
            self.run(|image, environment| super::alter_configs(image, environment, all, false))
        }
    }
}
