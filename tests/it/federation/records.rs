//! Records for tests: one full example of each class as a domain value, and random ones.

use passerelle::domain::author::{AuthorKind, PseudonymousAuthor};
use passerelle::domain::calendar::Day;
use passerelle::domain::comment::{Comment, Stance};
use passerelle::domain::commitment::Commitment;
use passerelle::domain::consultation::{Consultation, LifecycleState, Phase, PhaseKind, PhaseState, ProcessKind, Topic};
use passerelle::domain::contribution::{AuthorState, Contribution, ContributionKind};
use passerelle::domain::decision::{Decision, Organ};
use passerelle::domain::digest::{Digest, DigestSalt};
use passerelle::domain::disposition::{Disposition, DispositionState};
use passerelle::domain::document::{Document, DocumentKind};
use passerelle::domain::meeting::{Meeting, MeetingKind, Paper};
use passerelle::domain::money::{Amount, Money};
use passerelle::domain::personal_data::PersonalDataHandling;
use passerelle::domain::place::{Place, Point};
use passerelle::domain::poll::{Poll, PollOption, VotingMethod};
use passerelle::domain::progress::{CommitmentState, Completion, ProgressUpdate};
use passerelle::domain::project::{BudgetProject, ProjectState};
use passerelle::domain::record::{ModerationState, ReasonCode, Translation, TranslationMethod};
use passerelle::domain::response::{OfficialResponse, Outcome};
use passerelle::domain::result::WorkResult;
use passerelle::domain::source::{MappingReport, SourceReference};
use passerelle::domain::tally::{Measure, SupportTally};
use passerelle::domain::text::{LanguageTag, Localized, PlainText, SafeHtml};
use passerelle::domain::theme::Theme;
use passerelle::domain::{ActorId, Body, Record, RecordId, Timestamp};
use proptest::option::of as option;
use proptest::prelude::*;
use proptest::sample::select;

fn id(path: &'static str) -> impl Strategy<Value = RecordId> {
    (
        "[a-z2-7]{26}",
        select(vec!["https://gateway.montfleur.example", "https://gateway.rivemer.example:8443", "http://a.localhost:4000"]),
    )
        .prop_map(move |(key, host)| format!("{host}/{path}/{key}").parse().expect("an address"))
}

fn language() -> impl Strategy<Value = LanguageTag> {
    select(vec!["fr", "en", "pt-BR", "und", "zh-Hans"]).prop_map(|tag| tag.parse().expect("a tag"))
}

fn plain() -> impl Strategy<Value = PlainText> {
    "[ -~éàœ’\u{202E}\n]{1,40}".prop_filter_map("empty", |text| PlainText::new(&text))
}

fn html() -> impl Strategy<Value = SafeHtml> {
    "(<[a-z/]{1,6}>|[ -~éà]|&[a-z#0-9]{1,6};){1,30}".prop_filter_map("empty", |text| SafeHtml::new(&text))
}

fn localized<T: std::fmt::Debug + Clone>(text: impl Strategy<Value = T>) -> impl Strategy<Value = Localized<T>> {
    proptest::collection::vec((language(), text), 1..4).prop_filter_map("empty", Localized::new)
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (-60_000_000_000_000_000_i64..250_000_000_000_000_000).prop_filter_map("range", Timestamp::from_micros)
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 8]>().prop_map(|bytes| Digest::of(&bytes))
}

fn place() -> impl Strategy<Value = Place> {
    let point = (-90.0..90.0, -180.0..180.0).prop_filter_map("nowhere", |(north, east): (f64, f64)| Point::new(north, east));
    (option(Just("http://id.insee.fr/geo/commune/99999".to_owned())), option(plain()), option(point))
        .prop_filter("a place says something", |(id, name, point)| id.is_some() || name.is_some() || point.is_some())
        .prop_map(|(id, name, point)| Place { id, name, point })
}

fn theme() -> impl Strategy<Value = Theme> {
    (id("themes"), localized(plain()), "[a-zé %]{1,12}", any::<bool>()).prop_map(|(id, label, scheme, matched)| {
        let exact = matched.then(|| "http://publications.europa.eu/resource/authority/data-theme/TRAN".to_owned());
        Theme { id, label, scheme, exact_match: exact.into_iter().collect() }
    })
}

fn author() -> impl Strategy<Value = PseudonymousAuthor> {
    (option("px:[a-z2-7]{16}"), id("consultations"), select(AuthorKind::ALL), option(plain())).prop_map(
        |(pseudonym, scope, kind, name)| PseudonymousAuthor {
            pseudonym,
            scope,
            kind,
            name: name.filter(|_| kind != AuthorKind::Person),
        },
    )
}

