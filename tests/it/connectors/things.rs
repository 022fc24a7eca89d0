//! Meetings, results, projects, and what is attached to them: complete, and nothing that is not for everybody.

use std::collections::BTreeMap;

use passerelle::demo::platform::{Budget, Fault, Generation, On, SimulatedDecidim, State, When};
use passerelle::domain::source::{Evidence, ProofKind};
use serde_json::{Value, json};

use super::reading::{bordeaux, lyon};
use super::{Reading, read};
use crate::demo::replay::LYON_028;

/// Lyon of the generation that breaks over projects and comments on results.
async fn old_lyon() -> SimulatedDecidim {
    SimulatedDecidim::start(Generation::V028, LYON_028, super::clock()).await.unwrap()
}

fn sorted(ids: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut ids: Vec<u64> = ids.collect();
    ids.sort_unstable();
    ids
}

/// What of a platform everybody may see, by entity.
fn public(state: &State) -> BTreeMap<&'static str, Vec<u64>> {
    let meetings = state.meetings.iter().filter(|m| state.meeting_is_shown(m) && !m.private).map(|m| m.id);
    let results = || state.results.iter().filter(|r| state.result_is_shown(r));
    let number = |milestone: &serde_json::Map<String, Value>| milestone["id"].as_str().unwrap().parse().unwrap();
    let projects = state.budgets.iter().flat_map(|b| &b.projects).filter(|p| state.is_shown(On::Project, p.id)).map(|p| p.id);
    BTreeMap::from([
        ("meeting", sorted(meetings)),
        ("result", sorted(results().map(|r| r.id))),
        ("milestone", sorted(results().flat_map(|r| &r.milestones).map(number))),
        ("project", sorted(projects)),
    ])
}

#[tokio::test]
async fn every_public_meeting_result_milestone_and_project_comes_once_in_both_generations() {
    let mut seen = BTreeMap::new();
    for platform in [lyon().await, bordeaux().await, old_lyon().await] {
        let reading = read(&platform.url()).await;
        for (entity, expected) in platform.read(public) {
            assert_eq!(reading.ids(entity), expected, "{entity} of {}", platform.url());
            *seen.entry(entity).or_insert(0) += expected.len();
            let report = &reading.report().entities[entity];
            assert!(report.complete, "{entity}: {:?}", report.why_incomplete);
            assert_eq!((report.unproven, report.failed), (0, 0), "{entity}");
        }
    }
    assert!(seen.values().all(|count| *count > 3), "the recorded cities have some of each: {seen:?}");
}

#[tokio::test]
async fn a_meeting_that_is_private_hidden_unpublished_or_binned_never_leaves() {
    for platform in [lyon().await, old_lyon().await] {
        let (private, title) = platform.read(|state| {
            let meeting = state.meetings.iter().find(|m| m.private && !m.opaque).unwrap();
            (meeting.id, meeting.fields["title"]["fr"].as_str().unwrap().to_owned())
        });
        // The platform serves it and lists it: only the mark says that it is not for everybody.
        let comment = platform.change(|state| state.comment_on(On::Meeting, private, None, 2, "Entre invités"));
        let open = platform.read(|state| state.meetings.iter().find(|m| state.meeting_is_shown(m) && !m.private).unwrap().id);
        let hidden = platform.read(|state| state.meetings.iter().find(|m| m.hidden).unwrap().id);
        let reading = read(&platform.url()).await;
        assert!(reading.item("meeting", private).is_none() && reading.is_withheld("meeting", private));
        assert!(reading.item("comment", comment).is_none());
        assert!(reading.item("meeting", hidden).is_none());
        assert!(!format!("{:?}", reading.items).contains(&title) && !format!("{:?}", reading.items).contains("Entre invités"));
        assert!(reading.report().entities["meeting"].withheld > 0);
        let hide: [fn(&mut passerelle::demo::platform::Meeting); 4] =
            [|m| m.hidden = true, |m| m.unpublished = true, |m| m.private = true, |m| (m.private, m.opaque) = (true, true)];
        for hide in hide {
            assert!(platform.change(|state| state.change_meeting(open, hide)));
            assert!(read(&platform.url()).await.item("meeting", open).is_none());
            let show = |m: &mut passerelle::demo::platform::Meeting| {
                (m.hidden, m.unpublished, m.private, m.opaque) = (false, false, false, false);
            };
            assert!(platform.change(|state| state.change_meeting(open, show)));
        }
        assert!(read(&platform.url()).await.item("meeting", open).is_some());
    }
}

