//! The label sets of the families. Values come from names that the controller or a coordinator
//! has accepted and from fixed tables, so that their number is bounded; the encoder escapes them.

use std::sync::Arc;

use gofka_core::ids::TopicName;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// A topic's name as a label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TopicLabel(pub TopicName);

impl EncodeLabelValue for TopicLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> std::fmt::Result {
        self.0.as_str().encode(encoder)
    }
}

/// `{topic,partition}`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub(super) struct PartitionLabels {
    /// The topic.
    pub topic: TopicLabel,
    /// The partition of it.
    pub partition: i32,
}

/// `{topic,partition,group}`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub(super) struct ConsumedLabels {
    pub topic: TopicLabel,
    pub partition: i32,
    pub group: Arc<str>,
}

/// `{group,topic,partition}`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub(super) struct LagLabels {
    pub group: Arc<str>,
    pub topic: TopicLabel,
    pub partition: i32,
}

/// `{group}`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub(super) struct GroupLabels {
    pub group: Arc<str>,
}

/// `{group,reason}`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub(super) struct RebalanceLabels {
    pub group: Arc<str>,
    pub reason: &'static str,
}

/// `{topic}`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub(super) struct TopicLabels {
    pub topic: TopicLabel,
}

/// `{api_key}`: the API's name, as the protocol calls it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub(super) struct ApiLabels {
    pub api_key: Arc<str>,
}

/// `{api_key,api_version}`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub(super) struct ApiVersionLabels {
    pub api_key: Arc<str>,
    pub api_version: i16,
}

/// `{api_key,error_code}`: the error's name, as the protocol spells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
pub(super) struct ApiErrorLabels {
    pub api_key: Arc<str>,
    pub error_code: &'static str,
}
