//! What the built-in profile makes of meetings, projects, results, progress reports and files, as the connector reads them
//! from the simulated cities of both generations.

use passerelle::demo::platform::{Generation, LYON, SimulatedDecidim};
use passerelle::domain::consultation::LifecycleState;
use passerelle::domain::contribution::AuthorState;
use passerelle::domain::meeting::Meeting;
use passerelle::domain::record::Body;
use passerelle::domain::source::SourceRecord;
use passerelle::domain::{Class, Record, RecordId};
use passerelle::mapping::{Coverage, Mapped, SourceSchema, Standing, same_content};
use serde_json::json;

use super::decidim::Strict;
use super::{PlainNames, decidim, lyon, map, readable};
use crate::connectors::read;
use crate::demo::replay::LYON_028;

/// Everything that is read of Lyon, at an address that does not change.
async fn read_lyon(generation: &str) -> Vec<SourceRecord> {
    let (which, fixture) = if generation == "0.28" { (Generation::V028, LYON_028) } else { (Generation::V031, LYON) };
    let clock = std::sync::Arc::new(passerelle::domain::time::SystemClock);
    let platform = SimulatedDecidim::start(which, fixture, clock).await.expect("it starts");
    let mut items = read(&platform.url()).await.items;
    for item in &mut items {
        let moved = |text: &str| text.replace(&platform.url(), "https://participer.lyon.example");
        item.url = item.url.as_ref().map(|url| moved(url.as_str()).parse().expect("an address"));
        item.fields = serde_json::from_str(&moved(&item.fields.to_string())).expect("it is JSON");
    }
    items
}

fn of<'a>(items: &'a [SourceRecord], entity: &str, id: &str) -> &'a SourceRecord {
    let found = items.iter().find(|item| item.entity == entity && item.local_id == id);
    found.unwrap_or_else(|| panic!("{entity} {id} was not read"))
}

fn only(mapped: Mapped) -> Record {
    assert_eq!((mapped.held, mapped.drafts.len()), (None, 1));
    mapped.drafts.into_iter().next().expect("one").record
}

#[tokio::test]
async fn items_of_both_generations_become_these_records() {
    for generation in ["0.28", "0.31"] {
        let items = read_lyon(generation).await;
        let withdrawn = if generation == "0.28" { "4" } else { "3" };
        for (name, entity, id) in [
            ("meeting-1-closed", "meeting", "1"),
            ("meeting-withdrawn", "meeting", withdrawn),
            ("project-1", "project", "1"),
            ("result-1", "result", "1"),
            ("result-3-part", "result", "3"),
            ("milestone-1", "milestone", "1"),
        ] {
            insta::assert_snapshot!(format!("{generation}-{name}"), readable(&map(of(&items, entity, id)).drafts));
        }
        let mut file =
            items.iter().find(|item| item.entity == "attachment" && item.context["of"]["entity"] == "meeting").cloned();
        let file = file.as_mut().expect("a meeting has a file");
        file.fields["url"] = json!("https://participer.lyon.example/rails/active_storage/disk/signed/file");
        insta::assert_snapshot!(format!("{generation}-file-of-a-meeting"), readable(&map(file).drafts));
        let comment = items.iter().find(|item| item.entity == "comment" && item.context["root"]["entity"] == "result");
        let comment = comment.expect("somebody commented on a result");
        insta::assert_snapshot!(format!("{generation}-comment-on-a-result"), readable(&map(comment).drafts));
    }
}

#[tokio::test]
async fn every_field_that_is_read_and_every_field_of_the_types_is_decided() {
    let profile = decidim();
    for generation in ["0.28", "0.31"] {
        let mut coverage = Coverage::new();
        coverage.expect(&profile, &SourceSchema::built_in("decidim", generation).expect("it is built in"));
        let items = read_lyon(generation).await;
        for item in &items {
            coverage.see(&profile, item, &map(item));
        }
        let undecided: Vec<String> = coverage
            .fields()
            .filter(|(_, _, field)| field.standing == Standing::NotUnderstood)
            .map(|(entity, name, _)| format!("{entity}.{name}"))
            .collect();
        assert_eq!(undecided, Vec::<String>::new(), "{generation}");
        for entity in ["meeting", "project", "result", "milestone", "attachment"] {
            let mapped = coverage.fields().filter(|(of, _, field)| *of == entity && field.standing == Standing::Mapped).count();
            assert!(mapped > 3, "{generation}: {entity}");
        }
    }
}