#[tokio::test]
async fn what_a_report_says_leaves_with_the_report_and_not_before() {
    for platform in [lyon().await, old_lyon().await] {
        let id = platform.read(|state| state.meetings.iter().find(|m| m.report_hidden && state.meeting_is_shown(m)).unwrap().id);
        let figures = |reading: &Reading| {
            let fields = &reading.item("meeting", id).unwrap().fields;
            let figure = |name: &str| fields.get(name).cloned().unwrap_or_default();
            let attendees = [figure("attendeesCount"), figure("attendeeCount")].into_iter().find(|v| !v.is_null());
            (attendees.unwrap_or_default(), figure("closingReport"), figure("attendingOrganizations"))
        };
        assert_eq!(figures(&read(&platform.url()).await), (Value::Null, Value::Null, Value::Null));
        assert!(platform.change(|state| state.close_meeting(id, 41, "<p>Compte rendu.</p>")));
        let (attendees, report, _) = figures(&read(&platform.url()).await);
        assert_eq!(attendees, 41);
        assert_eq!(report["translations"][0]["text"], "<p>Compte rendu.</p>");
    }
}

#[tokio::test]
async fn projects_of_0_28_come_from_the_open_data_and_their_own_pages_prove_them() {
    let platform = old_lyon().await;
    let reading = read(&platform.url()).await;
    let project = reading.item("project", 1).unwrap();
    assert_eq!(project.evidence, Evidence::Proven { by: ProofKind::PublicPage });
    assert_eq!(project.fields["title"]["translations"][0]["text"], "Jardin partagé place Guichard");
    assert_eq!(project.fields["budget_amount"], 45000);
    assert_eq!(project.fields.get("confirmedVotes"), None, "the file tells votes that the platform may hide");
    assert_eq!(project.context["proposals"], json!([{ "id": "91" }, { "id": "92" }]));
    assert_eq!(project.fields["category"]["name"]["translations"][0]["text"], "Nature en ville");
    assert_eq!(project.context["budget"], json!({ "id": "1" }), "its ballot's words are read with the process");
    assert!(project.url.as_ref().unwrap().path().ends_with("/f/10/budgets/1/projects/1"));

    // The file is a day old; the project is gone since.
    platform.freeze_open_data();
    platform.change(|state| state.budgets[0].projects.retain(|project| project.id != 1));
    let reading = read(&platform.url()).await;
    assert!(reading.item("project", 1).is_none() && reading.is_withheld("project", 1), "its own page answers 404");
    assert!(reading.item("project", 2).is_some());

    // Without the file nobody says which projects there are: nothing may be concluded.
    platform.forget_open_data();
    let reading = read(&platform.url()).await;
    let report = &reading.report().entities["project"];
    assert!(reading.ids("project").is_empty() && !report.complete && report.withheld == 3, "{report:?}");
}

#[tokio::test]
async fn projects_of_0_31_come_from_the_interface_and_the_open_data_prove_them() {
    let platform = lyon().await;
    let reading = read(&platform.url()).await;
    let project = reading.item("project", 1).unwrap();
    assert_eq!(project.evidence, Evidence::Proven { by: ProofKind::OpenDataCsv });
    assert_eq!(project.fields["selected"], true);
    assert_eq!(project.context["proposals"], json!([{ "id": "106" }]));
}

/// The ballots of the participatory budget, as its process tells them.
fn ballots(reading: &Reading) -> Vec<(&str, &str)> {
    let process = reading.items.iter().filter(|item| item.entity == "participatory_process");
    let components = process.flat_map(|item| item.fields["components"].as_array().unwrap());
    let ballots = components.filter_map(|component| component["ballots"].as_array()).flatten();
    ballots.map(|b| (b["id"].as_str().unwrap(), b["title"]["translations"][0]["text"].as_str().unwrap())).collect()
}

/// A second district's ballot, with one project on it.
fn add_ballot(state: &mut State) {
    let mut second: Budget = state.budgets[0].clone();
    second.id = 2;
    second.fields.insert("title".to_owned(), json!({ "fr": "Enveloppe du 3e" }));
    second.projects.truncate(1);
    second.projects[0].id = 31;
    // A list without an order.
    state.budgets.insert(0, second);
}

