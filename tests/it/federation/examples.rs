//! The full examples of `federation-specs/examples`: made here, signed with stated keys, read back as
//! strangers would. Two invented cities: Montfleur (seed 32 × 0x03) and Rivemer (seed 32 × 0x04).

use std::fs;
use std::path::{Path, PathBuf};

use passerelle::domain::author::{AuthorKind, PseudonymousAuthor};
use passerelle::domain::authority::{AuthorityKind, Identifier, PublicAuthority};
use passerelle::domain::comment::{Comment, Stance};
use passerelle::domain::consultation::{Consultation, LifecycleState, Phase, PhaseKind, PhaseState, ProcessKind, Topic};
use passerelle::domain::contribution::{AuthorState, Contribution, ContributionKind};
use passerelle::domain::digest::{Digest, DigestSalt};
use passerelle::domain::disposition::{Disposition, DispositionState};
use passerelle::domain::place::{Place, Point};
use passerelle::domain::receipt::{DeliveryReceipt, DeliveryState, Erased, PurgeCause, PurgeReceipt, Residual};
use passerelle::domain::record::{ModerationState, ReasonCode, Translation, TranslationMethod};
use passerelle::domain::response::{OfficialResponse, Outcome};
use passerelle::domain::tally::{Measure, SupportTally};
use passerelle::domain::text::{LanguageTag, Localized, PlainText, SafeHtml};
use passerelle::domain::theme::Theme;
use passerelle::domain::tombstone::Tombstone;
use passerelle::domain::{ActorId, Body, Class, Record, RecordId, Timestamp};
use passerelle::federation::keys::Keys;
use passerelle::federation::wire::activity::Activity;
use passerelle::federation::wire::actor::PublicAuthority as ActorDocument;
use passerelle::federation::{actor, proof, wire};
use serde_json::{Value, json};

use super::specs::generated;
use super::{example_records, records};

const MONTFLEUR: &str = "https://gateway.montfleur.example";
const RIVEMER: &str = "https://gateway.rivemer.example";

/// Where the examples are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("federation-specs/examples")
}

/// The example of that name, as it is in the repository.
pub fn example(name: &str) -> Value {
    let text = fs::read_to_string(folder().join(format!("{name}.json"))).expect("an example");
    serde_json::from_str(&text).expect("JSON")
}

/// Every example of a signed document.
pub const SIGNED: &[&str] = &[
    "PublicAuthority",
    "Consultation",
    "Contribution",
    "Argument",
    "Comment",
    "Disposition",
    "OfficialResponse",
    "Meeting",
    "BudgetProject",
    "Poll",
    "Decision",
    "Commitment",
    "Result",
    "ProgressUpdate",
    "Document",
    "Tombstone",
    "DataUseAgreement",
    "DeliveryReceipt",
    "PurgeReceipt",
];

/// Every example of an activity.
pub const ACTIVITIES: &[&str] = &["Create", "Update", "Delete", "Follow", "Accept", "Reject", "Undo"];

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub fn id(path: &str) -> RecordId {
    format!("{MONTFLEUR}/{path}").parse().expect("an address")
}

pub fn actor_of(host: &str) -> ActorId {
    format!("{host}/actor").parse().expect("an address")
}

pub fn tag(language: &str) -> LanguageTag {
    language.parse().expect("a tag")
}

pub fn plain(texts: &[(&str, &str)]) -> Localized<PlainText> {
    let texts = texts.iter().map(|(language, text)| (tag(language), PlainText::new(text).expect("a text")));
    Localized::new(texts).expect("a text")
}

pub fn html(texts: &[(&str, &str)]) -> Localized<SafeHtml> {
    let texts = texts.iter().map(|(language, text)| (tag(language), SafeHtml::new(text).expect("a text")));
    Localized::new(texts).expect("a text")
}

fn keys(host: &str, seed: u8) -> Keys {
    Keys::from_seed(actor_of(host), &[seed; 32]).expect("keys")
}

fn author() -> PseudonymousAuthor {
    PseudonymousAuthor {
        pseudonym: Some("px:k3ahq7znw2lpe5xo".to_owned()),
        scope: id("consultations/sorelle"),
        kind: AuthorKind::Person,
        name: None,
    }
}

