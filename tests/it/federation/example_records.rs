//! The second half of the examples: meetings, projects, polls, decisions, promises, results and documents of
//! the invented city, and an agreement with its neighbour.

use passerelle::domain::agreement::{Action, Coverage, DataUseAgreement, Onward, Rule};
use passerelle::domain::commitment::Commitment;
use passerelle::domain::consultation::LifecycleState;
use passerelle::domain::contribution::AuthorState;
use passerelle::domain::decision::{Decision, Organ};
use passerelle::domain::digest::Digest;
use passerelle::domain::document::{Document, DocumentKind};
use passerelle::domain::meeting::{Meeting, MeetingKind, Paper};
use passerelle::domain::money::Money;
use passerelle::domain::place::{Place, Point};
use passerelle::domain::poll::{Poll, PollOption, VotingMethod};
use passerelle::domain::progress::{CommitmentState, Completion, ProgressUpdate};
use passerelle::domain::project::{BudgetProject, ProjectState};
use passerelle::domain::result::WorkResult;
use passerelle::domain::tally::Measure;
use passerelle::domain::text::PlainText;
use passerelle::domain::{Body, Class, Record};

use super::examples::{at, html, id, plain, record, tally, territory, theme};
use super::records;

/// A record in the authority's own words: no personal data behind it.
fn official(path: &str, published: &str, entity: &str, local_id: &str, body: Body) -> Record {
    let mut record = record(path, published, body);
    record.personal_data = None;
    record.salt = None;
    record.source = Some(records::source(entity, local_id, at("2027-04-20T05:00:00Z")));
    record
}

fn euros(amount: &str) -> Money {
    Money { amount: amount.parse().expect("an amount"), currency: "EUR".parse().expect("a currency") }
}

fn done(percent: u8) -> Completion {
    Completion::try_from(percent).expect("a percentage")
}

fn quay() -> Place {
    Place { id: None, name: PlainText::new("Quai des Gravières"), point: Point::new(46.1188, 5.3412) }
}

fn meeting() -> Record {
    let body = Body::Meeting(Meeting {
        process: Some(id("consultations/sorelle")),
        kind: Some(MeetingKind::Hybrid),
        state: Some(LifecycleState::Closed),
        author_state: Some(AuthorState::Published),
        starts: Some(at("2026-05-28T16:30:00Z")),
        ends: Some(at("2026-05-28T18:30:00Z")),
        location: Some(quay()),
        online: Some("https://salle.montfleur.example/berges".parse().expect("an address")),
        capacity: Some(120),
        attendance: Some(74),
        agenda: Some(Paper::Document(id("documents/ordre-du-jour"))),
        minutes: Some(Paper::Text(html(&[
            ("fr", "<p>Trois scénarios ont été comparés ; l’ombre revient dans toutes les tables.</p>"),
            ("en", "<p>Three scenarios were compared; shade came up at every table.</p>"),
        ]))),
        comment_count: Some(6),
    });
    let mut record = official("meetings/quai-ouvert", "2026-05-08T08:00:00Z", "meeting", "77", body);
    record.title =
        Some(plain(&[("fr", "Quai ouvert : une soirée sur les berges"), ("en", "Open quay: an evening on the banks")]));
    record.content = Some(html(&[("fr", "<p>On marche, on s’assied, on dessine.</p>")]));
    record.themes = vec![theme()];
    record.territory = Some(territory());
    record
}

fn project() -> Record {
    let body = Body::BudgetProject(BudgetProject {
        process: id("consultations/sorelle"),
        phase: Some("phase-2".to_owned()),
        topic: Some("topic-1".to_owned()),
        state: Some(ProjectState::Selected),
        estimated_cost: Some(euros("86000")),
        awarded_cost: Some(euros("90000")),
        final_cost: Some(euros("88412.50")),
        feasibility_reason: PlainText::new("Le quai porte les gradins sans renfort."),
        incompatible_with: vec![id("projects/ponton")],
        location: Some(quay()),
        tallies: vec![tally(Measure::Vote, Some(613)), tally(Measure::Points, None)],
        derived_from: vec![id("contributions/gradins")],
        commitments: vec![id("commitments/gradins")],
        comment_count: Some(11),
    });
    let mut record = official("projects/gradins", "2026-09-01T07:00:00Z", "project", "31", body);
    record.revision = 2;
    record.updated = Some(at("2026-10-12T05:00:00Z"));
    record.title = Some(plain(&[("fr", "Des gradins de bois sur l’ancien quai")]));
    record.content = Some(html(&[("fr", "<p>Quarante mètres de gradins, à l’ombre, accessibles en fauteuil.</p>")]));
    record
}

