//! Where a record comes from and how it can be checked: the banner of a copy, the facts at the foot.

use std::time::Duration;

use url::Url;

use super::desk::Desk;
use super::held::{Held, Origin};
use crate::domain::id::Class;
use crate::web::html::Html;
use crate::web::i18n::Arg;
use crate::web::urls::Address;

/// How long a copy lives after its last confirmation (architecture §4.10).
pub const COPY_LIFETIME: Duration = Duration::from_hours(90 * 24);
/// A copy that was not confirmed for this long says so: its holder renews at half time.
const STALE_AFTER: Duration = Duration::from_hours(60 * 24);

/// The banner on top of a copy (UI-32).
#[derive(Debug, Clone)]
pub struct Banner {
    /// "Copy. The original is published by …".
    pub whose: Html,
    /// The address of the original.
    pub original: String,
    /// When it was read.
    pub read: Html,
    /// Until when it is kept.
    pub kept: Html,
    /// Its licence.
    pub licence: Option<Html>,
    /// "Not refreshed since …" (UI-34).
    pub stale: Option<Html>,
}

/// What stands at the foot of a record's page.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The permanent address.
    pub id: String,
    /// The record as JSON; absent for copies, whose JSON is at the origin.
    pub json: Option<String>,
    /// Its revision.
    pub revision: u64,
    /// The list of its revisions, where there is one.
    pub versions: Option<String>,
    /// Its digest.
    pub digest: String,
    /// Its licence.
    pub licence: Option<Html>,
    /// The page of the platform it was read from.
    pub source: Option<Html>,
    /// When it was read there.
    pub read: Option<Html>,
    /// Where personal rights are exercised.
    pub rights: Option<String>,
}

impl Desk {
    /// The banner of a copy; none on our own records.
    #[must_use]
    pub fn banner(&self, held: &Held) -> Option<Banner> {
        let Origin::Partner(facts) = &held.origin else { return None };
        let city = self.city_at(&facts.domain);
        let stale = self.now.since(facts.confirmed_at) > STALE_AFTER;
        Some(Banner {
            whose: self.texts.html("origin-copy", &[("city", Arg::Name(&city))]),
            original: held.id.to_string(),
            read: self.texts.html("origin-read", &[("when", Arg::Moment(facts.received_at))]),
            kept: self.texts.html("origin-kept", &[("when", Arg::Day(facts.confirmed_at.plus(COPY_LIFETIME)))]),
            licence: held.record.as_ref().map(|record| licence(&record.licence)),
            stale: stale
                .then(|| self.texts.html("origin-stale", &[("when", Arg::Day(facts.confirmed_at)), ("city", Arg::Name(&city))])),
        })
    }

    /// The facts of a record.
    #[must_use]
    pub fn facts(&self, held: &Held) -> Facts {
        let record = held.record.as_ref();
        let source = record.and_then(|record| record.source.as_ref());
        let json = (!held.is_copy()).then(|| Address::record(&held.id).with("form", "json").href(None));
        let rights = record.and_then(|record| record.personal_data.as_ref()).map(|handling| handling.rights_contact.to_string());
        Facts {
            id: held.id.to_string(),
            json,
            revision: held.revision,
            versions: (held.class == Class::Contribution && !held.is_copy())
                .then(|| self.link(&self.page_of(held).below("revisions"))),
            digest: held.digest.to_string(),
            licence: record.map(|record| licence(&record.licence)),
            source: source.and_then(|source| {
                let url = source.url.as_ref()?;
                Some(Html::link_out(url.as_str(), &Html::text(url.host_str().unwrap_or_default())))
            }),
            read: source.map(|source| self.texts.moment_tag(source.retrieved_at)),
            rights: rights.filter(|address| address.starts_with("http") || address.starts_with("mailto:")),
        }
    }
}

/// A licence as a link, by its usual name.
fn licence(url: &Url) -> Html {
    let text = url.as_str();
    let name = [
        ("etalab.gouv.fr", "Licence Ouverte 2.0"),
        ("etalab-2.0", "Licence Ouverte 2.0"),
        ("creativecommons.org/publicdomain/zero", "CC0 1.0"),
        ("creativecommons.org/licenses/by-sa/4.0", "CC BY-SA 4.0"),
        ("creativecommons.org/licenses/by/4.0", "CC BY 4.0"),
        ("opendatacommons.org/licenses/odbl", "ODbL 1.0"),
    ];
    let known = name.iter().find(|(part, _)| text.contains(part)).map(|(_, name)| *name);
    if !matches!(url.scheme(), "http" | "https") {
        return Html::text(known.unwrap_or(text));
    }
    Html::link_out(text, &Html::text(known.unwrap_or(text)))
}
