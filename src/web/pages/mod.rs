//! The pages people read: one file per kind of page, each with what it needs from the store, what its
//! template shows, and nothing else.

pub mod commitments;
pub mod consultation;
pub mod consultations;
pub mod contribution;
pub mod copies;
pub mod discovery;
pub mod discussion;
pub mod dossier;
pub mod gone;
pub mod home;
pub mod notices;
pub mod partners;
pub mod records;
pub mod revisions;
pub mod statement;
pub mod theme;

use askama::Template;
use axum::http::StatusCode;

use super::answer::Answer;
use super::error::WebError;
use super::html::Html;
use super::i18n::Arg;
use super::urls::Address;
use super::view::desk::Desk;

/// Records on one page of a list.
pub const PER_PAGE: u32 = 20;

/// The foot of a list that has more pages.
#[derive(Debug, Clone)]
pub struct Pager {
    /// "Page 2 of 9".
    pub here: Html,
    /// Back to the beginning.
    pub first: Option<String>,
    /// On to the next page.
    pub next: Option<String>,
}

impl Pager {
    /// The pager of page `number` of a list of `total` at `list`; `next` is the place in the list where
    /// the next page begins. The number is what the link said: it is shown, nothing depends on it.
    #[must_use]
    pub fn new(desk: &Desk, list: &Address, number: u64, total: u64, next: Option<String>) -> Self {
        Self::of_size(desk, list, number, total, PER_PAGE, next)
    }

    /// The same with another number of entries a page.
    #[must_use]
    pub fn of_size(desk: &Desk, list: &Address, number: u64, total: u64, size: u32, next: Option<String>) -> Self {
        let pages = total.div_ceil(u64::from(size)).max(1);
        let number = number.clamp(1, pages);
        Self {
            here: desk.texts.html("pager-here", &[("page", Arg::Number(number)), ("pages", Arg::Number(pages))]),
            first: (number > 1).then(|| desk.link(list)),
            next: next.map(|after| desk.link(&list.clone().with("after", after).with("page", (number + 1).to_string()))),
        }
    }
}

/// Renders a page's template.
fn page(status: StatusCode, template: &impl Template) -> Result<Answer, WebError> {
    let html = template.render().map_err(|error| WebError::internal("a page could not be written", &error))?;
    Ok(Answer::page(status, html))
}
