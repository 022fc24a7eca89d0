//! Which source fields are mapped, dropped on purpose, or not understood: counted over a whole reading.

use std::collections::BTreeMap;

use serde_json::Value;

use super::profile::{Columns, Entity, Profile};
use super::schema::SourceSchema;
use super::transform::{excerpt, scalar};
use super::{Mapped, evaluate, path};
use crate::domain::Class;
use crate::domain::contribution::AuthorState;
use crate::domain::record::Body;
use crate::domain::source::SourceRecord;

/// How many different words and themes are kept by name; the rest is only counted.
const MAX_WORDS: usize = 1000;

/// Where a source field stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// A rule reads it.
    Mapped,
    /// Left out, with the reason.
    Dropped(String),
    /// Nobody decided: map it or drop it.
    NotUnderstood,
}

/// One source field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Where it stands.
    pub standing: Standing,
    /// In how many values it was met; 0 for a field that only the schema names.
    pub count: u64,
    /// The beginning of a value; masked where it is, or may be, personal.
    pub example: Option<String>,
}

/// How many fields stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldTotals {
    /// Read by a rule.
    pub mapped: usize,
    /// Left out on purpose.
    pub dropped: usize,
    /// Undecided.
    pub not_understood: usize,
}

/// The account of one reading.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// By entity and name.
    fields: BTreeMap<String, BTreeMap<String, Field>>,
    troubles: BTreeMap<(String, &'static str, String), u64>,
    more_troubles: u64,
    states: BTreeMap<String, u64>,
}

impl Coverage {
    /// An empty account.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts the fields of one item and of what it hangs on, and what mapping it found.
    pub fn see(&mut self, profile: &Profile, source: &SourceRecord, mapped: &Mapped) {
        let Some(entity) = profile.entities.get(&source.entity) else { return };
        path::leaves(source, &mut |name, value| {
            let standing = || standing(entity, name, is_nothing(value));
            self.field(&source.entity, name, standing, |field| {
                field.count += 1;
                if field.example.is_none() && !is_nothing(value) {
                    let undecided = field.standing == Standing::NotUnderstood;
                    field.example = Some(if undecided && may_tell_of_a_person(value) {
                        "(maybe personal, not shown)".to_owned()
                    } else {
                        example(profile, entity, name, value)
                    });
                }
            });
        });
        if let Some(state) = state_of(entity, source, mapped) {
            let state =
                if self.states.len() < MAX_WORDS || self.states.contains_key(&state) { state } else { "(others)".to_owned() };
            *self.states.entry(state).or_default() += 1;
        }
        for finding in &mapped.findings {
            let what = finding.trouble.to_string();
            let key = (source.entity.clone(), finding.property, what);
            if self.troubles.len() < MAX_WORDS || self.troubles.contains_key(&key) {
                *self.troubles.entry(key).or_default() += 1;
            } else {
                self.more_troubles += 1;
            }
        }
    }

    /// Adds every field of the types that are read, so that one which no item shows yet counts too.
    pub fn expect(&mut self, profile: &Profile, schema: &SourceSchema) {
        for (name, entity) in &profile.entities {
            let known = |field: &str| {
                let decided = entity.consumed.iter().chain(entity.drops.keys());
                !entity.drops.contains_key(field) && decided.into_iter().any(|name| is_below(name, field))
            };
            for field in entity.type_names.iter().flat_map(|type_name| schema.fields(type_name, &known)) {
                self.field(name, &field, || standing(entity, &field, true), |_| ());
            }
        }
    }

    /// Adds the columns of a table that the platform offers beside its interface, under `NAME.csv`.
    pub fn columns(&mut self, profile: &Profile, table: &str, columns: &[String]) {
        let entity = format!("{table}.csv");
        match profile.tables.get(table) {
            None => {
                self.field(&entity, "(the whole table)", || Standing::NotUnderstood, |_| ());
            }
            Some(Columns { unread: Some(reason), .. }) => {
                self.field(&entity, "(the whole table)", || Standing::Dropped(reason.clone()), |_| ());
            }
            Some(known) => {
                for column in columns {
                    self.field(&entity, column, || known.standing(column), |_| ());
                }
            }
        }
    }

    /// Every field, by entity and name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str, &Field)> {
        self.fields
            .iter()
            .flat_map(|(entity, fields)| fields.iter().map(move |(name, field)| (entity.as_str(), name.as_str(), field)))
    }

    /// What was met beside fields: words and themes in no table, values of another shape; with how often.
    pub fn troubles(&self) -> impl Iterator<Item = (&str, &str, &str, u64)> {
        self.troubles.iter().map(|((entity, property, what), count)| (entity.as_str(), *property, what.as_str(), *count))
    }

    /// The platform's own words for where its items stand, with how often each was met.
    #[must_use]
    pub const fn states(&self) -> &BTreeMap<String, u64> {
        &self.states
    }

    /// How many fields stand where.
    #[must_use]
    pub fn totals(&self) -> FieldTotals {
        let mut totals = FieldTotals::default();
        for field in self.fields.values().flat_map(BTreeMap::values) {
            match field.standing {
                Standing::Mapped => totals.mapped += 1,
                Standing::Dropped(_) => totals.dropped += 1,
                Standing::NotUnderstood => totals.not_understood += 1,
            }
        }
        totals
    }

    /// Whether a person has nothing to decide.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.totals().not_understood == 0 && self.troubles.is_empty()
    }

    /// Notes something about a field, which begins here where it is new. Met with every value of every item: a
    /// name is written down once.
    fn field(&mut self, entity: &str, name: &str, standing: impl FnOnce() -> Standing, note: impl FnOnce(&mut Field)) {
        if let Some(field) = self.fields.get_mut(entity).and_then(|fields| fields.get_mut(name)) {
            return note(field);
        }
        let mut field = Field { standing: standing(), count: 0, example: None };
        note(&mut field);
        self.fields.entry(entity.to_owned()).or_default().insert(name.to_owned(), field);
    }
}