fn tallies() -> impl Strategy<Value = Vec<SupportTally>> {
    let tally = (select(Measure::ALL), option(0_u64..1 << 53), instant()).prop_map(|(measure, total, counted_at)| SupportTally {
        measure,
        total,
        counted_at,
    });
    proptest::collection::vec(tally, 0..3)
}

fn consultation() -> impl Strategy<Value = Body> {
    let phase = (
        "phase-[0-9]{1,3}",
        localized(plain()),
        option(select(PhaseKind::ALL)),
        option(select(PhaseState::ALL)),
        option(instant()),
    )
        .prop_map(|(fragment, name, kind, state, starts)| Phase { fragment, name, kind, state, starts, ends: starts });
    let topic = ("topic-[0-9]{1,3}", localized(plain()), option(localized(html()))).prop_map(|(fragment, name, summary)| Topic {
        fragment,
        name,
        summary,
    });
    (
        option(select(ProcessKind::ALL)),
        option(select(LifecycleState::ALL)),
        option(localized(plain())),
        option(instant()),
        proptest::collection::vec(phase, 0..4),
        option("phase-[0-9]{1,3}"),
        proptest::collection::vec(topic, 0..3),
    )
        .prop_map(|(kind, lifecycle, decision_scope, starts, phases, current_phase, topics)| {
            Body::Consultation(Consultation {
                kind,
                lifecycle,
                decision_scope,
                starts,
                ends: None,
                phases,
                current_phase,
                topics,
            })
        })
}

fn contribution() -> impl Strategy<Value = Body> {
    (
        select(ContributionKind::ALL),
        id("consultations"),
        option("topic-[0-9]{1,3}"),
        select(AuthorState::ALL),
        option(author()),
        option(place()),
        tallies(),
        option(0_u64..1 << 40),
        option(id("contributions")),
    )
        .prop_map(|(kind, process, topic, author_state, author, location, tallies, comment_count, amends)| {
            Body::Contribution(Contribution {
                kind,
                process,
                topic,
                author_state,
                author,
                location,
                tallies,
                comment_count,
                amends,
                untitled: false,
            })
        })
}

fn comment() -> impl Strategy<Value = Body> {
    (id("contributions"), id("consultations"), option(select(Stance::ALL)), select(AuthorState::ALL), option(author()), tallies())
        .prop_map(|(in_reply_to, process, stance, author_state, author, tallies)| {
            Body::Comment(Comment { in_reply_to, process, stance, author_state, author, tallies })
        })
}

fn disposition() -> impl Strategy<Value = Body> {
    (
        id("contributions"),
        id("consultations"),
        option(digest()),
        select(DispositionState::ALL),
        option("[a-z_]{1,20}"),
        option(id("contributions")),
    )
        .prop_map(|(subject, process, subject_digest, state, raw_state, merged_into)| {
            Body::Disposition(Disposition { subject, process, subject_digest, state, raw_state, merged_into })
        })
}

fn response() -> impl Strategy<Value = Body> {
    (
        proptest::collection::vec(id("contributions"), 1..3),
        id("consultations"),
        option(digest()),
        option(select(Outcome::ALL)),
        option(plain()),
    )
        .prop_map(|(responds_to, process, subject_digest, outcome, signatory_role)| {
            Body::OfficialResponse(OfficialResponse { responds_to, process, subject_digest, outcome, signatory_role })
        })
}

fn ids(path: &'static str) -> impl Strategy<Value = Vec<RecordId>> {
    proptest::collection::vec(id(path), 0..3)
}

fn money() -> impl Strategy<Value = Money> {
    (0_u64..1 << 53, "[A-Z]{3}").prop_map(|(hundredths, currency)| Money {
        amount: Amount::from_hundredths(hundredths).expect("an amount"),
        currency: currency.parse().expect("a currency"),
    })
}

fn completion() -> impl Strategy<Value = Completion> {
    (0_u8..=100).prop_map(|percent| Completion::try_from(percent).expect("a percentage"))
}

fn day() -> impl Strategy<Value = Day> {
    (1_u16..=9999, 1_u8..=12, 1_u8..=28)
        .prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}").parse().expect("a day"))
}

fn paper() -> impl Strategy<Value = Paper> {
    prop_oneof![id("documents").prop_map(Paper::Document), localized(html()).prop_map(Paper::Text)]
}