#[tokio::test]
async fn a_process_tells_its_ballots_in_their_order_in_both_generations() {
    for platform in [lyon().await, old_lyon().await] {
        platform.change(add_ballot);
        let reading = read(&platform.url()).await;
        let told = ballots(&reading);
        assert_eq!((told.len(), told[0].0, told[1]), (2, "1", ("2", "Enveloppe du 3e")));
        assert_eq!(reading.item("project", 31).unwrap().context["budget"], json!({ "id": "2" }));
    }
}

#[tokio::test]
async fn a_process_whose_ballots_cannot_be_read_stays_as_it_was_and_what_hangs_on_it_is_read() {
    let platform = lyon().await;
    let whole = read(&platform.url()).await;
    platform.misbehave(Some((Fault::ServerError, When::Containing("query Ballots".to_owned()))));
    let reading = read(&platform.url()).await;
    let with_ballots = whole.items.iter().find(|item| item.fields["components"].to_string().contains("ballots")).unwrap();
    let id: u64 = with_ballots.local_id.parse().unwrap();
    assert!(reading.item("participatory_process", id).is_none(), "it would be revised by what was not read");
    let report = &reading.report().entities["participatory_process"];
    assert!(report.failed == 1 && report.complete, "{report:?}");
    for entity in ["proposal", "meeting", "result", "project", "comment"] {
        assert_eq!(reading.ids(entity), whole.ids(entity), "{entity}");
        assert!(reading.report().entities[entity].complete, "{entity}");
    }
}

#[tokio::test]
async fn where_a_result_comes_from_is_told_in_both_generations() {
    for platform in [lyon().await, old_lyon().await] {
        let reading = read(&platform.url()).await;
        assert_eq!(reading.item("result", 1).unwrap().context["proposals"], json!([{ "id": "1" }]));
        assert_eq!(reading.item("result", 3).unwrap().context["parent"], json!({ "id": "1" }));
    }
}

#[tokio::test]
async fn comments_on_results_of_0_28_come_from_the_open_data_and_hidden_ones_do_not() {
    let platform = old_lyon().await;
    let (first, second, root) = platform.read(|state| {
        let shown = |c: &&passerelle::demo::platform::Comment| c.on == On::Result && !c.hidden;
        let reply = state.comments.iter().filter(shown).find(|c| c.parent.is_some()).unwrap();
        (reply.parent.unwrap(), reply.id, reply.root)
    });
    let hidden = platform.read(|state| state.comments.iter().find(|c| c.on == On::Result && c.hidden).unwrap().id);
    let reading = read(&platform.url()).await;
    let reply = reading.item("comment", second).unwrap();
    assert_eq!((&reply.fields["body"], &reply.context["root"]["entity"]), (&json!("En janvier."), &json!("result")));
    assert_eq!(reply.context["parent_comment"]["id"], first.to_string());
    assert_eq!(reply.context["root"]["id"], root.to_string());
    assert!(reading.item("comment", hidden).is_none());
    assert!(reading.report().entities["comment"].complete, "{:?}", reading.report().entities["comment"]);
    // A reply to something hidden is held back with it.
    platform.change(|state| state.comment_on(On::Result, root, None, 2, "Une autre question"));
    assert!(platform.change(|state| state.hide_comment(first)));
    let reading = read(&platform.url()).await;
    assert!(reading.item("comment", first).is_none() && reading.item("comment", second).is_none());
    assert!(reading.is_withheld("comment", second));
    // One that the file of last night does not know is missing, and the reading says so.
    platform.freeze_open_data();
    platform.change(|state| state.comment_on(On::Result, root, None, 2, "Écrit ce matin"));
    let reading = read(&platform.url()).await;
    let report = &reading.report().entities["comment"];
    assert!(!report.complete && report.why_incomplete.as_ref().unwrap().contains("result"), "{report:?}");
}

#[tokio::test]
async fn comments_on_meetings_are_read_like_those_on_proposals() {
    for platform in [lyon().await, old_lyon().await] {
        let meeting = platform.read(|state| state.comments.iter().find(|c| c.on == On::Meeting).unwrap().root);
        let first = platform.change(|state| state.comment_on(On::Meeting, meeting, None, 2, "Une question"));
        let reply = platform.change(|state| state.comment_on(On::Meeting, meeting, Some(first), 3, "Une réponse"));
        let deleted = platform.change(|state| state.comment_on(On::Meeting, meeting, None, 3, "Effacé par son autrice"));
        platform.change(|state| state.delete_comment(deleted));
        let reading = read(&platform.url()).await;
        assert_eq!(reading.item("comment", first).unwrap().context["root"]["entity"], "meeting");
        assert_eq!(reading.item("comment", reply).unwrap().context["parent_comment"]["id"], first.to_string());
        assert!(reading.item("comment", deleted).is_none());
        assert!(reading.report().entities["comment"].complete, "{:?}", reading.report().entities["comment"]);
    }
}

