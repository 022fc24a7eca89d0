//! Lists by page, with graphql-ruby's cursors: unpadded base64 of the row number, and all its traps (a cursor that is not
//! a number silently restarts, `first: 0` promises more, at most 50 come whatever was asked).

use std::rc::Rc;

use data_encoding::BASE64URL_NOPAD;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::super::state::{Component, Proposal};
use super::execute::Context;
use super::limits::PAGE;
use super::resolve::{Call, Failure, Node, Resolved};

/// One page of a list.
pub(super) struct Page<'a> {
    pub(super) ty: String,
    items: Vec<Rc<(String, Resolved<'a>)>>,
    has_next: bool,
    has_previous: bool,
    /// Why the cursor could not be read; it spoils the fields that depend on it.
    broken: Option<String>,
}

impl Page<'_> {
    pub(super) fn empty(ty: &str) -> Self {
        Self { ty: ty.to_owned(), items: Vec::new(), has_next: false, has_previous: false, broken: None }
    }
}

/// `filter: {publishedSince, publishedBefore}`: days, the first one included, the last one not.
pub(super) struct Window {
    since: Option<Date>,
    before: Option<Date>,
}

impl Window {
    pub(super) fn parse(filter: &Value) -> Result<Self, Failure> {
        let day = |name: &str| match filter.get(name).and_then(Value::as_str) {
            None => Ok(None),
            // The platform names the wrong argument when `publishedSince` is bad.
            Some(text) => match text.get(..10).unwrap_or(text).parse() {
                Ok(day) => Ok(Some(day)),
                Err(_) => Err(Failure::Field("Invalid date format for publishedBefore".to_owned())),
            },
        };
        Ok(Self { since: day("publishedSince")?, before: day("publishedBefore")? })
    }

    pub(super) fn contains(&self, published: &str) -> bool {
        if self.since.is_none() && self.before.is_none() {
            return true;
        }
        // The platform compares with midnight of UTC, not of the tenant's zone.
        let Some(day) = published.parse::<jiff::Timestamp>().ok().map(|at| TimeZone::UTC.to_datetime(at).date()) else {
            return false;
        };
        self.since.is_none_or(|since| day >= since) && self.before.is_none_or(|before| day < before)
    }
}

/// The first key of `order` and whether it descends.
pub(super) fn order<'c>(call: &'c Call<'_>) -> Result<Option<(&'c str, bool)>, Failure> {
    let Some((key, direction)) = call.argument("order").as_object().and_then(|order| order.iter().next()) else {
        return Ok(None);
    };
    let direction = direction.as_str().unwrap_or_default();
    match direction.to_ascii_lowercase().as_str() {
        "asc" => Ok(Some((key, false))),
        "desc" => Ok(Some((key, true))),
        _ => Err(Failure::Field(format!("Invalid order value for :{key}, only ASC or DESC are valids (received {direction:?})"))),
    }
}

/// The proposals of a component: hidden ones are null nodes, drafts and binned ones are not there.
pub(super) fn proposals<'a>(context: Context<'a>, component: &'a Component, call: &Call<'_>) -> Result<Resolved<'a>, Failure> {
    let window = Window::parse(call.argument("filter"))?;
    let leaks = context.asked.distortion.leaks;
    let mut rows: Vec<&Proposal> =
        context.state.proposals.iter().filter(|p| p.component == component.id && (p.is_listed() || leaks)).collect();
    rows.retain(|p| window.contains(p.published.as_deref().unwrap_or_default()));
    if let Some((key, descending)) = order(call)? {
        let by = |p: &Proposal| match key {
            "id" => (p.id, String::new()),
            "publishedAt" => (0, p.published.clone().unwrap_or_default()),
            "voteCount" if !component.votes_hidden => (p.votes, String::new()),
            "likeCount" | "endorsementCount" => (p.likes.len() as u64, String::new()),
            _ => (0, String::new()),
        };
        rows.sort_by(|a, b| if descending { by(b).cmp(&by(a)) } else { by(a).cmp(&by(b)) });
    }
    let node = |p: &'a Proposal| if p.hidden && !leaks { Resolved::NULL } else { Resolved::Node(Node::Proposal(p)) };
    Ok(page(context, rows.into_iter().map(node).collect(), call))
}

