//! Meetings, projects, results and documents as one reader sees them: what is told first (money, time,
//! progress), and the facts below it.

use super::desk::Desk;
use super::held::Held;
use super::words::{Words, said, shorten};
use crate::domain::commitment::Commitment;
use crate::domain::decision::{Decision, Organ};
use crate::domain::document::Document;
use crate::domain::meeting::{Meeting, Paper};
use crate::domain::money::Money;
use crate::domain::place::Place;
use crate::domain::poll::{Poll, PollOption};
use crate::domain::progress::{Completion, ProgressUpdate};
use crate::domain::project::BudgetProject;
use crate::domain::record::{Body, Record};
use crate::domain::result::WorkResult;
use crate::web::html::Html;
use crate::web::i18n::Arg;

/// How far a work has come. Without a figure there is no bar: unknown is not zero (UI-35).
#[derive(Debug, Clone)]
pub struct Progress {
    /// "Progress: 40 %", or that it is not stated.
    pub words: String,
    /// The figure.
    pub percent: Option<u8>,
}

/// What is told of a record beside its title, its text and what hangs on it.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// What is told first: when, how much.
    pub first: Vec<Html>,
    /// How far it has come.
    pub progress: Option<Progress>,
    /// Terms with their values.
    pub details: Vec<(String, Html)>,
    /// What could be chosen, with its figure.
    pub options: Vec<(Words, String)>,
    /// Further texts under headings of their own.
    pub texts: Vec<(String, Words)>,
}

/// A document in the list of what is attached to something.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Its title.
    pub title: Words,
    /// The file.
    pub href: String,
    /// What it is for, its type, its size.
    pub details: Vec<Html>,
    /// The record as JSON; of a copy it is at the origin.
    pub json: Option<String>,
}

impl Desk {
    /// What is told of a record of one of these classes.
    #[must_use]
    pub fn outline(&self, record: &Record) -> Outline {
        match &record.body {
            Body::Meeting(body) => self.meeting(record, body),
            Body::BudgetProject(body) => self.project(record, body),
            Body::Poll(body) => self.poll(record, body),
            Body::Decision(body) => self.decision(record, body),
            Body::Commitment(body) => self.commitment(record, body),
            Body::Result(body) => self.result(body),
            Body::ProgressUpdate(body) => self.update(body),
            Body::Document(body) => self.document(body),
            _ => Outline::default(),
        }
    }

    fn meeting(&self, record: &Record, body: &Meeting) -> Outline {
        let texts = &self.texts;
        let when = match (body.starts, body.ends) {
            (Some(from), Some(to)) if texts.day(from) == texts.day(to) => {
                let to = texts.time_tag(to);
                Some(texts.html("meeting-from-to", &[("from", Arg::Moment(from)), ("to", Arg::Html(&to))]))
            }
            (Some(from), Some(to)) => Some(texts.html("from-to", &[("from", Arg::Moment(from)), ("to", Arg::Moment(to))])),
            (Some(from), None) => Some(texts.moment_tag(from)),
            (None, Some(to)) => Some(texts.html("until-day", &[("day", Arg::Moment(to))])),
            (None, None) => None,
        };
        let mut details = Vec::new();
        details.extend(place_lines(self, body.location.as_ref()).map(|place| self.fact("place", place)));
        details.extend(body.online.as_ref().map(|url| {
            let host = Html::text(url.host_str().unwrap_or_default());
            self.fact("meeting-online", Html::link_out(url.as_str(), &host))
        }));
        details.extend(
            body.kind.map(|kind| self.fact("meeting-kind", Html::text(&texts.say(&format!("meeting-kind-{}", kind.word()))))),
        );
        details.extend(body.capacity.map(|n| self.fact("meeting-capacity", Html::text(&texts.number(n)))));
        details.extend(body.attendance.map(|n| self.fact("meeting-attendance", Html::text(&texts.number(n)))));
        let mut long = Vec::new();
        for (heading, paper) in [(texts.say("meeting-agenda"), &body.agenda), (texts.say("meeting-minutes"), &body.minutes)] {
            match paper {
                Some(Paper::Text(text)) => long.push((heading, self.wanted.text(text, record))),
                Some(Paper::Document(id)) => {
                    details.push((heading, Html::link(&self.page_of_id(id), &Html::text(&texts.say("document-open")))));
                }
                None => {}
            }
        }
        Outline { first: when.into_iter().collect(), details, texts: long, ..Outline::default() }
    }

