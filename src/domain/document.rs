//! A file of the platform: our address for it stays, while the platform's own ones are signed and expire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

use super::digest::Digest;
use super::id::RecordId;
use crate::words;

words! {
    /// What a document is for.
    DocumentKind {
        Agenda = "agenda",
        Minutes = "minutes",
        Study = "study",
        Plan = "plan",
        Deliberation = "deliberation",
        Evidence = "evidence",
    }
}

/// The media type of a file, for example `application/pdf`; lower case, without parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MediaType(String);

/// Not a media type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a media type (such as application/pdf)")]
pub struct NotAMediaType(String);

impl MediaType {
    /// The type as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MediaType {
    type Err = NotAMediaType;
    fn from_str(text: &str) -> Result<Self, NotAMediaType> {
        let refused = || NotAMediaType(text.chars().take(80).collect());
        let bare = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let name = |part: &str| {
            (1..=100).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-' | b'_'))
        };
        let fits = bare.split_once('/').is_some_and(|(kind, subtype)| name(kind) && name(subtype));
        if fits { Ok(Self(bare)) } else { Err(refused()) }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for MediaType {
    type Error = NotAMediaType;
    fn try_from(text: String) -> Result<Self, NotAMediaType> {
        text.parse()
    }
}

impl From<MediaType> for String {
    fn from(media_type: MediaType) -> Self {
        media_type.0
    }
}

/// The body of a document record (participation.md §4.3.11). Files are linked, never copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What it is attached to: a consultation, a meeting, a project, a result.
    pub attached_to: Option<RecordId>,
    /// The consultation it belongs to.
    pub process: Option<RecordId>,
    /// What sort of file it is.
    pub media_type: Option<MediaType>,
    /// How many bytes it has.
    pub byte_size: Option<u64>,
    /// The digest of the file, where somebody counted it.
    pub checksum: Option<Digest>,
    /// What it is for.
    pub kind: Option<DocumentKind>,
    /// Where the platform keeps it at the moment. Stays here: it is not part of what is signed, because it
    /// changes without the file changing (architecture §4.7).
    pub file: Option<Url>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_lower_case_and_has_two_parts() {
        for (text, written) in [("application/pdf", "application/pdf"), ("Text/HTML; charset=utf-8", "text/html")] {
            assert_eq!(text.parse::<MediaType>().map(|kind| kind.to_string()).as_deref(), Ok(written));
        }
        for text in ["pdf", "", "/", "a/", "a/b/c", "text/<b>", "té/xt", "application pdf/x"] {
            assert!(text.parse::<MediaType>().is_err(), "{text} was taken");
        }
    }
}
