//! `/contributions/{key}/revisions` and `/revisions/{n}`: the versions of a contribution and what changed in each.
//!
//! `n` counts signed revisions, as the record's JSON does; people read "version n", which counts only
//! those that moved `updated` (architecture §4.9). Erased words stay erased: of such a revision its digest
//! and its day are left.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;

use super::page;
use crate::domain::id::{Class, Key, Revision};
use crate::domain::record::{Body, Record};
use crate::domain::text::LanguageTag;
use crate::federation::seal::reopen;
use crate::store::RevisionRow;
use crate::web::activitypub::collections;
use crate::web::answer::Answer;
use crate::web::error::WebError;
use crate::web::frame::Frame;
use crate::web::html::Html;
use crate::web::i18n::{Arg, Texts};
use crate::web::negotiate::Form;
use crate::web::reading::Reading;
use crate::web::state::WebState;
use crate::web::urls::Address;
use crate::web::view::desk::Desk;
use crate::web::view::diff;
use crate::web::view::held::{Held, Standing};
use crate::web::view::words::Words;
use crate::web::visit::{InPath, Visit};

/// Versions listed; of the newest ones it is said what changed.
const LISTED: usize = 50;

/// The versions of a record.
#[derive(Debug, Template)]
#[template(path = "revisions.html", config = "src/web/askama.toml")]
pub struct RevisionsPage {
    /// The frame.
    pub f: Frame,
    /// "Versions of …".
    pub heading: Html,
    /// How many, and what else was signed.
    pub intro: Vec<Html>,
    /// Newest first.
    pub versions: Vec<VersionLine>,
}

/// One version in the list.
#[derive(Debug, Clone)]
pub struct VersionLine {
    /// Its page.
    pub href: String,
    /// "Version 2".
    pub name: String,
    /// When.
    pub when: Html,
    /// What changed, or that its words are erased.
    pub what: String,
}

/// One revision.
#[derive(Debug, Template)]
#[template(path = "revision.html", config = "src/web/askama.toml")]
pub struct RevisionPage {
    /// The frame.
    pub f: Frame,
    /// "Version 2 of …".
    pub heading: Html,
    /// Who, when.
    pub summary_line: Vec<Html>,
    /// What to know first: that the words are erased, that only counts changed.
    pub notices: Vec<String>,
    /// The fields that changed.
    pub changed: Vec<String>,
    /// The title as it changed.
    pub title: Option<Compared>,
    /// The text as it changed.
    pub text: Option<Compared>,
    /// The whole text.
    pub whole: Option<Words>,
    /// Number, digests, day.
    pub facts: Vec<(String, Html)>,
}

/// A text beside its predecessor.
#[derive(Debug, Clone)]
pub struct Compared {
    /// BCP 47 tag.
    pub lang: LanguageTag,
    /// The difference.
    pub html: Html,
}

/// A revision with its words, as far as they are kept.
struct Signed {
    row: RevisionRow,
    sealed: Option<Bytes>,
    record: Option<Record>,
}

impl Signed {
    /// The words, when they may be read.
    fn visible(&self) -> Option<&Record> {
        self.record.as_ref().filter(|record| record.is_visible())
    }
}

/// `GET /contributions/{key}/revisions`.
pub async fn list(State(web): State<WebState>, InPath(key): InPath<Key>, visit: Visit) -> Result<Answer, WebError> {
    let mut reading = web.reading(&visit).await?;
    let held = reading.own(Class::Contribution, &key).await?.ok_or(WebError::NotFound)?;
    let chain = chain(&mut reading, &held).await?;
    let here = Address::record(&held.id).below("revisions");
    let status = status(&held);
    if visit.form == Form::Machine {
        let ids: Vec<String> = chain.iter().rev().map(|(row, _)| format!("{}/revisions/{}", held.id, row.revision)).collect();
        return Ok(Answer { status, noindex: true, ..collections::collection(&web, here.path(), &ids) });
    }
    let versions: Vec<&(RevisionRow, u64)> = chain.iter().rev().filter(|(row, _)| row.material).collect();
    let mut lines = Vec::new();
    for (row, version) in versions.iter().take(LISTED) {
        let signed = signed(&mut reading, &held, row.clone()).await?;
        let before = before(&mut reading, &held, &chain, row.revision).await?;
        let texts = &reading.desk.texts;
        let what = match (signed.visible(), before.as_ref().and_then(Signed::visible)) {
            (None, _) => texts.say("revision-erased"),
            (Some(_), None) if row.revision == 1 => texts.say("revision-first"),
            (Some(_), None) => texts.say("revision-shown-again"),
            (Some(after), Some(before)) => changed(texts, before, after).join(", "),
        };
        lines.push(VersionLine {
            href: reading.desk.link(&revision_address(&held, row.revision)),
            name: texts.count("version-name", *version),
            when: texts.moment_tag(row.at),
            what,
        });
    }
    let desk = &reading.desk;
    let texts = &desk.texts;
    let silent = u64::try_from(chain.len() - versions.len()).unwrap_or_default();
    let mut intro =
        vec![Html::text(&texts.count("versions-count", versions.len() as u64)), Html::text(&texts.say("versions-explained"))];
    if silent > 0 {
        intro.insert(1, Html::text(&texts.count("versions-silent", silent)));
    }
    let view = RevisionsPage {
        f: frame(desk, &held, texts.plain("versions-title", &[("name", Arg::Text(&desk.plain_name_of(&held)))]), here)
            .with_machine_form(),
        heading: texts.html("versions-title", &[("name", Arg::Html(&desk.name_of(&held).span()))]),
        intro,
        versions: lines,
    };
    page(status, &view)
}

