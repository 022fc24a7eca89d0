//! A comment, an official answer or a treatment on its own page: what it says, what it is about.

use askama::Template;
use axum::http::StatusCode;

use super::consultation::frame;
use super::contribution::withdrawn_notice;
use super::discussion::COMMENTS_PER_PAGE;
use super::dossier::{Section, naming};
use super::{Pager, page};
use crate::domain::id::{Class, RecordId};
use crate::domain::record::{Body, Record};
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::frame::Frame;
use crate::web::html::Html;
use crate::web::i18n::Arg;
use crate::web::reading::{Query, Reading, Shelf};
use crate::web::view::count;
use crate::web::view::desk::{Desk, class_key};
use crate::web::view::facts::{Banner, Facts};
use crate::web::view::held::Held;
use crate::web::view::state::Tag;
use crate::web::view::thread::Branch;
use crate::web::view::words::{Words, said};
use crate::web::visit::Visit;

/// The page of a statement.
#[derive(Debug, Template)]
#[template(path = "statement.html", config = "src/web/askama.toml")]
pub struct StatementPage {
    /// The frame.
    pub f: Frame,
    /// Of a copy.
    pub banner: Option<Banner>,
    /// Where it stands.
    pub state: Option<Tag>,
    /// Whose it is.
    pub owner: Html,
    /// What it is called.
    pub title: Words,
    /// Who, when.
    pub summary_line: Vec<Html>,
    /// That its author took it back.
    pub notice: Option<Html>,
    /// Its text.
    pub text: Option<Words>,
    /// Its counts.
    pub counts: Vec<Html>,
    /// What it is about.
    pub relations: Vec<(String, Html)>,
    /// What followed from it.
    pub next: Section,
    /// What was replied to it.
    pub replies: Branch,
    /// More replies.
    pub pager: Pager,
    /// How it can be checked.
    pub facts: Facts,
}

/// The page of `held`, which is live and neither a consultation nor a contribution.
pub async fn show(reading: &mut Reading, shelf: &Shelf, held: &Held, visit: &Visit) -> Result<Answer, WebError> {
    let record = held.visible().ok_or(WebError::NotFound)?;
    let replies =
        Query::of([Class::Argument, Class::Comment]).parent(held.id.clone()).newest(COMMENTS_PER_PAGE).oldest().with_absent();
    let listed = reading.list(shelf, &replies, visit.after()?).await?;
    let total = reading.count(shelf, &replies).await?;
    let ids: Vec<RecordId> = listed.items.iter().map(|held| held.id.clone()).collect();
    let mut children = reading.threads(shelf, &ids).await?;
    children.insert(held.id.clone(), listed.items);
    let relations = relations(reading, shelf, record).await?;
    let heading = reading.desk.texts.say("section-next");
    let next = match held.class {
        Class::OfficialResponse => naming(reading, shelf, held, heading).await?,
        _ => Section::default(),
    };
    let subject = match record.parent() {
        Some(parent) => reading.find(shelf, parent).await?,
        None => None,
    };
    let desk = &reading.desk;
    let city = desk.city_of(&held.origin);
    let here = desk.page_of(held);
    let mut f = frame(desk, held, visit.address(&here), record);
    f.title = tab_title(desk, held, record, subject.as_ref());
    if visit.page() > 1 {
        f.title = desk.texts.plain("title-page", &[("title", Arg::Text(&f.title)), ("page", Arg::Number(visit.page()))]);
    }
    let (title, key) = title(desk, held, record);
    let view = StatementPage {
        f,
        banner: desk.banner(held),
        state: desk.state(held, None),
        owner: Html::name(desk.body_of(&held.origin)),
        title,
        summary_line: summary_line(desk, held, record, key),
        notice: held.is_withdrawn().then(|| withdrawn_notice(desk, record)),
        text: text(desk, record),
        counts: record.tallies().iter().map(|tally| count::sentence(&desk.texts, tally, &city)).collect(),
        relations,
        next,
        replies: desk.branch(&held.id, &children, 1),
        pager: Pager::of_size(desk, &here, visit.page(), total, COMMENTS_PER_PAGE, listed.next),
        facts: desk.facts(held),
    };
    page(StatusCode::OK, &view)
}

