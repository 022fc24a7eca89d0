//! An invented city with its neighbour, as the pages' tests see them: enough of every class, standing
//! and oddity (an Arabic text, a hostile title, an unmapped state) to look at.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use jiff::tz::TimeZone;
use passerelle::domain::author::{AuthorKind, PseudonymousAuthor};
use passerelle::domain::authority::{AuthorityKind, PublicAuthority};
use passerelle::domain::change::ChangeKind;
use passerelle::domain::comment::{Comment, Stance};
use passerelle::domain::consultation::{Consultation, Phase, PhaseKind, PhaseState, ProcessKind, Topic};
use passerelle::domain::contribution::{AuthorState, Contribution, ContributionKind};
use passerelle::domain::digest::Digest;
use passerelle::domain::disposition::{Disposition, DispositionState};
use passerelle::domain::partner::{FollowState, Multikey, Partner, PartnerKind};
use passerelle::domain::place::{Place, Point};
use passerelle::domain::record::{ModerationState, ReasonCode, Translation, TranslationMethod};
use passerelle::domain::response::{OfficialResponse, Outcome};
use passerelle::domain::seal::Sealed;
use passerelle::domain::source::SourceReference;
use passerelle::domain::tally::{Measure, SupportTally};
use passerelle::domain::text::{LanguageTag, Localized, PlainText, SafeHtml};
use passerelle::domain::theme::Theme;
use passerelle::domain::time::ManualClock;
use passerelle::domain::tombstone::Tombstone;
use passerelle::domain::{ActorId, Body as Says, Class, PartnerDomain, Record, RecordId, Timestamp};
use passerelle::federation::inbox::Inbox;
use passerelle::federation::keys::Keys;
use passerelle::federation::{Context, Federation};
use passerelle::outbound::{Client, Policy};
use passerelle::store::{Burial, CopyWrite, RecordWrite, Store};
use passerelle::web::cache::Cache;
use passerelle::web::language::Language;
use passerelle::web::site::{PlatformFacts, Site};
use passerelle::web::{WebState, router};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tower::ServiceExt;

use super::works::{copied, copy_of, works};

pub const LYON: &str = "https://passerelle.lyon.example";
pub const BORDEAUX: &str = "https://passerelle.bordeaux.example";

/// A gateway's public side over a store, without a socket.
pub struct Gateway {
    pub app: Router,
    pub store: Store,
    pub federation: Federation,
}

/// One answer, read to its end.
pub struct Seen {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("pages are UTF-8")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("our headers are text"))
    }
}

impl Gateway {
    /// Lyon's gateway over an empty store.
    pub fn over(store: Store) -> anyhow::Result<Self> {
        Self::with_rights_contact(store, "mailto:dpo@lyon.example")
    }

    /// The same of a city that says more, or other things, of its site.
    pub fn saying(store: Store, change: impl FnOnce(&mut Site)) -> anyhow::Result<Self> {
        Self::with(store, "mailto:dpo@lyon.example", change)
    }

    /// The same of a city that names this address for the rights of citizens.
    pub fn with_rights_contact(store: Store, contact: &str) -> anyhow::Result<Self> {
        Self::with(store, contact, |_| ())
    }

    fn with(store: Store, contact: &str, change: impl FnOnce(&mut Site)) -> anyhow::Result<Self> {
        let clock = ManualClock::at(at("2026-11-24T10:00:00Z"));
        let actor: ActorId = format!("{LYON}/actor").parse()?;
        let policy = Policy { own_authority: Some("passerelle.lyon.example".to_owned()), ..Policy::default() };
        let federation = Federation::new(Context {
            store: store.clone(),
            keys: Keys::from_seed(actor.clone(), &[1; 32])?,
            client: Client::new(policy)?,
            clock: Arc::new(clock),
            rng: Mutex::new(Box::new(StdRng::seed_from_u64(1))),
            authority: PublicAuthority { rights_contact: contact.parse()?, ..authority(actor) },
            public_url: LYON.parse()?,
            backup_keep: Duration::from_hours(35 * 24),
            refusals: passerelle::federation::refusal::Counters::default(),
        });
        let mut site = Site::new(Language::ALL, TimeZone::get("Europe/Paris")?);
        site.platforms = vec![PlatformFacts { name: "decidim".parse()?, url: "https://participer.lyon.example/".parse()? }];
        change(&mut site);
        let web = WebState::with_cache(
            federation.clone(),
            Inbox::start(federation.clone()),
            site,
            Cache::new(8 * 1024 * 1024, Duration::ZERO),
        );
        Ok(Self { app: router(web), store, federation })
    }

