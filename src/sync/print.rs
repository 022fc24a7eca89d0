//! Whether an item says what it said: told by what was read of it, before any of it is mapped.
//!
//! Reading a platform again is mostly meeting again what is known. An item with the print of the last reading would
//! become the records that it is already, so neither its names nor its records are looked up.

use std::borrow::Cow;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};

use super::Sync;
use crate::domain::source::SourceRecord;
use crate::domain::{PlatformName, Timestamp};
use crate::mapping::Profile;
use crate::store::{Item, ItemState};

/// The print of an item that has to be mapped whatever it says: it points to something that is not there yet.
pub(super) const NONE: [u8; 32] = [0; 32];
/// What is taken for unchanged is looked at in the first reading of a day (UTC) all the same, so that nothing that
/// nobody thought of (new rules for a time zone, for one) stays longer.
const DAY: i64 = 86_400;

/// The name of the fact that tells when something of a platform ceased to be there last.
pub(super) fn vanished(platform: &PlatformName) -> String {
    format!("vanished:{platform}")
}

/// Makes the prints of one run.
pub(super) struct Prints {
    beside: Context,
    profile: Arc<Profile>,
}

impl Prints {
    /// In each goes what mapping depends on beside the item: this very program, the profile, the city's settings,
    /// and `vanished`, which is another word after anything ceased to be there that an item may point to.
    pub fn new(sync: &Sync, vanished: Option<String>, now: Timestamp) -> Self {
        let day = now.seconds().div_euclid(DAY);
        let vanished = vanished.unwrap_or_default();
        let Sync { publisher, public_url, .. } = sync;
        let settings = format!("{}\n{day}\n{vanished}\n{public_url}\n{publisher:?}\n", env!("PASSERELLE_SOURCE"));
        let mut context = Context::new(&SHA256);
        context.update(settings.as_bytes());
        context.update(sync.profile.digest());
        context.update(sync.pseudonyms.print().as_ref());
        Self { beside: context, profile: Arc::clone(&sync.profile) }
    }

    /// The print of an item: all that was read of it but the time, and but what passes. An address that is signed
    /// anew at every reading is taken up once a day: long before it expires where we know it (Decidim: a week).
    pub fn of(&self, source: &SourceRecord) -> [u8; 32] {
        let mut fields = Cow::Borrowed(&source.fields);
        for passing in self.profile.passing(&source.entity) {
            if let Some(fields) = fields.to_mut().as_object_mut() {
                fields.remove(passing);
            }
        }
        let said = (&*fields, &source.context, &source.url, &source.evidence);
        let Ok(said) = serde_json::to_vec(&said) else { return NONE };
        let mut context = self.beside.clone();
        context.update(&said);
        context.finish().as_ref().try_into().unwrap_or(NONE)
    }
}

/// Whether an item is public already with just this print.
pub(super) fn is_as_before(before: &Item, print: &[u8; 32]) -> bool {
    before.state == ItemState::Public && before.fingerprint == *print && *print != NONE
}