/// Its first words, or else what it is about, with what it is and when: no two are called the same.
fn tab_title(desk: &Desk, held: &Held, record: &Record, subject: Option<&Held>) -> String {
    let says_nothing = record.title.is_none() && record.content.is_none() && record.summary.is_none();
    let name = desk.plain_name_of(subject.filter(|_| says_nothing).unwrap_or(held));
    let what = desk.texts.say(&class_key(held));
    let kind = desk.texts.plain("named-by-day", &[("what", Arg::Text(&what)), ("day", Arg::Moment(held.dated()))]);
    let key = if held.is_copy() { "title-of-copy" } else { "title-of-record" };
    let city = desk.city_of(&held.origin);
    desk.texts.plain(key, &[("name", Arg::Text(&name)), ("kind", Arg::Text(&kind)), ("city", Arg::Name(&city))])
}

/// What it says; the original of a translated official answer is never folded away.
fn text(desk: &Desk, record: &Record) -> Option<Words> {
    let mut words = desk.wanted.text(record.content.as_ref()?, record);
    words.unfolded = matches!(record.body, Body::OfficialResponse(_) | Body::Disposition(_));
    Some(words)
}

/// Its title when it has one, else what it is; and whether the line below still has to say what it is.
fn title(desk: &Desk, held: &Held, record: &Record) -> (Words, bool) {
    if let Some(title) = desk.wanted.title(record) {
        return (title, true);
    }
    let key = match &record.body {
        Body::Comment(comment) => match comment.stance {
            Some(crate::domain::comment::Stance::For) => "argument-for".to_owned(),
            Some(crate::domain::comment::Stance::Against) => "argument-against".to_owned(),
            _ => class_key(held),
        },
        _ => class_key(held),
    };
    (Words::line(&desk.interface_tag(), &desk.texts.say(&key)), false)
}

fn summary_line(desk: &Desk, held: &Held, record: &Record, says_class: bool) -> Vec<Html> {
    let texts = &desk.texts;
    let city = desk.city_of(&held.origin);
    let mut line = Vec::new();
    if says_class {
        line.push(Html::text(&texts.say(&class_key(held))));
    }
    match &record.body {
        Body::Comment(comment) if !held.is_withdrawn() => line.push(desk.author(comment.author.as_ref(), &city)),
        Body::OfficialResponse(body) => {
            line.extend(body.signatory_role.as_ref().map(|role| said(record, role, 120)));
        }
        _ => {}
    }
    line.push(texts.html("published-day", &[("day", Arg::Moment(held.dated()))]));
    if let Some(updated) = record.updated.filter(|updated| *updated > held.dated()) {
        line.push(texts.html("changed-day", &[("day", Arg::Moment(updated))]));
    }
    line
}

async fn relations(reading: &mut Reading, shelf: &Shelf, record: &Record) -> Result<Vec<(String, Html)>, WebError> {
    let mut about: Vec<(&str, RecordId)> = Vec::new();
    match &record.body {
        Body::Comment(body) => about.push(("relation-reply-to", body.in_reply_to.clone())),
        Body::Disposition(body) => {
            about.push(("relation-subject", body.subject.clone()));
            about.extend(body.merged_into.clone().map(|id| ("relation-merged", id)));
        }
        Body::OfficialResponse(body) => {
            about.extend(body.responds_to.iter().take(50).map(|id| ("relation-answers", id.clone())));
        }
        _ => {}
    }
    about.push(("relation-process", record.process().clone()));
    about.dedup_by(|a, b| a.1 == b.1);
    let mut relations = Vec::with_capacity(about.len());
    for (key, id) in about {
        let found = reading.find(shelf, &id).await?;
        let link = match &found {
            Some(held) => reading.link_to(held),
            // Its turn may still come: a reply can arrive before what it replies to.
            None => Html::text(&reading.desk.texts.say("relation-not-here")),
        };
        relations.push((reading.desk.texts.say(key), link));
    }
    Ok(relations)
}