    pub async fn get(&self, path: &str) -> Seen {
        self.ask(path, &[]).await
    }

    pub async fn machine(&self, path: &str) -> Seen {
        self.ask(path, &[("accept", "application/activity+json")]).await
    }

    pub async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Seen {
        self.send("GET", path, headers, Body::empty()).await
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Seen {
        let mut request = Request::builder().method(method).uri(path).header("host", "passerelle.lyon.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("a request");
        let response = self.app.clone().oneshot(request).await.expect("a router never fails");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 16 * 1024 * 1024).await.expect("the whole body");
        Seen { status: parts.status, headers: parts.headers, body }
    }
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn authority(id: ActorId) -> PublicAuthority {
    PublicAuthority {
        id,
        name: Localized::one(LanguageTag::french(), plain("Ville de Lyon")),
        handle: "lyon".to_owned(),
        kind: AuthorityKind::Municipality,
        identifiers: Vec::new(),
        territory: None,
        rights_contact: "mailto:dpo@lyon.example".parse().expect("an address"),
    }
}

pub fn plain(text: &str) -> PlainText {
    PlainText::new(text).expect("some text")
}

pub fn fr(text: &str) -> Localized<PlainText> {
    Localized::one(LanguageTag::french(), plain(text))
}

pub fn html(language: &str, text: &str) -> (LanguageTag, SafeHtml) {
    (language.parse().expect("a tag"), SafeHtml::new(text).expect("some text"))
}

/// The wire form stands for itself here: bytes and digest that differ with the content.
pub fn seal(value: &impl serde::Serialize) -> Sealed {
    let bytes = serde_json::to_vec(value).expect("it is JSON");
    Sealed { digest: Digest::of(&bytes), bytes: Bytes::from(bytes) }
}

pub fn id(host: &str, class: Class, key: &str) -> RecordId {
    format!("{host}/{}/{key}", class.segment()).parse().expect("an address")
}

/// A record with a title and a text, published by `host`.
pub fn record(host: &str, key: &str, title: Option<&str>, text: Option<&str>, body: Says) -> Record {
    let class = Record { body: body.clone(), ..empty(host) }.class();
    Record {
        id: id(host, class, key),
        title: title.map(fr),
        content: text.map(|text| Localized::new([html("fr", text)]).expect("a text")),
        body,
        ..empty(host)
    }
}

fn empty(host: &str) -> Record {
    Record {
        id: id(host, Class::Consultation, "none"),
        authority: format!("{host}/actor").parse().expect("an address"),
        revision: 1,
        published: Some(at("2026-09-18T08:00:00Z")),
        updated: None,
        language: LanguageTag::french(),
        title: None,
        summary: None,
        content: None,
        translations: Vec::new(),
        licence: "https://www.etalab.gouv.fr/licence-ouverte-open-licence".parse().expect("an address"),
        themes: Vec::new(),
        territory: None,
        moderation: ModerationState::Visible,
        reason: None,
        personal_data: None,
        source: Some(SourceReference {
            platform: "decidim".parse().expect("a name"),
            system: "decidim".to_owned(),
            entity: "proposal".to_owned(),
            local_id: "1".to_owned(),
            url: Some("https://participer.lyon.example/processes/rues/f/1/proposals/1".parse().expect("an address")),
            retrieved_at: at("2026-11-23T13:02:00Z"),
        }),
        mapping: None,
        salt: None,
        body: Says::Consultation(bare_consultation()),
    }
}

pub fn bare_consultation() -> Consultation {
    Consultation {
        kind: None,
        lifecycle: None,
        decision_scope: None,
        starts: None,
        ends: None,
        phases: Vec::new(),
        current_phase: None,
        topics: Vec::new(),
    }
}

fn phase(fragment: &str, name: &str, kind: PhaseKind, state: PhaseState, dates: Option<(&str, &str)>) -> Phase {
    Phase {
        fragment: fragment.to_owned(),
        name: fr(name),
        kind: Some(kind),
        state: Some(state),
        starts: dates.map(|(from, _)| at(from)),
        ends: dates.map(|(_, to)| at(to)),
    }
}

pub fn open_consultation() -> Consultation {
    Consultation {
        kind: Some(ProcessKind::Consultation),
        // As Decidim: no state, only dates.
        lifecycle: None,
        decision_scope: None,
        starts: Some(at("2026-09-14T22:00:00Z")),
        ends: Some(at("2026-12-31T22:59:00Z")),
        phases: vec![
            phase(
                "phase-1",
                "Dépôt des propositions",
                PhaseKind::Collect,
                PhaseState::Closed,
                Some(("2026-09-15T00:00:00Z", "2026-10-31T00:00:00Z")),
            ),
            phase(
                "phase-2",
                "Instruction",
                PhaseKind::Analysis,
                PhaseState::Open,
                Some(("2026-11-01T00:00:00Z", "2026-12-15T00:00:00Z")),
            ),
            phase("phase-3", "Bilan", PhaseKind::Evaluate, PhaseState::Planned, None),
        ],
        current_phase: Some("phase-2".to_owned()),
        topics: vec![
            Topic { fragment: "topic-1".to_owned(), name: fr("Quelles rues apaiser d'abord ?"), summary: None },
            Topic { fragment: "topic-2".to_owned(), name: fr("À quelles heures ?"), summary: None },
        ],
    }
}

pub fn contribution(process: &RecordId) -> Contribution {
    Contribution {
        kind: ContributionKind::Proposal,
        process: process.clone(),
        topic: None,
        author_state: AuthorState::Published,
        author: Some(person(process)),
        location: None,
        tallies: Vec::new(),
        comment_count: None,
        amends: None,
        untitled: false,
    }
}

pub fn person(process: &RecordId) -> PseudonymousAuthor {
    PseudonymousAuthor {
        pseudonym: Some("px:abcdefghijklmnop".to_owned()),
        scope: process.clone(),
        kind: AuthorKind::Person,
        name: None,
    }
}

pub fn comment(process: &RecordId, parent: &RecordId, stance: Option<Stance>) -> Comment {
    Comment {
        in_reply_to: parent.clone(),
        process: process.clone(),
        stance,
        author_state: AuthorState::Published,
        author: Some(person(process)),
        tallies: Vec::new(),
    }
}

pub fn created(record: Record, when: &str) -> RecordWrite {
    let sealed = seal(&record);
    RecordWrite { local: None, record, sealed, previous: None, kind: ChangeKind::Created, material: true, at: at(when) }
}

pub fn next(before: &RecordWrite, mut record: Record, when: &str) -> RecordWrite {
    record.revision = before.record.revision + 1;
    let sealed = seal(&record);
    let previous = Some(before.sealed.digest.clone());
    RecordWrite { local: None, record, sealed, previous, kind: ChangeKind::Updated, material: true, at: at(when) }
}

/// The tombstone of a record, with the few words that travel.
pub fn burial(before: &Record, digest: &Digest, when: &str) -> Burial {
    let tombstone = Tombstone {
        id: before.id.clone(),
        authority: before.authority.clone(),
        former_class: before.class(),
        deleted: at(when),
        revision: Some(before.revision + 1),
        previous_digest: Some(digest.clone()),
        reason: Some(ReasonCode::PersonalData),
    };
    let wire = serde_json::json!({"id": tombstone.id, "type": "Tombstone", "deleted": tombstone.deleted, "reasonCode": "pv:reason-personal-data"});
    Burial { sealed: seal(&wire), tombstone, at: at(when) }
}

pub fn neighbour() -> Partner {
    let domain: PartnerDomain = "passerelle.bordeaux.example".parse().expect("a domain");
    Partner {
        kind: PartnerKind::Partner,
        actor: format!("{BORDEAUX}/actor").parse().expect("an address"),
        name: "Ville de Bordeaux".to_owned(),
        inbox: format!("{BORDEAUX}/actor/inbox"),
        records: Some(format!("{BORDEAUX}/actor/records")),
        key: Some(Multikey::new([7; 32])),
        key_id: Some(format!("{BORDEAUX}/actor#ed25519-key")),
        rsa: None,
        follows_us: FollowState::Accepted,
        followed: FollowState::Accepted,
        since: at("2026-10-01T08:00:00Z"),
        domain,
    }
}

/// A server of the Fediverse whose accounts read what Lyon publishes.
pub fn reader() -> Partner {
    Partner {
        kind: PartnerKind::Reader,
        domain: "mastodon.lyon.example".parse().expect("a domain"),
        actor: "https://mastodon.lyon.example/actor".parse().expect("an address"),
        name: "Mastodon de Lyon".to_owned(),
        inbox: "https://mastodon.lyon.example/inbox".to_owned(),
        records: None,
        key: None,
        key_id: None,
        rsa: None,
        follows_us: FollowState::None,
        followed: FollowState::None,
        since: at("2026-10-02T08:00:00Z"),
    }
}

/// Fills Lyon's store: a consultation with everything, and Bordeaux's copies beside it.
pub async fn fill(store: &Store) -> anyhow::Result<()> {
    let process = id(LYON, Class::Consultation, "rues");
    let theme = Theme {
        id: format!("{LYON}/themes/mobilite").parse()?,
        label: fr("Mobilité"),
        scheme: "category".to_owned(),
        exact_match: vec!["http://publications.europa.eu/resource/authority/data-theme/TRAN".to_owned()],
    };
    let mut writes = Vec::new();
    let mut rues = record(
        LYON,
        "rues",
        Some("Rues aux écoles : quelles rues apaiser d'ici 2028 ?"),
        Some(
            "<h3>Pourquoi</h3><p>La ville veut apaiser les abords de ses écoles. Voir <a href=\"https://data.lyon.example/ecoles\">la carte</a>.</p><ul><li>79 écoles</li><li>3 ans</li></ul>",
        ),
        Says::Consultation(open_consultation()),
    );
    rues.summary = Some(
        Localized::new([html("fr", "<p>Dites quelles rues fermer aux voitures aux heures d'école.</p>")]).context("a text")?,
    );
    rues.themes = vec![theme.clone()];
    writes.push(created(rues, "2026-09-15T08:00:00Z"));
    let mut budget = record(
        LYON,
        "budget",
        Some("Budget participatif 2025"),
        Some("<p>Terminé.</p>"),
        Says::Consultation(bare_consultation()),
    );
    budget.published = Some(at("2025-02-01T08:00:00Z"));
    writes.push(created(budget, "2026-09-15T08:00:00Z"));
    writes.extend(answered(&process, &theme)?);
    for n in 1..=25 {
        let mut plain = record(
            LYON,
            &format!("idee-{n}"),
            Some(&format!("Idée numéro {n}")),
            Some("<p>Plus d'arbres devant l'école.</p>"),
            Says::Contribution(contribution(&process)),
        );
        plain.published = Some(at(&format!("2026-10-{n:02}T08:00:00Z")));
        writes.push(created(plain, "2026-10-25T08:00:00Z"));
    }
    let works = works(&process);
    writes.extend(works.writes);
    let mut tx = store.write().await?;
    tx.put_partner(&neighbour()).await?;
    tx.put_partner(&reader()).await?;
    tx.put_records(&writes).await?;
    tx.put_records(&works.later).await?;
    tx.bury_records(&works.burials).await?;
    let by_id: HashMap<&RecordId, &RecordWrite> = writes.iter().map(|write| (&write.record.id, write)).collect();
    let before = |class, key| by_id[&id(LYON, class, key)];
    let hidden = before(Class::Contribution, "masquee");
    let mut hidden_record = hidden.record.clone().hidden();
    hidden_record.reason = Some(ReasonCode::PersonalData);
    let withdrawn = before(Class::Contribution, "retiree");
    let mut withdrawn_record = withdrawn.record.clone().withdrawn();
    withdrawn_record.updated = Some(at("2026-11-02T09:00:00Z"));
    let hidden_comment = before(Class::Argument, "masque");
    tx.put_records(&[
        next(hidden, hidden_record, "2026-11-03T08:00:00Z"),
        next(withdrawn, withdrawn_record, "2026-11-02T09:00:00Z"),
        next(hidden_comment, hidden_comment.record.clone().hidden(), "2026-11-03T08:00:00Z"),
    ])
    .await?;
    let gone = before(Class::Contribution, "supprimee");
    let gone_comment = before(Class::Comment, "parti");
    tx.bury_records(&[
        burial(&gone.record, &gone.sealed.digest, "2026-11-04T08:00:00Z"),
        burial(&gone_comment.record, &gone_comment.sealed.digest, "2026-11-04T08:00:00Z"),
    ])
    .await?;
    for copy in copies().into_iter().chain(copied().into_iter().map(copy_of)) {
        tx.put_copy(&copy).await?;
    }
    tx.save().await?;
    Ok(())
}

fn answered(process: &RecordId, theme: &Theme) -> anyhow::Result<Vec<RecordWrite>> {
    let mut writes = Vec::new();
    let subject = id(LYON, Class::Contribution, "barriere");
    let mut barrier = record(
        LYON,
        "barriere",
        Some("Une barrière amovible rue Aristide-Briand"),
        Some(
            "<p>Fermer la rue de 8 h 15 à 8 h 45, <strong>chaque jour d'école</strong>.</p><blockquote>Mes enfants traversent ici.</blockquote>",
        ),
        Says::Contribution(Contribution {
            tallies: vec![
                SupportTally { measure: Measure::Support, total: Some(1257), counted_at: at("2026-11-23T13:02:00Z") },
                SupportTally { measure: Measure::Vote, total: None, counted_at: at("2026-11-23T13:02:00Z") },
            ],
            location: Some(Place {
                id: None,
                name: Some(plain("Rue Aristide-Briand, Lyon 3e")),
                point: Point::new(45.7578, 4.8451),
            }),
            comment_count: Some(5),
            topic: Some("topic-2".to_owned()),
            ..contribution(process)
        }),
    );
    barrier.themes = vec![theme.clone()];
    barrier.published = Some(at("2026-11-18T08:00:00Z"));
    barrier.updated = Some(at("2026-11-20T08:00:00Z"));
    writes.push(created(barrier, "2026-11-20T08:00:00Z"));
    let mut answer = record(
        LYON,
        "reponse",
        None,
        Some("<p>La barrière sera posée avant la rentrée.</p>"),
        Says::OfficialResponse(OfficialResponse {
            responds_to: vec![subject.clone()],
            process: process.clone(),
            subject_digest: None,
            outcome: Some(Outcome::Accepted),
            signatory_role: Some(plain("Direction de la voirie")),
        }),
    );
    answer.published = Some(at("2026-11-12T08:00:00Z"));
    writes.push(created(answer, "2026-11-12T08:00:00Z"));
    let treatment = |key: &str, subject: &RecordId, state, raw: Option<&str>| {
        let body = Disposition {
            subject: subject.clone(),
            process: process.clone(),
            subject_digest: None,
            state,
            raw_state: raw.map(str::to_owned),
            merged_into: None,
        };
        created(record(LYON, key, None, None, Says::Disposition(body)), "2026-11-12T08:00:00Z")
    };
    writes.push(treatment("suite", &subject, DispositionState::Accepted, None));
    let odd = id(LYON, Class::Contribution, "arabe");
    writes.push(treatment("suite-2", &odd, DispositionState::Pending, Some("en_revue_<b>")));
    let mut arabic = record(LYON, "arabe", None, None, Says::Contribution(contribution(process)));
    arabic.language = "ar".parse()?;
    arabic.title = Some(Localized::new([("ar".parse()?, plain("شارع آمن أمام المدرسة"))]).context("a title")?);
    arabic.content = Some(
        Localized::new([html("ar", "<p>نريد شارعا آمنا.</p>"), html("en", "<p>We want a safe street.</p>")]).context("a text")?,
    );
    arabic.translations = vec![Translation { language: "en".parse()?, method: TranslationMethod::Machine }];
    writes.push(created(arabic, "2026-11-01T08:00:00Z"));
    let hostile = "</title><script>alert(1)</script>\"><img src=x onerror=alert(1)>";
    writes.push(created(
        record(LYON, "hostile", Some(hostile), Some("<p>Rien.</p>"), Says::Contribution(contribution(process))),
        "2026-11-01T09:00:00Z",
    ));
    for (key, title) in [("masquee", "Titre masqué"), ("retiree", "Titre qui reste"), ("supprimee", "Titre supprimé")] {
        let text = format!("<p>Texte secret de {key}.</p>");
        writes.push(created(
            record(LYON, key, Some(title), Some(&text), Says::Contribution(contribution(process))),
            "2026-11-01T10:00:00Z",
        ));
    }
    let says = |key: &str, parent: &RecordId, stance, text: &str, day: u32| {
        let mut said = record(LYON, key, None, Some(&format!("<p>{text}</p>")), Says::Comment(comment(process, parent, stance)));
        said.published = Some(at(&format!("2026-11-{day:02}T09:30:00Z")));
        created(said, "2026-11-21T08:00:00Z")
    };
    let of = |class, key| id(LYON, class, key);
    writes.push(says("pour-1", &subject, Some(Stance::For), "D'accord, c'est dangereux aujourd'hui.", 10));
    writes.push(says("pour-2", &subject, Some(Stance::For), "À essayer un mois.", 11));
    writes.push(says("contre-1", &subject, Some(Stance::Against), "Et les livraisons ?", 12));
    writes.push(says("masque", &subject, Some(Stance::Against), "Texte secret.", 13));
    writes.push(says("neutre-1", &subject, None, "Qui ouvrirait la barrière ?", 14));
    writes.push(says("parti", &of(Class::Argument, "contre-1"), None, "Texte secret.", 15));
    writes.push(says("niveau-3", &of(Class::Comment, "parti"), None, "Elles passeront avant 8 h.", 16));
    writes.push(says("niveau-4", &of(Class::Comment, "niveau-3"), None, "Bonne idée.", 17));
    writes.push(says("niveau-5", &of(Class::Comment, "niveau-4"), None, "Merci.", 18));
    Ok(writes)
}

fn copies() -> Vec<CopyWrite> {
    let process = id(BORDEAUX, Class::Consultation, "quais");
    let subject = id(BORDEAUX, Class::Contribution, "bancs");
    let records = [
        record(
            BORDEAUX,
            "quais",
            Some("Les quais demain"),
            Some("<p>Que faire des quais ?</p>"),
            Says::Consultation(open_consultation()),
        ),
        record(
            BORDEAUX,
            "bancs",
            Some("Des bancs à l'ombre"),
            Some("<p>Il en manque.</p>"),
            Says::Contribution(contribution(&process)),
        ),
        record(
            BORDEAUX,
            "oui",
            None,
            Some("<p>Oui, près du marché.</p>"),
            Says::Comment(comment(&process, &subject, Some(Stance::For))),
        ),
    ];
    let domain = neighbour().domain;
    let write =
        |record: Record| CopyWrite { domain: domain.clone(), sealed: seal(&record), record, at: at("2026-11-23T13:02:00Z") };
    records.into_iter().map(write).collect()
}
