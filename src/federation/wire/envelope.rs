//! The envelope on the wire: what every signed record carries (participation.md §4.2).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::personal_data::PersonalDataHandling;
use super::place::Place;
use super::proof::DataIntegrityProof;
use super::scalar::{
    Address, Audience, Contexts, Instant, Language, LanguageMap, Multihash, Plain, ReasonConcept, RevisionNumber, Salt, constant,
    one_address, one_or_many,
};
use super::source::{MappingReport, SourceRecord};
use super::theme::Theme;
use super::{PUBLIC, WireError, contexts, poll, text};
use crate::domain::digest::{Digest, DigestSalt};
use crate::domain::record::{Body, ModerationState, Record, Translation, TranslationMethod};
use crate::domain::text::LanguageTag;
use crate::domain::{ActorId, RecordId, Timestamp};

constant!(
    /// The media type of `content`.
    MediaType = "text/html"
);

/// One translation of a record's texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TranslationNode {
    /// Into which language.
    #[schemars(with = "Language")]
    pub language: LanguageTag,
    /// How it was made.
    pub method: TranslationMethod,
}

/// What every signed record carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// ActivityStreams, Data Integrity, and the authority's own copy of our context.
    #[schemars(with = "Contexts")]
    #[serde(rename = "@context")]
    pub context: Vec<String>,
    /// The permanent address of the record.
    #[schemars(with = "Address")]
    pub id: RecordId,
    /// The actor that signs; equals `authority`.
    #[schemars(with = "Address")]
    #[serde(deserialize_with = "one_address")]
    pub attributed_to: ActorId,
    /// The public body that is the single source of truth.
    #[schemars(with = "Address")]
    pub authority: ActorId,
    /// Addressees; everything is public so far.
    #[schemars(with = "Audience")]
    #[serde(deserialize_with = "one_or_many")]
    pub to: Vec<String>,
    /// The title in the original language.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The title in each language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_map: Option<LanguageMap>,
    /// A few words in the original language, in restricted HTML.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// A few words in each language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_map: Option<LanguageMap>,
    /// The text in the original language, in restricted HTML; of a poll after its title.
    #[schemars(with = "Option<Plain>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The text in each language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_map: Option<LanguageMap>,
    /// Always `text/html`, beside `content`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// First publication at the origin.
    #[schemars(with = "Option<Instant>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// Last change that a reader would see.
    #[schemars(with = "Option<Instant>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// Counter of signed changes, from 1.
    pub revision: RevisionNumber,
    /// Digest of the previous revision; from the second revision on.
    #[schemars(with = "Option<Multihash>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_digest: Option<Digest>,
    /// The salt inside the digest; destroyed with the text.
    #[schemars(with = "Option<Salt>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest_salt: Option<DigestSalt>,
    /// The licence of the content.
    #[schemars(with = "Address")]
    pub license: Url,
    /// Where it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_record: Option<SourceRecord>,
    /// How completely it was understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<MappingReport>,
    /// The language it was written in; `und` when the source does not say.
    #[schemars(with = "Language")]
    pub original_language: LanguageTag,
    /// Which languages are translations, and how they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub translations: Vec<TranslationNode>,
    /// Subject concepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub theme: Vec<Theme>,
    /// The area concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub territory: Option<Place>,
    /// Whether the origin shows it; absent means that it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moderation_state: Option<ModerationState>,
    /// Why it is hidden or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<ReasonConcept>,
    /// How personal data behind it are handled; with every citizen's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_data_handling: Option<PersonalDataHandling>,
    /// The signature of the authority; a record without it is never shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<DataIntegrityProof>,
}

impl Envelope {
    /// The envelope of one revision, not yet signed.
    #[must_use]
    pub fn of(record: &Record, previous: Option<&Digest>) -> Self {
        let original = &record.language;
        let (name, name_map) = text::write(record.title.as_ref(), original);
        let (summary, summary_map) = text::write(record.summary.as_ref(), original);
        let (mut content, content_map) = text::write(record.content.as_ref(), original);
        if let Body::Poll(_) = &record.body {
            content = poll::titled(record, content);
        }
        Self {
            context: contexts(&record.authority),
            id: record.id.clone(),
            attributed_to: record.authority.clone(),
            authority: record.authority.clone(),
            to: vec![PUBLIC.to_owned()],
            name,
            name_map,
            summary,
            summary_map,
            media_type: content.is_some().then_some(MediaType::Value),
            content,
            content_map,
            published: record.published.map(Timestamp::whole_second),
            updated: record.updated.map(Timestamp::whole_second),
            revision: RevisionNumber::new(record.revision),
            previous_digest: previous.cloned(),
            digest_salt: record.salt.clone(),
            license: record.licence.clone(),
            source_record: record.source.as_ref().map(SourceRecord::of),
            mapping: record.mapping.as_ref().map(MappingReport::of),
            original_language: original.clone(),
            translations: record
                .translations
                .iter()
                .map(|translation| TranslationNode { language: translation.language.clone(), method: translation.method })
                .collect(),
            theme: record.themes.iter().map(Theme::of).collect(),
            territory: record.territory.as_ref().map(Place::of),
            moderation_state: (record.moderation != ModerationState::Visible).then_some(record.moderation),
            reason_code: record.reason.map(ReasonConcept),
            personal_data_handling: record.personal_data.as_ref().map(PersonalDataHandling::of),
            proof: None,
        }
    }

    /// The record with this envelope and `body`, and the digest of the revision before it.
    ///
    /// # Errors
    /// Says which property is not acceptable.
    pub fn read(self, body: Body) -> Result<(Record, Option<Digest>), WireError> {
        if self.attributed_to != self.authority {
            return Err(WireError::new("attributedTo", "the signing actor is not the authority"));
        }
        if !matches!(self.license.scheme(), "http" | "https") {
            return Err(WireError::new("license", "not an http or https address"));
        }
        let original = &self.original_language;
        let themes: Result<Vec<_>, _> =
            self.theme.iter().enumerate().map(|(n, theme)| theme.read(original, &format!("theme[{n}]"))).collect();
        let title = text::read(self.name.as_deref(), self.name_map.as_ref(), original, "name")?;
        let mut content = self.content.as_deref();
        if matches!(body, Body::Poll(_)) && content == poll::title_as_text(title.as_ref(), original).as_deref() {
            content = None;
        }
        let record = Record {
            title,
            summary: text::read(self.summary.as_deref(), self.summary_map.as_ref(), original, "summary")?,
            content: text::read(content, self.content_map.as_ref(), original, "content")?,
            themes: themes?,
            territory: self.territory.as_ref().map(|place| place.read("territory")).transpose()?,
            source: self.source_record.as_ref().map(|source| source.read("sourceRecord")).transpose()?,
            mapping: self.mapping.as_ref().map(MappingReport::read),
            personal_data: self.personal_data_handling.as_ref().map(PersonalDataHandling::read),
            id: self.id,
            authority: self.authority,
            revision: self.revision.get(),
            published: self.published,
            updated: self.updated,
            language: self.original_language,
            translations: self
                .translations
                .into_iter()
                .map(|node| Translation { language: node.language, method: node.method })
                .collect(),
            licence: self.license,
            moderation: self.moderation_state.unwrap_or(ModerationState::Visible),
            reason: self.reason_code.map(|concept| concept.0),
            salt: self.digest_salt,
            body,
        };
        Ok((record, self.previous_digest))
    }
}