/// `after` and `before` are row numbers; anything else that is base64 counts as 0.
fn offset(cursor: Option<&str>) -> Result<Option<usize>, String> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bytes =
        BASE64URL_NOPAD.decode(cursor.trim_end_matches('=').as_bytes()).map_err(|_| format!("Invalid input: {cursor:?}"))?;
    let digits: String = bytes.iter().map(|b| char::from(*b)).take_while(char::is_ascii_digit).collect();
    Ok(Some(digits.parse().unwrap_or(0)))
}

pub(super) fn page<'a>(context: Context<'a>, rows: Vec<Resolved<'a>>, call: &Call<'_>) -> Resolved<'a> {
    let ty = call.result.inner_named_type().as_str();
    let distortion = context.asked.distortion;
    let number = |name: &str| call.argument(name).as_i64();
    let (after, before) = match (offset(call.text("after")), offset(call.text("before"))) {
        (Ok(after), Ok(before)) => (after, before),
        (Err(broken), _) | (_, Err(broken)) => {
            return Resolved::Node(Node::Page(Rc::new(Page { broken: Some(broken), ..Page::empty(ty) })));
        }
    };
    if distortion.empty_lists {
        return Resolved::Node(Node::Page(Rc::new(Page::empty(ty))));
    }
    let after = if distortion.cursor_loop { 0 } else { after.unwrap_or(0) };
    let end = before.filter(|before| *before > 0).map_or(rows.len(), |before| (before - 1).min(rows.len()));
    let start = after.min(end);
    let whole = i64::try_from(PAGE).unwrap_or(50);
    let (first, last) = (number("first").map(|n| n.clamp(0, whole)), number("last").map(|n| n.clamp(0, whole)));
    let first = first.or_else(|| last.is_none().then_some(whole)).map(|n| usize::try_from(n).unwrap_or(0));
    let last = last.map(|n| usize::try_from(n).unwrap_or(0));
    let mut range = start..first.map_or(end, |n| end.min(start + n));
    let beyond = first.is_some() && range.end < end;
    let before_them = last.is_some_and(|n| range.len() > n);
    if let Some(last) = last {
        range.start = range.end - range.len().min(last);
    }
    let cursor = |index: usize| BASE64URL_NOPAD.encode((index + 1).to_string().as_bytes());
    let items = rows.into_iter().enumerate().skip(range.start).take(range.len());
    let items: Vec<_> = items.map(|(index, row)| Rc::new((cursor(index), row))).collect();
    let page = Page {
        ty: ty.to_owned(),
        items,
        has_next: !distortion.early_end && (distortion.cursor_loop || before.is_some_and(|n| n > 0) || beyond),
        has_previous: after > 0 || before_them,
        broken: None,
    };
    Resolved::Node(Node::Page(Rc::new(page)))
}

pub(super) fn page_field<'a>(page: &Rc<Page<'a>>, call: &Call<'_>) -> Result<Resolved<'a>, Failure> {
    if call.name == "pageInfo" {
        return Ok(Resolved::Node(Node::PageInfo(Rc::clone(page))));
    }
    if let Some(broken) = &page.broken {
        return Err(Failure::Field(broken.clone()));
    }
    let edge = page.ty.replace("Connection", "Edge");
    Ok(Resolved::List(match call.name {
        "nodes" => page.items.iter().map(|item| item.1.clone()).collect(),
        _ => page.items.iter().map(|item| Resolved::Node(Node::Edge(edge.clone(), Rc::clone(item)))).collect(),
    }))
}

pub(super) fn info_field<'a>(page: &Page<'a>, call: &Call<'_>) -> Result<Resolved<'a>, Failure> {
    let cursor = |item: Option<&Rc<(String, Resolved<'a>)>>| item.map_or(Resolved::NULL, |item| Resolved::leaf(item.0.as_str()));
    Ok(match call.name {
        "hasNextPage" => match &page.broken {
            Some(broken) => return Err(Failure::Field(broken.clone())),
            None => Resolved::leaf(page.has_next),
        },
        "hasPreviousPage" => Resolved::leaf(page.has_previous),
        "startCursor" => cursor(page.items.first()),
        _ => cursor(page.items.last()),
    })
}
