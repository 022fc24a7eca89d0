//! From the values that the rules gave to a record of the vocabulary.

use std::str::FromStr;

use super::evaluate::{Evaluation, Filled, Given};
use super::profile::RecordRule;
use super::transform::{Count, Markup, Parsed, RawText};
use super::{Finding, Trouble};
use crate::domain::author::{AuthorKind, PseudonymousAuthor};
use crate::domain::comment::Comment;
use crate::domain::consultation::{Consultation, Phase, Topic};
use crate::domain::contribution::{AuthorState, Contribution, ContributionKind};
use crate::domain::disposition::Disposition;
use crate::domain::personal_data::PersonalDataHandling;
use crate::domain::place::Place;
use crate::domain::record::{Body, ModerationState, Record, Translation, TranslationMethod};
use crate::domain::response::OfficialResponse;
use crate::domain::source::{MappingReport, SourceReference};
use crate::domain::tally::SupportTally;
use crate::domain::text::{LanguageTag, Localized, PlainText, SafeHtml};
use crate::domain::theme::Theme;
use crate::domain::time::Timestamp;
use crate::domain::{Class, RecordId};

impl Filled {
    fn parsed(&self, property: &str) -> Option<&Parsed> {
        match self.values.get(property) {
            Some(Given::Value(parsed)) => Some(parsed),
            _ => None,
        }
    }

    fn record(&self, property: &str) -> Option<RecordId> {
        match self.values.get(property) {
            Some(Given::Record(id)) => Some(id.clone()),
            _ => None,
        }
    }

    fn raw_texts(&self, property: &str) -> &[RawText] {
        match self.parsed(property) {
            Some(Parsed::Texts(texts)) => texts,
            _ => &[],
        }
    }

    fn plain_texts(&self, property: &str, language: &LanguageTag) -> Option<Localized<PlainText>> {
        let texts = self.raw_texts(property).iter().filter_map(|raw| {
            let text = match raw.markup {
                Markup::Html => PlainText::new(&SafeHtml::new(&raw.text)?.to_plain())?,
                Markup::Plain | Markup::Either => PlainText::new(&raw.text)?,
            };
            Some((raw.language.clone().unwrap_or_else(|| language.clone()), text))
        });
        Localized::new(texts.collect::<Vec<_>>())
    }

    fn html_texts(&self, property: &str, language: &LanguageTag) -> Option<Localized<SafeHtml>> {
        let texts = self.raw_texts(property).iter().filter_map(|raw| {
            let html = match raw.markup {
                Markup::Html => SafeHtml::new(&raw.text),
                Markup::Either if has_tag(&raw.text) => SafeHtml::new(&raw.text),
                Markup::Plain | Markup::Either => SafeHtml::from_plain(&raw.text),
            };
            Some((raw.language.clone().unwrap_or_else(|| language.clone()), html?))
        });
        Localized::new(texts.collect::<Vec<_>>())
    }

    fn token(&self, property: &str) -> Option<&str> {
        match self.parsed(property) {
            Some(Parsed::Token(token)) => Some(token),
            _ => None,
        }
    }

    /// A word of an enumeration; the profile was checked to give no other.
    fn word<T: FromStr>(&self, property: &str) -> Option<T> {
        self.token(property)?.parse().ok()
    }

    /// One text; of several languages the preferred one.
    fn plain(&self, property: &str, prefer: &LanguageTag) -> Option<PlainText> {
        if let Some(Parsed::Token(token)) = self.parsed(property) {
            return PlainText::new(token);
        }
        let texts = self.raw_texts(property);
        let text = texts.iter().find(|text| text.language.as_ref() == Some(prefer)).or_else(|| texts.first());
        PlainText::new(&text?.text)
    }

    fn instant(&self, property: &str) -> Option<Timestamp> {
        match self.parsed(property) {
            Some(Parsed::Instant(instant)) => Some(*instant),
            _ => None,
        }
    }

    fn count(&self, property: &str) -> Option<Count> {
        match self.parsed(property) {
            Some(Parsed::Count(count)) => Some(*count),
            _ => None,
        }
    }

    fn parts(&self, part: &str) -> &[Self] {
        self.parts.get(part).map(Vec::as_slice).unwrap_or_default()
    }

    fn place(&self, part: &str, prefer: &LanguageTag) -> Option<Place> {
        let filled = self.parts(part).first()?;
        let point = match filled.parsed("point") {
            Some(Parsed::Point(point)) => Some(*point),
            _ => None,
        };
        let place = Place { id: filled.token("sameAs").map(str::to_owned), name: filled.plain("name", prefer), point };
        (place.name.is_some() || place.point.is_some()).then_some(place)
    }
}

/// Whether a text is written in HTML: it has something that looks like a tag.
fn has_tag(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let after = &text[at + 1..];
        after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && after.contains('>')
    })
}

