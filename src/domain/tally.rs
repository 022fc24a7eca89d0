//! Support counted at the origin: a number never travels without when and how it was counted (P5).

use serde::{Deserialize, Serialize};

use super::time::Timestamp;
use crate::words;

words! {
    /// What was counted.
    Measure {
        Support = "support",
        Vote = "vote",
        Points = "points",
        Signature = "signature",
        Rating = "rating",
    }
}

/// One count of support. Counts of two cities are shown side by side and never added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportTally {
    /// What was counted.
    pub measure: Measure,
    /// The figure; `None` means the platform withholds it, which is not zero.
    pub total: Option<u64>,
    /// When it was counted.
    pub counted_at: Timestamp,
}