pub fn tally(measure: Measure, total: Option<u64>) -> SupportTally {
    SupportTally { measure, total, counted_at: at("2026-05-20T05:00:00Z") }
}

pub fn territory() -> Place {
    Place {
        id: Some("http://id.insee.fr/geo/commune/99901".to_owned()),
        name: PlainText::new("Montfleur"),
        point: Point::new(46.1203, 5.3377),
    }
}

pub fn theme() -> Theme {
    Theme {
        id: id("themes/berges"),
        label: plain(&[("fr", "Berges et rivière"), ("en", "River banks")]),
        scheme: "category".to_owned(),
        exact_match: vec!["http://publications.europa.eu/resource/authority/data-theme/ENVI".to_owned()],
    }
}

pub fn record(path: &str, published: &str, body: Body) -> Record {
    let authority = actor_of(MONTFLEUR);
    Record {
        id: id(path),
        revision: 1,
        published: Some(at(published)),
        updated: None,
        language: tag("fr"),
        title: None,
        summary: None,
        content: None,
        translations: Vec::new(),
        licence: "https://www.etalab.gouv.fr/licence-ouverte-open-licence".parse().expect("an address"),
        themes: Vec::new(),
        territory: None,
        moderation: ModerationState::Visible,
        reason: None,
        personal_data: Some(records::handling(&authority)),
        source: None,
        mapping: Some(records::report(&[])),
        salt: Some(DigestSalt::new(*b"sixteen bytes ok")),
        body,
        authority,
    }
}

fn consultation() -> Record {
    let phase = |fragment: &str, names: &[(&str, &str)], kind, state, starts, ends| Phase {
        fragment: fragment.to_owned(),
        name: plain(names),
        kind: Some(kind),
        state: Some(state),
        starts: Some(at(starts)),
        ends: Some(at(ends)),
    };
    let body = Body::Consultation(Consultation {
        kind: Some(ProcessKind::Consultation),
        lifecycle: Some(LifecycleState::Open),
        decision_scope: Some(plain(&[("fr", "Avis au conseil municipal"), ("en", "Advice to the city council")])),
        starts: Some(at("2026-05-04T06:00:00Z")),
        ends: Some(at("2026-07-15T21:59:59Z")),
        phases: vec![
            phase(
                "phase-1",
                &[("fr", "Recueil des idées"), ("en", "Collecting ideas")],
                PhaseKind::Collect,
                PhaseState::Open,
                "2026-05-04T06:00:00Z",
                "2026-06-15T21:59:59Z",
            ),
            phase(
                "phase-2",
                &[("fr", "Étude par les services"), ("en", "Study by the departments")],
                PhaseKind::Analysis,
                PhaseState::Planned,
                "2026-06-16T06:00:00Z",
                "2026-07-15T21:59:59Z",
            ),
        ],
        current_phase: Some("phase-1".to_owned()),
        topics: vec![Topic {
            fragment: "topic-1".to_owned(),
            name: plain(&[("fr", "Que manque-t-il au bord de l’eau ?"), ("en", "What is missing by the water?")]),
            summary: Some(html(&[("fr", "<p>Bancs, ombre, accès : tout est ouvert.</p>")])),
        }],
    });
    let mut record = record("consultations/sorelle", "2026-04-28T08:00:00Z", body);
    record.revision = 2;
    record.updated = Some(at("2026-05-04T06:00:00Z"));
    record.title = Some(plain(&[("fr", "Les berges de la Sorelle"), ("en", "The banks of the Sorelle")]));
    record.summary = Some(html(&[("fr", "<p>Trois kilomètres de rive à réinventer.</p>")]));
    record.content = Some(html(&[
        (
            "fr",
            "<p>La ville reprend les quais après le départ du port de gravier. <strong>Racontez</strong> ce que vous y feriez.</p>",
        ),
        (
            "en",
            "<p>The city takes back the quays after the gravel port has gone. <strong>Tell us</strong> what you would do there.</p>",
        ),
    ]));
    record.translations = vec![Translation { language: tag("en"), method: TranslationMethod::Human }];
    record.themes = vec![theme()];
    record.territory = Some(territory());
    record.personal_data = None;
    record.salt = None;
    record.source = Some(records::source("participatory_process", "12", at("2026-05-20T05:00:00Z")));
    record.mapping = Some(records::report(&["$.promotedUntil"]));
    record
}

