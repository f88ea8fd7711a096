//! Metadata (3), versions 0-13: brokers, topics and their partitions, as clients find them.
//!
//! Behaviour: no list asks for all topics (version 0: an empty one). A topic that is not there is
//! made on the spot where both the client and `auto.create.topics.enable` allow it, and is in
//! the answer already; Kafka answers UNKNOWN_TOPIC_OR_PARTITION and has the client ask again.
//! Brokers are named by the address they advertise on the listener that was asked.
//!
//! Version notes: 1 null list, racks, internal flag; 2 cluster id; 4 auto-creation is asked for;
//! 5 offline replicas; 7 leader epochs; 8 authorized operations (KIP-430); 10 topic ids in the
//! answer, 12 in the request (KIP-516); 13 top-level error (KIP-1102).

use gofka_core::error::ErrorCode;
use gofka_core::ids::TopicId;
use gofka_core::topic_name;
use gofka_raft::{NewTopic, PartitionImage, TopicImage};
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::wire::{broker_id, broker_ids, endpoint_of, topic_name};
use super::{Api, Outcome, RequestContext, change_lines, operations};
use crate::cluster::topics;

/// The row of the table.
pub const API: Api = Api::new::<MetadataRequest>(0, 13);

/// Creates what is to be created, then answers from the image that has it.
pub async fn handle(context: &RequestContext, request: MetadataRequest) -> Outcome {
    let wanted = Wanted::of(&request, context.api_version);
    if let Wanted::Names(names) = &wanted {
        create_missing(context, &request, names).await;
    }
    let image = context.broker.controller.image();
    let asked = request.include_topic_authorized_operations;
    let known = |topic: &TopicImage| described(topic, asked);
    let topics: Vec<MetadataResponseTopic> = match wanted {
        Wanted::All => image.topics.values().map(|topic| known(topic)).collect(),
        Wanted::Names(names) => {
            let answers = names.iter().map(|name| {
                image.topic(name).map_or_else(|| missing(name), |topic| known(topic))
            });
            answers.collect()
        }
        Wanted::Ids(ids) => {
            let by_id = ids.iter().map(|id| {
                image.topic_by_id(*id).map_or_else(|| missing_id(*id), |topic| known(topic))
            });
            by_id.collect()
        }
        Wanted::Refused(topics) => {
            // Nothing else is told: neither brokers nor the cluster.
            return context.now(&MetadataResponse::default().with_topics(topics));
        }
    };
    let listener = &context.listener().name;
    let live = image.brokers.values().filter(|broker| !broker.fenced);
    let brokers = live.filter_map(|broker| {
        let endpoint = endpoint_of(broker, listener)?;
        let found = MetadataResponseBroker::default()
            .with_node_id(broker_id(Some(broker.id)))
            .with_host(StrBytes::from_string(endpoint.host.clone()))
            .with_port(endpoint.port.into())
            .with_rack(broker.rack.clone().map(StrBytes::from_string));
        Some(found)
    });
    let response = MetadataResponse::default()
        .with_brokers(brokers.collect())
        .with_cluster_id(Some(StrBytes::from_string(image.cluster_id.to_string())))
        .with_controller_id(broker_id(Some(context.broker.node)))
        .with_cluster_authorized_operations(operations::of_cluster(
            request.include_cluster_authorized_operations,
        ))
        .with_topics(topics);
    context.now(&response)
}

/// What a request asks for.
enum Wanted {
    All,
    Names(Vec<String>),
    Ids(Vec<TopicId>),
    /// Null names or ids before version 12: this is the answer.
    Refused(Vec<MetadataResponseTopic>),
}

