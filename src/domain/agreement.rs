//! What one authority allows another to do with its records: a small, closed part of ODRL. Deny by
//! default: what no permission names is forbidden.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::{ActorId, Class, RecordId};
use super::text::PlainText;
use super::time::Timestamp;
use crate::words;

words! {
    /// What may be done with a record (participation.md §4.5). Nothing outside this list is accepted.
    Action {
        Reproduce = "reproduce",
        Display = "display",
        Index = "index",
        Translate = "translate",
        Distribute = "distribute",
        Aggregate = "aggregate",
        Archive = "archive",
        Attribute = "attribute",
        Delete = "delete",
        ReIdentify = "pv:re-identify",
        ProfileAuthors = "pv:profile-authors",
        TrainModel = "pv:train-model",
        WriteBack = "pv:write-back",
    }
}

words! {
    /// Whether a copy may be handed on.
    Onward {
        None = "none",
        Listed = "listed",
        Public = "public",
    }
}

/// A number of days, written `P90D`; 1 to 3650.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Days(u16);

/// Not a number of days.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a number of days (such as P90D, at most P3650D)")]
pub struct NotDays(String);

impl Days {
    /// The longest that an erasure may take (participation.md §4.5).
    pub const LONGEST_PURGE: Self = Self(30);

    /// How many.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl FromStr for Days {
    type Err = NotDays;
    fn from_str(text: &str) -> Result<Self, NotDays> {
        let refused = || NotDays(text.chars().take(40).collect());
        let digits = text.strip_prefix('P').and_then(|rest| rest.strip_suffix('D')).ok_or_else(refused)?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        let number: u16 = digits.parse().map_err(|_| refused())?;
        if plain && (1..=3650).contains(&number) { Ok(Self(number)) } else { Err(refused()) }
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}D", self.0)
    }
}

impl TryFrom<String> for Days {
    type Error = NotDays;
    fn try_from(text: String) -> Result<Self, NotDays> {
        text.parse()
    }
}

impl From<Days> for String {
    fn from(days: Days) -> Self {
        days.to_string()
    }
}

/// Which records an agreement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Records of these classes; at least one.
    pub classes: Vec<Class>,
    /// Of this consultation; absent means of every one.
    pub process: Option<RecordId>,
}

/// One rule: what is allowed, forbidden or owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What; at least one.
    pub actions: Vec<Action>,
    /// What for, as concepts; empty means for any purpose.
    pub purposes: Vec<String>,
    /// Within how many days what is owed must be done; at most [`Days::LONGEST_PURGE`].
    pub within: Option<Days>,
}

/// What one authority, the assigner, allows another to do with its records. Two cities sign two of them,
/// one for each direction (participation.md §4.3.24, §4.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataUseAgreement {
    /// Its address at the assigner.
    pub id: RecordId,
    /// What it is called.
    pub name: PlainText,
    /// Its version.
    pub version: String,
    /// Whose records.
    pub assigner: ActorId,
    /// Who may use them.
    pub assignee: ActorId,
    /// From when on.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_until: Timestamp,
    /// Which records; at least one selector.
    pub covers: Vec<Coverage>,
    /// What is allowed.
    pub permissions: Vec<Rule>,
    /// What is forbidden, whatever is allowed.
    pub prohibitions: Vec<Rule>,
    /// What is owed.
    pub obligations: Vec<Rule>,
    /// How long a copy lives after its last confirmation.
    pub max_cache: Days,
    /// How long before its end it is to be terminated.
    pub notice: Days,
    /// The smallest group that a figure may be about.
    pub min_aggregation: u64,
    /// Whether copies may be handed on.
    pub onward: Onward,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_whole_days() {
        for text in ["P1D", "P90D", "P3650D"] {
            assert_eq!(text.parse::<Days>().map(|days| days.to_string()).as_deref(), Ok(text));
        }
        for text in ["P0D", "P3651D", "90", "P90", "PT1H", "P1M", "P-1D", "P+5D", "P090D", "P1.5D", ""] {
            assert!(text.parse::<Days>().is_err(), "{text} was taken");
        }
    }
}
