//! What the built-in profile makes of Decidim 0.28.6 and 0.31.8.

use passerelle::domain::author::AuthorKind;
use passerelle::domain::contribution::{AuthorState, ContributionKind};
use passerelle::domain::disposition::DispositionState;
use passerelle::domain::record::Body;
use passerelle::domain::response::Outcome;
use passerelle::domain::source::SourceRecord;
use passerelle::domain::{Class, LocalId, RecordId};
use passerelle::mapping::{Coverage, Mapped, Names, SourceSchema, Standing, Trouble, same_content, same_words};
use serde_json::json;

use super::{PlainNames, decidim, item, lyon, map, readable, recorded};

fn classes(mapped: &Mapped) -> Vec<Class> {
    mapped.drafts.iter().map(|draft| draft.record.class()).collect()
}

#[test]
fn recorded_items_of_both_generations_become_these_records() {
    for generation in ["0.28", "0.31"] {
        let of = |entity: &str, id: &str| readable(&map(&item(generation, entity, id)).drafts);
        insta::assert_snapshot!(format!("{generation}-process-1"), of("participatory_process", "1"));
        insta::assert_snapshot!(format!("{generation}-proposal-1-accepted"), of("proposal", "1"));
        insta::assert_snapshot!(format!("{generation}-proposal-7-withdrawn"), of("proposal", "7"));
        let comments = recorded(generation).into_iter().filter(|record| record.entity == "comment");
        let comments: Vec<String> = comments.map(|comment| readable(&map(&comment).drafts)).collect();
        insta::assert_snapshot!(format!("{generation}-comments"), comments.join("\n"));
    }
}

#[test]
fn one_proposal_gives_a_contribution_a_disposition_and_an_answer() {
    for generation in ["0.28", "0.31"] {
        let mapped = map(&item(generation, "proposal", "1"));
        assert_eq!(classes(&mapped), [Class::Contribution, Class::Disposition, Class::OfficialResponse], "{generation}");
        let Body::OfficialResponse(answer) = &mapped.drafts[2].record.body else { panic!("not an answer") };
        assert_eq!(answer.outcome, Some(Outcome::Accepted));
        assert_eq!(answer.responds_to, [mapped.drafts[0].record.id.clone()]);
        assert_eq!(answer.subject_digest, None);
    }
}

#[test]
fn an_answer_that_is_not_published_yet_does_not_leave() {
    // 0.28 serves its text and date all the same (recorded/decidim-0.28, correction 6).
    let prepared = item("0.28", "proposal", "16");
    assert!(prepared.fields["answer"]["translations"][0]["text"].is_string() && prepared.fields["state"].is_null());
    let mapped = map(&prepared);
    assert_eq!(classes(&mapped), [Class::Contribution]);
    assert!(!readable(&mapped.drafts).contains(prepared.fields["answer"]["translations"][0]["text"].as_str().expect("a text")));
}

#[test]
fn a_state_without_a_text_is_no_answer() {
    for (generation, id) in [("0.28", "17"), ("0.31", "91")] {
        assert_eq!(classes(&map(&item(generation, "proposal", id))), [Class::Contribution, Class::Disposition], "{generation}");
    }
    let mut empty = item("0.28", "proposal", "1");
    empty.fields["answer"] = json!({"translations": [{"locale": "fr", "text": "<p>&nbsp;</p>", "machineTranslated": false}]});
    assert_eq!(classes(&map(&empty)), [Class::Contribution, Class::Disposition]);
}

fn disposition(mapped: &Mapped) -> (DispositionState, Option<String>) {
    let found = mapped.drafts.iter().find_map(|draft| match &draft.record.body {
        Body::Disposition(body) => Some((body.state, body.raw_state.clone())),
        _ => None,
    });
    found.expect("a disposition")
}

#[test]
fn evaluating_is_under_evaluation_and_an_unlisted_state_stays_pending() {
    assert_eq!(disposition(&map(&item("0.28", "proposal", "19"))), (DispositionState::UnderEvaluation, None));
    let custom = map(&item("0.31", "proposal", "81"));
    assert_eq!(disposition(&custom), (DispositionState::Pending, Some("en_chantier".to_owned())));
    let word = Trouble::UnlistedWord { table: "states".to_owned(), word: "en_chantier".to_owned() };
    assert!(custom.findings.iter().any(|finding| finding.trouble == word), "{:?}", custom.findings);
}

#[test]
fn an_amendments_state_is_its_addressees_and_not_the_citys() {
    let mut amendment = item("0.28", "proposal", "1");
    assert_eq!(classes(&map(&amendment)), [Class::Contribution, Class::Disposition, Class::OfficialResponse]);
    amendment.context["amended"] = json!({"id": "2"});
    let mapped = map(&amendment);
    assert_eq!(classes(&mapped), [Class::Contribution]);
    let Body::Contribution(body) = &mapped.drafts[0].record.body else { panic!("not a contribution") };
    assert!(body.kind == ContributionKind::Amendment && body.amends.as_ref().is_some_and(|id| id.path().ends_with("proposal-2")));
}

