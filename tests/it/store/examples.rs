//! Invented records and partners that the store's tests write.

use bytes::Bytes;
use passerelle::domain::change::ChangeKind;
use passerelle::domain::comment::Comment;
use passerelle::domain::commitment::Commitment;
use passerelle::domain::consultation::Consultation;
use passerelle::domain::contribution::{AuthorState, Contribution, ContributionKind};
use passerelle::domain::digest::Digest;
use passerelle::domain::meeting::Meeting;
use passerelle::domain::partner::{FollowState, Multikey, Partner, PartnerKind};
use passerelle::domain::place::{Place, Point};
use passerelle::domain::progress::CommitmentState;
use passerelle::domain::record::ModerationState;
use passerelle::domain::seal::Sealed;
use passerelle::domain::text::{LanguageTag, Localized, PlainText};
use passerelle::domain::tombstone::Tombstone;
use passerelle::domain::{ActorId, Body, Class, LocalId, PartnerDomain, PlatformName, Record, RecordId, Timestamp};
use passerelle::store::{Burial, CopyWrite, RecordWrite, Store, StoreError};

/// Second `n` of the tests' day.
pub fn second(n: i64) -> Timestamp {
    Timestamp::from_seconds(1_790_000_000 + n).expect("a time of our century")
}

pub fn platform() -> PlatformName {
    "lyon".parse().expect("a name")
}

pub fn local(entity: &str, id: u32, class: Class) -> LocalId {
    LocalId { platform: platform(), entity: entity.to_owned(), id: id.to_string(), class }
}

pub fn record_id(path: &str) -> RecordId {
    format!("https://lyon.example/{path}").parse().expect("an address")
}

pub fn actor() -> ActorId {
    "https://lyon.example/actor".parse().expect("an address")
}

pub fn domain(name: &str) -> PartnerDomain {
    name.parse().expect("a domain")
}

/// Stands for a seal: bytes and a digest that differ with the content.
pub fn seal(record: &Record) -> Sealed {
    let bytes = serde_json::to_vec(record).expect("a record is JSON");
    Sealed { digest: Digest::of(&bytes), bytes: Bytes::from(bytes) }
}

pub fn consultation(key: &str) -> Record {
    let id = record_id(&format!("consultations/{key}"));
    envelope(
        id,
        "Consultation",
        Body::Consultation(Consultation {
            kind: None,
            lifecycle: None,
            decision_scope: None,
            starts: None,
            ends: None,
            phases: Vec::new(),
            current_phase: None,
            topics: Vec::new(),
        }),
    )
}

pub fn contribution(key: &str, process: &RecordId) -> Record {
    let id = record_id(&format!("contributions/{key}"));
    envelope(
        id,
        &format!("Proposal {key}"),
        Body::Contribution(Contribution {
            kind: ContributionKind::Proposal,
            process: process.clone(),
            topic: None,
            author_state: AuthorState::Published,
            author: None,
            location: None,
            tallies: Vec::new(),
            comment_count: None,
            amends: None,
            untitled: false,
        }),
    )
}

pub fn promise(key: &str, process: &RecordId, root: &RecordId, state: CommitmentState, due: &str) -> Record {
    let id = record_id(&format!("commitments/{key}"));
    envelope(
        id,
        &format!("Promise {key}"),
        Body::Commitment(Commitment {
            process: Some(process.clone()),
            state,
            completion: None,
            responsible: None,
            due: due.parse().ok(),
            arises_from: vec![root.clone()],
            budget: None,
            indicator: None,
            target: None,
            untitled: false,
        }),
    )
}

/// At somebody's home.
pub fn meeting(key: &str, process: &RecordId) -> Record {
    let id = record_id(&format!("meetings/{key}"));
    envelope(
        id,
        &format!("Meeting {key}"),
        Body::Meeting(Meeting {
            process: Some(process.clone()),
            kind: None,
            state: None,
            author_state: None,
            starts: None,
            ends: None,
            location: Some(Place { id: None, name: PlainText::new("4 rue des Lilas"), point: Point::new(45.76, 4.83) }),
            online: None,
            capacity: None,
            attendance: None,
            agenda: None,
            minutes: None,
            comment_count: None,
        }),
    )
}