impl Evaluation<'_> {
    /// The record that a rule gives under `id`; a sentence when what it needs is missing, `None` in it
    /// when the source simply says nothing that would be one.
    pub fn assemble(&mut self, rule: &RecordRule, id: RecordId, unmapped: &[String]) -> Result<Record, Option<String>> {
        self.unknown.clear();
        if let Some(lacking) = self.lacks(rule) {
            return Err(Some(format!("what it belongs to is not public here ({} {})", lacking.entity, lacking.id)));
        }
        let filled = self.fill(rule);
        let language = match filled.parsed("originalLanguage") {
            Some(Parsed::Language(language)) => language.clone(),
            Some(Parsed::Token(tag)) => tag.parse().unwrap_or_else(|_| LanguageTag::undetermined()),
            _ => LanguageTag::undetermined(),
        };
        let body = self.body(rule.class, &filled, &id, &language)?;
        let content = filled.html_texts("content", &language);
        if rule.class == Class::OfficialResponse && content.is_none() {
            return Err(None);
        }
        let themes = self.themes(rule.class, &filled, &language);
        let publisher = self.publisher;
        let url = filled.token("url").and_then(|url| url.parse().ok()).or_else(|| self.source.url.clone());
        let withdrawn = filled.word::<AuthorState>("authorState") == Some(AuthorState::Withdrawn);
        let record = Record {
            authority: publisher.authority.clone(),
            revision: 1,
            published: filled.instant("published"),
            updated: filled.instant("updated"),
            title: filled.plain_texts("name", &language),
            summary: filled.html_texts("summary", &language),
            content,
            translations: translations(&filled, &language),
            licence: publisher.licence.clone().unwrap_or_else(|| self.profile.licence.clone()),
            themes,
            territory: filled.place("territory", &publisher.language),
            moderation: ModerationState::Visible,
            reason: filled.word("reasonCode"),
            personal_data: rule.personal.then(|| self.handling()),
            source: Some(SourceReference {
                platform: publisher.platform.clone(),
                system: self.profile.system.clone(),
                entity: self.source.entity.clone(),
                local_id: self.source.local_id.clone(),
                url,
                retrieved_at: self.source.retrieved_at,
            }),
            mapping: Some(MappingReport {
                profile: self.profile.name.clone(),
                version: self.profile.version.clone(),
                unmapped: unmapped.to_vec(),
            }),
            salt: None,
            id,
            language,
            body,
        };
        Ok(if withdrawn { record.withdrawn() } else { record })
    }

    fn body(&self, class: Class, filled: &Filled, id: &RecordId, language: &LanguageTag) -> Result<Body, Option<String>> {
        let reference = |property: &str| filled.record(property).ok_or_else(|| Some(self.missing(property)));
        let prefer = &self.publisher.language;
        Ok(match class {
            Class::Consultation => Body::Consultation(Consultation {
                kind: filled.word("processKind"),
                lifecycle: filled.word("lifecycleState"),
                decision_scope: filled.plain_texts("decisionScope", language),
                starts: filled.instant("startTime"),
                ends: filled.instant("endTime"),
                phases: phases(filled, language),
                current_phase: filled.token("currentPhase").map(str::to_owned),
                topics: topics(filled, language),
            }),
            Class::Contribution => {
                let process = reference("process")?;
                Body::Contribution(Contribution {
                    kind: filled.word("contributionKind").unwrap_or(ContributionKind::Proposal),
                    topic: filled.token("topic").map(str::to_owned),
                    author_state: filled.word("authorState").unwrap_or(AuthorState::Published),
                    author: self.author(filled, &process),
                    location: filled.place("location", prefer),
                    tallies: self.tallies(filled),
                    comment_count: filled.count("commentCount").and_then(Count::shown),
                    // Its own amendment is nonsense that a wrong path could produce.
                    amends: filled.record("amends").filter(|amended| amended != id),
                    untitled: false,
                    process,
                })
            }
            Class::Argument | Class::Comment => {
                let process = reference("process")?;
                Body::Comment(Comment {
                    in_reply_to: reference("inReplyTo")?,
                    stance: filled.word("stance"),
                    author_state: filled.word("authorState").unwrap_or(AuthorState::Published),
                    author: self.author(filled, &process),
                    tallies: self.tallies(filled),
                    process,
                })
            }
            Class::Disposition => Body::Disposition(Disposition {
                subject: reference("subject")?,
                process: reference("process")?,
                subject_digest: None,
                state: filled.word("dispositionState").ok_or(None)?,
                raw_state: filled.plain("rawState", prefer).map(|raw| raw.to_string()),
                merged_into: filled.record("mergedInto"),
            }),
            Class::OfficialResponse => Body::OfficialResponse(OfficialResponse {
                responds_to: vec![reference("respondsTo")?],
                process: reference("process")?,
                subject_digest: None,
                outcome: filled.word("outcome"),
                signatory_role: filled.plain("signatoryRole", prefer),
            }),
        })
    }

    /// Why a reference that a record cannot do without is not there.
    fn missing(&self, property: &str) -> String {
        match self.unknown.last() {
            Some(local) => format!("its {property} is not public here ({} {})", local.entity, local.id),
            None => format!("the source does not say its {property}"),
        }
    }

    fn author(&self, filled: &Filled, process: &RecordId) -> Option<PseudonymousAuthor> {
        let filled = filled.parts("author").first()?;
        let pseudonym = match filled.parsed("pseudonym") {
            Some(Parsed::Person(person)) => Some(self.names.pseudonym(person, process)),
            _ => None,
        };
        let kind = filled.word("authorKind").unwrap_or(AuthorKind::Person);
        // A person may be known by a pseudonym only (P6); organisations and officials may be named.
        let name = filled.plain("name", &self.publisher.language).filter(|_| kind != AuthorKind::Person);
        let says_something = pseudonym.is_some() || kind != AuthorKind::Person;
        says_something.then(|| PseudonymousAuthor { pseudonym, scope: process.clone(), kind, name })
    }

    fn tallies(&self, filled: &Filled) -> Vec<SupportTally> {
        let tallies = filled.parts("supportTally").iter();
        tallies
            .filter_map(|tally| {
                let (measure, total) = (tally.word("measure")?, tally.count("total")?.shown());
                Some(SupportTally { measure, total, counted_at: self.source.retrieved_at })
            })
            .collect()
    }

    fn themes(&mut self, class: Class, filled: &Filled, language: &LanguageTag) -> Vec<Theme> {
        let mut themes = Vec::new();
        for part in filled.parts("theme") {
            let (Some(id), Some(scheme), Some(label)) =
                (part.token("id"), part.token("inScheme"), part.plain_texts("prefLabel", language))
            else {
                continue;
            };
            let Some(address) = self.names.theme(scheme, id) else { continue };
            let table = self.profile.themes.get(scheme);
            let known = table.and_then(|table| {
                label.iter().map(|(_, text)| text.as_str()).chain([id]).find_map(|word| table.get(word)).cloned()
            });
            if known.is_none() {
                let (_, word) = label.pick(&[], language);
                let trouble = Trouble::UnlistedTheme { scheme: scheme.to_owned(), label: word.to_string() };
                self.findings.push(Finding { class, property: "theme", path: scheme.to_owned(), trouble });
            }
            themes.push(Theme { id: address, label, scheme: scheme.to_owned(), exact_match: known.unwrap_or_default() });
        }
        themes
    }

    fn handling(&self) -> PersonalDataHandling {
        let personal = &self.profile.personal;
        PersonalDataHandling {
            controller: self.publisher.authority.clone(),
            legal_basis: personal.legal_basis.clone(),
            method: personal.method.clone(),
            removed: personal.removed.clone(),
            rights_contact: self.publisher.rights_contact.clone(),
        }
    }
}

