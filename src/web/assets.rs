//! The one style sheet: small, named by its digest, so that a browser may keep it for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::error::WebError;
use crate::domain::id::Key;

const SITE_CSS: &str = include_str!("assets/site.css");

/// The file name of the style sheet: `site-` and the digest of its bytes.
static NAME: LazyLock<String> = LazyLock::new(|| format!("site-{}.css", Key::digest_of(SITE_CSS.as_bytes())));

/// The icon of the tab, inside the page (one request less): a footbridge.
pub const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' \
                        height='32' rx='6' fill='%230b4f9e'/%3E%3Cpath d='M3 22h26M5 22c4-12 18-12 22 0M11 16v6m5-8v8m5-6v6' \
                        stroke='%23fff' stroke-width='2.5' fill='none'/%3E%3C/svg%3E";

/// Where the style sheet is.
#[must_use]
pub fn stylesheet() -> String {
    format!("/assets/{}", *NAME)
}

/// `GET /assets/{name}`.
pub async fn get(Path(name): Path<String>) -> Result<Response, WebError> {
    if name != *NAME {
        return Err(WebError::NotFound);
    }
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, SITE_CSS).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ui_49_the_style_sheet_stays_small() {
        assert!(SITE_CSS.len() <= 20_000, "{} bytes", SITE_CSS.len());
        assert!(!SITE_CSS.contains("http://") && !SITE_CSS.contains("https://") && !SITE_CSS.contains("@import"));
    }
}