#[test]
fn a_withdrawn_proposal_keeps_its_title_and_nothing_else_it_said() {
    for generation in ["0.28", "0.31"] {
        let mapped = map(&item(generation, "proposal", "7"));
        assert_eq!(classes(&mapped), [Class::Contribution], "{generation}");
        let record = &mapped.drafts[0].record;
        let Body::Contribution(body) = &record.body else { panic!("not a contribution") };
        assert_eq!(body.author_state, AuthorState::Withdrawn);
        assert!(record.title.is_some() && record.content.is_none() && body.author.is_none());
    }
}

#[test]
fn who_speaks_is_said_without_saying_who() {
    let author = |generation: &str, id: &str| match &map(&item(generation, "proposal", id)).drafts[0].record.body {
        Body::Contribution(body) => body.author.clone(),
        _ => panic!("not a contribution"),
    };
    let person = author("0.28", "1").expect("an author");
    assert_eq!((person.kind, person.name.is_none()), (AuthorKind::Person, true));
    assert!(person.pseudonym.is_some_and(|pseudonym| pseudonym.starts_with("px:")));
    assert_eq!(author("0.28", "10").map(|author| (author.kind, author.pseudonym)), Some((AuthorKind::Official, None)));
    assert_eq!(author("0.31", "105").map(|author| (author.kind, author.pseudonym)), Some((AuthorKind::Collective, None)));
    assert_eq!(author("0.28", "12"), None, "a deleted account");
}

#[test]
fn a_withheld_count_is_not_zero() {
    let mut source = item("0.31", "proposal", "4");
    source.fields["voteCount"] = json!(null);
    let totals = |source: &SourceRecord| {
        let tallies = map(source).drafts[0].record.tallies().to_vec();
        tallies.into_iter().map(|tally| (tally.measure.word(), tally.total)).collect::<Vec<_>>()
    };
    let with_votes = totals(&item("0.31", "proposal", "4"));
    assert!(with_votes.iter().all(|(_, total)| total.is_some()), "{with_votes:?}");
    assert_eq!(totals(&source)[0], ("vote", None));
    source.fields.as_object_mut().expect("an object").remove("voteCount");
    assert!(totals(&source).iter().all(|(measure, _)| *measure != "vote"), "a count that is not offered is absent");
}

#[test]
fn a_reply_to_a_comment_that_is_not_public_answers_the_contribution() {
    let reply = recorded("0.28").into_iter().find(|r| r.entity == "comment" && r.context["parent_comment"].is_object());
    let reply = reply.expect("the fixture has a reply");
    let parent = reply.context["parent_comment"]["id"].as_str().expect("an id").to_owned();
    let answers =
        |names: &PlainNames| decidim().map(&reply, &lyon(), names).drafts[0].record.parent().map(|id| id.path().to_owned());
    assert_eq!(answers(&PlainNames::default()), Some(format!("/comments/comment-{parent}")));
    let without = PlainNames { unknown: [("comment".to_owned(), parent)].into() };
    let root = reply.context["root"]["id"].as_str().expect("an id");
    assert_eq!(answers(&without), Some(format!("/contributions/proposal-{root}")));
}

#[test]
fn what_hangs_on_something_unpublished_is_held_back_with_the_reason() {
    let names = PlainNames { unknown: [("participatory_process".to_owned(), "1".to_owned())].into() };
    let mapped = decidim().map(&item("0.31", "proposal", "1"), &lyon(), &names);
    assert!(mapped.drafts.is_empty());
    assert_eq!(mapped.held.as_deref(), Some("its process is not public here (participatory_process 1)"));
}

/// Answers only for names that were announced.
pub(super) struct Strict(pub(super) Vec<LocalId>);
impl Names for Strict {
    fn record(&self, local: &LocalId) -> Option<RecordId> {
        assert!(self.0.contains(local), "{local} was not announced");
        PlainNames::default().record(local)
    }
    fn theme(&self, scheme: &str, id: &str) -> Option<RecordId> {
        PlainNames::default().theme(scheme, id)
    }
    fn pseudonym(&self, person: &str, process: &RecordId) -> String {
        PlainNames::default().pseudonym(person, process)
    }
}

#[test]
fn every_name_that_mapping_asks_for_was_announced() {
    for source in ["0.28", "0.31"].into_iter().flat_map(recorded) {
        let announced = decidim().references(&source, &lyon());
        let mapped = decidim().map(&source, &lyon(), &Strict(announced));
        assert_eq!(mapped.held, None);
    }
}