fn contribution() -> Record {
    let body = Body::Contribution(Contribution {
        kind: ContributionKind::Proposal,
        process: id("consultations/sorelle"),
        topic: Some("topic-1".to_owned()),
        author_state: AuthorState::Edited,
        author: Some(author()),
        location: Some(Place {
            id: None,
            name: PlainText::new("Quai des Gravières, ancien quai de chargement"),
            point: Point::new(46.1188, 5.3412),
        }),
        tallies: vec![tally(Measure::Support, Some(48)), tally(Measure::Vote, None)],
        comment_count: Some(2),
        amends: Some(id("contributions/plage")),
        untitled: false,
    });
    let mut record = record("contributions/gradins", "2026-05-06T17:41:00Z", body);
    record.revision = 2;
    record.updated = Some(at("2026-05-09T10:12:00Z"));
    record.title = Some(plain(&[("fr", "Des gradins de bois face à l’eau")]));
    record.content = Some(html(&[(
        "fr",
        "<p>Garder l’ancien quai de chargement et y poser des gradins :</p><ul><li>à l’ombre des peupliers ;</li><li>accessibles en fauteuil.</li></ul>",
    )]));
    record.themes = vec![theme()];
    record.source = Some(records::source("proposal", "1881", at("2026-05-20T05:00:00Z")));
    record
}

fn argument() -> Record {
    let body = Body::Comment(Comment {
        in_reply_to: id("contributions/gradins"),
        process: id("consultations/sorelle"),
        stance: Some(Stance::For),
        author_state: AuthorState::Published,
        author: Some(author()),
        tallies: vec![tally(Measure::Support, Some(5))],
    });
    let mut record = record("comments/ombre", "2026-05-07T09:03:00Z", body);
    record.content = Some(html(&[("fr", "<p>Oui : en juillet il n’y a pas un mètre d’ombre sur ce quai.</p>")]));
    record.source = Some(records::source("comment", "40712", at("2026-05-20T05:00:00Z")));
    record
}

fn comment() -> Record {
    let body = Body::Comment(Comment {
        in_reply_to: id("comments/ombre"),
        process: id("consultations/sorelle"),
        stance: Some(Stance::Neutral),
        author_state: AuthorState::Published,
        author: Some(PseudonymousAuthor {
            pseudonym: Some("px:r5tq2mcj7uvdaz4i".to_owned()),
            scope: id("consultations/sorelle"),
            kind: AuthorKind::Organisation,
            name: PlainText::new("Les Amis de la Sorelle"),
        }),
        tallies: vec![tally(Measure::Support, Some(0))],
    });
    let mut record = record("comments/peupliers", "2026-05-07T18:30:00Z", body);
    record.content = Some(html(&[("fr", "<p>Les peupliers sont-ils encore sains ? Qui l’a vérifié ?</p>")]));
    record.source = Some(records::source("comment", "40718", at("2026-05-20T05:00:00Z")));
    record
}

fn disposition(judged: &Digest) -> Record {
    let body = Body::Disposition(Disposition {
        subject: id("contributions/gradins"),
        process: id("consultations/sorelle"),
        subject_digest: Some(judged.clone()),
        state: DispositionState::Pending,
        raw_state: Some("en_visite_de_terrain".to_owned()),
        merged_into: Some(id("contributions/gradins-et-ponton")),
    });
    let mut record = record("dispositions/gradins", "2026-05-18T14:00:00Z", body);
    record.reason = Some(ReasonCode::Technical);
    record.content = Some(html(&[("fr", "<p>Le sol du quai est sondé en juin ; la réponse suivra.</p>")]));
    record.personal_data = None;
    record.salt = None;
    record.source = Some(records::source("proposal", "1881", at("2026-05-20T05:00:00Z")));
    record
}