impl Wanted {
    fn of(request: &MetadataRequest, version: i16) -> Self {
        let Some(topics) = &request.topics else { return Self::All };
        if topics.is_empty() && version == 0 {
            return Self::All;
        }
        let no_name = topics.iter().any(|topic| topic.name.is_none());
        let with_id = topics.iter().filter(|topic| !topic.topic_id.is_nil());
        let mut ids: Vec<TopicId> = with_id.map(|topic| TopicId(topic.topic_id)).collect();
        ids.sort_unstable();
        ids.dedup();
        if version < 12 && (no_name || !ids.is_empty()) {
            let refused = topics.iter().map(|topic| {
                // The name cannot be null in the answer of these versions.
                let name = Some(topic.name.clone().unwrap_or_default());
                failed(name, TopicId(topic.topic_id), ErrorCode::InvalidRequest)
            });
            return Self::Refused(refused.collect());
        }
        if !ids.is_empty() {
            return Self::Ids(ids);
        }
        let names = topics.iter().filter_map(|topic| topic.name.as_ref());
        let mut names: Vec<String> = names.map(|name| name.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        Self::Names(names)
    }
}

/// Makes the topics of `names` that could be there and are not.
async fn create_missing(context: &RequestContext, request: &MetadataRequest, names: &[String]) {
    let broker = &context.broker;
    let image = broker.controller.image();
    let layers = image.broker_layers(broker.node, &broker.config.fixed);
    let enabled = layers.broker_value("auto.create.topics.enable").is_some_and(|on| on == "true");
    if !enabled || !request.allow_auto_topic_creation {
        return;
    }
    let absent = names.iter().filter(|name| image.topic(name).is_none());
    // A coordinator makes its own topic, with its own settings.
    let creatable =
        absent.filter(|name| topic_name::is_valid(name) && !topics::is_internal(name));
    let new: Vec<NewTopic> = creatable
        .map(|name| NewTopic { name: name.clone(), ..NewTopic::default() })
        .collect();
    if new.is_empty() {
        return;
    }
    let created = topics::create(broker, new, false).await;
    // Two clients may ask for the same topic at once.
    let mut failed = created
        .into_iter()
        .filter_map(|created| match created {
            Ok(topic) => {
                change_lines::created(context, &topic, "on demand");
                None
            }
            Err(error) => Some(error),
        })
        .filter(|error| error.code != ErrorCode::TopicAlreadyExists);
    // One line, however many topics one request named; clients ask again at once.
    if let Some(error) = failed.next() {
        let others = failed.count();
        let others = if others == 0 { String::new() } else { format!(", nor {others} others") };
        let problem = format_args!("a topic could not be made on demand{others}: {error}");
        broker.hints.say(context.now.monotonic, context.peer(), problem);
    }
}

fn described(topic: &TopicImage, operations_asked: bool) -> MetadataResponseTopic {
    let partitions = (0..).zip(&topic.partitions).map(|(index, it)| partition(index, it));
    MetadataResponseTopic::default()
        .with_name(Some(topic_name(topic.name.as_str())))
        .with_topic_id(topic.id.0)
        .with_is_internal(topics::is_internal(topic.name.as_str()))
        .with_topic_authorized_operations(operations::of_topic(operations_asked))
        .with_partitions(partitions.collect())
}

fn partition(index: i32, partition: &PartitionImage) -> MetadataResponsePartition {
    let code = match partition.leader {
        Some(_) => ErrorCode::None,
        None => ErrorCode::LeaderNotAvailable,
    };
    MetadataResponsePartition::default()
        .with_error_code(code.code())
        .with_partition_index(index)
        .with_leader_id(broker_id(partition.leader))
        .with_leader_epoch(partition.leader_epoch.0)
        .with_replica_nodes(broker_ids(&partition.replicas))
        .with_isr_nodes(broker_ids(&partition.isr))
}

fn missing(name: &str) -> MetadataResponseTopic {
    failed(Some(topic_name(name)), TopicId::NONE, topics::unknown_topic(name))
}

fn missing_id(id: TopicId) -> MetadataResponseTopic {
    failed(None, id, ErrorCode::UnknownTopicId)
}

fn failed(name: Option<TopicName>, id: TopicId, code: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic::default()
        .with_error_code(code.code())
        .with_name(name)
        .with_topic_id(id.0)
        .with_topic_authorized_operations(operations::NOT_ASKED)
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
    use uuid::Uuid;

    use super::*;

    fn asked(id: u128, name: Option<&'static str>) -> MetadataRequestTopic {
        let name = name.map(|name| StrBytes::from_static_str(name).into());
        MetadataRequestTopic::default().with_topic_id(Uuid::from_u128(id)).with_name(name)
    }

    fn wanted(version: i16, topics: Vec<MetadataRequestTopic>) -> Wanted {
        Wanted::of(&MetadataRequest::default().with_topics(Some(topics)), version)
    }

    #[test]
    fn each_topic_is_answered_once() {
        let names = wanted(13, vec![asked(0, Some("b")), asked(0, Some("a")), asked(0, Some("b"))]);
        assert!(matches!(names, Wanted::Names(names) if names == ["a", "b"]));
        let ids = wanted(13, vec![asked(7, None), asked(7, None), asked(0, Some("a"))]);
        assert!(matches!(ids, Wanted::Ids(ids) if ids == [TopicId(Uuid::from_u128(7))]));
    }

    #[test]
    fn ids_are_refused_before_they_were_known() {
        for topic in [asked(7, Some("a")), asked(7, None), asked(0, None)] {
            let refused = wanted(11, vec![topic.clone()]);
            let Wanted::Refused(topics) = refused else { panic!("{topic:?}") };
            assert_eq!(topics[0].error_code, ErrorCode::InvalidRequest.code());
            assert!(!matches!(wanted(12, vec![topic]), Wanted::Refused(_)));
        }
    }
}