#[tokio::test]
async fn a_project_stands_on_a_ballot_that_its_consultation_names() {
    for generation in ["0.28", "0.31"] {
        let items = read_lyon(generation).await;
        let project = of(&items, "project", "1");
        let process = of(&items, "participatory_process", project.context["process"]["id"].as_str().expect("an id"));
        let Body::BudgetProject(body) = only(map(project)).body else { panic!("not a project") };
        let Body::Consultation(consultation) = only(map(process)).body else { panic!("not a consultation") };
        assert_eq!(body.topic.as_deref(), Some("ballot-1"));
        let ballot = consultation.topics.iter().find(|topic| Some(&topic.fragment) == body.topic.as_ref()).expect("it is named");
        assert!(ballot.name.iter().any(|(_, text)| text.as_str() == "Enveloppe de la ville"), "{ballot:?}");
        assert!(consultation.topics.iter().any(|topic| topic.fragment.starts_with("topic-")), "beside the questions");
    }
}

#[tokio::test]
async fn what_an_item_hangs_on_is_accounted_for_like_its_fields() {
    let profile = decidim();
    let mut project = of(&read_lyon("0.31").await, "project", "1").clone();
    project.context["budget"]["total_budget"] = json!(500_000);
    project.context["budget"]["title"] = json!({ "translations": [{ "locale": "fr", "text": "Enveloppe de la ville" }] });
    let mapped = map(&project);
    let lost =
        ["context.budget.title.translations[].locale", "context.budget.title.translations[].text", "context.budget.total_budget"];
    let mut coverage = Coverage::new();
    coverage.see(&profile, &project, &mapped);
    let standing = |wanted: Standing| {
        let fields = coverage.fields().filter(move |(_, name, field)| name.starts_with("context.") && field.standing == wanted);
        fields.map(|(_, name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(standing(Standing::NotUnderstood), lost);
    assert_eq!(standing(Standing::Mapped), ["context.budget.id", "context.process.id", "context.proposals[].id"]);
    assert_eq!(only(mapped).mapping.expect("it says so").unmapped, lost);
}

#[test]
fn every_column_of_the_tables_about_them_is_decided() {
    let columns = |text: &str| text.trim().split(';').map(str::to_owned).collect::<Vec<_>>();
    let mut coverage = Coverage::new();
    for (table, text) in [
        ("meetings", include_str!("fixtures/meetings-columns.txt")),
        ("projects", include_str!("fixtures/projects-columns.txt")),
        ("results", include_str!("fixtures/results-columns.txt")),
        ("meeting_comments", include_str!("fixtures/meeting_comments-columns.txt")),
        ("result_comments", include_str!("fixtures/result_comments-columns.txt")),
    ] {
        coverage.columns(&decidim(), table, &columns(text));
    }
    let undecided: Vec<String> = coverage
        .fields()
        .filter(|(_, _, field)| field.standing == Standing::NotUnderstood)
        .map(|(table, name, _)| format!("{table} {name}"))
        .collect();
    assert_eq!(undecided, Vec::<String>::new());
    coverage.columns(&decidim(), "meetings", &["organizer/email".to_owned()]);
    assert_eq!(coverage.totals().not_understood, 1);
}

#[tokio::test]
async fn every_name_that_mapping_asks_for_was_announced_and_nothing_public_is_held() {
    for generation in ["0.28", "0.31"] {
        for item in read_lyon(generation).await {
            let announced = decidim().references(&item, &lyon());
            let mapped = decidim().map(&item, &lyon(), &Strict(announced));
            assert_eq!(mapped.held, None, "{} {}", item.entity, item.local_id);
        }
    }
}

#[tokio::test]
async fn a_withdrawn_meeting_is_cancelled_and_keeps_its_title_only() {
    for (generation, id) in [("0.28", "4"), ("0.31", "3")] {
        let items = read_lyon(generation).await;
        let mut item = of(&items, "meeting", id).clone();
        // A resident's meeting may be at a home.
        item.fields["address"] = json!("4 rue des Lilas");
        item.fields["location"] = json!({ "translations": [{ "locale": "fr", "text": "Chez Jeanne" }] });
        item.fields["coordinates"] = json!({ "latitude": 45.76, "longitude": 4.83 });
        item.fields["scope"] = json!({ "id": "1", "name": { "translations": [{ "locale": "fr", "text": "Montchat" }] } });
        item.fields["closingReport"] = json!({ "translations": [{ "locale": "fr", "text": "<p>Sept personnes.</p>" }] });
        let record = only(map(&item));
        let Body::Meeting(body) = record.body.clone() else { panic!("not a meeting") };
        assert_eq!((body.state, body.author_state), (Some(LifecycleState::Cancelled), Some(AuthorState::Withdrawn)));
        assert!(record.takes_words_back() && record.title.is_some() && body.starts.is_some());
        assert_eq!(body, Meeting { starts: body.starts, ends: body.ends, kind: body.kind, ..taken_back(body.process.clone()) });
        assert_eq!((&record.content, &record.summary, &record.territory), (&None, &None, &None));
        assert!(record.themes.is_empty() && record.translations.is_empty());
    }
}

/// What stays of a meeting beside its title, its days and its kind.
const fn taken_back(process: Option<RecordId>) -> Meeting {
    Meeting {
        process,
        kind: None,
        state: Some(LifecycleState::Cancelled),
        author_state: Some(AuthorState::Withdrawn),
        starts: None,
        ends: None,
        location: None,
        online: None,
        capacity: None,
        attendance: None,
        agenda: None,
        minutes: None,
        comment_count: None,
    }
}

#[tokio::test]
async fn what_the_platform_does_not_say_of_a_meeting_or_a_project_is_not_said() {
    let items = read_lyon("0.31").await;
    let mut project = of(&items, "project", "1").clone();
    for selected in [json!(false), json!(null)] {
        project.fields["selected"] = selected;
        let Body::BudgetProject(body) = only(map(&project)).body else { panic!("not a project") };
        assert_eq!(body.state, None, "so it is before, during and after the vote");
    }
    let mut meeting = of(&items, "meeting", "1").clone();
    meeting.fields["closed"] = json!(false);
    let Body::Meeting(body) = only(map(&meeting)).body else { panic!("not a meeting") };
    assert_eq!((body.state, body.author_state), (None, None), "it may be over all the same");
}

#[tokio::test]
async fn a_project_costs_what_the_city_says_and_votes_that_may_be_hidden_are_not_told() {
    let project = |items: &[SourceRecord]| match only(map(of(items, "project", "1"))).body {
        Body::BudgetProject(body) => body,
        other => panic!("{other:?}"),
    };
    let old = project(&read_lyon("0.28").await);
    let cost = old.estimated_cost.expect("it has a cost");
    assert_eq!((cost.amount.units(), cost.currency.code()), (45_000, "EUR"));
    assert_eq!((old.state, old.tallies.len(), old.derived_from.len()), (None, 0, 2));
    let new = project(&read_lyon("0.31").await);
    assert_eq!(new.state.map(passerelle::domain::project::ProjectState::word), Some("selected"));
    assert_eq!(new.tallies.iter().map(|tally| tally.total).collect::<Vec<_>>(), [Some(30)]);
}

#[tokio::test]
async fn more_than_the_whole_is_no_percentage() {
    let items = read_lyon("0.28").await;
    let mapped = map(of(&items, "result", "1"));
    assert!(mapped.findings.iter().any(|finding| finding.property == "completion"), "{:?}", mapped.findings);
    let Body::Result(body) = only(mapped).body else { panic!("not a result") };
    assert_eq!((body.completion, body.state.map(passerelle::domain::progress::CommitmentState::word)), (None, Some("underway")));
    let Body::Result(part) = only(map(of(&items, "result", "3"))).body else { panic!("not a result") };
    assert_eq!(part.completion.map(passerelle::domain::progress::Completion::percent), Some(60));
    assert!(part.part_of.is_some() && part.arises_from.is_empty() && body.arises_from.len() == 1);
}

#[tokio::test]
async fn what_hangs_on_a_meeting_or_result_that_is_not_public_here_is_held_back() {
    let items = read_lyon("0.31").await;
    let without = PlainNames { unknown: [("meeting".to_owned(), "1".to_owned()), ("result".to_owned(), "1".to_owned())].into() };
    let hang = |item: &&SourceRecord| {
        let on = |of: &serde_json::Value| (of["entity"] == "meeting" || of["entity"] == "result") && of["id"] == "1";
        on(&item.context["of"]) || on(&item.context["root"]) || item.context["result"]["id"] == "1"
    };
    let held: Vec<&SourceRecord> = items.iter().filter(hang).collect();
    for entity in ["comment", "attachment", "milestone"] {
        assert!(held.iter().any(|item| item.entity == entity), "{entity}");
    }
    for item in held {
        let mapped = decidim().map(item, &lyon(), &without);
        assert!(mapped.drafts.is_empty() && mapped.held.is_some(), "{} {}", item.entity, item.local_id);
    }
}

#[tokio::test]
async fn a_file_that_only_moved_says_nothing_new() {
    let items = read_lyon("0.31").await;
    let file = items.iter().find(|item| item.entity == "attachment").expect("there are files");
    let mut moved = file.clone();
    moved.fields["url"] = json!("https://participer.lyon.example/rails/active_storage/disk/another/file.pdf");
    assert_ne!(file.fields["url"], moved.fields["url"]);
    assert!(same_content(&only(map(file)), &only(map(&moved))));
    assert_eq!(only(map(&moved)).class(), Class::Document);
    assert!(!serde_json::to_string(&only(map(&moved)).source).expect("it serialises").contains("another"));
}
