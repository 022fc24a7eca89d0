//! Profiles fill the second half of the vocabulary: meetings, projects, polls, decisions, promises, results, files.

use passerelle::domain::meeting::{MeetingKind, Paper};
use passerelle::domain::progress::{CommitmentState, Completion};
use passerelle::domain::project::ProjectState;
use passerelle::domain::source::{Evidence, ProofKind, SourceRecord};
use passerelle::domain::{Body, Class};
use passerelle::mapping::{Mapped, Profile, same_content, same_words};
use serde_json::{Value, json};

use super::{PlainNames, lyon};

/// A platform of our own invention, with an entity for each class.
pub const WORKS: &str = r#"
[profile]
name = "works"
version = "1"
system = "works"
licence = "https://example.org/licence"

[codes.kinds]
room = "in-person"

[codes.states]
started = "underway"

[entity.project]
proof = [{ kind = "single-source", because = "the platform has one public list" }]
[entity.project.Consultation]
name = { from = "$.title", as = "plain" }

[entity.meeting]
proof = [{ kind = "public-page" }]
[entity.meeting.Meeting]
process = { from = "$.project", as = "reference", entity = "project", class = "Consultation" }
name = { from = "$.title", as = "plain" }
meetingKind = { from = "$.kind", as = "code", table = "kinds" }
startTime = { from = "$.from", as = "timestamp" }
onlineAddress = { from = "$.link", as = "url" }
location = { name = { from = "$.place", as = "plain" } }
capacity = { from = "$.seats", as = "count" }
agenda = { from = "$.agenda", as = "html" }
minutes = { from = "$.report", as = "html" }

[entity.idea]
proof = [{ kind = "public-page" }]
[entity.idea.BudgetProject]
process = { from = "$.project", as = "reference", entity = "project", class = "Consultation" }
name = { from = "$.title", as = "plain" }
projectState = { when = { path = "$.won", is = true }, value = "selected" }
estimatedCost = { amount = { from = "$.cost", as = "money" }, currency = "EUR" }
derivedFrom = { from = "$.proposals[*]", as = "reference", entity = "idea", class = "BudgetProject" }
supportTally = { measure = "vote", total = { from = "$.votes", as = "count" } }

[entity.work]
proof = [{ kind = "public-page" }]
[entity.work.Result]
process = { from = "$.project", as = "reference", entity = "project", class = "Consultation" }
resultOf = [
    { from = "$.project", as = "reference", entity = "project", class = "Consultation" },
    { from = "$.ideas[*]", as = "reference", entity = "idea", class = "BudgetProject" },
]
inReplyTo = { from = "$.parent", as = "reference", entity = "work", class = "Result" }
name = { from = "$.title", as = "plain" }
commitmentState = { from = "$.status", as = "code", table = "states" }
rawState = { from = "$.status", as = "unlisted", table = "states" }
completion = { from = "$.progress", as = "percent" }
dueDate = { from = "$.due", as = "day" }

[entity.news]
proof = [{ kind = "public-page" }]
[entity.news.ProgressUpdate]
inReplyTo = { from = "$.work", as = "reference", entity = "work", class = "Result" }
process = { from = "$.project", as = "reference", entity = "project", class = "Consultation" }
content = { from = "$.text", as = "html" }

[entity.file]
proof = [{ kind = "public-page" }]
[entity.file.Document]
process = { from = "$.project", as = "reference", entity = "project", class = "Consultation" }
inReplyTo = { from = "$.meeting", as = "reference", entity = "meeting", class = "Meeting" }
name = { from = "$.title", as = "plain" }
file = { from = "$.url", as = "url" }
mediaType = { from = "$.type", as = "token" }
byteSize = { from = "$.size", as = "count" }

[entity.vote]
proof = [{ kind = "public-page" }]
[entity.vote.Poll]
process = { from = "$.project", as = "reference", entity = "project", class = "Consultation" }
name = { from = "$.title", as = "plain" }
[[entity.vote.Poll.oneOf]]
each = "$.answers[*]"
name = { from = "@.text", as = "plain" }
total = { from = "@.n", as = "count" }

[entity.act]
proof = [{ kind = "public-page" }]
[entity.act.Decision]
process = { from = "$.project", as = "reference", entity = "project", class = "Consultation" }
name = { from = "$.title", as = "plain" }
decisionDate = { from = "$.on", as = "day" }
decidedBy = { from = "$.by", as = "plain" }
votesFor = { from = "$.yes", as = "count" }
[entity.act.Commitment]
process = { from = "$.project", as = "reference", entity = "project", class = "Consultation" }
arisesFrom = { from = "$.id", as = "reference", entity = "act", class = "Decision" }
name = { from = "$.promise", as = "plain" }
commitmentState = "planned"
dueDate = { from = "$.due", as = "day" }
budget = { amount = { from = "$.budget", as = "money" }, currency = "EUR" }
"#;