#[tokio::test]
async fn comments_on_projects_are_not_read_because_nothing_shows_that_they_are_public() {
    let platform = lyon().await;
    let comment = platform.change(|state| state.comment_on(On::Project, 1, None, 2, "Un projet attendu"));
    let reading = read(&platform.url()).await;
    assert!(reading.item("comment", comment).is_none() && !format!("{:?}", reading.items).contains("Un projet attendu"));
}

#[tokio::test]
async fn a_file_keeps_its_name_although_its_address_differs_at_every_read() {
    for platform in [lyon().await, bordeaux().await] {
        let files = |reading: &Reading| -> BTreeMap<String, (Value, Value)> {
            let files = reading.items.iter().filter(|item| item.entity == "attachment");
            files.map(|item| (item.local_id.clone(), (item.fields["url"].clone(), item.context["of"].clone()))).collect()
        };
        let (one, other) = (files(&read(&platform.url()).await), files(&read(&platform.url()).await));
        assert!(!one.is_empty() && one.keys().eq(other.keys()), "{one:?}");
        assert!(one.iter().all(|(name, (url, _))| url != &other[name].0), "the addresses are signed anew");
        assert!(one.values().any(|(_, of)| of["entity"] == "proposal"));
        assert!(!one.values().any(|(url, _)| url.as_str().unwrap().contains("example.org")), "a link is no file");
        let reading = read(&platform.url()).await;
        for item in reading.items.iter().filter(|item| item.entity != "attachment") {
            assert!(!item.fields.to_string().contains("active_storage"), "no signed address stays in {}", item.entity);
        }
    }
}

#[tokio::test]
async fn what_hangs_on_something_hidden_goes_with_it() {
    let platform = lyon().await;
    let reading = read(&platform.url()).await;
    let of = |reading: &Reading, entity: &str, id: &str| {
        let of = json!({ "entity": entity, "id": id });
        reading.items.iter().filter(|item| item.entity == "attachment" && item.context["of"] == of).count()
    };
    assert!(of(&reading, "meeting", "1") > 0 && of(&reading, "result", "1") > 0);
    assert!(reading.items.iter().any(|item| item.entity == "milestone" && item.context["result"]["id"] == "1"));
    assert!(platform.change(|state| state.change_meeting(1, |m| m.hidden = true)));
    assert!(platform.change(|state| state.change_result(1, |r| r.trashed = true)));
    let reading = read(&platform.url()).await;
    assert_eq!(of(&reading, "meeting", "1") + of(&reading, "result", "1"), 0);
    assert!(!reading.items.iter().any(|item| item.context["result"]["id"] == "1"));
}

#[tokio::test]
async fn a_list_that_cannot_be_read_spoils_its_own_entities_and_no_other() {
    let platform = lyon().await;
    platform.misbehave(Some((Fault::ServerError, When::Containing("query Results".to_owned()))));
    let reading = read(&platform.url()).await;
    let complete = |entity: &str| reading.report().entities[entity].complete;
    assert!(!complete("result") && !complete("milestone"));
    assert!(complete("meeting") && complete("project") && complete("proposal"));
    assert!(!reading.ids("meeting").is_empty() && reading.ids("result").is_empty());
}

#[tokio::test]
async fn an_endless_list_of_meetings_is_left_and_called_incomplete() {
    for fault in [Fault::CursorLoop, Fault::EmptyLists, Fault::EarlyEnd] {
        let platform = lyon().await;
        platform.misbehave(Some((fault, When::Containing("query Meetings".to_owned()))));
        let reading = read(&platform.url()).await;
        let report = &reading.report().entities["meeting"];
        // A list that ends early once is made whole by the second reading, or called incomplete.
        let whole = reading.ids("meeting") == platform.read(|state| public(state)["meeting"].clone());
        assert!(!report.complete || whole, "{fault:?}: {report:?}");
    }
}
