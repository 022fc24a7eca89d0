//! One visit: who asks for what in which language and form. Read once from the request.

use axum::extract::{FromRequestParts, Path};
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::error::WebError;
use super::language::Language;
use super::negotiate::Form;
use super::urls::Address;
use crate::store::Cursor;

/// What a request asks for, apart from its path parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The language of the interface.
    pub language: Language,
    /// Whether the address itself asked for that language; then every link carries it on.
    pub carried: Option<Language>,
    /// Page or ActivityPub JSON.
    pub form: Form,
    /// The path.
    pub path: String,
    after: Option<String>,
    page: Option<u64>,
}

impl Visit {
    /// Reads a request of a site that speaks these languages. Unknown query parameters are ignored.
    #[must_use]
    pub fn read(uri: &Uri, headers: &HeaderMap, spoken: &[Language]) -> Self {
        let pairs = || form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let value = |name: &str| pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let asked = value("lang");
        let accepted: Vec<&str> = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok()).collect();
        Self {
            language: Language::choose(asked.as_deref(), Some(&accepted.join(",")), spoken),
            carried: asked.and_then(|tag| Language::among(spoken, &tag)),
            form: if value("form").as_deref() == Some("json") { Form::Machine } else { Form::of(headers) },
            path: uri.path().to_owned(),
            after: value("after"),
            page: value("page").and_then(|page| page.parse().ok()).filter(|page| (1..=1_000_000).contains(page)),
        }
    }

    /// Where in a list the page begins.
    ///
    /// # Errors
    /// [`WebError::NotFound`] when it is not a place in a list of ours.
    pub fn after(&self) -> Result<Option<Cursor>, WebError> {
        self.after.as_deref().map(str::parse).transpose().map_err(|_| WebError::NotFound)
    }

    /// Where in a list the page begins, as the address says it.
    #[must_use]
    pub fn after_text(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Which page of a list the link said this is; from 1.
    #[must_use]
    pub fn page(&self) -> u64 {
        self.page.unwrap_or(1)
    }

    /// The address of this very page: `list` with the place in it.
    #[must_use]
    pub fn address(&self, list: &Address) -> Address {
        let mut address = list.clone();
        if let Some(after) = &self.after {
            address = address.with("after", after.as_str());
        }
        if let Some(page) = self.page {
            address = address.with("page", page.to_string());
        }
        address
    }

    /// What answers to two visits may be exchanged for one another.
    #[must_use]
    pub fn cache_key(&self) -> String {
        let (language, carried) = (self.language.tag(), self.carried.is_some());
        let machine = self.form == Form::Machine;
        let page = self.page();
        // No `after` and an empty one are two addresses of a collection.
        let after = self.after.as_ref().map_or_else(String::new, |after| format!("={after}"));
        // A path holds no space.
        format!("{} {machine} {language} {carried} {page} {after}", self.path)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebError> {
        let read = || Self::read(&parts.uri, &parts.headers, &Language::ALL);
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(read))
    }
}

/// Parameters of a path; what cannot be read as one of ours leads nowhere (404).
#[derive(Debug, Clone)]
pub struct InPath<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for InPath<T> {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, WebError> {
        let Path(inside) = Path::<T>::from_request_parts(parts, state).await.map_err(|_| WebError::NotFound)?;
        Ok(Self(inside))
    }
}
