//! Text that people wrote: plain or HTML, always with its language, always safe to show.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::markup;

/// Longest text we keep per language, in bytes (participation.md §4.8 Limits).
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// A BCP 47 language tag, in its usual case (`fr`, `pt-BR`); `und` when the source does not say.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct LanguageTag(String);

/// Not a BCP 47 language tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a language tag (such as `fr` or `pt-BR`)")]
pub struct NotALanguage(String);

impl LanguageTag {
    /// French, the language of the first cities.
    #[must_use]
    pub fn french() -> Self {
        Self("fr".to_owned())
    }

    /// "The source does not say."
    #[must_use]
    pub fn undetermined() -> Self {
        Self("und".to_owned())
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The writing direction of this language: `rtl`, `ltr`, or `auto` when the tag does not say.
    #[must_use]
    pub fn direction(&self) -> &'static str {
        match self.0.split('-').next().unwrap_or_default() {
            "ar" | "fa" | "he" | "ur" | "yi" | "ps" | "sd" | "ug" | "dv" => "rtl",
            "und" => "auto",
            _ => "ltr",
        }
    }
}

impl FromStr for LanguageTag {
    type Err = NotALanguage;
    fn from_str(text: &str) -> Result<Self, NotALanguage> {
        let refused = || NotALanguage(text.chars().take(40).collect());
        if text.len() > 35 {
            return Err(refused());
        }
        let mut parts = text.split(['-', '_']);
        let first = parts.next().unwrap_or_default();
        if !(2..=8).contains(&first.len()) || !first.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(refused());
        }
        let mut tag = first.to_ascii_lowercase();
        for part in parts {
            if !(1..=8).contains(&part.len()) || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(refused());
            }
            tag.push('-');
            match part.len() {
                2 => tag.push_str(&part.to_ascii_uppercase()),
                4 if part.bytes().all(|b| b.is_ascii_alphabetic()) => {
                    tag.push_str(&part[..1].to_ascii_uppercase());
                    tag.push_str(&part[1..].to_ascii_lowercase());
                }
                _ => tag.push_str(&part.to_ascii_lowercase()),
            }
        }
        Ok(Self(tag))
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for LanguageTag {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Cuts a text at a character boundary so that at most `max` bytes remain.
fn cut(text: &mut String, max: usize) {
    if text.len() > max {
        let end = (0..=max).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
        text.truncate(end);
    }
}

/// Characters that change how the text around them reads: bidirectional overrides and isolates,
/// zero-width ones, NUL and other controls (SEC-134, SEC-162).
pub(super) fn is_deceptive(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// One line or paragraph without markup and without deceptive characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct PlainText(String);

impl PlainText {
    /// The text with control and direction characters removed and its ends trimmed; `None` when
    /// nothing is left.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut clean: String = text.chars().filter(|&c| !is_deceptive(c)).collect();
        cut(&mut clean, MAX_TEXT_BYTES);
        let clean = clean.trim();
        (!clean.is_empty()).then(|| Self(clean.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlainText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PlainText {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(d)?).ok_or_else(|| serde::de::Error::custom("an empty text"))
    }
}

/// HTML of the restricted profile: paragraphs, lists, emphasis, quotes, links; no images, no styles,
/// no scripts. Sanitised on construction, so holding one is the proof (SEC-155 … SEC-162).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SafeHtml(String);

static SANITISER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let tags = HashSet::from([
        "p",
        "br",
        "strong",
        "b",
        "em",
        "i",
        "u",
        "s",
        "del",
        "ins",
        "ul",
        "ol",
        "li",
        "blockquote",
        "a",
        "h3",
        "h4",
        "h5",
        "h6",
        "code",
        "pre",
        "sub",
        "sup",
        "hr",
    ]);
    let mut builder = ammonia::Builder::new();
    builder
        .tags(tags)
        .clean_content_tags(HashSet::from([
            "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "title", "textarea", "xmp",
        ]))
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"]))]))
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow ugc"));
    builder
});

impl SafeHtml {
    /// The sanitised form of `html`; `None` when no text is left. Markup that would multiply (SEC-164), or
    /// whose clean form is longer than [`MAX_TEXT_BYTES`], is given up: its words stay, in one paragraph.
    #[must_use]
    pub fn new(html: &str) -> Option<Self> {
        if html.len() <= MAX_TEXT_BYTES
            && let Some(words) = markup::settled(html, is_deceptive)
        {
            return words.then(|| Self(html.trim().to_owned()));
        }
        Self::parsed(html)
    }

    /// The same by way of the parser, whatever the text.
    pub(super) fn parsed(html: &str) -> Option<Self> {
        let mut raw: String = html.chars().filter(|&c| !is_deceptive(c)).collect();
        cut(&mut raw, MAX_TEXT_BYTES);
        let clean = sanitised(&raw).unwrap_or_else(|| in_one_paragraph(&raw));
        let clean = clean.trim();
        let has_text = !strip_tags(clean).trim().is_empty();
        has_text.then(|| Self(clean.to_owned()))
    }

    /// Plain text as HTML: escaped, blank lines become paragraphs.
    #[must_use]
    pub fn from_plain(text: &str) -> Option<Self> {
        let paragraphs: Vec<String> = text
            .replace("\r\n", "\n")
            .split("\n\n")
            .map(str::trim)
            .filter(|p| !p.is_empty())
            .map(|p| {
                format!("<p>{}</p>", ammonia::clean_text(p).replace("&#10;", "\n").replace("&#32;", " ").replace('\n', "<br>"))
            })
            .collect();
        Self::new(&paragraphs.concat())
    }

    /// The HTML.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The words without markup, for summaries and search.
    #[must_use]
    pub fn to_plain(&self) -> String {
        strip_tags(&self.0)
    }
}

/// What the sanitiser makes of `raw`; `None` when it, or what comes of it, is too large to parse. The
/// clean form passes again: a partner that reads it finds the same.
fn sanitised(raw: &str) -> Option<String> {
    if !markup::is_bounded(raw) {
        return None;
    }
    let mut clean = SANITISER.clean(raw).to_string();
    // Entities such as `&#1;` and `&#x202e;` become characters only now.
    if clean.contains(is_deceptive) {
        clean.retain(|c| !is_deceptive(c));
        clean = SANITISER.clean(&clean).to_string();
    }
    (clean.len() <= MAX_TEXT_BYTES && markup::is_bounded(&clean)).then_some(clean)
}

/// The words of some markup, cut so that their escaped form is short enough.
fn in_one_paragraph(markup: &str) -> String {
    let mut words = strip_tags(markup);
    loop {
        let escaped = ammonia::clean_text(&words).replace("&#32;", " ");
        let html = SANITISER.clean(&format!("<p>{escaped}</p>")).to_string();
        if html.len() <= MAX_TEXT_BYTES {
            return html;
        }
        let shorter = (words.len() * MAX_TEXT_BYTES / html.len()).min(words.len() - 1);
        cut(&mut words, shorter);
    }
}

/// The text of sanitised HTML: tags become spaces, the few entities ammonia writes are read back.
fn strip_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => {
                inside = true;
                text.push(' ');
            }
            '>' if inside => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    let text = text.replace("&nbsp;", " ").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for SafeHtml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SafeHtml {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(d)?).ok_or_else(|| serde::de::Error::custom("an empty text"))
    }
}