fn meeting() -> impl Strategy<Value = Body> {
    let when = (option(select(LifecycleState::ALL)), option(select(AuthorState::ALL)), option(instant()), option(instant()));
    let online = option(id("salles").prop_map(|id| id.url().clone()));
    (
        option(id("consultations")),
        option(select(MeetingKind::ALL)),
        when,
        (option(place()), online),
        (option(0_u64..1 << 53), option(0_u64..1 << 53), option(0_u64..1 << 40)),
        option(paper()),
        option(paper()),
    )
        .prop_map(|(process, kind, (state, author_state, starts, ends), (location, online), counts, agenda, minutes)| {
            let (capacity, attendance, comment_count) = counts;
            Body::Meeting(Meeting {
                process,
                kind,
                state,
                author_state,
                starts,
                ends,
                location,
                online,
                capacity,
                attendance,
                agenda,
                minutes,
                comment_count,
            })
        })
}

fn project() -> impl Strategy<Value = Body> {
    let part = (option("phase-[0-9]{1,3}"), option("topic-[0-9]{1,3}"), option(select(ProjectState::ALL)));
    let costs = (option(money()), option(money()), option(money()));
    let links = (ids("projects"), ids("contributions"), ids("commitments"));
    (id("consultations"), part, costs, option(plain()), links, option(place()), tallies(), option(0_u64..1 << 40)).prop_map(
        |(process, (phase, topic, state), costs, feasibility_reason, links, location, tallies, comment_count)| {
            let (estimated_cost, awarded_cost, final_cost) = costs;
            let (incompatible_with, derived_from, commitments) = links;
            Body::BudgetProject(BudgetProject {
                process,
                phase,
                topic,
                state,
                estimated_cost,
                awarded_cost,
                final_cost,
                feasibility_reason,
                incompatible_with,
                location,
                tallies,
                derived_from,
                commitments,
                comment_count,
            })
        },
    )
}

fn poll() -> impl Strategy<Value = Body> {
    let choice = (localized(plain()), option(0_u64..1 << 53)).prop_map(|(name, total)| PollOption { name, total });
    (
        id("consultations"),
        proptest::collection::vec(choice, 1..4),
        any::<bool>(),
        option(instant()),
        option(instant()),
        option(select(VotingMethod::ALL)),
        instant(),
        (option(0_u64..1 << 53), option(0_u64..1 << 20)),
    )
        .prop_map(|(process, options, several, ends, closed, method, counted_at, (electorate, threshold))| {
            Body::Poll(Poll { process, options, several, ends, closed, method, counted_at, electorate, threshold })
        })
}

fn decision() -> impl Strategy<Value = Body> {
    let organ = prop_oneof![id("organs").prop_map(Organ::Address), localized(plain()).prop_map(Organ::Named)];
    let count = || option(0_u64..1 << 53);
    let text = option(id("deliberations").prop_map(|id| id.url().clone()));
    (
        option(id("consultations")),
        option(day()),
        option(organ),
        option(plain()),
        (count(), count(), count()),
        text,
        ids("acts"),
        ids("contributions"),
    )
        .prop_map(|(process, decided_on, decided_by, legal_identifier, votes, text_at, legal_basis, arises_from)| {
            let (votes_for, votes_against, abstentions) = votes;
            Body::Decision(Decision {
                process,
                decided_on,
                decided_by,
                legal_identifier,
                votes_for,
                votes_against,
                abstentions,
                text_at,
                legal_basis,
                arises_from,
            })
        })
}

fn commitment() -> impl Strategy<Value = Body> {
    (
        option(id("consultations")),
        select(CommitmentState::ALL),
        option(completion()),
        option(plain()),
        option(day()),
        proptest::collection::vec(id("responses"), 1..3),
        option(money()),
        (option(plain()), option(0_u64..1 << 53)),
    )
        .prop_map(|(process, state, completion, responsible, due, arises_from, budget, (indicator, target))| {
            let untitled = false;
            Body::Commitment(Commitment {
                process,
                state,
                completion,
                responsible,
                due,
                arises_from,
                budget,
                indicator,
                target,
                untitled,
            })
        })
}

fn work_result() -> impl Strategy<Value = Body> {
    let roots = (proptest::collection::vec(id("projects"), 1..3), option(id("results")), ids("contributions"));
    let stands = (option(select(CommitmentState::ALL)), option("[a-z_]{1,20}"), option(completion()));
    (id("consultations"), roots, ids("commitments"), stands, option(instant()), option(day()), option(money()), ids("documents"))
        .prop_map(|(process, (result_of, part_of, arises_from), fulfils, stands, starts, due, final_cost, evidence)| {
            let (state, raw_state, completion) = stands;
            Body::Result(WorkResult {
                process,
                result_of,
                part_of,
                arises_from,
                fulfils,
                state,
                raw_state,
                completion,
                starts,
                due,
                final_cost,
                evidence,
                comment_count: completion.map(|completion| u64::from(completion.percent())),
            })
        })
}