fn response(judged: &Digest) -> Record {
    let body = Body::OfficialResponse(OfficialResponse {
        responds_to: vec![id("contributions/gradins"), id("contributions/plage")],
        process: id("consultations/sorelle"),
        subject_digest: Some(judged.clone()),
        outcome: Some(Outcome::PartiallyAccepted),
        signatory_role: PlainText::new("Adjointe aux espaces publics"),
    });
    let mut record = record("responses/gradins", "2026-07-02T09:00:00Z", body);
    record.title = Some(plain(&[("fr", "Réponse de la Ville sur les gradins"), ("en", "The city’s answer on the steps")]));
    record.content = Some(html(&[
        ("fr", "<p>Les gradins seront posés au printemps 2027 sur la moitié nord du quai ; la plage, non.</p>"),
        ("en", "<p>The steps will be built in spring 2027 on the northern half of the quay; the beach will not.</p>"),
    ]));
    record.translations = vec![Translation { language: tag("en"), method: TranslationMethod::Machine }];
    record.personal_data = None;
    record.salt = None;
    record.source = Some(records::source("proposal", "1881", at("2026-07-02T09:05:00Z")));
    record
}

fn authority() -> PublicAuthority {
    PublicAuthority {
        id: actor_of(MONTFLEUR),
        name: plain(&[("fr", "Ville de Montfleur"), ("en", "City of Montfleur")]),
        handle: "montfleur".to_owned(),
        kind: AuthorityKind::Municipality,
        identifiers: vec![Identifier { scheme: "siren".to_owned(), notation: "999990012".to_owned() }],
        territory: Some(territory()),
        rights_contact: format!("{MONTFLEUR}/donnees-personnelles").parse().expect("an address"),
    }
}

/// The actor with the RSA key that the file shows already: the key pair is made anew on each run.
fn actor_document(keys: &Keys) -> Value {
    let url = MONTFLEUR.parse().expect("an address");
    let mut document = actor::document(&authority(), keys, &url, &tag("fr")).expect("an actor");
    if let Ok(text) = fs::read_to_string(folder().join("PublicAuthority.json")) {
        let there: Value = serde_json::from_str(&text).expect("JSON");
        document["publicKey"]["publicKeyPem"] = there["publicKey"]["publicKeyPem"].clone();
    }
    document
}

fn sign_actor(keys: &Keys) -> Value {
    proof::sign_without_context(actor_document(keys), keys, at("2026-04-01T08:00:00Z")).expect("a proof").document
}

fn delivery_receipt(digest: &Digest, state: DeliveryState, problems: &[&str]) -> Value {
    let receipt = DeliveryReceipt {
        id: format!("{RIVEMER}/receipts/d-1"),
        receiver: actor_of(RIVEMER),
        request_activity: format!("{MONTFLEUR}/activities/create-gradins"),
        receipt_for: id("contributions/gradins").to_string(),
        subject_digest: digest.clone(),
        received_at: at("2026-05-20T05:00:03Z"),
        state,
        problems: problems.iter().map(|code| (*code).to_owned()).collect(),
    };
    wire::delivery_receipt_to_json(&receipt).expect("a receipt")
}

fn purge_receipt(digest: &Digest) -> Value {
    let receipt = PurgeReceipt {
        id: format!("{RIVEMER}/receipts/p-1"),
        holder: actor_of(RIVEMER),
        request_activity: Some(format!("{MONTFLEUR}/activities/delete-gradins")),
        receipt_for: id("contributions/gradins").to_string(),
        subject_digest: Some(digest.clone()),
        cause: PurgeCause::Delete,
        purged_at: at("2026-08-01T12:00:04Z"),
        erased: Erased::ALL.to_vec(),
        residual: Residual::ALL.to_vec(),
        backups_until: Some(at("2026-08-31T00:00:00Z")),
    };
    wire::purge_receipt_to_json(&receipt).expect("a receipt")
}

fn activity(host: &str, key: &str, kind: &str, to: &str, object: &Value) -> Value {
    json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{host}/activities/{key}"), "type": kind,
        "actor": actor_of(host), "to": [actor_of(to)], "object": object
    })
}