/// The same text in one or more languages (P4: every free text is language-tagged). Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Localized<T>(BTreeMap<LanguageTag, T>);

impl<T> Localized<T> {
    /// A text in one language.
    #[must_use]
    pub fn one(language: LanguageTag, text: T) -> Self {
        Self(BTreeMap::from([(language, text)]))
    }

    /// Texts by language; `None` when there is none.
    pub fn new(texts: impl IntoIterator<Item = (LanguageTag, T)>) -> Option<Self> {
        let map: BTreeMap<_, _> = texts.into_iter().collect();
        (!map.is_empty()).then_some(Self(map))
    }

    /// The text in the first of `wanted` that exists, else in `original`, else in any language.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "it cannot: there is at least one text")]
    pub fn pick<'a>(&'a self, wanted: &[LanguageTag], original: &LanguageTag) -> (&'a LanguageTag, &'a T) {
        let found = wanted.iter().chain([original]).find_map(|tag| self.0.get_key_value(tag));
        found.or_else(|| self.0.iter().next()).expect("a Localized holds at least one text: `new` and `one` see to it")
    }

    /// Every text with its language, in the order of the tags.
    pub fn iter(&self) -> impl Iterator<Item = (&LanguageTag, &T)> {
        self.0.iter()
    }

    /// The text in exactly this language.
    #[must_use]
    pub fn get(&self, language: &LanguageTag) -> Option<&T> {
        self.0.get(language)
    }

    /// How many languages there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Localized<T> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let map = BTreeMap::deserialize(d)?;
        if map.is_empty() { Err(serde::de::Error::custom("a text in no language")) } else { Ok(Self(map)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sec_155_nothing_active_survives() {
        for hostile in [
            "<script>alert(1)</script><p>ok</p>",
            "<p onclick=alert(1)>ok</p>",
            "<svg onload=alert(1)>x</svg><p>ok</p>",
            "<a href=\"javascript:alert(1)\">ok</a>",
            "<a href=\"//evil.example\">ok</a>",
            "<img src=https://evil.example/pixel>ok",
            "<p style=\"position:fixed\">ok</p>",
            "<iframe srcdoc=\"<script>1</script>\"></iframe>ok",
        ] {
            let clean = SafeHtml::new(hostile).expect("`ok` is left");
            for word in ["script", "onclick", "onload", "evil", "style", "iframe", "svg", "img"] {
                assert!(!clean.as_str().contains(word), "{hostile} became {clean}");
            }
            assert!(clean.to_plain().contains("ok"));
        }
    }

    #[test]
    fn sec_164_markup_that_multiplies_is_shown_as_plain_text() {
        let tags = (0..4_000).map(|n| format!("<b {n}>")).collect::<Vec<_>>().concat();
        let html = SafeHtml::new(&format!("<p>avant{tags}{}", "<p>x".repeat(4_000))).expect("words are left");
        assert!(html.as_str().starts_with("<p>avant x x x"), "{}", &html.as_str()[..80]);
        assert!(html.as_str().len() < MAX_TEXT_BYTES);
        assert_eq!(SafeHtml::new(html.as_str()), Some(html));
    }

    #[test]
    fn a_clean_text_is_never_longer_than_what_a_partner_reads() {
        let html = SafeHtml::new(&"& ".repeat(MAX_TEXT_BYTES / 2)).expect("words are left");
        assert!(html.as_str().len() <= MAX_TEXT_BYTES, "{}", html.as_str().len());
        assert_eq!(SafeHtml::new(html.as_str()), Some(html));
    }

    #[test]
    fn sec_155_an_attribute_cannot_look_like_a_tag() {
        // Pages look for `</a>` in sanitised text, so an attribute must not hold one.
        let html = SafeHtml::new("<a href=\"https://a.example/?</a><i>\">ok</a>").expect("words are left");
        assert_eq!(html.as_str().matches("</a>").count(), 1, "{html}");
        assert!(!html.as_str().contains("<i>"), "{html}");
    }

    #[test]
    fn sec_162_direction_overrides_are_removed() {
        assert_eq!(PlainText::new("a\u{202E}b\u{0}c\u{200B}").map(|t| t.to_string()).as_deref(), Some("abc"));
    }

    #[test]
    fn plain_text_keeps_its_paragraphs_and_shows_its_angle_brackets() {
        let html = SafeHtml::from_plain("one <b>\n\ntwo\nthree").expect("not empty");
        assert_eq!(html.as_str(), "<p>one &lt;b&gt;</p><p>two<br>three</p>");
    }

    #[test]
    fn a_language_tag_has_one_spelling() {
        let tag = |text: &str| text.parse::<LanguageTag>().map(|t| t.to_string());
        assert_eq!(tag("PT-br").as_deref(), Ok("pt-BR"));
        assert_eq!(tag("zh_hans_CN").as_deref(), Ok("zh-Hans-CN"));
        for text in ["", "f", "fr\"", "fr-", "français", "a".repeat(40).as_str()] {
            assert!(tag(text).is_err(), "{text} was taken");
        }
    }

    proptest! {
        #[test]
        fn sec_159_sanitising_twice_changes_nothing(html in "(<[a-z/ =\"':]{0,12}>|[ -~éà]|&[a-z#0-9]{1,6};){0,40}") {
            if let Some(once) = SafeHtml::new(&html) {
                prop_assert_eq!(SafeHtml::new(once.as_str()), Some(once.clone()));
            }
        }
    }
}