#[test]
fn gdpr_18_a_field_that_nobody_mapped_reaches_no_record_and_no_example() {
    let mut source = item("0.31", "proposal", "4");
    source.fields["author"]["email"] = json!("canary@example.org");
    source.fields["authorPhone"] = json!("canary-0611223344");
    source.fields["title"]["translations"][0]["editorEmail"] = json!("canary");
    let (profile, mapped) = (decidim(), map(&source));
    assert!(!readable(&mapped.drafts).contains("canary"));
    let mut coverage = Coverage::new();
    coverage.see(&profile, &source, &mapped);
    let unknown: Vec<&str> =
        coverage.fields().filter(|(_, _, field)| field.standing == Standing::NotUnderstood).map(|(_, name, _)| name).collect();
    assert_eq!(unknown, ["author.email", "authorPhone", "title.translations[].editorEmail"]);
    assert!(!format!("{coverage:?}").contains("canary"));
}

#[test]
fn every_field_of_the_recorded_items_and_schemas_is_decided() {
    let profile = decidim();
    for generation in ["0.28", "0.31"] {
        let mut coverage = Coverage::new();
        coverage.expect(&profile, &SourceSchema::built_in("decidim", generation).expect("it is built in"));
        for source in recorded(generation) {
            coverage.see(&profile, &source, &map(&source));
        }
        let undecided: Vec<String> = coverage
            .fields()
            .filter(|(_, _, field)| field.standing == Standing::NotUnderstood)
            .map(|(entity, name, _)| format!("{entity}.{name}"))
            .collect();
        assert_eq!(undecided, Vec::<String>::new(), "{generation}");
        assert!(coverage.totals().mapped > 40, "{:?}", coverage.totals());
    }
}

#[test]
fn a_new_field_of_the_schema_does_not_pass_silently() {
    let mut schema = SourceSchema::built_in("decidim", "0.31").expect("it is built in");
    let old = schema.clone();
    let proposal = schema.types.get_mut("Proposal").expect("a type");
    proposal.insert("referenceScore".to_owned(), "Float".to_owned());
    proposal.remove("cost");
    schema.types.get_mut("LocalizedString").expect("a type").insert("reviewedBy".to_owned(), "String".to_owned());
    let mut coverage = Coverage::new();
    coverage.expect(&decidim(), &schema);
    let new: Vec<String> = coverage
        .fields()
        .filter(|(_, _, field)| field.standing == Standing::NotUnderstood)
        .map(|(entity, name, _)| format!("{entity}.{name}"))
        .collect();
    assert!(new.contains(&"proposal.referenceScore".to_owned()), "{new:?}");
    assert!(new.contains(&"proposal.title.translations[].reviewedBy".to_owned()), "{new:?}");
    let (appeared, vanished) = old.compare(&schema);
    assert_eq!(appeared, ["LocalizedString.reviewedBy", "Proposal.referenceScore"]);
    assert_eq!(vanished, ["Proposal.cost"]);
    assert_eq!(
        old.vanished(["Proposal.cost", "Proposal.category", "nonsense"]),
        ["Proposal.cost"],
        "where introspection is closed"
    );
}

#[test]
fn every_column_of_the_open_data_tables_is_decided() {
    let columns = |text: &str| text.split(';').map(str::to_owned).collect::<Vec<_>>();
    let mut coverage = Coverage::new();
    // Headers of both recordings, joined.
    coverage.columns(&decidim(), "proposals", &columns(include_str!("fixtures/proposals-columns.txt").trim()));
    coverage.columns(&decidim(), "proposal_comments", &columns(include_str!("fixtures/proposal_comments-columns.txt").trim()));
    let undecided: Vec<&str> =
        coverage.fields().filter(|(_, _, field)| field.standing == Standing::NotUnderstood).map(|(_, name, _)| name).collect();
    assert_eq!(undecided, Vec::<&str>::new());
    coverage.columns(&decidim(), "proposals", &["author/email".to_owned(), "title/frrrrrrrrr1".to_owned()]);
    assert_eq!(coverage.totals().not_understood, 2);
}

#[test]
fn counts_alone_are_no_new_words_and_time_alone_is_nothing() {
    let source = item("0.31", "proposal", "1");
    let before = map(&source);
    let mut later = source.clone();
    later.retrieved_at = "2026-11-25T09:00:00Z".parse().expect("an instant");
    later.fields["updatedAt"] = json!("2026-11-25T08:00:00+01:00");
    assert!(same_content(&map(&later).drafts[0].record, &before.drafts[0].record), "time alone");
    later.fields["voteCount"] = json!(58);
    let counted = map(&later);
    assert!(!same_content(&counted.drafts[0].record, &before.drafts[0].record));
    assert!(same_words(&counted.drafts[0].record, &before.drafts[0].record));
    later.fields["title"]["translations"][0]["text"] = json!("Un autre titre");
    assert!(!same_words(&map(&later).drafts[0].record, &before.drafts[0].record));
}
