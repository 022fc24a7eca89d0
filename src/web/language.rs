//! In which language the interface speaks: `?lang=`, else `Accept-Language`, else the city's default.
//! No cookie. The language of *content* is another matter: it keeps its own tag.

use std::fmt;
use std::str::FromStr;

use crate::domain::text::LanguageTag;

/// A language the interface is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// Français.
    French,
    /// English.
    English,
}

/// A language the interface does not speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pages are written in `fr` and `en`, not in `{0}`")]
pub struct NotSpoken(String);

impl Language {
    /// Every language of the interface.
    pub const ALL: [Self; 2] = [Self::French, Self::English];

    /// Its BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }

    /// Its name in itself, as a language switch shows it.
    #[must_use]
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::French => "Français",
            Self::English => "English",
        }
    }

    /// Its tag with a territory, as `og:locale` wants it.
    #[must_use]
    pub const fn locale(self) -> &'static str {
        match self {
            Self::French => "fr_FR",
            Self::English => "en_GB",
        }
    }

    /// The same language as a tag of content.
    #[must_use]
    pub fn content_tag(self) -> LanguageTag {
        self.tag().parse().unwrap_or_else(|_| LanguageTag::undetermined())
    }

    /// The language a reader is answered in.
    ///
    /// `asked` is the value of `?lang=`; a value that is not among `spoken` is ignored. `accepted` is the
    /// `Accept-Language` header. Equal weights go to the one named first (RFC 9110 §12.5.4). The first of
    /// `spoken` is the default.
    #[must_use]
    pub fn choose(asked: Option<&str>, accepted: Option<&str>, spoken: &[Self]) -> Self {
        if let Some(language) = asked.and_then(|tag| Self::among(spoken, tag)) {
            return language;
        }
        let default = spoken.first().copied().unwrap_or(Self::French);
        let mut best: Option<(Self, u16)> = None;
        for range in accepted.unwrap_or_default().split(',').take(MAX_RANGES) {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let language = if tag == "*" { Some(default) } else { Self::among(spoken, tag) };
            let weight = super::negotiate::weight(parts);
            if let Some(language) = language
                && weight > best.map_or(0, |(_, weight)| weight)
            {
                best = Some((language, weight));
            }
        }
        best.map_or(default, |(language, _)| language)
    }

    /// The language of a tag, when it is one of these.
    #[must_use]
    pub fn among(spoken: &[Self], tag: &str) -> Option<Self> {
        tag.parse().ok().filter(|language| spoken.contains(language))
    }
}

/// A header with more ranges than this is read up to here.
const MAX_RANGES: usize = 32;

impl FromStr for Language {
    type Err = NotSpoken;
    fn from_str(tag: &str) -> Result<Self, NotSpoken> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        let found = Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()));
        found.ok_or_else(|| NotSpoken(tag.chars().take(20).collect()))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_decides_before_the_browser_and_the_browser_before_the_city() {
        use Language::{English, French};
        let choose = |asked, accepted| Language::choose(asked, accepted, &[French, English]);
        assert_eq!(choose(Some("en"), Some("fr")), English);
        assert_eq!(choose(Some("tlh"), Some("en-GB,fr;q=0.9")), English);
        assert_eq!(choose(None, Some("de, en;q=0.5, fr;q=0.7")), French);
        assert_eq!(choose(None, Some("en;q=0, *;q=0.1")), French);
        assert_eq!(choose(None, Some("fr;q=0, en;q=0.1")), English);
        assert_eq!(choose(None, Some("en,fr")), English);
        assert_eq!(choose(None, Some(";;,,q=1,\u{1F600}")), French);
        assert_eq!(choose(None, None), French);
        // What the city does not list is not spoken, however it is asked for.
        assert_eq!(Language::choose(Some("en"), Some("en"), &[French]), French);
        assert_eq!(Language::choose(Some("tlh"), Some("de"), &[English, French]), English);
    }
}
