//! Runs the rules of a profile over one source record: from paths to values.

use std::collections::BTreeMap;

use super::profile::{PartRule, Profile, RecordRule, Rule};
use super::properties;
use super::transform::{Parsed, Reading, Transform, Unreadable, scalar};
use super::{Finding, Names, Publisher, Trouble, path::Scope};
use crate::domain::source::SourceRecord;
use crate::domain::{Class, LocalId, RecordId};

/// The values that the rules gave, by property.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub values: BTreeMap<&'static str, Given>,
    pub parts: BTreeMap<&'static str, Vec<Filled>>,
}

/// One value, with references resolved.
#[derive(Debug, Clone)]
pub(super) enum Given {
    Value(Parsed),
    Records(Vec<RecordId>),
}

/// What an evaluation needs and collects.
pub(super) struct Evaluation<'a> {
    pub profile: &'a Profile,
    pub publisher: &'a Publisher,
    pub names: &'a dyn Names,
    pub source: &'a SourceRecord,
    pub findings: Vec<Finding>,
    /// References that no name answered, of the record at hand.
    pub unknown: Vec<LocalId>,
}

/// Where a source record's paths start.
pub(super) fn scope(source: &SourceRecord) -> Scope<'_> {
    Scope { fields: &source.fields, context: &source.context, element: None }
}

/// Whether a record rule applies to an item at all.
pub(super) fn applies(rule: &RecordRule, source: &SourceRecord) -> bool {
    rule.when.iter().all(|condition| condition.holds(&scope(source)))
}

/// The items that a rule's references name, whether or not anybody knows them.
pub(super) fn referenced(rule: &RecordRule, source: &SourceRecord, publisher: &Publisher) -> Vec<LocalId> {
    let mut found = Vec::new();
    for rule in rule.references() {
        let (Transform::Reference { entity, class }, Some(from)) = (&rule.transform, &rule.from) else { continue };
        if !rule.when.iter().all(|condition| condition.holds(&scope(source))) {
            continue;
        }
        for id in from.nodes(&scope(source)).into_iter().filter_map(scalar) {
            found.push(LocalId { platform: publisher.platform.clone(), entity: entity.clone(), id, class: *class });
        }
    }
    found
}

impl Evaluation<'_> {
    pub fn fill(&mut self, rule: &RecordRule) -> Filled {
        let scope = scope(self.source);
        let mut filled = self.values(rule.class, &rule.properties, &scope);
        for part in properties::parts(rule.class) {
            for part_rule in rule.parts.get(part.name).into_iter().flatten() {
                let made = self.part(rule.class, part_rule, &scope);
                let list = filled.parts.entry(part.name).or_default();
                list.extend(made);
                if !part.many && !list.is_empty() {
                    break;
                }
            }
        }
        filled
    }

    /// The first thing that the record needs and that is not public.
    pub fn lacks(&self, rule: &RecordRule) -> Option<LocalId> {
        let scope = scope(self.source);
        rule.needs.iter().find_map(|need| {
            let Transform::Reference { entity, class } = &need.transform else { return None };
            if !need.when.iter().all(|condition| condition.holds(&scope)) {
                return None;
            }
            let id = need.from.as_ref()?.nodes(&scope).into_iter().find_map(scalar)?;
            let local = LocalId { platform: self.publisher.platform.clone(), entity: entity.clone(), id, class: *class };
            self.names.record(&local).is_none().then_some(local)
        })
    }

    fn part(&mut self, class: Class, rule: &PartRule, scope: &Scope<'_>) -> Vec<Filled> {
        let elements = match &rule.each {
            Some(each) => each.nodes(scope).into_iter().filter(|node| !node.is_null()).map(Some).collect(),
            None => vec![None],
        };
        let mut made = Vec::new();
        for element in elements {
            let scope = Scope { element, ..*scope };
            if rule.when.iter().all(|condition| condition.holds(&scope)) {
                made.push(self.values(class, &rule.properties, &scope));
            }
        }
        made.retain(|filled| !filled.values.is_empty());
        made
    }

    fn values(&mut self, class: Class, rules: &BTreeMap<&'static str, Vec<Rule>>, scope: &Scope<'_>) -> Filled {
        let mut filled = Filled::default();
        for (&property, alternatives) in rules {
            if properties::takes_many(class, property) {
                let given = alternatives.iter().filter_map(|rule| self.value(class, property, rule, scope));
                let ids: Vec<RecordId> =
                    given.flat_map(|given| if let Given::Records(ids) = given { ids } else { Vec::new() }).collect();
                if !ids.is_empty() {
                    filled.values.insert(property, Given::Records(ids));
                }
            } else if let Some(given) = alternatives.iter().find_map(|rule| self.value(class, property, rule, scope)) {
                filled.values.insert(property, given);
            }
        }
        filled
    }

    fn value(&mut self, class: Class, property: &'static str, rule: &Rule, scope: &Scope<'_>) -> Option<Given> {
        if !rule.when.iter().all(|condition| condition.holds(scope)) {
            return None;
        }
        let Some(from) = &rule.from else {
            let Transform::Constant(word) = &rule.transform else { return None };
            return Some(Given::Value(Parsed::Token(word.clone())));
        };
        let mut records = Vec::new();
        let reading = Reading { zone: &self.publisher.zone, prefer: &self.publisher.language, codes: &self.profile.codes };
        for node in from.nodes(scope) {
            if node.is_null() && !rule.transform.reads_null() {
                continue;
            }
            let trouble = match rule.transform.read(node, &reading) {
                Ok(Some(Parsed::Item { entity, class, id })) => {
                    let local = LocalId { platform: self.publisher.platform.clone(), entity, id, class };
                    match self.names.record(&local) {
                        Some(record) => records.push(record),
                        None => self.unknown.push(local),
                    }
                    continue;
                }
                Ok(Some(parsed)) => return Some(Given::Value(parsed)),
                Ok(None) => continue,
                Err(Unreadable::Unlisted { table, word }) => Trouble::UnlistedWord { table, word },
                Err(Unreadable::Wrong(problem)) => Trouble::Unreadable { problem },
            };
            self.findings.push(Finding { class, property, path: from.as_str().to_owned(), trouble });
        }
        (!records.is_empty()).then_some(Given::Records(records))
    }
}
