//! What is needed to show records to one reader: the language, the city, the partners' names.

use std::borrow::Cow;
use std::collections::HashMap;

use super::held::{Held, Origin};
use super::words::{Wanted, Words};
use crate::domain::author::{AuthorKind, PseudonymousAuthor};
use crate::domain::calendar::Day;
use crate::domain::id::{ActorId, PartnerDomain, RecordId};
use crate::domain::text::LanguageTag;
use crate::domain::time::Timestamp;
use crate::web::frame::{Frame, House};
use crate::web::html::Html;
use crate::web::i18n::{Arg, Texts};
use crate::web::language::Language;
use crate::web::names::place_of;
use crate::web::urls::{Address, class_of_segment};

/// The reader's desk.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The texts of the interface.
    pub texts: Texts,
    /// The language carried by links, when the reader asked for one.
    pub carried: Option<Language>,
    /// In which languages content is shown, best first.
    pub wanted: Wanted,
    /// Our actor.
    pub actor: ActorId,
    /// What every page has in common.
    pub house: House,
    /// The name of our city.
    pub city: String,
    /// The names of our partners.
    pub partners: HashMap<PartnerDomain, String>,
    /// The present.
    pub now: Timestamp,
}

impl Desk {
    /// The frame of a page.
    #[must_use]
    pub fn frame(&self, title: String, here: Address) -> Frame {
        Frame::new(self.texts.clone(), self.carried, self.house.clone(), self.city.clone(), title, here)
    }

    /// The frame of a page that belongs to a record: the way there from its city's, and nothing of a copy for
    /// search engines.
    #[must_use]
    pub fn frame_of(&self, held: &Held, title: String, here: Address) -> Frame {
        let frame = self.frame(title, here);
        match &held.origin {
            Origin::Ours => frame.after(Html::text(&self.texts.say("nav-consultations")), &Address::consultations()),
            Origin::Partner(facts) => {
                let copies = self.texts.html("held-step", &[("city", Arg::Name(&self.city_at(&facts.domain)))]);
                frame
                    .after(Html::text(&self.texts.say("nav-partners")), &Address::partners())
                    .after(copies, &Address::held(&facts.domain))
                    .unlisted()
            }
        }
    }

    /// A link with the reader's language.
    #[must_use]
    pub fn link(&self, address: &Address) -> String {
        address.href(self.carried)
    }

    /// The name of the city whose record it is.
    #[must_use]
    pub fn city_of<'a>(&'a self, origin: &'a Origin) -> Cow<'a, str> {
        match origin {
            Origin::Ours => place_of(&self.city),
            Origin::Partner(facts) => self.city_at(&facts.domain),
        }
    }

    /// The whole name of the public body whose record it is.
    #[must_use]
    pub fn body_of<'a>(&'a self, origin: &'a Origin) -> &'a str {
        match origin {
            Origin::Ours => &self.city,
            Origin::Partner(facts) => self.partners.get(&facts.domain).map_or(facts.domain.as_str(), String::as_str),
        }
    }

    /// The name of the city at a domain, for use in a sentence; the domain itself when it is not a partner (any more).
    #[must_use]
    pub fn city_at<'a>(&'a self, domain: &'a PartnerDomain) -> Cow<'a, str> {
        self.partners.get(domain).map_or(Cow::Borrowed(domain.as_str()), |name| place_of(name))
    }

    /// The page of a record on this site.
    #[must_use]
    pub fn page_of(&self, held: &Held) -> Address {
        match &held.origin {
            Origin::Ours => Address::record(&held.id),
            Origin::Partner(facts) => Address::copy(&facts.domain, held.class, &held.id.copy_key()),
        }
    }

    /// The page of a record that is only known by its address: here when it is ours or a partner's,
    /// else where it is.
    #[must_use]
    pub fn page_of_id(&self, id: &RecordId) -> String {
        let segment = id.path().trim_start_matches('/').split('/').next().unwrap_or_default();
        match class_of_segment(segment) {
            _ if self.actor.owns(id) => self.link(&Address::record(id)),
            Some(class) if self.partners.contains_key(&id.domain()) => {
                self.link(&Address::copy(&id.domain(), class, &id.copy_key()))
            }
            _ => id.to_string(),
        }
    }

    /// What a record is called: its title, else its class with the first words or the day.
    #[must_use]
    pub fn name_of(&self, held: &Held) -> Words {
        let class = self.texts.say(&class_key(held));
        if let Some(record) = held.visible() {
            if let Some(title) = self.wanted.title(record) {
                return title;
            }
            if let Some(excerpt) = self.wanted.excerpt(record) {
                return excerpt;
            }
        }
        let day = self.texts.plain("named-by-day", &[("what", Arg::Text(&class)), ("day", Arg::Moment(held.dated()))]);
        Words::line(&self.interface_tag(), &day)
    }

    /// What a record is called in a page's title: plain, short, with its class.
    #[must_use]
    pub fn plain_name_of(&self, held: &Held) -> String {
        let name = unescape(self.name_of(held).html.as_str());
        super::words::shorten(&name, 90)
    }

    /// The day it is here.
    #[must_use]
    pub fn today(&self) -> Option<Day> {
        self.texts.day_of(self.now)
    }

    /// The tag of the interface's language.
    #[must_use]
    pub fn interface_tag(&self) -> LanguageTag {
        self.texts.language().content_tag()
    }

    /// Who said it: a kind of person and a city, or the public name of an organisation.
    #[must_use]
    pub fn author(&self, author: Option<&PseudonymousAuthor>, city: &str) -> Html {
        let Some(author) = author else { return self.texts.html("author-unknown", &[]) };
        let key = match author.kind {
            AuthorKind::Person => "author-person",
            AuthorKind::Organisation => "author-organisation",
            AuthorKind::Official => "author-official",
            AuthorKind::Collective => "author-collective",
        };
        author.name.as_ref().map_or_else(
            || self.texts.html(key, &[("city", Arg::Name(city))]),
            |name| Html::name(&super::words::shorten(name.as_str(), 120)),
        )
    }
}

/// The text key of a record's class.
#[must_use]
pub fn class_key(held: &Held) -> String {
    format!("class-{}", held.class.word().to_ascii_lowercase())
}

/// Reads back the five entities that [`Html::text`] writes.
#[must_use]
pub fn unescape(markup: &str) -> String {
    markup.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}
