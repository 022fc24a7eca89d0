//! From the values that the rules gave to a record of the vocabulary.

use std::str::FromStr;

use url::Url;

use super::evaluate::{Evaluation, Filled, Given};
use super::profile::RecordRule;
use super::transform::{Count, Markup, Parsed, RawText};
use super::{Finding, Trouble};
use crate::domain::calendar::Day;
use crate::domain::contribution::AuthorState;
use crate::domain::money::Money;
use crate::domain::personal_data::PersonalDataHandling;
use crate::domain::place::Place;
use crate::domain::progress::Completion;
use crate::domain::record::{ModerationState, Record, Translation, TranslationMethod};
use crate::domain::source::{MappingReport, SourceReference};
use crate::domain::text::{LanguageTag, Localized, PlainText, SafeHtml};
use crate::domain::theme::Theme;
use crate::domain::time::Timestamp;
use crate::domain::{Class, RecordId};

impl Filled {
    pub(super) fn parsed(&self, property: &str) -> Option<&Parsed> {
        match self.values.get(property) {
            Some(Given::Value(parsed)) => Some(parsed),
            _ => None,
        }
    }

    pub(super) fn record(&self, property: &str) -> Option<RecordId> {
        match self.values.get(property) {
            Some(Given::Records(ids)) => ids.first().cloned(),
            _ => None,
        }
    }

    /// Every record that a property names, once each, but for the record itself.
    pub(super) fn records(&self, property: &str, own: &RecordId) -> Vec<RecordId> {
        let Some(Given::Records(ids)) = self.values.get(property) else { return Vec::new() };
        let mut once: Vec<RecordId> = Vec::with_capacity(ids.len());
        for id in ids.iter().filter(|id| *id != own) {
            if !once.contains(id) {
                once.push(id.clone());
            }
        }
        once
    }

    fn raw_texts(&self, property: &str) -> &[RawText] {
        match self.parsed(property) {
            Some(Parsed::Texts(texts)) => texts,
            _ => &[],
        }
    }

    pub(super) fn plain_texts(&self, property: &str, language: &LanguageTag) -> Option<Localized<PlainText>> {
        let texts = self.raw_texts(property).iter().filter_map(|raw| {
            let text = match raw.markup {
                Markup::Html => PlainText::new(&SafeHtml::new(&raw.text)?.to_plain())?,
                Markup::Plain | Markup::Either => PlainText::new(&raw.text)?,
            };
            Some((raw.language.clone().unwrap_or_else(|| language.clone()), text))
        });
        Localized::new(texts.collect::<Vec<_>>())
    }

    pub(super) fn html_texts(&self, property: &str, language: &LanguageTag) -> Option<Localized<SafeHtml>> {
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

    pub(super) fn token(&self, property: &str) -> Option<&str> {
        match self.parsed(property) {
            Some(Parsed::Token(token)) => Some(token),
            _ => None,
        }
    }

    /// A word of an enumeration; the profile was checked to give no other.
    pub(super) fn word<T: FromStr>(&self, property: &str) -> Option<T> {
        self.token(property)?.parse().ok()
    }

    /// One text; of several languages the preferred one.
    pub(super) fn plain(&self, property: &str, prefer: &LanguageTag) -> Option<PlainText> {
        if let Some(Parsed::Token(token)) = self.parsed(property) {
            return PlainText::new(token);
        }
        let texts = self.raw_texts(property);
        let text = texts.iter().find(|text| text.language.as_ref() == Some(prefer)).or_else(|| texts.first());
        PlainText::new(&text?.text)
    }

    pub(super) fn instant(&self, property: &str) -> Option<Timestamp> {
        match self.parsed(property) {
            Some(Parsed::Instant(instant)) => Some(*instant),
            _ => None,
        }
    }

    pub(super) fn count(&self, property: &str) -> Option<Count> {
        match self.parsed(property) {
            Some(Parsed::Count(count)) => Some(*count),
            _ => None,
        }
    }

    /// A figure, where the platform shows one.
    pub(super) fn shown(&self, property: &str) -> Option<u64> {
        self.count(property).and_then(Count::shown)
    }

    pub(super) fn day(&self, property: &str) -> Option<Day> {
        match self.parsed(property) {
            Some(Parsed::Day(day)) => Some(*day),
            _ => None,
        }
    }

    pub(super) fn percent(&self, property: &str) -> Option<Completion> {
        match self.parsed(property) {
            Some(Parsed::Percent(completion)) => Some(*completion),
            _ => None,
        }
    }

    /// An address on the web.
    pub(super) fn address(&self, property: &str) -> Option<Url> {
        let address: Url = self.token(property)?.parse().ok()?;
        (matches!(address.scheme(), "http" | "https") && address.has_host()).then_some(address)
    }

    pub(super) fn money(&self, part: &str) -> Option<Money> {
        let filled = self.parts(part).first()?;
        let Some(Parsed::Amount(amount)) = filled.parsed("amount") else { return None };
        Some(Money { amount: *amount, currency: filled.token("currency")?.parse().ok()? })
    }

    pub(super) fn parts(&self, part: &str) -> &[Self] {
        self.parts.get(part).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn place(&self, part: &str, prefer: &LanguageTag) -> Option<Place> {
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
        // What a document was read from is the file itself, whose address stays here.
        let read_from = if rule.class == Class::Document { None } else { self.source.url.clone() };
        let url = filled.token("url").and_then(|url| url.parse().ok()).or(read_from);
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
