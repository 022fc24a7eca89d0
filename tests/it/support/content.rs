//! Invented records of a city, for tests that move them about.

use passerelle::domain::author::PseudonymousAuthor;
use passerelle::domain::comment::Comment;
use passerelle::domain::consultation::Consultation;
use passerelle::domain::contribution::{AuthorState, Contribution, ContributionKind};
use passerelle::domain::record::ModerationState;
use passerelle::domain::text::{LanguageTag, Localized, PlainText, SafeHtml};
use passerelle::domain::{ActorId, Body, Class, Key, Record, RecordId};
use url::Url;

/// The address of the `n`th record of a class under `public_url`.
pub fn id(public_url: &Url, class: Class, n: u32) -> RecordId {
    let key: Key = format!("{}-{n}", class.segment()).parse().expect("a key");
    RecordId::ours(public_url, class, &key).expect("an address")
}

/// A consultation.
pub fn consultation(public_url: &Url, n: u32) -> Record {
    let body = Consultation {
        kind: None,
        lifecycle: None,
        decision_scope: None,
        starts: None,
        ends: None,
        phases: Vec::new(),
        current_phase: None,
        topics: Vec::new(),
    };
    envelope(public_url, id(public_url, Class::Consultation, n), &format!("Consultation {n}"), Body::Consultation(body))
}

/// A contribution to the first consultation.
pub fn contribution(public_url: &Url, n: u32) -> Record {
    let body = Contribution {
        kind: ContributionKind::Proposal,
        process: id(public_url, Class::Consultation, 1),
        topic: None,
        author_state: AuthorState::Published,
        author: None::<PseudonymousAuthor>,
        location: None,
        tallies: Vec::new(),
        comment_count: None,
        amends: None,
        untitled: false,
    };
    envelope(public_url, id(public_url, Class::Contribution, n), &format!("Contribution {n}"), Body::Contribution(body))
}

/// A comment on the `n`th contribution.
pub fn comment(public_url: &Url, n: u32) -> Record {
    let body = Comment {
        in_reply_to: id(public_url, Class::Contribution, n),
        process: id(public_url, Class::Consultation, 1),
        stance: None,
        author_state: AuthorState::Published,
        author: None,
        tallies: Vec::new(),
    };
    let mut record = envelope(public_url, id(public_url, Class::Comment, n), "", Body::Comment(body));
    record.title = None;
    record
}

/// French text in a record.
pub fn text(words: &str) -> Option<Localized<SafeHtml>> {
    SafeHtml::new(&format!("<p>{words}</p>")).map(|html| Localized::one(LanguageTag::french(), html))
}

/// A record with a title and a text.
pub fn record(public_url: &Url, id: RecordId, title: &str, body: Body) -> Record {
    envelope(public_url, id, title, body)
}

fn envelope(public_url: &Url, id: RecordId, title: &str, body: Body) -> Record {
    Record {
        authority: ActorId::of_gateway(public_url).expect("an actor"),
        id,
        revision: 1,
        published: Some("2026-09-01T08:00:00Z".parse().expect("a date")),
        updated: None,
        language: LanguageTag::french(),
        title: PlainText::new(title).map(|title| Localized::one(LanguageTag::french(), title)),
        summary: None,
        content: text("Un texte d’un habitant."),
        translations: Vec::new(),
        licence: "https://www.etalab.gouv.fr/licence-ouverte-open-licence".parse().expect("an address"),
        themes: Vec::new(),
        territory: None,
        moderation: ModerationState::Visible,
        reason: None,
        personal_data: None,
        source: None,
        mapping: None,
        salt: None,
        body,
    }
}