/// Every example, made anew.
fn examples() -> Vec<(&'static str, Value)> {
    let montfleur = keys(MONTFLEUR, 3);
    let rivemer = keys(RIVEMER, 4);
    let sign = |document: Value, keys: &Keys, created: &str| proof::sign(document, keys, at(created)).expect("a proof");
    let seal = |record: &Record, previous: Option<&Digest>, created: &str| {
        sign(wire::record_to_json(record, previous), &montfleur, created)
    };
    let earlier = |record: &Record| {
        let first = Record { revision: 1, updated: None, ..record.clone() };
        seal(&first, None, "2026-05-06T17:45:00Z").digest
    };

    let consultation = consultation();
    let consultation = seal(&consultation, Some(&earlier(&consultation)), "2026-05-20T05:00:01Z");
    let contribution = contribution();
    let first = seal(&Record { revision: 1, updated: None, ..contribution.clone() }, None, "2026-05-06T17:45:00Z");
    let contribution = seal(&contribution, Some(&first.digest), "2026-05-20T05:00:01Z");
    let argument = seal(&argument(), None, "2026-05-20T05:00:01Z");
    let comment = seal(&comment(), None, "2026-05-20T05:00:01Z");
    let disposition = seal(&disposition(&contribution.digest), None, "2026-05-20T05:00:01Z");
    let response = seal(&response(&contribution.digest), None, "2026-07-02T09:05:01Z");
    let second_half = example_records::second_half().into_iter().map(|(class, record)| {
        let previous = (record.revision > 1).then(|| earlier(&record));
        (class, seal(&record, previous.as_ref(), "2027-04-20T05:00:01Z").document)
    });
    let agreement = wire::agreement_to_json(&example_records::agreement());
    let agreement = sign(agreement, &montfleur, "2026-08-28T08:00:00Z").document;
    let tombstone = Tombstone {
        id: id("contributions/gradins"),
        authority: actor_of(MONTFLEUR),
        former_class: Class::Contribution,
        deleted: at("2026-08-01T12:00:00Z"),
        revision: Some(3),
        previous_digest: Some(contribution.digest.clone()),
        reason: Some(ReasonCode::PersonalData),
    };
    let tombstone = sign(wire::tombstone_to_json(&tombstone), &montfleur, "2026-08-01T12:00:01Z");
    let received =
        sign(delivery_receipt(&contribution.digest, DeliveryState::Received, &[]), &rivemer, "2026-05-20T05:00:03Z").document;
    let refused = delivery_receipt(&contribution.digest, DeliveryState::Refused, &["not-covered", "revision-gap"]);
    let refused = sign(refused, &rivemer, "2026-05-20T05:00:04Z").document;
    let purged = sign(purge_receipt(&contribution.digest), &rivemer, "2026-08-01T12:00:04Z").document;

    let follow = activity(RIVEMER, "follow-1", "Follow", MONTFLEUR, &json!(actor_of(MONTFLEUR)));
    let undone = json!({ "id": follow["id"], "type": "Follow", "actor": follow["actor"], "object": follow["object"] });
    let mut accept = activity(RIVEMER, "accept-1", "Accept", MONTFLEUR, &json!(format!("{MONTFLEUR}/activities/delete-gradins")));
    accept["result"] = purged.clone();
    let mut reject = activity(RIVEMER, "reject-1", "Reject", MONTFLEUR, &json!(format!("{MONTFLEUR}/activities/create-gradins")));
    reject["result"] = refused;

    let mut all = vec![
        ("PublicAuthority", sign_actor(&montfleur)),
        ("Create", activity(MONTFLEUR, "create-gradins", "Create", RIVEMER, &first.document)),
        ("Update", activity(MONTFLEUR, "update-gradins", "Update", RIVEMER, &contribution.document)),
        ("Delete", activity(MONTFLEUR, "delete-gradins", "Delete", RIVEMER, &tombstone.document)),
        ("Follow", follow),
        ("Accept", accept),
        ("Reject", reject),
        ("Undo", activity(RIVEMER, "undo-1", "Undo", MONTFLEUR, &undone)),
        ("Consultation", consultation.document),
        ("Contribution", contribution.document),
        ("Argument", argument.document),
        ("Comment", comment.document),
        ("Disposition", disposition.document),
        ("OfficialResponse", response.document),
        ("Tombstone", tombstone.document),
        ("DeliveryReceipt", received),
        ("DataUseAgreement", agreement),
        ("PurgeReceipt", purged),
    ];
    all.extend(second_half);
    all
}