    fn project(&self, record: &Record, body: &BudgetProject) -> Outline {
        let texts = &self.texts;
        let amount = |cost: &Money| Html::text(&texts.money(cost));
        let mut first = Vec::new();
        first.extend(body.estimated_cost.map(|cost| texts.html("project-estimated", &[("amount", Arg::Html(&amount(&cost)))])));
        first.extend(body.awarded_cost.map(|cost| texts.html("project-awarded", &[("amount", Arg::Html(&amount(&cost)))])));
        first.extend(body.final_cost.map(|cost| texts.html("project-final", &[("amount", Arg::Html(&amount(&cost)))])));
        let mut details = Vec::new();
        details.extend(place_lines(self, body.location.as_ref()).map(|place| self.fact("place", place)));
        let reason = body.feasibility_reason.as_ref();
        details.extend(reason.map(|reason| self.fact("project-feasibility", said(record, reason, 2_000))));
        let link = |id| Html::link(&self.page_of_id(id), &Html::text(&texts.say("project-rival")));
        let rivals: Vec<Html> = body.incompatible_with.iter().take(20).map(link).collect();
        if !rivals.is_empty() {
            details.push(self.fact("project-rivals", Html::join(&rivals, ", ")));
        }
        Outline { first, details, ..Outline::default() }
    }

    fn poll(&self, record: &Record, body: &Poll) -> Outline {
        let texts = &self.texts;
        let shown = |option: &PollOption| {
            let total = option.total.map_or_else(|| texts.say("short-hidden"), |total| texts.number(total));
            Some((self.wanted.line(&option.name, record)?, total))
        };
        let mut details = Vec::new();
        details.extend(body.ends.map(|ends| self.fact("poll-ends", texts.moment_tag(ends))));
        details.extend(
            body.method
                .map(|method| self.fact("poll-method", Html::text(&texts.say(&format!("voting-method-{}", method.word()))))),
        );
        details.extend(body.electorate.map(|n| self.fact("poll-electorate", Html::text(&texts.number(n)))));
        details.extend(body.threshold.map(|n| self.fact("poll-threshold", Html::text(&texts.number(n)))));
        let first = vec![texts.html("poll-counted", &[("day", Arg::Moment(body.counted_at))])];
        let options = body.options.iter().filter_map(shown).collect();
        Outline { first, details, options, ..Outline::default() }
    }

    fn decision(&self, record: &Record, body: &Decision) -> Outline {
        let texts = &self.texts;
        let mut first = Vec::new();
        match (body.decided_on, self.organ(record, body)) {
            (Some(day), Some(organ)) => {
                let day = texts.date_tag(day);
                first.push(texts.html("decision-by-on", &[("organ", Arg::Html(&organ)), ("day", Arg::Html(&day))]));
            }
            (Some(day), None) => first.push(texts.html("decision-on", &[("day", Arg::Html(&texts.date_tag(day)))])),
            (None, Some(organ)) => first.push(texts.html("decision-by", &[("organ", Arg::Html(&organ))])),
            (None, None) => {}
        }
        let mut details = Vec::new();
        let number = body.legal_identifier.as_ref();
        details.extend(number.map(|number| self.fact("decision-number", Html::text(&shorten(number.as_str(), 200)))));
        details.extend(body.votes_for.map(|n| self.fact("decision-votes-for", Html::text(&texts.number(n)))));
        details.extend(body.votes_against.map(|n| self.fact("decision-votes-against", Html::text(&texts.number(n)))));
        details.extend(body.abstentions.map(|n| self.fact("decision-abstentions", Html::text(&texts.number(n)))));
        details.extend(body.text_at.as_ref().map(|url| {
            let host = Html::text(url.host_str().unwrap_or_default());
            self.fact("decision-text", Html::link_out(url.as_str(), &host))
        }));
        details.extend(self.evidence(&body.legal_basis).map(|links| self.fact("decision-basis", links)));
        Outline { first, details, ..Outline::default() }
    }

    /// Who decided, when it is named or the authority itself.
    pub(super) fn organ(&self, record: &Record, body: &Decision) -> Option<Html> {
        match body.decided_by.as_ref()? {
            Organ::Named(names) => self.wanted.line(names, record).map(|name| name.span()),
            Organ::Address(id) => (id.as_str() != record.authority.as_str())
                .then(|| Html::link_out(id.as_str(), &Html::text(id.url().host_str().unwrap_or_default()))),
        }
    }

    fn commitment(&self, record: &Record, body: &Commitment) -> Outline {
        let texts = &self.texts;
        let role = body.responsible.as_ref().map(|role| said(record, role, 200));
        let due = body.due.map(|due| texts.date_tag(due));
        let mut first = Vec::new();
        match (&role, &due) {
            (Some(role), Some(due)) => {
                first.push(texts.html("commitment-by-before", &[("role", Arg::Html(role)), ("day", Arg::Html(due))]));
            }
            (Some(role), None) => first.push(texts.html("commitment-by", &[("role", Arg::Html(role))])),
            (None, Some(due)) => first.push(texts.html("commitment-before", &[("day", Arg::Html(due))])),
            (None, None) => {}
        }
        let mut details = Vec::new();
        details.extend(body.budget.map(|money| self.fact("commitment-budget", Html::text(&texts.money(&money)))));
        let indicator = body.indicator.as_ref();
        details.extend(indicator.map(|text| self.fact("commitment-indicator", said(record, text, 500))));
        details.extend(body.target.map(|n| self.fact("commitment-target", Html::text(&texts.number(n)))));
        Outline { first, progress: Some(self.progress(body.completion)), details, ..Outline::default() }
    }