/// An item of that platform.
pub fn item(entity: &str, id: &str, fields: Value) -> SourceRecord {
    SourceRecord {
        entity: entity.to_owned(),
        local_id: id.to_owned(),
        fields,
        context: json!({}),
        url: format!("https://works.lyon.example/{entity}/{id}").parse().ok(),
        evidence: Evidence::Proven { by: ProofKind::PublicPage },
        retrieved_at: "2026-11-24T09:00:00Z".parse().expect("an instant"),
    }
}

fn map(entity: &str, id: &str, fields: Value) -> Mapped {
    let profile = Profile::parse(WORKS).expect("it is good");
    profile.map(&item(entity, id, fields), &lyon(), &PlainNames::default())
}

fn body(mapped: &Mapped) -> &Body {
    &mapped.drafts.first().unwrap_or_else(|| panic!("held: {:?}", mapped.held)).record.body
}

#[test]
fn a_meeting_has_its_time_its_places_and_its_papers() {
    let fields = json!({
        "project": "1", "title": "Une soirée", "kind": "room", "from": "2026-11-27T18:00:00+01:00", "link": "https://salle.lyon.example/1",
        "place": "Salle des fêtes", "seats": 120, "agenda": "<p>Accueil<script>x</script></p>", "report": null,
    });
    let mapped = map("meeting", "1", fields);
    let Body::Meeting(meeting) = body(&mapped) else { panic!("not a meeting") };
    assert_eq!(meeting.kind, Some(MeetingKind::InPerson));
    assert_eq!(meeting.starts, "2026-11-27T17:00:00Z".parse().ok());
    assert_eq!(meeting.online.as_ref().map(url::Url::as_str), Some("https://salle.lyon.example/1"));
    assert_eq!((meeting.capacity, meeting.attendance), (Some(120), None));
    let Some(Paper::Text(agenda)) = &meeting.agenda else { panic!("no agenda") };
    assert_eq!(agenda.iter().next().map(|(_, html)| html.as_str()), Some("<p>Accueil</p>"));
    assert_eq!(meeting.minutes, None);
    // A link that is none is no place to meet.
    let mapped = map("meeting", "1", json!({ "project": "1", "title": "x", "link": "javascript:alert(1)" }));
    let Body::Meeting(meeting) = body(&mapped) else { panic!("not a meeting") };
    assert_eq!(meeting.online, None);
}

#[test]
fn money_is_exact_and_what_is_none_is_reported() {
    let mapped = map(
        "idea",
        "1",
        json!({ "project": "1", "title": "Des gradins", "cost": 86_000, "won": true, "votes": 613, "proposals": ["7", "8", "1"] }),
    );
    let Body::BudgetProject(project) = body(&mapped) else { panic!("not a project") };
    assert_eq!(project.estimated_cost.map(|cost| cost.amount.to_string()).as_deref(), Some("86000"));
    assert_eq!(project.state, Some(ProjectState::Selected));
    assert_eq!(project.derived_from.len(), 2, "each once, and not itself: {:?}", project.derived_from);
    for (cost, expected) in
        [(json!("1250.50"), Some("1250.50")), (json!(12.5), Some("12.50")), (json!("12 000 €"), None), (json!(-3), None)]
    {
        let mapped = map("idea", "1", json!({ "project": "1", "title": "x", "cost": cost }));
        let Body::BudgetProject(project) = body(&mapped) else { panic!("not a project") };
        assert_eq!(project.estimated_cost.map(|cost| cost.amount.to_string()).as_deref(), expected);
        assert_eq!(mapped.findings.len(), usize::from(expected.is_none()), "{cost}");
    }
    let wrong = WORKS.replacen("currency = \"EUR\"", "currency = \"euros\"", 1);
    let error = Profile::parse(&wrong).expect_err("not a currency").to_string();
    assert!(error.contains("estimatedCost.currency") && error.contains("not a currency"), "{error}");
}

