//! What a reading of a well-behaved platform brings, in both generations.

use std::sync::Arc;

use passerelle::connectors::{Courtesy, PageStatus};
use passerelle::demo::platform::{BORDEAUX, Comment, Generation, LYON, NewProposal, On, Proposal, SimulatedDecidim, State};
use passerelle::domain::Timestamp;
use passerelle::domain::source::{Evidence, ProofKind};
use passerelle::domain::time::{Clock, ManualClock};
use passerelle::outbound::Policy;
use serde_json::{Value, json};

use super::{connector, connector_with, plan, read, read_with};

pub(super) async fn lyon() -> SimulatedDecidim {
    SimulatedDecidim::start(Generation::V031, LYON, super::clock()).await.unwrap()
}

pub(super) async fn bordeaux() -> SimulatedDecidim {
    SimulatedDecidim::start(Generation::V028, BORDEAUX, super::clock()).await.unwrap()
}

fn public_proposals(state: &State) -> Vec<u64> {
    let public = state.proposals.iter().filter(|proposal| state.proposal_is_public(proposal));
    let mut ids: Vec<u64> = public.map(|proposal| proposal.id).collect();
    ids.sort_unstable();
    ids
}

/// Comments on public things, neither deleted nor hidden, and below nothing hidden. Those on projects are not read.
fn public_comments(state: &State) -> Vec<u64> {
    let shown = |id: u64| {
        let mut above = state.comment(id);
        let own = above.is_some_and(|comment| !comment.deleted);
        while let Some(comment) = above {
            if comment.hidden {
                return false;
            }
            above = comment.parent.and_then(|parent| state.comment(parent));
        }
        own
    };
    let is_read = |comment: &&Comment| {
        let private = comment.on == On::Meeting && state.meeting(comment.root).is_some_and(|meeting| meeting.private);
        comment.on != On::Project && !private && state.is_shown(comment.on, comment.root) && shown(comment.id)
    };
    let mut ids: Vec<u64> = state.comments.iter().filter(is_read).map(|comment| comment.id).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn every_public_item_comes_once_and_nothing_hidden_in_both_generations() {
    for platform in [lyon().await, bordeaux().await] {
        let reading = read(&platform.url()).await;
        let (proposals, comments) = platform.read(|state| (public_proposals(state), public_comments(state)));
        assert!(!proposals.is_empty() && !comments.is_empty());
        assert_eq!(reading.ids("proposal"), proposals);
        assert_eq!(reading.ids("comment"), comments);
        for (entity, report) in &reading.report().entities {
            assert!(report.complete, "{entity}: {:?}", report.why_incomplete);
            assert_eq!((report.unproven, report.failed), (0, 0), "{entity}");
        }
        assert!(reading.report().entities["proposal"].withheld > 0, "the platform hides some, and says so by nulls");
    }
}

#[tokio::test]
async fn parents_come_before_what_hangs_on_them() {
    let platform = lyon().await;
    let reading = read(&platform.url()).await;
    let position = |entity: &str, id: &Value| {
        let id = id.as_str()?;
        reading.items.iter().position(|item| item.entity == entity && item.local_id == id)
    };
    for (at, item) in reading.items.iter().enumerate().filter(|(_, item)| item.entity != "participatory_process") {
        assert!(position("participatory_process", &item.context["process"]["id"]).unwrap() < at);
        if item.entity == "comment" {
            assert!(position(item.context["root"]["entity"].as_str().unwrap(), &item.context["root"]["id"]).unwrap() < at);
            if let Some(parent) = position("comment", &item.context["parent_comment"]["id"]) {
                assert!(parent < at);
            }
        }
    }
}

#[tokio::test]
async fn a_record_holds_the_platforms_own_words_and_what_it_hangs_on() {
    let platform = lyon().await;
    let reading = read(&platform.url()).await;
    let proposal = reading.item("proposal", 1).unwrap();
    assert_eq!(proposal.fields["title"]["translations"][0]["locale"], "fr");
    assert_eq!(proposal.fields["state"], "accepted");
    assert_eq!(proposal.fields["coordinates"], json!({ "latitude": 45.7486, "longitude": 4.8536 }));
    assert_eq!(proposal.fields["author"], json!({ "__typename": "User", "id": "2" }), "of a person only the number");
    assert_eq!(proposal.context["process"]["id"], "1");
    assert_eq!(proposal.context["component"]["id"], "1");
    assert_eq!(proposal.context["amended"], Value::Null);
    assert_eq!(proposal.evidence, Evidence::Proven { by: ProofKind::OpenDataCsv });
    assert!(proposal.url.as_ref().unwrap().as_str().ends_with("/f/1/proposals/1"));
    let comment = reading.item("comment", 2).unwrap();
    assert_eq!(comment.context["parent_comment"], json!({ "id": "1" }));
    assert_eq!(comment.context["root"], json!({ "entity": "proposal", "id": "1" }));
    assert_eq!(comment.fields["alignment"], -1);
    assert!(comment.fields.get("comments").is_none(), "replies are items of their own");
    let process = reading.item("participatory_process", 1).unwrap();
    assert!(process.fields["steps"].as_array().is_some_and(|steps| steps.iter().any(|step| step["active"] == true)));
    assert!(process.fields["components"].as_array().unwrap().iter().all(Value::is_object), "an unpublished one is a null");
    assert_eq!(process.evidence, Evidence::Proven { by: ProofKind::PublicPage });
}

#[tokio::test]
async fn hidden_counts_stay_unknown_and_are_not_zero() {
    let platform = lyon().await;
    let reading = read(&platform.url()).await;
    let in_hidden_votes = reading.items.iter().find(|item| item.entity == "proposal" && item.context["component"]["id"] == "2");
    assert_eq!(in_hidden_votes.unwrap().fields["voteCount"], Value::Null);
}

#[tokio::test]
async fn an_answer_that_is_not_published_never_leaves() {
    for platform in [lyon().await, bordeaux().await] {
        let id = platform.read(|state| {
            let undecided = |p: &&Proposal| p.state.is_none() && p.answer.is_none();
            state.proposals.iter().filter(|p| state.proposal_is_public(p)).find(undecided).unwrap().id
        });
        assert!(platform.change(|state| state.prepare_answer(id, "accepted", "Décision encore secrète")));
        let reading = read(&platform.url()).await;
        let fields = &reading.item("proposal", id).unwrap().fields;
        assert!(fields["answer"].is_null() && fields["answeredAt"].is_null() && fields["proposalState"].is_null(), "{fields}");
        assert!(!format!("{:?}", reading.items).contains("encore secrète"));
    }
}

#[tokio::test]
async fn gdpr_18_names_of_people_are_never_asked_for_and_never_arrive() {
    for platform in [lyon().await, bordeaux().await] {
        let reading = read(&platform.url()).await;
        let everything = format!("{:?}", reading.items);
        let names: Vec<String> = platform.read(|state| state.users.values().map(|user| user.name.clone()).collect());
        for name in names.iter().filter(|name| name.chars().count() > 6) {
            assert!(!everything.contains(name.as_str()), "{name}");
        }
        for word in ["nickname", "avatarUrl", "profilePath", "organizationName"] {
            assert!(!everything.contains(word), "{word}");
        }
    }
}

#[tokio::test]
async fn a_hidden_item_is_named_as_withheld_where_the_platform_names_it() {
    let platform = lyon().await;
    let reading = read(&platform.url()).await;
    let hidden = platform.read(|state| state.proposals.iter().find(|p| p.hidden && !p.draft && !p.trashed).unwrap().id);
    assert!(reading.is_withheld("proposal", hidden), "{:?}", reading.withheld);
    assert!(platform.change(|state| state.unhide(hidden)));
    let reading = read(&platform.url()).await;
    assert!(!reading.is_withheld("proposal", hidden));
    assert!(reading.item("proposal", hidden).is_some());
}

#[tokio::test]
async fn what_the_open_data_do_not_list_yet_is_proven_by_its_own_page_or_held_back() {
    let platform = lyon().await;
    platform.freeze_open_data();
    let comment = platform.change(|state| state.add_comment(2, None, 4, 1, "Écrit après la dernière exportation"));
    let new = NewProposal { component: 1, author: 2, title: "Un banc", body: "À l'ombre", place: None };
    let proposal = platform.change(|state| state.add_proposal(&new));
    let reading = read(&platform.url()).await;
    assert_eq!(reading.item("proposal", proposal).unwrap().evidence, Evidence::Proven { by: ProofKind::PublicPage });
    let Evidence::Unproven { reason } = &reading.item("comment", comment).unwrap().evidence else { panic!("it is not proven") };
    assert!(reason.contains("open data"), "{reason}");
    assert_eq!(reading.report().entities["comment"].unproven, 1);
}

#[tokio::test]
async fn without_open_data_comments_are_held_back_and_the_report_says_why() {
    let platform = lyon().await;
    platform.forget_open_data();
    let reading = read(&platform.url()).await;
    assert!(reading.proven("comment").is_empty());
    assert!(!reading.proven("proposal").is_empty(), "proposals have pages of their own");
    assert!(reading.report().notes.iter().any(|note| note.contains("producing")), "{:?}", reading.report().notes);
}

#[tokio::test]
async fn a_single_source_is_accepted_only_where_the_profile_says_so() {
    let platform = lyon().await;
    platform.forget_open_data();
    let mut accepting = plan();
    accepting.proofs.insert("comment".to_owned(), vec![ProofKind::OpenDataCsv, ProofKind::SingleSource]);
    let reading = read_with(connector(&platform.url()), accepting).await;
    assert!(!reading.proven("comment").is_empty());
    let mut none = plan();
    none.proofs.insert("proposal".to_owned(), Vec::new());
    let reading = read_with(connector(&platform.url()), none).await;
    assert!(reading.proven("proposal").is_empty() && !reading.ids("proposal").is_empty());
    assert!(reading.proven("comment").is_empty(), "a comment is not more public than its proposal");
}

#[tokio::test]
async fn an_entity_outside_the_plan_is_not_read() {
    let platform = lyon().await;
    let mut small = plan();
    small.proofs.remove("comment");
    let reading = read_with(connector(&platform.url()), small).await;
    assert!(reading.ids("comment").is_empty() && !reading.ids("proposal").is_empty());
    assert!(!reading.report().entities.contains_key("comment"));
}

#[tokio::test]
async fn a_page_tells_whether_a_stranger_sees_the_item() {
    let platform = lyon().await;
    let reader = connector(&platform.url());
    let reading = read(&platform.url()).await;
    let url = reading.item("proposal", 1).unwrap().url.clone().unwrap();
    assert_eq!(reader.page_status(&url).await, Ok(PageStatus::Public));
    assert!(platform.change(|state| state.hide(1)));
    assert_eq!(reader.page_status(&url).await, Ok(PageStatus::Hidden(404)));
    let elsewhere = "http://127.0.0.1:9/processes/x".parse().unwrap();
    assert!(reader.page_status(&elsewhere).await.is_err(), "only pages of the platform are asked");
}

#[tokio::test]
async fn the_probe_tells_the_generations_apart_by_what_they_have() {
    let (lyon, bordeaux) = (lyon().await, bordeaux().await);
    let new = connector(&lyon.url()).probe().await.unwrap();
    assert!(new.capabilities.contains("Proposal.taxonomies") && new.capabilities.contains("Proposal.likesCount"));
    assert!(new.lacking.contains("Proposal.category") && new.lacking.contains("Proposal.endorsementsCount"));
    assert_eq!(new.types, None, "0.31 shows its fields to administrators only");
    let old = connector(&bordeaux.url()).probe().await.unwrap();
    assert!(old.capabilities.contains("Proposal.category") && old.lacking.contains("Proposal.taxonomies"));
    let types = old.types.unwrap();
    assert!(types["Proposal"].iter().any(|field| field == "endorsementsCount"));
    for probe in [&new.columns, &old.columns] {
        assert!(probe["proposals"].iter().any(|column| column == "id"));
    }
    assert_eq!(new.languages.first().map(String::as_str), Some("fr"));
}

#[tokio::test]
async fn a_reading_is_dated_by_the_clock_it_was_given() {
    let platform = bordeaux().await;
    let at: Timestamp = "2026-11-24T12:34:56Z".parse().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(at));
    let reading = read_with(connector_with(&platform.url(), Policy::with_loopback(), Courtesy::none(), clock), plan()).await;
    assert!(reading.items.iter().all(|item| item.retrieved_at == at));
}

#[tokio::test]
async fn a_reader_that_nobody_listens_to_stops() {
    let platform = lyon().await;
    let reader = connector(&platform.url());
    let (out, events) = tokio::sync::mpsc::channel(1);
    drop(events);
    assert!(reader.scan(&plan(), out).await.is_err());
}
