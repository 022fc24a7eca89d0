//! What a record says, from the values that the rules gave.

use super::evaluate::{Evaluation, Filled};
use super::transform::Parsed;
use crate::domain::author::{AuthorKind, PseudonymousAuthor};
use crate::domain::comment::Comment;
use crate::domain::commitment::Commitment;
use crate::domain::consultation::{Consultation, Phase, Topic};
use crate::domain::contribution::{AuthorState, Contribution, ContributionKind};
use crate::domain::decision::{Decision, Organ};
use crate::domain::disposition::Disposition;
use crate::domain::document::Document;
use crate::domain::meeting::{Meeting, Paper};
use crate::domain::poll::{Poll, PollOption};
use crate::domain::progress::ProgressUpdate;
use crate::domain::project::BudgetProject;
use crate::domain::record::Body;
use crate::domain::response::OfficialResponse;
use crate::domain::result::WorkResult;
use crate::domain::tally::SupportTally;
use crate::domain::text::LanguageTag;
use crate::domain::{Class, RecordId};

impl Evaluation<'_> {
    /// What a record of `class` says; as for [`Evaluation::assemble`].
    pub(super) fn body(
        &self,
        class: Class,
        filled: &Filled,
        id: &RecordId,
        language: &LanguageTag,
    ) -> Result<Body, Option<String>> {
        let reference = |property: &str| filled.record(property).ok_or_else(|| Some(self.missing(property)));
        let prefer = &self.publisher.language;
        Ok(match class {
            Class::Consultation => Body::Consultation(Consultation {
                kind: filled.word("processKind"),
                lifecycle: filled.word("lifecycleState"),
                decision_scope: filled.plain_texts("decisionScope", language),
                starts: filled.instant("startTime"),
                ends: filled.instant("endTime"),
                phases: phases(filled, language),
                current_phase: filled.token("currentPhase").map(str::to_owned),
                topics: topics(filled, language),
            }),
            Class::Contribution => {
                let process = reference("process")?;
                Body::Contribution(Contribution {
                    kind: filled.word("contributionKind").unwrap_or(ContributionKind::Proposal),
                    topic: filled.token("topic").map(str::to_owned),
                    author_state: filled.word("authorState").unwrap_or(AuthorState::Published),
                    author: self.author(filled, &process),
                    location: filled.place("location", prefer),
                    tallies: self.tallies(filled),
                    comment_count: filled.shown("commentCount"),
                    // Its own amendment is nonsense that a wrong path could produce.
                    amends: filled.record("amends").filter(|amended| amended != id),
                    untitled: false,
                    process,
                })
            }
            Class::Argument | Class::Comment => {
                let process = reference("process")?;
                Body::Comment(Comment {
                    in_reply_to: reference("inReplyTo")?,
                    stance: filled.word("stance"),
                    author_state: filled.word("authorState").unwrap_or(AuthorState::Published),
                    author: self.author(filled, &process),
                    tallies: self.tallies(filled),
                    process,
                })
            }
            Class::Disposition => Body::Disposition(Disposition {
                subject: reference("subject")?,
                process: reference("process")?,
                subject_digest: None,
                state: filled.word("dispositionState").ok_or(None)?,
                raw_state: filled.plain("rawState", prefer).map(|raw| raw.to_string()),
                merged_into: filled.record("mergedInto"),
            }),
            Class::OfficialResponse => Body::OfficialResponse(OfficialResponse {
                responds_to: vec![reference("respondsTo")?],
                process: reference("process")?,
                subject_digest: None,
                outcome: filled.word("outcome"),
                signatory_role: filled.plain("signatoryRole", prefer),
            }),
            Class::Meeting => Body::Meeting(Meeting {
                process: Some(reference("process")?),
                kind: filled.word("meetingKind"),
                state: filled.word("lifecycleState"),
                author_state: filled.word("authorState"),
                starts: filled.instant("startTime"),
                ends: filled.instant("endTime"),
                location: filled.place("location", prefer),
                online: filled.address("onlineAddress"),
                capacity: filled.shown("capacity"),
                attendance: filled.shown("attendance"),
                agenda: filled.html_texts("agenda", language).map(Paper::Text),
                minutes: filled.html_texts("minutes", language).map(Paper::Text),
                comment_count: filled.shown("commentCount"),
            }),
            Class::BudgetProject => Body::BudgetProject(BudgetProject {
                process: reference("process")?,
                phase: filled.token("phase").map(str::to_owned),
                topic: filled.token("topic").map(str::to_owned),
                state: filled.word("projectState"),
                estimated_cost: filled.money("estimatedCost"),
                awarded_cost: filled.money("awardedCost"),
                final_cost: filled.money("finalCost"),
                feasibility_reason: filled.plain("feasibilityReason", prefer),
                incompatible_with: filled.records("incompatibleWith", id),
                location: filled.place("location", prefer),
                tallies: self.tallies(filled),
                derived_from: filled.records("derivedFrom", id),
                commitments: filled.records("commitments", id),
                comment_count: filled.shown("commentCount"),
            }),
            Class::Poll => {
                let (one, several) = (options(filled, "oneOf", language), options(filled, "anyOf", language));
                let (options, several) = if one.is_empty() { (several, true) } else { (one, false) };
                if options.is_empty() {
                    return Err(None);
                }
                Body::Poll(Poll {
                    process: reference("process")?,
                    options,
                    several,
                    ends: filled.instant("endTime"),
                    closed: filled.instant("closed"),
                    method: filled.word("votingMethod"),
                    counted_at: self.source.retrieved_at,
                    electorate: filled.shown("electorate"),
                    threshold: filled.shown("threshold"),
                })
            }
            Class::Decision => Body::Decision(Decision {
                process: filled.record("process"),
                decided_on: filled.day("decisionDate"),
                decided_by: filled.plain_texts("decidedBy", language).map(Organ::Named),
                legal_identifier: filled.plain("legalIdentifier", prefer),
                votes_for: filled.shown("votesFor"),
                votes_against: filled.shown("votesAgainst"),
                abstentions: filled.shown("abstentions"),
                text_at: filled.address("officialText"),
                legal_basis: Vec::new(),
                arises_from: filled.records("arisesFrom", id),
            }),
            Class::Commitment => {
                let arises_from = filled.records("arisesFrom", id);
                if arises_from.is_empty() {
                    return Err(Some(self.missing("arisesFrom")));
                }
                Body::Commitment(Commitment {
                    process: filled.record("process"),
                    state: filled.word("commitmentState").ok_or(None)?,
                    completion: filled.percent("completion"),
                    responsible: filled.plain("responsible", prefer),
                    due: filled.day("dueDate"),
                    arises_from,
                    budget: filled.money("budget"),
                    indicator: filled.plain("indicator", prefer),
                    target: filled.shown("targetValue"),
                    untitled: false,
                })
            }
            Class::Result => {
                let process = reference("process")?;
                let mut result_of = filled.records("resultOf", id);
                if result_of.is_empty() {
                    result_of.push(process.clone());
                }
                Body::Result(WorkResult {
                    result_of,
                    part_of: filled.record("inReplyTo").filter(|above| above != id),
                    arises_from: filled.records("arisesFrom", id),
                    fulfils: filled.records("fulfils", id),
                    state: filled.word("commitmentState"),
                    raw_state: filled.plain("rawState", prefer).map(|raw| raw.to_string()),
                    completion: filled.percent("completion"),
                    starts: filled.instant("startTime"),
                    due: filled.day("dueDate"),
                    final_cost: filled.money("finalCost"),
                    evidence: filled.records("evidence", id),
                    comment_count: filled.shown("commentCount"),
                    process,
                })
            }
            Class::ProgressUpdate => Body::ProgressUpdate(ProgressUpdate {
                in_reply_to: reference("inReplyTo")?,
                process: Some(reference("process")?),
                state: filled.word("commitmentState"),
                completion: filled.percent("completion"),
                final_cost: filled.money("finalCost"),
                evidence: filled.records("evidence", id),
                untitled: false,
            }),
            Class::Document => {
                let process = reference("process")?;
                Body::Document(Document {
                    attached_to: Some(filled.record("inReplyTo").unwrap_or_else(|| process.clone())),
                    media_type: filled.token("mediaType").and_then(|name| name.parse().ok()),
                    byte_size: filled.shown("byteSize"),
                    checksum: None,
                    kind: filled.word("documentKind"),
                    // A file that nobody can get is no document.
                    file: Some(filled.address("file").ok_or(None)?),
                    process: Some(process),
                })
            }
        })
    }

    /// Why a reference that a record cannot do without is not there.
    fn missing(&self, property: &str) -> String {
        match self.unknown.last() {
            Some(local) => format!("its {property} is not public here ({} {})", local.entity, local.id),
            None => format!("the source does not say its {property}"),
        }
    }

    fn author(&self, filled: &Filled, process: &RecordId) -> Option<PseudonymousAuthor> {
        let filled = filled.parts("author").first()?;
        let pseudonym = match filled.parsed("pseudonym") {
            Some(Parsed::Person(person)) => Some(self.names.pseudonym(person, process)),
            _ => None,
        };
        let kind = filled.word("authorKind").unwrap_or(AuthorKind::Person);
        // A person may be known by a pseudonym only (P6); organisations and officials may be named.
        let name = filled.plain("name", &self.publisher.language).filter(|_| kind != AuthorKind::Person);
        let says_something = pseudonym.is_some() || kind != AuthorKind::Person;
        says_something.then(|| PseudonymousAuthor { pseudonym, scope: process.clone(), kind, name })
    }

    fn tallies(&self, filled: &Filled) -> Vec<SupportTally> {
        let tallies = filled.parts("supportTally").iter();
        tallies
            .filter_map(|tally| {
                let (measure, total) = (tally.word("measure")?, tally.count("total")?.shown());
                Some(SupportTally { measure, total, counted_at: self.source.retrieved_at })
            })
            .collect()
    }
}

fn phases(filled: &Filled, language: &LanguageTag) -> Vec<Phase> {
    let phases = filled.parts("phases").iter();
    phases
        .filter_map(|phase| {
            Some(Phase {
                fragment: phase.token("id")?.to_owned(),
                name: phase.plain_texts("name", language)?,
                kind: phase.word("phaseKind"),
                state: phase.word("phaseState"),
                starts: phase.instant("startTime"),
                ends: phase.instant("endTime"),
            })
        })
        .collect()
}

fn options(filled: &Filled, list: &str, language: &LanguageTag) -> Vec<PollOption> {
    let option = |option: &Filled| {
        let (name, total) = (option.plain_texts("name", language)?, option.count("total")?.shown());
        Some(PollOption { name, total })
    };
    filled.parts(list).iter().filter_map(option).collect()
}

fn topics(filled: &Filled, language: &LanguageTag) -> Vec<Topic> {
    let topics = filled.parts("topics").iter();
    topics
        .filter_map(|topic| {
            Some(Topic {
                fragment: topic.token("id")?.to_owned(),
                name: topic.plain_texts("name", language)?,
                summary: topic.html_texts("summary", language),
            })
        })
        .collect()
}
