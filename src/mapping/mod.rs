//! What the fields of a platform mean: a profile, and the engine that applies it.
//!
//! A [`Profile`] is data (TOML under `federation-specs/profiles/`, embedded in the binary, overridable
//! by a city): target property ← source path and one [`Transform`] of a closed list, tables for states
//! and themes, and the fields dropped on purpose. [`Profile::references`] says which names an item
//! needs, [`Profile::map`] makes draft records of it, and [`Coverage`] keeps count: every source field is
//! mapped, dropped on purpose, or not understood.
//!
//! No I/O, no clock, no chance, and nothing about meaning in Rust: what is decided per platform stands in
//! the profile.

mod assemble;
mod body;
mod coverage;
mod evaluate;
mod node;
mod parse;
mod path;
mod profile;
mod properties;
mod sameness;
mod schema;
mod transform;

use std::collections::BTreeSet;
use std::fmt;

use jiff::tz::TimeZone;
use url::Url;

pub use coverage::{Coverage, Field, FieldTotals, Standing};
pub use profile::{Profile, ProfileError, Proof};
pub use sameness::{same_content, same_words};
pub use schema::SourceSchema;
pub use transform::Transform;

use crate::domain::source::SourceRecord;
use crate::domain::text::LanguageTag;
use crate::domain::{ActorId, Class, LocalId, PlatformName, Record, RecordId};

/// Whose records are made, and what the platform leaves unsaid about all of them.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// The configured platform.
    pub platform: PlatformName,
    /// The public body that owns the records.
    pub authority: ActorId,
    /// Where a citizen exercises rights over personal data.
    pub rights_contact: Url,
    /// The licence of contents; absent means the profile's.
    pub licence: Option<Url>,
    /// The language to prefer where a text was written in several.
    pub language: LanguageTag,
    /// Where the platform's calendar dates are.
    pub zone: TimeZone,
}

/// Names that mapping is given: it mints none itself.
pub trait Names {
    /// The address of a record, when it is one that others may be pointed to.
    fn record(&self, local: &LocalId) -> Option<RecordId>;
    /// The address of a theme, by the platform's scheme and id.
    fn theme(&self, scheme: &str, id: &str) -> Option<RecordId>;
    /// How a person is called within one process, and nowhere else.
    fn pseudonym(&self, person: &str, process: &RecordId) -> String;
}

/// A record as its source gives it: revision 1, no salt; `updated` is what the source says.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Which record of which item it is.
    pub local: LocalId,
    /// The record.
    pub record: Record,
}

/// What came of one item.
#[derive(Debug, Clone, Default)]
pub struct Mapped {
    /// Its records, the main one first; none when it cannot be published.
    pub drafts: Vec<Draft>,
    /// Why it cannot.
    pub held: Option<String>,
    /// Values that were there and could not be read as the profile says.
    pub findings: Vec<Finding>,
}

/// One value that was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The class of record it would have gone into.
    pub class: Class,
    /// The property.
    pub property: &'static str,
    /// The path in the profile, or a theme's scheme.
    pub path: String,
    /// What is the matter.
    pub trouble: Trouble,
}

/// What is the matter with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A code table does not list the word; what stands beside it in the profile was used.
    UnlistedWord {
        /// The table.
        table: String,
        /// The platform's word.
        word: String,
    },
    /// No European theme is given for a theme of the city.
    UnlistedTheme {
        /// The platform's scheme.
        scheme: String,
        /// The theme's label.
        label: String,
    },
    /// The value has another shape than the transform takes.
    Unreadable {
        /// A sentence.
        problem: String,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnlistedWord { table, word } => write!(f, "`{word}` is not in [codes.{table}]"),
            Self::UnlistedTheme { scheme, label } => write!(f, "{scheme} \"{label}\" has no theme in [themes.{scheme}]"),
            Self::Unreadable { problem } => f.write_str(problem),
        }
    }
}

impl Profile {
    /// Every name that mapping this item needs: of its own records and of those it refers to.
    #[must_use]
    pub fn references(&self, source: &SourceRecord, publisher: &Publisher) -> Vec<LocalId> {
        let Some(entity) = self.entities.get(&source.entity) else { return Vec::new() };
        let mut ids = Vec::new();
        for rule in entity.records.iter().filter(|rule| evaluate::applies(rule, source)) {
            ids.push(own(source, publisher, rule.class));
            ids.extend(evaluate::referenced(rule, source, publisher));
        }
        let mut seen = BTreeSet::new();
        ids.retain(|id| seen.insert((id.entity.clone(), id.id.clone(), id.class)));
        ids
    }

    /// The records that an item gives.
    #[must_use]
    pub fn map(&self, source: &SourceRecord, publisher: &Publisher, names: &dyn Names) -> Mapped {
        let Some(entity) = self.entities.get(&source.entity) else {
            let held = Some(format!("the profile {} has no entity `{}`", self.name, source.entity));
            return Mapped { held, ..Mapped::default() };
        };
        let unmapped = coverage::not_understood(entity, source);
        let mut evaluation =
            evaluate::Evaluation { profile: self, publisher, names, source, findings: Vec::new(), unknown: Vec::new() };
        let mut drafts: Vec<Draft> = Vec::new();
        let mut held = None;
        for (place, rule) in entity.records.iter().enumerate() {
            if !evaluate::applies(rule, source) {
                continue;
            }
            let local = own(source, publisher, rule.class);
            let made = match names.record(&local) {
                Some(id) => evaluation.assemble(rule, id, &unmapped),
                None => Err(Some(format!("nobody gave a name to {local}"))),
            };
            match made {
                Ok(record) => drafts.push(Draft { local, record }),
                Err(reason) if place == 0 => {
                    held = Some(reason.unwrap_or_else(|| format!("the source says nothing that is a {}", rule.class)));
                    break;
                }
                Err(_) => {}
            }
        }
        if drafts.is_empty() && held.is_none() {
            held = Some("no rule of the profile applies to it".to_owned());
        }
        Mapped { drafts, held, findings: evaluation.findings }
    }
}

fn own(source: &SourceRecord, publisher: &Publisher, class: Class) -> LocalId {
    LocalId { platform: publisher.platform.clone(), entity: source.entity.clone(), id: source.local_id.clone(), class }
}
