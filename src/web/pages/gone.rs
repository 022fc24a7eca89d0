//! What is left to say of a record that cannot be read: hidden (200: it exists, its origin shows
//! nothing of it) or deleted (410: no title, no author, no text; the cause; how many copies are erased).
//! Never the word "error" (interface.md §5.4).

use askama::Template;
use axum::http::StatusCode;

use super::page;
use crate::domain::record::ReasonCode;
use crate::domain::time::Timestamp;
use crate::web::activitypub::tombstone;
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::frame::Frame;
use crate::web::html::Html;
use crate::web::i18n::{Arg, Texts};
use crate::web::reading::{Reading, Shelf};
use crate::web::urls::Address;
use crate::web::view::facts::Banner;
use crate::web::view::held::{Held, Standing};
use crate::web::view::thread::Branch;

/// The page of a hidden record.
#[derive(Debug, Template)]
#[template(path = "hidden.html", config = "src/web/askama.toml")]
pub struct HiddenPage {
    /// The frame.
    pub f: Frame,
    /// Of a copy.
    pub banner: Option<Banner>,
    /// "This contribution is hidden".
    pub heading: String,
    /// By whom and why.
    pub sentence: Html,
    /// Ways on.
    pub links: Vec<Html>,
    /// What others replied to it.
    pub replies: Branch,
    /// The hidden revision as JSON.
    pub json: Option<String>,
}

/// The page of a deleted record.
#[derive(Debug, Template)]
#[template(path = "gone.html", config = "src/web/askama.toml")]
pub struct GonePage {
    /// The frame.
    pub f: Frame,
    /// "This contribution was deleted".
    pub heading: String,
    /// When, at whose.
    pub sentence: Html,
    /// Why, from the closed list.
    pub cause: Option<String>,
    /// How many copies are erased.
    pub purges: Option<Html>,
    /// Ways on.
    pub links: Vec<Html>,
    /// What others replied to it.
    pub replies: Branch,
}

/// The page of a record that may not be read.
pub async fn show(reading: &mut Reading, held: &Held) -> Result<Answer, WebError> {
    let shelf = Shelf::of(held);
    let children = reading.threads(&shelf, std::slice::from_ref(&held.id)).await?;
    let mut links = Vec::new();
    if let Some(parent) = &held.parent
        && Some(parent) != held.process.as_ref()
        && let Some(parent) = reading.find(&shelf, parent).await?
        && parent.visible().is_some()
    {
        links.push(reading.desk.texts.html("on-record", &[("name", Arg::Html(&reading.link_to(&parent)))]));
    }
    if let Some(process) = &held.process
        && *process != held.id
        && let Some(process) = reading.find(&shelf, process).await?
        && process.visible().is_some()
    {
        links.push(reading.desk.texts.html("in-consultation", &[("name", Arg::Html(&reading.link_to(&process)))]));
    }
    let desk = &reading.desk;
    let replies = desk.branch(&held.id, &children, 1);
    let city = desk.city_of(&held.origin).into_owned();
    let key = |what: &str| format!("{what}-{}", held.class.word().to_ascii_lowercase());
    let here = desk.page_of(held);
    let day = desk.texts.moment(held.dated());
    // The heading with whose and when it is: no two pages are called the same (UI-07).
    let frame = |heading: &str| {
        let values = [("what", Arg::Text(heading)), ("city", Arg::Name(&city)), ("day", Arg::Text(&day))];
        let mut frame = desk.frame_of(held, desk.texts.plain("title-absent", &values), here.clone()).unlisted();
        frame.machine_form = !held.is_copy();
        frame
    };
    if held.standing == Standing::Deleted {
        let heading = desk.texts.say(&key("deleted"));
        let f = frame(&heading);
        let told = told(reading, held).await?;
        let texts = &reading.desk.texts;
        let sentence = match told.at {
            Some(at) => texts.html("deleted-day", &[("city", Arg::Name(&city)), ("day", Arg::Day(at))]),
            None => texts.html("deleted-undated", &[("city", Arg::Name(&city))]),
        };
        let cause = told.reason.map(|reason| texts.say(&format!("reason-{reason}")));
        let purges =
            told.purges.map(|(done, all)| texts.html("purge-count", &[("done", Arg::Number(done)), ("all", Arg::Number(all))]));
        return page(StatusCode::GONE, &GonePage { f, heading, sentence, cause, purges, links, replies });
    }
    let texts = &desk.texts;
    let reason = held.record.as_ref().and_then(|record| record.reason);
    let sentence = reason.map_or_else(
        || texts.html("hidden-by", &[("city", Arg::Name(&city))]),
        |reason| {
            let why = texts.say(&format!("reason-{}", reason.word()));
            texts.html("hidden-here", &[("city", Arg::Name(&city)), ("why", Arg::Text(&why))])
        },
    );
    let json = (!held.is_copy()).then(|| Address::record(&held.id).with("form", "json").href(None));
    let heading = texts.say(&key("hidden"));
    let view = HiddenPage { f: frame(&heading), banner: desk.banner(held), heading, sentence, links, replies, json };
    page(StatusCode::OK, &view)
}

/// A deleted copy for a program: that it is gone and whose it was. The tombstone is its origin's to show.
#[must_use]
pub fn copy_gone(texts: &Texts, held: &Held) -> Answer {
    let title = texts.say(&format!("deleted-{}", held.class.word().to_ascii_lowercase()));
    Answer::gone(&title, &texts.say("copy-gone"), serde_json::json!({ "origin": held.id }))
}

/// What is known of a deletion.
struct Told {
    at: Option<Timestamp>,
    reason: Option<&'static str>,
    purges: Option<(u64, u64)>,
}

async fn told(reading: &mut Reading, held: &Held) -> Result<Told, WebError> {
    if held.is_copy() {
        let sealed = reading.tx().lookup_copy(&held.id).await?.map(|copy| copy.sealed);
        let told = sealed.as_deref().map(tombstone::read).unwrap_or_default();
        return Ok(Told { at: told.deleted, reason: told.reason.map(ReasonCode::word), purges: None });
    }
    let sealed = reading.tx().lookup_record(&held.id).await?.map(|stored| stored.sealed);
    let told = sealed.as_deref().map(tombstone::read).unwrap_or_default();
    let disclosures = reading.tx().disclosures_of(&held.id).await?;
    let held_by = disclosures.iter().filter(|disclosure| super::partners::was_sent(disclosure));
    let (done, all) =
        held_by.fold((0, 0), |(done, all), disclosure| (done + u64::from(super::partners::is_purged(disclosure)), all + 1));
    Ok(Told { at: told.deleted.or(Some(held.changed_at)), reason: told.reason.map(ReasonCode::word), purges: Some((done, all)) })
}