fn phases(filled: &Filled, language: &LanguageTag) -> Vec<Phase> {
    let phases = filled.parts("phases").iter();
    phases
        .filter_map(|phase| {
            Some(Phase {
                fragment: phase.token("id")?.to_owned(),
                name: phase.plain_texts("name", language)?,
                kind: phase.word("phaseKind"),
                state: phase.word("phaseState"),
                starts: phase.instant("startTime"),
                ends: phase.instant("endTime"),
            })
        })
        .collect()
}

fn topics(filled: &Filled, language: &LanguageTag) -> Vec<Topic> {
    let topics = filled.parts("topics").iter();
    topics
        .filter_map(|topic| {
            Some(Topic {
                fragment: topic.token("id")?.to_owned(),
                name: topic.plain_texts("name", language)?,
                summary: topic.html_texts("summary", language),
            })
        })
        .collect()
}

/// Every language other than the original one, and how its texts were made.
fn translations(filled: &Filled, original: &LanguageTag) -> Vec<Translation> {
    let mut found: Vec<Translation> = Vec::new();
    for text in ["name", "summary", "content"].iter().flat_map(|property| filled.raw_texts(property)) {
        let Some(language) = text.language.as_ref().filter(|language| *language != original) else { continue };
        match found.iter_mut().find(|translation| translation.language == *language) {
            Some(translation) if text.machine => translation.method = TranslationMethod::Machine,
            Some(_) => {}
            None => {
                let method = if text.machine { TranslationMethod::Machine } else { TranslationMethod::Human };
                found.push(Translation { language: language.clone(), method });
            }
        }
    }
    found.sort_by(|one, other| one.language.cmp(&other.language));
    found
}
