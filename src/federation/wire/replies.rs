//! How many replies the platform counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scalar::{Count, constant};

constant!(
    /// The `type` of the collection of replies.
    CollectionType = "Collection"
);

/// How many replies the platform counts: a collection without address, only with its size. The replies
/// themselves are records of their own, and no list of them has an address at the origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replies {
    /// Always `Collection`.
    #[serde(rename = "type")]
    pub node_type: CollectionType,
    /// How many.
    pub total_items: Count,
}

impl Replies {
    /// The node of a count.
    #[must_use]
    pub fn of(count: u64) -> Self {
        Self { node_type: CollectionType::Value, total_items: Count::new(count) }
    }
}
