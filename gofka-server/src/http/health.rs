//! How the parts of a node do, and what that makes of the whole.

use serde_json::{Value, json};

/// How a part does; a later one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// All is well.
    Healthy,
    /// It works, but something is missing, such as one of several disks.
    Degraded,
    /// It does not work.
    Unhealthy,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// `broker`, `raft` or `storage`.
    pub name: &'static str,
    /// How it does.
    pub status: Status,
    /// Why, in a few words.
    pub detail: String,
}

/// All parts, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Each part.
    pub components: Vec<Component>,
    /// Whether clients are served.
    pub ready: bool,
}

impl Health {
    /// The worst of the parts.
    pub fn status(&self) -> Status {
        self.components.iter().map(|part| part.status).max().unwrap_or(Status::Unhealthy)
    }

    pub(super) fn to_json(&self) -> Value {
        let components: serde_json::Map<String, Value> = self
            .components
            .iter()
            .map(|part| {
                let body = json!({"status": part.status.name(), "detail": part.detail});
                (part.name.to_owned(), body)
            })
            .collect();
        json!({
            "status": self.status().name(),
            "ready": self.ready,
            "components": components,
        })
    }
}