#[test]
fn the_examples_are_what_the_code_writes_and_signs() {
    for (name, document) in examples() {
        let mut text = serde_json::to_string_pretty(&document).expect("JSON");
        text.push('\n');
        generated(&folder().join(format!("{name}.json")), &text);
    }
}

/// Reads a document of a class and writes it again, without its proof.
fn again(name: &str, document: &Value) -> Value {
    match name {
        "PublicAuthority" => {
            let actor: ActorDocument = serde_json::from_value(document.clone()).expect("an actor");
            serde_json::to_value(ActorDocument { proof: None, ..actor }).expect("JSON")
        }
        "Tombstone" => wire::tombstone_to_json(&wire::tombstone_from_json(document).expect("a tombstone")),
        "DataUseAgreement" => wire::agreement_to_json(&wire::agreement_from_json(document).expect("an agreement")),
        "DeliveryReceipt" => {
            wire::delivery_receipt_to_json(&wire::delivery_receipt_from_json(document).expect("a receipt")).expect("addresses")
        }
        "PurgeReceipt" => {
            wire::purge_receipt_to_json(&wire::purge_receipt_from_json(document).expect("a receipt")).expect("addresses")
        }
        _ => {
            let (record, previous) = wire::record_from_json(document).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(record.class().word(), name);
            wire::record_to_json(&record, previous.as_ref())
        }
    }
}

#[test]
fn each_example_is_read_and_written_again_to_the_same_bytes() {
    for &name in SIGNED {
        let document = example(name);
        let mut written = again(name, &document);
        written["proof"] = document["proof"].clone();
        let bytes = |value: &Value| String::from_utf8(proof::canonical(value).expect("a canonical form")).expect("UTF-8");
        assert_eq!(bytes(&written), bytes(&document), "{name}");
    }
    for &name in ACTIVITIES {
        let document = example(name);
        let activity: Activity = serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serde_json::to_value(activity).expect("JSON"), document, "{name}");
    }
}

#[test]
fn each_example_is_signed_by_the_stated_key_and_no_other() {
    let now = at("2026-12-01T00:00:00Z");
    let (montfleur, rivemer) = (keys(MONTFLEUR, 3), keys(RIVEMER, 4));
    for &name in SIGNED {
        let document = example(name);
        let (right, wrong) = if name.ends_with("Receipt") { (&rivemer, &montfleur) } else { (&montfleur, &rivemer) };
        proof::verify(&document, right.multikey(), &right.ed25519_id(), now).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(proof::verify(&document, wrong.multikey(), &right.ed25519_id(), now).is_err(), "{name}");
        let mut flipped = document.clone();
        flipped["id"] = json!("https://gateway.montfleur.example/contributions/gradinS");
        assert!(proof::verify(&flipped, right.multikey(), &right.ed25519_id(), now).is_err(), "{name}");
    }
}

#[test]
fn each_example_of_a_record_shows_every_property_of_its_class() {
    for (class, schema) in passerelle::federation::schema::schemas() {
        if class == "Activity" {
            continue;
        }
        let document = example(class);
        // What a record of this class never carries, or carries only in another state.
        let not_here: &[&str] = match class {
            "DeliveryReceipt" => &["problems"], // see Reject
            "Document" => &["digestSalt", "personalDataHandling", "content", "contentMap", "mediaType"],
            "Contribution" | "Argument" | "Comment" | "PublicAuthority" | "Tombstone" | "PurgeReceipt" | "DataUseAgreement" => {
                &[]
            }
            // No poll has both lists of options.
            "Poll" => &["digestSalt", "personalDataHandling", "anyOf"],
            // What an authority says itself holds no personal data.
            _ => &["digestSalt", "personalDataHandling"],
        };
        let rare =
            ["moderationState", "reasonCode", "territory", "translations", "theme", "summary", "summaryMap", "name", "nameMap"];
        for property in schema["properties"].as_object().expect("properties").keys() {
            let excused = not_here.contains(&property.as_str())
                || rare.contains(&property.as_str())
                || (document["revision"] == 1 && matches!(property.as_str(), "previousDigest" | "updated"));
            assert!(excused || document.get(property).is_some(), "the example of {class} lacks {property}");
        }
    }
}