fn result() -> Record {
    let body = Body::Result(WorkResult {
        process: id("consultations/sorelle"),
        result_of: vec![id("consultations/sorelle"), id("projects/gradins")],
        part_of: Some(id("results/berges")),
        arises_from: vec![id("contributions/gradins")],
        fulfils: vec![id("commitments/gradins")],
        state: Some(CommitmentState::Underway),
        raw_state: Some("pose_en_cours".to_owned()),
        completion: Some(done(60)),
        starts: Some(at("2027-02-15T07:00:00Z")),
        due: Some("2027-06-30".parse().expect("a day")),
        final_cost: Some(euros("88412.50")),
        evidence: vec![id("documents/constat"), "https://marches.montfleur.example/2027-014".parse().expect("an address")],
        comment_count: Some(3),
    });
    let mut record = official("results/gradins", "2027-02-16T08:00:00Z", "result", "9", body);
    record.title = Some(plain(&[("fr", "Les gradins du quai"), ("en", "The steps of the quay")]));
    record.content = Some(html(&[("fr", "<p>La moitié nord est posée ; la moitié sud attend la fin des crues.</p>")]));
    record
}

fn update() -> Record {
    let body = Body::ProgressUpdate(ProgressUpdate {
        in_reply_to: id("results/gradins"),
        process: Some(id("consultations/sorelle")),
        state: Some(CommitmentState::Delayed),
        completion: Some(done(60)),
        final_cost: Some(euros("88412.50")),
        evidence: vec![id("documents/constat")],
        untitled: false,
    });
    let mut record = official("results/gradins-avril", "2027-04-19T08:00:00Z", "milestone", "22", body);
    record.title = Some(plain(&[("fr", "Les crues retardent la moitié sud")]));
    record.content = Some(html(&[("fr", "<p>Le chantier reprend le 10 mai.</p>")]));
    record
}

fn document() -> Record {
    let body = Body::Document(Document {
        attached_to: Some(id("meetings/quai-ouvert")),
        process: Some(id("consultations/sorelle")),
        media_type: Some("application/pdf".parse().expect("a media type")),
        byte_size: Some(418_233),
        checksum: Some(Digest::of(b"ordre du jour")),
        kind: Some(DocumentKind::Agenda),
        file: None,
    });
    let mut record = official("documents/ordre-du-jour", "2026-05-20T08:00:00Z", "attachment", "502", body);
    record.title = Some(plain(&[("fr", "Ordre du jour de la soirée")]));
    record
}

fn poll() -> Record {
    let option = |texts: &[(&str, &str)], total| PollOption { name: plain(texts), total };
    let body = Body::Poll(Poll {
        process: id("consultations/sorelle"),
        options: vec![
            option(&[("fr", "Des gradins de bois"), ("en", "Wooden steps")], Some(318)),
            option(&[("fr", "Un ponton flottant"), ("en", "A floating pontoon")], Some(204)),
            option(&[("fr", "Ne rien changer"), ("en", "Change nothing")], None),
        ],
        several: false,
        ends: Some(at("2026-06-30T21:59:59Z")),
        closed: Some(at("2026-06-30T22:00:00Z")),
        method: Some(VotingMethod::Single),
        counted_at: at("2026-07-01T06:00:00Z"),
        electorate: Some(41_200),
        threshold: Some(5),
    });
    let mut record = official("polls/quai", "2026-06-01T08:00:00Z", "poll", "5", body);
    record.title = Some(plain(&[("fr", "Que poser sur l’ancien quai ?"), ("en", "What should stand on the old quay?")]));
    record.content = Some(html(&[("fr", "<p>Un seul choix par personne ; le vote s’est tenu en mairie et en ligne.</p>")]));
    record
}

