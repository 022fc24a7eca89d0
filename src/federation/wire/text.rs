//! Texts on the wire: `name` beside `nameMap`, `content` beside `contentMap`.
//!
//! The plain form is the text in the original language, for readers that know no language maps; the map
//! is what counts when both are there. A plain text alone is read as being in `originalLanguage` (P4).

use super::WireError;
use super::scalar::LanguageMap;
use crate::domain::text::{LanguageTag, Localized, MAX_TEXT_BYTES, PlainText, SafeHtml};

/// A kind of text that is made safe when it is built.
pub trait Text: Sized + Clone {
    /// The safe form; `None` when nothing is left.
    fn read(raw: &str) -> Option<Self>;
    /// As text.
    fn as_text(&self) -> &str;
}

impl Text for PlainText {
    fn read(raw: &str) -> Option<Self> {
        Self::new(raw)
    }
    fn as_text(&self) -> &str {
        self.as_str()
    }
}

impl Text for SafeHtml {
    fn read(raw: &str) -> Option<Self> {
        Self::new(raw)
    }
    fn as_text(&self) -> &str {
        self.as_str()
    }
}

/// The plain form and the map of a text.
pub fn write<T: Text>(texts: Option<&Localized<T>>, original: &LanguageTag) -> (Option<String>, Option<LanguageMap>) {
    let Some(texts) = texts else { return (None, None) };
    (Some(plain(texts, original)), Some(map(texts)))
}

/// The text in the original language, or in the first there is.
pub fn plain<T: Text>(texts: &Localized<T>, original: &LanguageTag) -> String {
    texts.pick(&[], original).1.as_text().to_owned()
}

/// Every text by its language.
pub fn map<T: Text>(texts: &Localized<T>) -> LanguageMap {
    LanguageMap(texts.iter().map(|(language, text)| (language.to_string(), text.as_text().to_owned())).collect())
}

/// Reads a text from both forms. A text that is empty once it is made safe is absent.
///
/// # Errors
/// A text longer than 64 KiB, or a language that is no BCP 47 tag.
pub fn read<T: Text>(
    plain: Option<&str>,
    map: Option<&LanguageMap>,
    original: &LanguageTag,
    path: &str,
) -> Result<Option<Localized<T>>, WireError> {
    let Some(map) = map else {
        let Some(raw) = plain else { return Ok(None) };
        let text: Option<T> = read_one(raw, path)?;
        return Ok(text.map(|text| Localized::one(original.clone(), text)));
    };
    let mut texts = Vec::with_capacity(map.0.len());
    for (tag, raw) in &map.0 {
        let at = || format!("{path}Map.{}", tag.chars().take(40).collect::<String>());
        let language: LanguageTag = tag.parse().map_err(|error| WireError::new(at(), error))?;
        if let Some(text) = read_one::<T>(raw, &at())? {
            texts.push((language, text));
        }
    }
    Ok(Localized::new(texts))
}

/// Reads a text that must be there.
///
/// # Errors
/// As for [`read`], and when there is none.
pub fn read_required<T: Text>(
    plain: Option<&str>,
    map: Option<&LanguageMap>,
    original: &LanguageTag,
    path: &str,
) -> Result<Localized<T>, WireError> {
    read(plain, map, original, path)?.ok_or_else(|| WireError::new(path, "a text is needed here"))
}

/// A word of a stranger without control and direction characters; `None` when nothing is left.
pub fn clean(word: &str) -> Option<String> {
    PlainText::new(word).map(|text| text.to_string())
}

fn read_one<T: Text>(raw: &str, path: &str) -> Result<Option<T>, WireError> {
    if raw.len() > MAX_TEXT_BYTES {
        return Err(WireError::new(path, format_args!("a text of {} bytes; at most {MAX_TEXT_BYTES} are taken", raw.len())));
    }
    Ok(T::read(raw))
}