/// `GET /contributions/{key}/revisions/{n}`.
pub async fn revision(
    State(web): State<WebState>,
    InPath((key, n)): InPath<(Key, Revision)>,
    visit: Visit,
) -> Result<Answer, WebError> {
    let mut reading = web.reading(&visit).await?;
    let held = reading.own(Class::Contribution, &key).await?.ok_or(WebError::NotFound)?;
    let chain = chain(&mut reading, &held).await?;
    let (row, version) = chain.iter().find(|(row, _)| row.revision == n).cloned().ok_or(WebError::NotFound)?;
    let signed = signed(&mut reading, &held, row).await?;
    let status = status(&held);
    if visit.form == Form::Machine {
        return Ok(match &signed.sealed {
            Some(sealed) => Answer { noindex: true, ..Answer::sealed(status, sealed.clone(), &signed.row.digest) },
            None => erased(&reading.desk.texts, &signed.row),
        });
    }
    let before = before(&mut reading, &held, &chain, n).await?;
    let desk = &reading.desk;
    let texts = &desk.texts;
    let here = revision_address(&held, n);
    let plain = desk.plain_name_of(&held);
    let values = |name| [("n", Arg::Number(version)), ("revision", Arg::Number(n)), ("name", name)];
    let mut f = frame(desk, &held, texts.plain("revision-title", &values(Arg::Text(&plain))), here)
        .after(Html::text(&texts.say("versions")), &Address::record(&held.id).below("revisions"));
    // What is erased answers machines with 410: no page leads there.
    f.machine_form = signed.sealed.is_some();
    let mut view = RevisionPage {
        f,
        heading: texts.html("revision-title", &values(Arg::Html(&desk.name_of(&held).span()))),
        summary_line: vec![texts.moment_tag(signed.row.at)],
        notices: Vec::new(),
        changed: Vec::new(),
        title: None,
        text: None,
        whole: None,
        facts: facts(texts, &signed, &held),
    };
    view.compare(desk, &held, &signed, before.as_ref());
    page(status, &view)
}

impl RevisionPage {
    fn compare(&mut self, desk: &Desk, held: &Held, signed: &Signed, before: Option<&Signed>) {
        let texts = &desk.texts;
        let Some(after) = signed.visible() else {
            self.notices.push(texts.say("revision-erased-notice"));
            return;
        };
        if let (Body::Contribution(body), false) = (&after.body, held.is_withdrawn()) {
            self.summary_line.insert(0, desk.author(body.author.as_ref(), &desk.city_of(&held.origin)));
        }
        self.whole = after.content.as_ref().map(|text| desk.wanted.text(text, after));
        let Some(before) = before else { return };
        let Some(before) = before.visible() else {
            self.notices.push(texts.say("revision-before-erased"));
            return;
        };
        self.changed = changed(texts, before, after);
        if !signed.row.material {
            self.notices.push(texts.say("revision-silent"));
            return;
        }
        if before.title != after.title
            && let Some(title) = &after.title
        {
            let (lang, new) = title.pick(&desk.wanted.0, &after.language);
            let old = before.title.as_ref().and_then(|title| title.get(lang)).map_or("", |title| title.as_str());
            self.title = diff::words(texts, old, new.as_str()).map(|html| Compared { lang: lang.clone(), html });
        }
        if before.content != after.content
            && let Some(content) = &after.content
        {
            let (lang, new) = content.pick(&desk.wanted.0, &after.language);
            let old = before
                .content
                .as_ref()
                .and_then(|text| text.get(lang))
                .map_or_else(String::new, crate::domain::text::SafeHtml::to_plain);
            self.text = diff::words(texts, &old, &new.to_plain()).map(|html| Compared { lang: lang.clone(), html });
            if self.text.is_none() {
                self.notices.push(texts.say("revision-too-long"));
            }
        }
    }
}