impl Profile {
    /// The fields of an item that the profile reads, with their values: cut, masked where personal.
    #[must_use]
    pub fn row(&self, source: &SourceRecord) -> Vec<(String, String)> {
        let mut row = Vec::new();
        let Some(entity) = self.entities.get(&source.entity) else { return row };
        path::leaves_under("", &source.fields, &mut |name, value| {
            if standing(entity, name, is_nothing(value)) == Standing::Mapped && !is_nothing(value) {
                row.push((name.to_owned(), example(self, entity, name, value)));
            }
        });
        row
    }
}

/// Where an item stands in the platform's words, if its entity is judged at all: `withdrawn`, the word
/// that the disposition is read from, or `(none)`.
fn state_of(entity: &Entity, source: &SourceRecord, mapped: &Mapped) -> Option<String> {
    let judged = entity.records.iter().find(|record| record.class == Class::Disposition)?;
    let withdrawn = mapped.drafts.iter().any(|draft| match &draft.record.body {
        Body::Contribution(body) => body.author_state == AuthorState::Withdrawn,
        _ => false,
    });
    if withdrawn {
        return Some(AuthorState::Withdrawn.word().to_owned());
    }
    let rule = judged.properties.get("dispositionState")?.iter().find_map(|rule| rule.from.as_ref())?;
    let word = rule.nodes(&evaluate::scope(source)).into_iter().find_map(scalar);
    Some(word.map_or_else(|| "(none)".to_owned(), |word| excerpt(&Value::String(word))))
}

/// The fields of an item, and of what it hangs on, that nobody mapped or dropped, by name.
pub(super) fn not_understood(entity: &Entity, source: &SourceRecord) -> Vec<String> {
    let mut names = std::collections::BTreeSet::new();
    path::leaves(source, &mut |name, value| {
        if standing(entity, name, is_nothing(value)) == Standing::NotUnderstood {
            names.insert(name.to_owned());
        }
    });
    names.into_iter().collect()
}

/// Where a field stands. `nothing`: it holds no value, so that what is decided about the fields below it
/// holds for it too (`coordinates: null` where `coordinates.latitude` is mapped).
fn standing(entity: &Entity, name: &str, nothing: bool) -> Standing {
    if entity.consumed.contains(name) || (nothing && entity.consumed.iter().any(|known| is_below(known, name))) {
        return Standing::Mapped;
    }
    let dropped = entity.drops.get(name).or_else(|| {
        nothing.then(|| entity.drops.iter().find(|(known, _)| is_below(known, name)).map(|(_, reason)| reason)).flatten()
    });
    dropped.map_or(Standing::NotUnderstood, |reason| Standing::Dropped(reason.clone()))
}

/// Whether `name` lies strictly below `above`.
fn is_below(name: &str, above: &str) -> bool {
    name.strip_prefix(above).is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether a value of a field that nobody knows has the form of an e-mail or IP address, or digits enough for a
/// telephone number, a date of birth or the number of a document. Names are no help where nobody wrote the list.
fn may_tell_of_a_person(value: &Value) -> bool {
    let text = scalar(value).unwrap_or_else(|| value.to_string());
    text.contains('@')
        || text.trim().parse::<std::net::IpAddr>().is_ok()
        || text.chars().filter(char::is_ascii_digit).count() >= 6
}

fn example(profile: &Profile, entity: &Entity, name: &str, value: &Value) -> String {
    let says = |word: &String| name.to_lowercase().contains(&word.to_lowercase());
    if entity.personal.contains(name) || profile.personal.words.iter().any(says) {
        return "(personal, not shown)".to_owned();
    }
    excerpt(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_below, may_tell_of_a_person};

    #[test]
    fn gdpr_18_a_value_in_the_form_of_personal_data_is_no_example() {
        for value in ["a@b.example", "203.0.113.77", "2001:db8::1", "+33 6 12 34 56 78", "1931-07-13", "AB 123456"] {
            assert!(may_tell_of_a_person(&json!(value)), "{value}");
        }
        for value in [json!("accepted"), json!(0.42), json!(true), json!("Parc de la Tête d'Or"), json!(1881)] {
            assert!(!may_tell_of_a_person(&value), "{value}");
        }
    }

    #[test]
    fn a_name_lies_below_another_at_a_boundary_only() {
        assert!(is_below("steps[].id", "steps") && is_below("steps[].id", "steps[]"));
        assert!(!is_below("steps", "steps") && !is_below("stepsDone", "steps"));
    }
}