    fn result(&self, body: &WorkResult) -> Outline {
        let texts = &self.texts;
        let mut details = Vec::new();
        details.extend(body.starts.map(|starts| self.fact("result-starts", texts.day_tag(starts))));
        details.extend(body.due.map(|due| self.fact("result-due", texts.date_tag(due))));
        details.extend(body.final_cost.map(|cost| self.fact("project-final-term", Html::text(&texts.money(&cost)))));
        details.extend(self.evidence(&body.evidence).map(|links| self.fact("result-evidence", links)));
        Outline { progress: Some(self.progress(body.completion)), details, ..Outline::default() }
    }

    fn update(&self, body: &ProgressUpdate) -> Outline {
        let mut details = Vec::new();
        details.extend(body.final_cost.map(|cost| self.fact("project-final-term", Html::text(&self.texts.money(&cost)))));
        details.extend(self.evidence(&body.evidence).map(|links| self.fact("result-evidence", links)));
        let progress = body.completion.map(|completion| self.progress(Some(completion)));
        Outline { progress, details, ..Outline::default() }
    }

    fn document(&self, body: &Document) -> Outline {
        let texts = &self.texts;
        let mut details = Vec::new();
        details.extend(
            body.kind.map(|kind| self.fact("document-kind", Html::text(&texts.say(&format!("document-kind-{}", kind.word()))))),
        );
        details.extend(body.media_type.as_ref().map(|kind| self.fact("document-type", Html::text(kind.as_str()))));
        details.extend(body.byte_size.map(|size| self.fact("document-size", Html::text(&texts.size(size)))));
        Outline { details, ..Outline::default() }
    }

    /// A term with its value.
    fn fact(&self, key: &str, value: Html) -> (String, Html) {
        (self.texts.say(key), value)
    }

    /// How far it has come, in words and as a figure.
    #[must_use]
    pub fn progress(&self, completion: Option<Completion>) -> Progress {
        let words = completion.map_or_else(
            || self.texts.say("progress-unknown"),
            |done| self.texts.plain("progress-known", &[("percent", Arg::Text(&self.texts.percent(done)))]),
        );
        Progress { words, percent: completion.map(Completion::percent) }
    }

    fn evidence(&self, evidence: &[crate::domain::RecordId]) -> Option<Html> {
        let links: Vec<Html> = evidence
            .iter()
            .take(20)
            .map(|id| {
                let host = Html::text(id.url().host_str().unwrap_or_default());
                if self.actor.owns(id) {
                    Html::link(&self.page_of_id(id), &Html::text(&self.texts.say("document-open")))
                } else {
                    Html::link_out(&self.page_of_id(id), &host)
                }
            })
            .collect();
        (!links.is_empty()).then(|| Html::join(&links, ", "))
    }

    /// A document in the list of what is attached to something; nothing of one that cannot be read.
    #[must_use]
    pub fn attachment(&self, held: &Held) -> Option<Attachment> {
        let record = held.visible()?;
        let Body::Document(body) = &record.body else { return None };
        let texts = &self.texts;
        let mut details = Vec::new();
        details.extend(body.kind.map(|kind| Html::text(&texts.say(&format!("document-kind-{}", kind.word())))));
        details.extend(body.media_type.as_ref().map(|kind| Html::text(kind.as_str())));
        details.extend(body.byte_size.map(|size| Html::text(&texts.size(size))));
        Some(Attachment {
            title: self.name_of(held),
            href: self.link(&self.page_of(held)),
            details,
            json: (!held.is_copy()).then(|| crate::web::urls::Address::record(&held.id).with("form", "json").href(None)),
        })
    }
}

/// The name of a place and its point, in lines; nothing when neither is known.
#[must_use]
pub fn place_lines(desk: &Desk, place: Option<&Place>) -> Option<Html> {
    let place = place?;
    let mut lines: Vec<Html> = place.name.iter().map(|name| Html::name(&shorten(name.as_str(), 200))).collect();
    lines.extend(place.point.map(|point| {
        let (north, east) = (format!("{:.4}", point.latitude), format!("{:.4}", point.longitude));
        desk.texts.html("coordinates", &[("north", Arg::Text(&north)), ("east", Arg::Text(&east))])
    }));
    (!lines.is_empty()).then(|| Html::join(&lines, "<br>"))
}