fn decision() -> Record {
    let body = Body::Decision(Decision {
        process: Some(id("consultations/sorelle")),
        decided_on: Some("2026-10-08".parse().expect("a day")),
        decided_by: Some(Organ::Named(plain(&[("fr", "Conseil municipal"), ("en", "City council")]))),
        legal_identifier: PlainText::new("999990012-2026-0114"),
        votes_for: Some(29),
        votes_against: Some(4),
        abstentions: Some(2),
        text_at: Some("https://deliberations.montfleur.example/2026-0114.pdf".parse().expect("an address")),
        legal_basis: vec!["http://data.europa.eu/eli/dir/2019/1024/oj".parse().expect("an address")],
        arises_from: vec![id("contributions/gradins"), id("responses/gradins")],
    });
    let mut record = official("decisions/2026-0114", "2026-10-09T08:00:00Z", "decision", "14", body);
    record.title = Some(plain(&[("fr", "Délibération 2026-0114 : aménagement du quai des Gravières")]));
    record.content = Some(html(&[("fr", "<p>Le conseil ouvre un crédit de 90 000 € pour les gradins.</p>")]));
    record
}

fn commitment() -> Record {
    let body = Body::Commitment(Commitment {
        process: Some(id("consultations/sorelle")),
        state: CommitmentState::Revised,
        completion: Some(done(60)),
        responsible: PlainText::new("Direction des espaces publics"),
        due: Some("2027-06-30".parse().expect("a day")),
        arises_from: vec![id("responses/gradins"), id("decisions/2026-0114")],
        budget: Some(euros("90000")),
        indicator: PlainText::new("Mètres de gradins posés"),
        target: Some(40),
        untitled: false,
    });
    let mut record = official("commitments/gradins", "2026-10-09T08:30:00Z", "commitment", "3", body);
    record.title = Some(plain(&[("fr", "Poser quarante mètres de gradins sur le quai"), ("en", "Build forty metres of steps")]));
    record.content =
        Some(html(&[("fr", "<p>Échéance reportée du 30 avril au 30 juin 2027 : les crues ont arrêté le chantier.</p>")]));
    record
}

/// What Montfleur allows Rivemer to do with its records.
pub fn agreement() -> DataUseAgreement {
    let rule = |actions: &[Action]| Rule { actions: actions.to_vec(), purposes: Vec::new(), within: None };
    let montfleur = id("actor").as_str().parse().expect("an actor");
    DataUseAgreement {
        id: id("agreements/rivemer-2026-01"),
        name: PlainText::new("Montfleur – Rivemer, 2026").expect("a text"),
        version: "1".to_owned(),
        assigner: montfleur,
        assignee: "https://gateway.rivemer.example/actor".parse().expect("an actor"),
        valid_from: at("2026-09-01T00:00:00Z"),
        valid_until: at("2027-12-31T23:59:59Z"),
        covers: vec![
            Coverage {
                classes: vec![Class::Contribution, Class::Argument, Class::Comment],
                process: Some(id("consultations/sorelle")),
            },
            Coverage { classes: vec![Class::Consultation, Class::Document, Class::Commitment], process: None },
        ],
        permissions: vec![
            rule(&[Action::Reproduce]),
            Rule {
                purposes: vec!["pv:purpose-public-deliberation".to_owned()],
                ..rule(&[Action::Display, Action::Index, Action::Translate])
            },
        ],
        prohibitions: vec![rule(&[Action::ReIdentify, Action::ProfileAuthors, Action::TrainModel])],
        obligations: vec![
            rule(&[Action::Attribute]),
            Rule { within: Some("P3D".parse().expect("days")), ..rule(&[Action::Delete]) },
        ],
        max_cache: "P90D".parse().expect("days"),
        notice: "P30D".parse().expect("days"),
        min_aggregation: 5,
        onward: Onward::None,
    }
}

/// Every record of the second half, under the name of its class.
pub fn second_half() -> Vec<(&'static str, Record)> {
    vec![
        ("Meeting", meeting()),
        ("BudgetProject", project()),
        ("Poll", poll()),
        ("Decision", decision()),
        ("Commitment", commitment()),
        ("Result", result()),
        ("ProgressUpdate", update()),
        ("Document", document()),
    ]
}
