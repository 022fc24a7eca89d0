//! Invented meetings, projects, polls, decisions, promises, results and files, for tests that move or show them.

use passerelle::domain::commitment::Commitment;
use passerelle::domain::decision::{Decision, Organ};
use passerelle::domain::document::{Document, DocumentKind};
use passerelle::domain::meeting::{Meeting, MeetingKind, Paper};
use passerelle::domain::money::Money;
use passerelle::domain::place::{Place, Point};
use passerelle::domain::poll::{Poll, PollOption, VotingMethod};
use passerelle::domain::progress::{CommitmentState, Completion, ProgressUpdate};
use passerelle::domain::project::{BudgetProject, ProjectState};
use passerelle::domain::result::WorkResult;
use passerelle::domain::tally::{Measure, SupportTally};
use passerelle::domain::text::{LanguageTag, Localized, PlainText, SafeHtml};
use passerelle::domain::{RecordId, Timestamp};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn fr(text: &str) -> Localized<PlainText> {
    Localized::one(LanguageTag::french(), PlainText::new(text).expect("some text"))
}

fn html(text: &str) -> Localized<SafeHtml> {
    Localized::one(LanguageTag::french(), SafeHtml::new(text).expect("some text"))
}

/// An amount in euros.
pub fn euros(amount: &str) -> Money {
    Money { amount: amount.parse().expect("an amount"), currency: "EUR".parse().expect("a currency") }
}

/// A percentage.
pub fn done(percent: u8) -> Completion {
    Completion::try_from(percent).expect("a percentage")
}

/// A meeting in town and on the network, three days after the city's "now" of the pages' tests.
pub fn meeting(process: &RecordId) -> Meeting {
    Meeting {
        process: Some(process.clone()),
        kind: Some(MeetingKind::Hybrid),
        state: None,
        author_state: None,
        starts: Some(at("2026-11-27T17:00:00Z")),
        ends: Some(at("2026-11-27T19:00:00Z")),
        location: Some(Place {
            id: None,
            name: PlainText::new("Salle des fêtes, 12 rue de la Mairie"),
            point: Point::new(45.76, 4.83),
        }),
        online: Some("https://salle.lyon.example/rues".parse().expect("an address")),
        capacity: Some(1_200),
        attendance: None,
        agenda: Some(Paper::Text(html("<p>Accueil, puis tables rondes.</p>"))),
        minutes: None,
        comment_count: Some(1),
    }
}

/// A selected project with two amounts, votes and a rival.
pub fn project(process: &RecordId) -> BudgetProject {
    BudgetProject {
        process: process.clone(),
        phase: None,
        topic: Some("topic-1".to_owned()),
        state: Some(ProjectState::Selected),
        estimated_cost: Some(euros("86000")),
        awarded_cost: Some(euros("90000.50")),
        final_cost: None,
        feasibility_reason: PlainText::new("La rue est assez large."),
        incompatible_with: Vec::new(),
        location: None,
        tallies: vec![SupportTally { measure: Measure::Vote, total: Some(613), counted_at: at("2026-11-20T08:00:00Z") }],
        derived_from: Vec::new(),
        commitments: Vec::new(),
        comment_count: None,
    }
}

/// A closed poll; the figure of its last option is withheld.
pub fn poll(process: &RecordId) -> Poll {
    let option = |name: &str, total| PollOption { name: fr(name), total };
    Poll {
        process: process.clone(),
        options: vec![option("Fermer la rue", Some(1_318)), option("La laisser ouverte", Some(0)), option("Sans avis", None)],
        several: false,
        ends: Some(at("2026-10-31T22:59:59Z")),
        closed: None,
        method: Some(VotingMethod::Single),
        counted_at: at("2026-11-02T08:00:00Z"),
        electorate: Some(41_200),
        threshold: Some(5),
    }
}

/// A decision of the council.
pub fn decision(process: &RecordId, arises_from: &[RecordId]) -> Decision {
    Decision {
        process: Some(process.clone()),
        decided_on: Some("2026-11-09".parse().expect("a day")),
        decided_by: Some(Organ::Named(fr("Conseil municipal"))),
        legal_identifier: PlainText::new("216901231-2026-2217"),
        votes_for: Some(61),
        votes_against: Some(9),
        abstentions: Some(3),
        text_at: Some("https://deliberations.lyon.example/2026-2217.pdf".parse().expect("an address")),
        legal_basis: Vec::new(),
        arises_from: arises_from.to_vec(),
    }
}

/// A promise, due on a day.
pub fn commitment(process: &RecordId, arises_from: &[RecordId], due: &str) -> Commitment {
    Commitment {
        process: Some(process.clone()),
        state: CommitmentState::Underway,
        completion: Some(done(40)),
        responsible: PlainText::new("Direction de la voirie"),
        due: Some(due.parse().expect("a day")),
        arises_from: arises_from.to_vec(),
        budget: Some(euros("480000")),
        indicator: PlainText::new("Nombre de rues-écoles ouvertes"),
        target: Some(12),
        untitled: false,
    }
}

/// A result that comes from these, or from its consultation.
pub fn result(process: &RecordId, result_of: &[RecordId], part_of: Option<&RecordId>) -> WorkResult {
    WorkResult {
        process: process.clone(),
        result_of: if result_of.is_empty() { vec![process.clone()] } else { result_of.to_vec() },
        part_of: part_of.cloned(),
        arises_from: Vec::new(),
        fulfils: Vec::new(),
        state: Some(CommitmentState::Underway),
        raw_state: None,
        completion: Some(done(60)),
        starts: Some(at("2026-10-01T06:00:00Z")),
        due: Some("2027-06-30".parse().expect("a day")),
        final_cost: None,
        evidence: Vec::new(),
        comment_count: None,
    }
}

/// News about a result or a promise.
pub fn news(of: &RecordId, process: &RecordId) -> ProgressUpdate {
    ProgressUpdate {
        in_reply_to: of.clone(),
        process: Some(process.clone()),
        state: Some(CommitmentState::Delayed),
        completion: Some(done(60)),
        final_cost: None,
        evidence: Vec::new(),
        untitled: false,
    }
}

/// A file attached to something.
pub fn document(attached_to: &RecordId, process: &RecordId) -> Document {
    Document {
        attached_to: Some(attached_to.clone()),
        process: Some(process.clone()),
        media_type: Some("application/pdf".parse().expect("a media type")),
        byte_size: Some(418_233),
        checksum: None,
        kind: Some(DocumentKind::Agenda),
        file: Some("https://participer.lyon.example/files/ordre-du-jour.pdf?signature=abc".parse().expect("an address")),
    }
}