fn progress_update() -> impl Strategy<Value = Body> {
    (
        id("results"),
        option(id("consultations")),
        option(select(CommitmentState::ALL)),
        option(completion()),
        option(money()),
        ids("documents"),
    )
        .prop_map(|(in_reply_to, process, state, completion, final_cost, evidence)| {
            Body::ProgressUpdate(ProgressUpdate {
                in_reply_to,
                process,
                state,
                completion,
                final_cost,
                evidence,
                untitled: false,
            })
        })
}

fn document() -> impl Strategy<Value = Body> {
    let media_type = select(vec!["application/pdf", "image/svg+xml", "text/csv"]).prop_map(|name| name.parse().expect("a type"));
    (
        option(id("meetings")),
        option(id("consultations")),
        option(media_type),
        option(0_u64..1 << 53),
        option(digest()),
        option(select(DocumentKind::ALL)),
    )
        .prop_map(|(attached_to, process, media_type, byte_size, checksum, kind)| {
            Body::Document(Document { attached_to, process, media_type, byte_size, checksum, kind, file: None })
        })
}

/// Any record, whatever it says.
pub fn any_record() -> impl Strategy<Value = Record> {
    // Boxed: a test's stack does not hold all of them at once.
    let body = prop_oneof![
        consultation().boxed(),
        contribution().boxed(),
        comment().boxed(),
        disposition().boxed(),
        response().boxed(),
        meeting().boxed(),
        project().boxed(),
        poll().boxed(),
        decision().boxed(),
        commitment().boxed(),
        work_result().boxed(),
        progress_update().boxed(),
        document().boxed()
    ];
    let texts = (option(localized(plain())), option(localized(html())), option(localized(html())), language());
    let rest = (
        proptest::collection::vec(theme(), 0..3),
        option(place()),
        select(ModerationState::ALL),
        option(select(ReasonCode::ALL)),
        option(any::<[u8; 16]>()),
        any::<bool>(),
    );
    (id("records"), 1_u64..1 << 53, option(instant()), texts, rest, body).prop_map(
        |(id, revision, published, (title, summary, content, language), rest, body)| {
            let (themes, territory, moderation, reason, salt, sourced) = rest;
            let authority: ActorId = id.url().join("/actor").expect("an address").as_str().parse().expect("an address");
            Record {
                published,
                updated: published,
                translations: vec![Translation { language: language.clone(), method: TranslationMethod::Machine }],
                title,
                summary,
                content,
                language,
                revision,
                licence: "https://opendatacommons.org/licenses/odbl/1-0/".parse().expect("an address"),
                themes,
                territory,
                moderation,
                reason,
                personal_data: sourced.then(|| handling(&authority)),
                source: published.filter(|_| sourced).map(|at| source("proposal", "1881", at)),
                mapping: sourced.then(|| report(&["$.newField"])),
                salt: salt.map(DigestSalt::new),
                body,
                id,
                authority,
            }
        },
    )
}

/// The statement on personal data of an authority.
pub fn handling(authority: &ActorId) -> PersonalDataHandling {
    PersonalDataHandling {
        controller: authority.clone(),
        legal_basis: "eu-gdpr:A6-1-e".to_owned(),
        method: vec!["dpv:Pseudonymisation".to_owned()],
        removed: vec!["author name".to_owned(), "author avatar".to_owned()],
        rights_contact: authority.url().join("/donnees-personnelles").expect("an address"),
    }
}

/// A reference to an item of a Decidim.
pub fn source(entity: &str, local_id: &str, at: Timestamp) -> SourceReference {
    SourceReference {
        platform: "elsewhere".parse().expect("a name"),
        system: "decidim".to_owned(),
        entity: entity.to_owned(),
        local_id: local_id.to_owned(),
        url: Some("https://participer.montfleur.example/processes/berges/f/4/proposals/1881".parse().expect("an address")),
        retrieved_at: at,
    }
}

/// A mapping report.
pub fn report(unmapped: &[&str]) -> MappingReport {
    MappingReport {
        profile: "decidim".to_owned(),
        version: "1".to_owned(),
        unmapped: unmapped.iter().map(|field| (*field).to_owned()).collect(),
    }
}
