//! What surrounds every page: head, languages, menu, trail, footer. A page's template extends
//! `base.html` and owns one of these as `f`.

use std::borrow::Borrow;

use url::Url;

use super::assets;
use super::html::Html;
use super::i18n::{Arg, Texts};
use super::language::Language;
use super::names::place_of;
use super::site::Conformity;
use super::urls::Address;
use super::view::words::Words;

/// What every page of this gateway has in common.
#[derive(Debug, Clone)]
pub struct House {
    /// Our public address.
    pub public_url: Url,
    /// The languages of the interface.
    pub languages: Vec<Language>,
    /// What may be said of its accessibility.
    pub conformity: Conformity,
}

/// The frame of one page for one reader.
#[derive(Debug, Clone)]
pub struct Frame {
    texts: Texts,
    carried: Option<Language>,
    house: House,
    /// The name of the city.
    pub city: String,
    /// The page's own title, without the city.
    pub title: String,
    /// Where the page is.
    pub here: Address,
    /// The address search engines should prefer, when another than this page's own.
    pub canonical: Option<String>,
    /// Whether search engines are asked to stay away.
    pub noindex: bool,
    /// Whether the same address answers in ActivityPub JSON.
    pub machine_form: bool,
    /// A sentence for previews elsewhere.
    pub description: Option<String>,
    /// The way from the home page to here, without the page itself.
    pub trail: Vec<Step>,
    /// Whether this page says that something went wrong.
    pub error: bool,
}

/// One step of the trail.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it is called.
    pub label: Html,
    /// Where it leads.
    pub href: String,
}

/// The same page in another language.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    /// The language.
    pub language: Language,
    /// A link for readers.
    pub href: String,
    /// The absolute address, for `hreflang`.
    pub absolute: String,
    /// Whether it is the language of this page.
    pub current: bool,
}

impl Frame {
    /// The frame of the page `title` at `here`.
    #[must_use]
    pub fn new(texts: Texts, carried: Option<Language>, house: House, city: String, title: String, here: Address) -> Self {
        Self {
            texts,
            carried,
            house,
            city,
            title,
            here,
            canonical: None,
            noindex: false,
            machine_form: false,
            description: None,
            trail: Vec::new(),
            error: false,
        }
    }

    /// The texts of the page's language.
    #[must_use]
    pub const fn texts(&self) -> &Texts {
        &self.texts
    }

    /// The language tag of the page.
    #[must_use]
    pub fn lang(&self) -> &'static str {
        self.texts.language().tag()
    }

    /// A text of the interface.
    #[must_use]
    pub fn say(&self, key: &str) -> String {
        self.texts.say(key)
    }

    /// A text about the city, for example "Published by { $city }".
    #[must_use]
    pub fn say_city(&self, key: &str) -> String {
        self.texts.plain(key, &[("city", Arg::Name(&place_of(&self.city)))])
    }

    /// A text about a number.
    #[must_use]
    pub fn count(&self, key: &str, n: impl Borrow<u64>) -> String {
        self.texts.count(key, *n.borrow())
    }

    /// The label of a machine's translation.
    #[must_use]
    pub fn translated(&self, original: &Words) -> String {
        self.texts.translated(&original.lang)
    }

    /// A link to one of our addresses, with the reader's `?lang=`.
    #[must_use]
    pub fn link(&self, address: &Address) -> String {
        address.href(self.carried)
    }

    /// A link to a page without parameters.
    #[must_use]
    pub fn to(&self, path: &str) -> String {
        Address::fixed(path).href(self.carried)
    }

    /// Adds a step to the trail.
    #[must_use]
    pub fn after(mut self, label: Html, address: &Address) -> Self {
        let href = self.link(address);
        self.trail.push(Step { label, href });
        self
    }

    /// Asks search engines to stay away.
    #[must_use]
    pub const fn unlisted(mut self) -> Self {
        self.noindex = true;
        self
    }

    /// Says that this address answers in ActivityPub JSON too.
    #[must_use]
    pub const fn with_machine_form(mut self) -> Self {
        self.machine_form = true;
        self
    }

    /// What the browser's tab shows; an error says so first (UI-07).
    #[must_use]
    pub fn tab_title(&self) -> String {
        let title =
            if self.error { self.texts.plain("error-title", &[("title", Arg::Text(&self.title))]) } else { self.title.clone() };
        format!("{title} - {}", self.site_name())
    }

    /// The name of the site: gateway and city.
    #[must_use]
    pub fn site_name(&self) -> String {
        self.say_city("site-name")
    }

    /// The language of previews elsewhere.
    #[must_use]
    pub fn locale(&self) -> &'static str {
        self.texts.language().locale()
    }

    /// Where the style sheet is.
    #[must_use]
    pub fn stylesheet(&self) -> String {
        assets::stylesheet()
    }

    /// The icon of the tab.
    #[must_use]
    pub fn icon(&self) -> &'static str {
        assets::ICON
    }

    /// The preferred absolute address of this page.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.canonical.clone().unwrap_or_else(|| self.here.absolute(&self.house.public_url, None))
    }

    /// What the law wants said of the accessibility of this site.
    #[must_use]
    pub fn conformity(&self) -> String {
        self.say(self.house.conformity.key())
    }

    /// This page in every language of the interface, where there are several.
    #[must_use]
    pub fn languages(&self) -> Vec<Elsewhere> {
        let elsewhere = |language| Elsewhere {
            language,
            href: self.here.href(Some(language)),
            absolute: self.here.absolute(&self.house.public_url, Some(language)),
            current: language == self.texts.language(),
        };
        let several = self.house.languages.iter().copied().filter(|_| self.house.languages.len() > 1);
        several.map(elsewhere).collect()
    }

    /// Whether the menu's entry `path` is the section of this page.
    #[must_use]
    pub fn is_in(&self, path: &str) -> bool {
        let here = self.here.path();
        here == path || (path != "/" && here.starts_with(path) && here.as_bytes().get(path.len()) == Some(&b'/'))
    }

    /// Whether the menu's entry `path` is this page itself.
    #[must_use]
    pub fn is_at(&self, path: &str) -> bool {
        self.here.path() == path
    }

    /// What the page shows as JSON, by a plain link. Pages of a list lead to the whole collection, whose
    /// own pages begin elsewhere.
    #[must_use]
    pub fn machine_link(&self) -> String {
        self.here.clone().bare().with("form", "json").href(None)
    }
}
