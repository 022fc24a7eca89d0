//! The AS2 type of what may have a title: an `Article` with one, a `Note` without.
//!
//! Mastodon and Lemmy show the `name` of an article and not of a note. While a record is hidden its title is not
//! there to see; it stays what it was then. Nobody should hang an identity on the type all the same, since a title
//! may come: `recordType` and the address say what a record is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::record::Record;

/// `Article`, or `Note` without a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ArticleOrNote {
    /// With a title, or hidden with it.
    Article,
    /// Without a title.
    Note,
}

impl ArticleOrNote {
    /// The type of a record; `untitled` says it while the record is hidden.
    #[must_use]
    pub fn of(record: &Record, untitled: bool) -> Self {
        let untitled = if record.is_visible() { record.title.is_none() } else { untitled };
        if untitled { Self::Note } else { Self::Article }
    }

    /// What has to be remembered of the type: that a hidden record had no title either before. `visible` as its
    /// envelope says.
    #[must_use]
    pub fn untitled(self, visible: bool) -> bool {
        !visible && self == Self::Note
    }
}
