//! `SupportTally`: support counted at the origin, with when it was counted (participation.md §4.3.7).
//! A figure that the platform hides is `withheld`, which is not zero (P5).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WireError;
use super::scalar::{Count, Instant, constant};
use crate::domain::Timestamp;
use crate::domain::tally::{Measure, SupportTally as DomainTally};

constant!(
    /// The `type` of a tally.
    TallyType = "SupportTally"
);

/// One count of support.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("oneOf" = [{ "required": ["total"] }, { "required": ["withheld"], "properties": { "withheld": { "const": true } } }]))]
pub struct SupportTally {
    /// Always `SupportTally`.
    #[serde(rename = "type")]
    pub node_type: TallyType,
    /// What was counted.
    pub measure: Measure,
    /// The figure; absent when it is withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Count>,
    /// True when the platform hides the figure; then there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<bool>,
    /// When it was counted.
    #[schemars(with = "Instant")]
    pub counted_at: Timestamp,
}

impl SupportTally {
    /// The node of a tally.
    #[must_use]
    pub fn of(tally: &DomainTally) -> Self {
        Self {
            node_type: TallyType::Value,
            measure: tally.measure,
            total: tally.total.map(Count::new),
            withheld: tally.total.is_none().then_some(true),
            counted_at: tally.counted_at.whole_second(),
        }
    }

    /// The tally that this node describes.
    ///
    /// # Errors
    /// When it has neither a figure nor `withheld`, or both.
    pub fn read(&self, path: &str) -> Result<DomainTally, WireError> {
        let withheld = self.withheld == Some(true);
        if withheld == self.total.is_some() {
            return Err(WireError::new(path, "a tally has either a total or `withheld`: true"));
        }
        Ok(DomainTally { measure: self.measure, total: self.total.map(Count::get), counted_at: self.counted_at })
    }
}
