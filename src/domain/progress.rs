//! How far something promised has come: the states of a promise, a percentage, and news about it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::RecordId;
use super::money::Money;
use crate::words;

words! {
    /// Where a promise or a work stands (participation.md §4.4).
    CommitmentState {
        Planned = "planned",
        Underway = "underway",
        Done = "done",
        Delayed = "delayed",
        Abandoned = "abandoned",
        Revised = "revised",
    }
}

/// How much of it is done, as its authority declares, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Completion(u8);

/// Not a percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a percentage from 0 to 100")]
pub struct NotAPercentage(String);

impl Completion {
    /// The percentage, 0 to 100.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Completion {
    type Error = NotAPercentage;
    fn try_from(percent: u8) -> Result<Self, NotAPercentage> {
        if percent <= 100 { Ok(Self(percent)) } else { Err(NotAPercentage(percent.to_string())) }
    }
}

impl From<Completion> for u8 {
    fn from(completion: Completion) -> Self {
        completion.0
    }
}

impl FromStr for Completion {
    type Err = NotAPercentage;

    /// Platforms write percentages with decimals too; the nearest whole one is taken.
    fn from_str(text: &str) -> Result<Self, NotAPercentage> {
        let refused = || NotAPercentage(text.chars().take(40).collect());
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) || !whole.bytes().all(|b| b.is_ascii_digit()) {
            return Err(refused());
        }
        let whole: u8 = whole.parse().map_err(|_| refused())?;
        let above = whole == 100 && part.bytes().any(|b| b != b'0');
        if whole > 100 || above {
            return Err(refused());
        }
        Ok(Self(whole + u8::from(part.as_bytes()[0] >= b'5')))
    }
}

impl fmt::Display for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The body of a progress update: news about a commitment or a result (participation.md §4.3.16). Its
/// text is the record's `content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressUpdate {
    /// The commitment or result that it is about.
    pub in_reply_to: RecordId,
    /// The consultation that is behind it.
    pub process: Option<RecordId>,
    /// Where the work stood then.
    pub state: Option<CommitmentState>,
    /// How much was done then.
    pub completion: Option<Completion>,
    /// What it cost in the end.
    pub final_cost: Option<Money>,
    /// What shows it: documents, contracts.
    pub evidence: Vec<RecordId>,
    /// While it is hidden: whether it had no title either before
    /// ([`Contribution::untitled`](super::contribution::Contribution::untitled)).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untitled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_whole_and_between_0_and_100() {
        for (text, percent) in [("0", 0), ("40", 40), ("33.3", 33), ("66.67", 67), ("100.0", 100), ("99.5", 100)] {
            assert_eq!(text.parse::<Completion>().map(Completion::percent), Ok(percent), "{text}");
        }
        for text in ["", "-1", "101", "100.5", "4 %", "1e1", "3.", "."] {
            assert!(text.parse::<Completion>().is_err(), "{text} was taken");
        }
        assert!(serde_json::from_str::<Completion>("101").is_err());
    }
}