#[test]
fn every_rule_contributes_to_what_names_several_records() {
    let fields = json!({ "project": "1", "ideas": ["4", "5"], "parent": "2", "title": "Les gradins", "status": "started", "progress": 59.6, "due": "2027-06-29T23:30:00Z" });
    let mapped = map("work", "3", fields);
    let Body::Result(result) = body(&mapped) else { panic!("not a result") };
    assert_eq!(result.result_of.len(), 3, "{:?}", result.result_of);
    assert!(result.part_of.as_ref().is_some_and(|above| above.as_str().ends_with("/results/work-2")));
    assert_eq!((result.state, result.raw_state.as_deref()), (Some(CommitmentState::Underway), None));
    assert_eq!(result.completion.map(Completion::percent), Some(60));
    assert_eq!(result.due.map(|day| day.to_string()).as_deref(), Some("2027-06-30"), "the day it is in the city");
    // A word that no table knows is kept as it is, and reported.
    let mapped = map("work", "3", json!({ "project": "1", "parent": "3", "title": "x", "status": "en_revue", "progress": 140 }));
    let Body::Result(result) = body(&mapped) else { panic!("not a result") };
    assert_eq!((result.state, result.raw_state.as_deref(), result.completion), (None, Some("en_revue"), None));
    assert_eq!(result.part_of, None, "nothing is a part of itself");
    assert_eq!(result.result_of.len(), 1);
    assert_eq!(mapped.findings.len(), 2, "{:?}", mapped.findings);
    // News about something that is not public is held back.
    let profile = Profile::parse(WORKS).expect("it is good");
    let names = PlainNames { unknown: [("work".to_owned(), "9".to_owned())].into() };
    let news = item("news", "1", json!({ "project": "1", "work": "9", "text": "<p>x</p>" }));
    let held = profile.map(&news, &lyon(), &names);
    assert!(held.drafts.is_empty() && held.held.is_some_and(|reason| reason.contains("work 9")));
}

#[test]
fn polls_decisions_and_promises_are_filled() {
    let mapped = map(
        "vote",
        "1",
        json!({ "project": "1", "title": "Fermer ?", "answers": [{ "text": "Oui", "n": 3 }, { "text": "Non", "n": null }] }),
    );
    let Body::Poll(poll) = body(&mapped) else { panic!("not a poll") };
    assert_eq!(poll.options.iter().map(|option| option.total).collect::<Vec<_>>(), [Some(3), None], "null is withheld");
    assert!(!poll.several);
    let nothing = map("vote", "1", json!({ "project": "1", "title": "Fermer ?", "answers": [] }));
    assert!(nothing.drafts.is_empty(), "a poll without answers is none");

    let fields = json!({ "project": "1", "id": "4", "title": "Délibération", "on": "2026-11-09", "by": "Conseil municipal", "yes": 61, "promise": "Douze rues", "due": "2027-09-01", "budget": "480000" });
    let mapped = map("act", "4", fields);
    let classes: Vec<Class> = mapped.drafts.iter().map(|draft| draft.record.class()).collect();
    assert_eq!(classes, [Class::Decision, Class::Commitment]);
    let Body::Commitment(promise) = &mapped.drafts[1].record.body else { panic!("not a promise") };
    assert_eq!(promise.arises_from, [mapped.drafts[0].record.id.clone()]);
    assert_eq!(promise.budget.map(|money| money.currency.to_string()).as_deref(), Some("EUR"));
}

#[test]
fn a_file_that_moves_says_the_same() {
    let file = |url: &str| {
        map(
            "file",
            "1",
            json!({ "project": "1", "meeting": "2", "title": "L'ordre du jour", "url": url, "type": "application/pdf", "size": 418_233 }),
        )
    };
    let (one, other) = (file("https://works.lyon.example/files/a"), file("https://works.lyon.example/files/b"));
    let (before, after) = (&one.drafts[0].record, &other.drafts[0].record);
    assert!(same_content(before, after) && same_words(before, after));
    assert_eq!(before.source.as_ref().and_then(|source| source.url.as_ref()), None, "the address of a file is not signed");
    assert!(file("ftp://works.lyon.example/a").drafts.is_empty(), "a file that nobody can get is no document");
}

#[test]
fn what_passes_is_a_field_that_some_rule_reads() {
    let parse =
        |field: &str| Profile::parse(&WORKS.replace("[entity.file]\n", &format!("[entity.file]\npassing = [\"{field}\"]\n")));
    assert_eq!(parse("url").expect("it is read").passing("file"), ["url"]);
    for field in ["urls", "url.path", "$.url", "context", ""] {
        let error = parse(field).expect_err("no rule reads such a field").to_string();
        assert!(error.contains("entity.file.passing") && error.contains(&format!("`{field}`")), "{error}");
    }
}