pub fn comment(key: &str, process: &RecordId, parent: &RecordId) -> Record {
    let id = record_id(&format!("comments/{key}"));
    envelope(
        id,
        &format!("Comment {key}"),
        Body::Comment(Comment {
            in_reply_to: parent.clone(),
            process: process.clone(),
            stance: None,
            author_state: AuthorState::Published,
            author: None,
            tallies: Vec::new(),
        }),
    )
}

pub fn title(text: &str) -> Option<Localized<PlainText>> {
    PlainText::new(text).map(|text| Localized::one(LanguageTag::french(), text))
}

fn envelope(id: RecordId, name: &str, body: Body) -> Record {
    Record {
        id,
        authority: actor(),
        revision: 1,
        published: None,
        updated: None,
        language: LanguageTag::french(),
        title: title(name),
        summary: None,
        content: None,
        translations: Vec::new(),
        licence: "https://creativecommons.org/licenses/by/4.0/".parse().expect("an address"),
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

/// The first revision of a record.
pub fn created(record: Record, at: Timestamp) -> RecordWrite {
    let sealed = seal(&record);
    RecordWrite { local: None, record, sealed, previous: None, kind: ChangeKind::Created, material: true, at }
}

/// The next revision of `before`, with another title.
pub fn edited(before: &RecordWrite, text: &str, at: Timestamp) -> RecordWrite {
    let mut record = before.record.clone();
    record.title = title(text);
    next(before, record, at)
}

/// The next revision of `before`, saying `record`.
pub fn next(before: &RecordWrite, mut record: Record, at: Timestamp) -> RecordWrite {
    record.revision = before.record.revision + 1;
    let sealed = seal(&record);
    RecordWrite {
        local: before.local.clone(),
        record,
        sealed,
        previous: Some(before.sealed.digest.clone()),
        kind: ChangeKind::Updated,
        material: true,
        at,
    }
}

/// The end of the record that `before` wrote.
pub fn burial(before: &RecordWrite, at: Timestamp) -> Burial {
    let tombstone = Tombstone {
        id: before.record.id.clone(),
        authority: before.record.authority.clone(),
        former_class: before.record.class(),
        deleted: at,
        revision: Some(before.record.revision + 1),
        previous_digest: Some(before.sealed.digest.clone()),
        reason: None,
    };
    Burial { sealed: seal_tombstone(&tombstone), tombstone, at }
}

pub fn seal_tombstone(tombstone: &Tombstone) -> Sealed {
    let bytes = serde_json::to_vec(tombstone).expect("a tombstone is JSON");
    Sealed { digest: Digest::of(&bytes), bytes: Bytes::from(bytes) }
}

/// A partner gateway that follows us.
pub fn partner(name: &str) -> Partner {
    Partner {
        domain: domain(name),
        kind: PartnerKind::Partner,
        actor: format!("https://{name}/actor").parse().expect("an address"),
        name: format!("City of {name}"),
        inbox: format!("https://{name}/actor/inbox"),
        records: Some(format!("https://{name}/actor/records")),
        key: Some(Multikey::new([7; 32])),
        key_id: Some(format!("https://{name}/actor#ed25519-key")),
        rsa: Some(("-----BEGIN PUBLIC KEY-----".to_owned(), format!("https://{name}/actor#main-key"))),
        follows_us: FollowState::Accepted,
        followed: FollowState::None,
        since: second(0),
    }
}

/// A revision as a partner sends it.
pub fn copy_of(write: &RecordWrite, at: Timestamp) -> CopyWrite {
    CopyWrite { domain: domain("lyon.example"), record: write.record.clone(), sealed: write.sealed.clone(), at }
}

/// Writes records and saves.
pub async fn put(store: &Store, writes: &[RecordWrite]) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    tx.put_records(writes).await?;
    tx.save().await
}
