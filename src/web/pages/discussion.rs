//! What was said about a record: the first level of its discussion, page by page, with replies.

use super::Pager;
use crate::domain::id::{Class, RecordId};
use crate::web::error::WebError;
use crate::web::reading::{Query, Reading, Shelf};
use crate::web::view::held::Held;
use crate::web::view::thread::Sides;
use crate::web::visit::Visit;

/// First-level comments on one page.
pub const COMMENTS_PER_PAGE: u32 = 50;

/// The discussion of one record.
#[derive(Debug, Clone)]
pub struct Discussion {
    /// In favour, against, neither, deleted.
    pub sides: Sides,
    /// More of it.
    pub pager: Pager,
    /// How many speak on the first level, on all pages.
    pub total: u64,
}

/// The discussion of `held`.
pub async fn of(reading: &mut Reading, shelf: &Shelf, held: &Held, visit: &Visit) -> Result<Discussion, WebError> {
    let comments =
        Query::of([Class::Argument, Class::Comment]).parent(held.id.clone()).newest(COMMENTS_PER_PAGE).oldest().with_absent();
    let top = reading.list(shelf, &comments, visit.after()?).await?;
    let total = reading.count(shelf, &comments).await?;
    let ids: Vec<RecordId> = top.items.iter().map(|held| held.id.clone()).collect();
    let children = reading.threads(shelf, &ids).await?;
    let desk = &reading.desk;
    let here = desk.page_of(held);
    let whole = visit.after_text().is_none() && top.next.is_none();
    Ok(Discussion {
        sides: desk.sides(&top.items, &children, whole),
        pager: Pager::of_size(desk, &here, visit.page(), total, COMMENTS_PER_PAGE, top.next),
        total,
    })
}
