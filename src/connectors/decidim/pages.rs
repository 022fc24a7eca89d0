//! Addresses of items for people, and whether a stranger is shown their pages.

use http::header::LOCATION;
use serde_json::Value;
use url::Url;

use super::client::{Polite, leads_to_login, plain};
use super::scan::Component;
use crate::connectors::{ConnectorError, PageStatus};
use crate::outbound::{Limits, OutboundError, Redirects};

/// The page of a process.
pub(super) fn process_page(base: &Url, fields: &Value) -> Option<Url> {
    let slug = fields["slug"].as_str()?;
    stated(base, fields).or_else(|| below(base, &["processes", slug]))
}

/// The page of a proposal, a meeting or a result; 0.28 does not tell it, but always builds it this way.
pub(super) fn thing_page(base: &Url, fields: &Value, slug: &str, component: &Component) -> Option<Url> {
    let id = fields["id"].as_str()?;
    stated(base, fields).or_else(|| below(base, &["processes", slug, "f", &component.id, component.kind.list(), id]))
}

/// The page of a project, which stands below its ballot.
pub(super) fn project_page(base: &Url, fields: &Value, slug: &str, component: &Component, budget: &Value) -> Option<Url> {
    let (id, budget) = (fields["id"].as_str()?, budget["id"].as_str()?);
    let path = ["processes", slug, "f", &component.id, "budgets", budget, "projects", id];
    stated(base, fields).or_else(|| below(base, &path))
}

/// A comment on the page of what it discusses.
pub(super) fn comment_page(base: &Url, fields: &Value, discussed: Option<&Url>) -> Option<Url> {
    let id = fields["id"].as_str()?;
    stated(base, fields).or_else(|| {
        let mut url = discussed?.clone();
        url.query_pairs_mut().append_pair("commentId", id);
        url.set_fragment(Some(&format!("comment_{id}")));
        Some(url)
    })
}

/// The host that an item says it lives at.
pub(super) fn stated_host(fields: &Value) -> Option<String> {
    Url::parse(fields["url"].as_str()?).ok()?.host_str().map(str::to_owned)
}

/// The address that an item states, at the origin we were told to read: behind a front server the platform
/// may know neither its scheme nor its port.
fn stated(base: &Url, fields: &Value) -> Option<Url> {
    let stated = Url::parse(fields["url"].as_str()?).ok()?;
    if stated.origin() == base.origin() {
        return Some(stated);
    }
    let mut url = base.join(stated.path()).ok().filter(|url| url.origin() == base.origin())?;
    url.set_query(stated.query());
    url.set_fragment(stated.fragment());
    Some(url)
}

fn below(base: &Url, segments: &[&str]) -> Option<Url> {
    let mut url = base.clone();
    url.path_segments_mut().ok()?.clear().extend(segments);
    Some(url)
}

/// Asks a page as a stranger; the body is not kept.
pub(super) async fn page_status(polite: &Polite, url: &Url) -> Result<PageStatus, ConnectorError> {
    if url.origin() != polite.base().origin() {
        return Err(ConnectorError::Moved { url: plain(url), to: polite.base().origin().ascii_serialization() });
    }
    let response = match polite.fetch(path_of(url).as_str(), Limits::PAGE, Redirects::Keep).await {
        Ok(response) => response,
        Err(ConnectorError::Failing { status, .. }) if status != 429 => return Ok(PageStatus::Unclear(status)),
        // A page of this size is a page.
        Err(ConnectorError::Unreachable { source: OutboundError::TooLarge { .. }, .. }) => return Ok(PageStatus::Public),
        Err(error) => return Err(error),
    };
    let status = response.status.as_u16();
    let location = response.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok(match status {
        200 => PageStatus::Public,
        401 | 403 | 404 | 410 => PageStatus::Hidden(status),
        300..=399 if leads_to_login(location) => PageStatus::Hidden(status),
        // Newer generations put the language before the path; nothing else is the same page.
        300..=399 if same_page(url, location) => match polite.fetch(location, Limits::PAGE, Redirects::Keep).await {
            Ok(next) if next.status.as_u16() == 200 => PageStatus::Public,
            Ok(next) if matches!(next.status.as_u16(), 401 | 403 | 404 | 410) => PageStatus::Hidden(next.status.as_u16()),
            Ok(next) => PageStatus::Unclear(next.status.as_u16()),
            Err(ConnectorError::Failing { status, .. }) if status != 429 => PageStatus::Unclear(status),
            Err(error) => return Err(error),
        },
        _ => PageStatus::Unclear(status),
    })
}

fn path_of(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// Whether a redirect stays at this origin and only puts something before the path.
fn same_page(url: &Url, location: &str) -> bool {
    url.join(location).is_ok_and(|to| to.origin() == url.origin() && to.path() != url.path() && to.path().ends_with(url.path()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::kind::Kind;
    use super::*;

    fn base() -> Url {
        Url::parse("https://participez.lyon.example/").unwrap()
    }

    #[test]
    fn pages_are_built_where_the_platform_does_not_tell_them() {
        let component = |kind| Component { id: "2".to_owned(), kind };
        let page = thing_page(&base(), &json!({ "id": "12" }), "rues-aux-ecoles", &component(Kind::Proposals)).unwrap();
        assert_eq!(page.as_str(), "https://participez.lyon.example/processes/rues-aux-ecoles/f/2/proposals/12");
        let meeting = thing_page(&base(), &json!({ "id": "3" }), "rues", &component(Kind::Meetings)).unwrap();
        assert_eq!(meeting.path(), "/processes/rues/f/2/meetings/3");
        let project = project_page(&base(), &json!({ "id": "3" }), "rues", &component(Kind::Budgets), &json!({ "id": "1" }));
        assert_eq!(project.unwrap().path(), "/processes/rues/f/2/budgets/1/projects/3");
        let odd = process_page(&base(), &json!({ "slug": "../admin?x" })).unwrap();
        assert_eq!(odd.as_str(), "https://participez.lyon.example/processes/..%2Fadmin%3Fx");
        let comment = comment_page(&base(), &json!({ "id": "7" }), Some(&page)).unwrap();
        assert!(comment.as_str().ends_with("/proposals/12?commentId=7#comment_7"), "{comment}");
    }

    #[test]
    fn a_stated_address_never_leads_away_from_the_platform() {
        let fields = json!({ "id": "12", "slug": "x", "url": "http://169.254.169.254:80/processes/x?y=1" });
        assert_eq!(process_page(&base(), &fields).unwrap().as_str(), "https://participez.lyon.example/processes/x?y=1");
        let tricky = json!({ "slug": "x", "url": "http://evil.example//evil.example/processes/x" });
        assert_eq!(process_page(&base(), &tricky).unwrap().host_str(), Some("participez.lyon.example"));
    }

    #[test]
    fn only_a_language_before_the_path_is_the_same_page() {
        let url = base().join("/processes/x").unwrap();
        assert!(same_page(&url, "/fr/processes/x"));
        assert!(!same_page(&url, "/"));
        assert!(!same_page(&url, "/processes/x"));
        assert!(!same_page(&url, "https://evil.example/fr/processes/x"));
    }
}
