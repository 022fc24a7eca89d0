//! Every address of this gateway as a value, so that no page spells one by hand.

use std::fmt;

use url::Url;
use url::form_urlencoded::byte_serialize;

use super::language::Language;
use crate::domain::id::{Class, Key, PartnerDomain, RecordId};

/// An address of ours: path and query, always below this host (SEC-174, SEC-178).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    path: String,
    query: Vec<(&'static str, String)>,
}

impl Address {
    /// The home page.
    #[must_use]
    pub fn home() -> Self {
        Self::fixed("/")
    }

    /// A page without parameters in its path.
    #[must_use]
    pub fn fixed(path: impl Into<String>) -> Self {
        Self { path: path.into(), query: Vec::new() }
    }

    /// The list of consultations.
    #[must_use]
    pub fn consultations() -> Self {
        Self::fixed("/consultations")
    }

    /// A record of ours.
    #[must_use]
    pub fn record(id: &RecordId) -> Self {
        Self { path: id.path().to_owned(), query: Vec::new() }
    }

    /// A list that hangs on a record of ours, for example its `contributions`.
    #[must_use]
    pub fn below(&self, list: &'static str) -> Self {
        Self { path: format!("{}/{list}", self.path), query: Vec::new() }
    }

    /// What we hold of a partner.
    #[must_use]
    pub fn held(domain: &PartnerDomain) -> Self {
        Self { path: format!("/from/{domain}"), query: Vec::new() }
    }

    /// The page of a partner's record.
    #[must_use]
    pub fn copy(domain: &PartnerDomain, class: Class, key: &Key) -> Self {
        Self { path: format!("/from/{domain}/{}/{key}", class.segment()), query: Vec::new() }
    }

    /// The list of partners.
    #[must_use]
    pub fn partners() -> Self {
        Self::fixed("/partners")
    }

    /// The page about one partner.
    #[must_use]
    pub fn partner(domain: &PartnerDomain) -> Self {
        Self { path: format!("/partners/{domain}"), query: Vec::new() }
    }

    /// This address with a query pair.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// This address without any query pair.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.query.clear();
        self
    }

    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// As a link for a reader; `carried` is the language the reader asked for by `?lang=` (UI-29).
    #[must_use]
    pub fn href(&self, carried: Option<Language>) -> String {
        let mut href = self.path.clone();
        let language = carried.map(|language| ("lang", language.tag().to_owned()));
        for (n, (name, value)) in self.query.iter().cloned().chain(language).enumerate() {
            href.push(if n == 0 { '?' } else { '&' });
            href.push_str(name);
            href.push('=');
            href.extend(byte_serialize(value.as_bytes()));
        }
        href
    }

    /// The absolute form under the configured public address, never under a header's host.
    #[must_use]
    pub fn absolute(&self, public_url: &Url, carried: Option<Language>) -> String {
        format!("{}{}", public_url.as_str().trim_end_matches('/'), self.href(carried))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.href(None))
    }
}

/// The class whose records live under a path segment; `comments` holds two, told apart by the record.
#[must_use]
pub fn class_of_segment(segment: &str) -> Option<Class> {
    Class::ALL.iter().copied().find(|class| class.segment() == segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_a_reader_asked_for_is_carried_by_every_link() {
        let address = Address::consultations().with("after", "a b&c");
        assert_eq!(address.href(None), "/consultations?after=a+b%26c");
        assert_eq!(address.href(Some(Language::English)), "/consultations?after=a+b%26c&lang=en");
        assert_eq!(Address::home().href(Some(Language::French)), "/?lang=fr");
    }

    #[test]
    fn absolute_addresses_come_from_the_configuration() {
        let public: Url = "https://passerelle.lyon.example/".parse().expect("an address");
        assert_eq!(Address::partners().absolute(&public, None), "https://passerelle.lyon.example/partners");
    }
}