/// Every revision, oldest first, with the version that people call it.
async fn chain(reading: &mut Reading, held: &Held) -> Result<Vec<(RevisionRow, u64)>, WebError> {
    let mut version = 0;
    let rows = reading.tx().revisions_of(&held.id).await?;
    let counted = rows.into_iter().map(|row| {
        version += u64::from(row.material);
        (row, version)
    });
    Ok(counted.collect())
}

async fn signed(reading: &mut Reading, held: &Held, row: RevisionRow) -> Result<Signed, WebError> {
    let sealed = reading.tx().sealed_revision(&held.id, row.revision).await?;
    let record = sealed.as_deref().and_then(reopen);
    Ok(Signed { row, sealed, record })
}

/// The revision before `n`.
async fn before(
    reading: &mut Reading,
    held: &Held,
    chain: &[(RevisionRow, u64)],
    n: Revision,
) -> Result<Option<Signed>, WebError> {
    match chain.iter().find(|(row, _)| row.revision + 1 == n) {
        Some((row, _)) => Ok(Some(signed(reading, held, row.clone()).await?)),
        None => Ok(None),
    }
}

/// What changed, in the words of the page; counts and coverage only when nothing else did.
fn changed(texts: &Texts, before: &Record, after: &Record) -> Vec<String> {
    let mut keys = Vec::new();
    keys.extend((before.title != after.title).then_some("change-title"));
    keys.extend((before.content != after.content || before.summary != after.summary).then_some("change-text"));
    keys.extend((before.themes != after.themes).then_some("change-themes"));
    if let (Body::Contribution(old), Body::Contribution(new)) = (&before.body, &after.body) {
        keys.extend((old.location != new.location).then_some("change-place"));
        keys.extend((old.topic != new.topic).then_some("change-topic"));
        keys.extend((old.author_state != new.author_state).then_some("change-state"));
        keys.extend((old.author != new.author && old.author_state == new.author_state).then_some("change-author"));
    }
    if keys.is_empty() {
        keys.push("change-counts");
    }
    keys.into_iter().map(|key| texts.say(key)).collect()
}

fn facts(texts: &Texts, signed: &Signed, held: &Held) -> Vec<(String, Html)> {
    let row = &signed.row;
    let code =
        |digest: &crate::domain::digest::Digest| Html::trusted(format!("<code>{}</code>", Html::text(&digest.to_string())));
    let mut facts = vec![
        (texts.say("facts-revision"), Html::text(&row.revision.to_string())),
        (texts.say("facts-digest"), code(&row.digest)),
    ];
    facts.extend(row.previous.as_ref().map(|digest| (texts.say("facts-previous"), code(digest))));
    if signed.sealed.is_some() {
        let json = revision_address(held, row.revision).with("form", "json").href(None);
        facts.push((texts.say("facts-data"), Html::link(&json, &Html::text("ActivityPub (JSON)"))));
    }
    facts
}

/// A revision whose words are erased, for a program: what is left of it.
fn erased(texts: &Texts, row: &RevisionRow) -> Answer {
    let left = serde_json::json!({ "revision": row.revision, "digest": row.digest, "recorded": row.at });
    Answer::gone(&texts.say("revision-erased"), &texts.say("revision-erased-notice"), left)
}

fn revision_address(held: &Held, n: Revision) -> Address {
    Address::fixed(format!("{}/revisions/{n}", held.id.path()))
}

/// What was deleted is gone with all its revisions; what is hidden or withdrawn is not.
fn status(held: &Held) -> StatusCode {
    if held.standing == Standing::Deleted { StatusCode::GONE } else { StatusCode::OK }
}

fn frame(desk: &Desk, held: &Held, title: String, here: Address) -> Frame {
    let mut frame = desk
        .frame(title, here)
        .after(Html::text(&desk.texts.say("nav-consultations")), &Address::consultations())
        .after(desk.name_of(held).span(), &Address::record(&held.id))
        .unlisted();
    frame.canonical = Some(held.id.to_string());
    frame
}
