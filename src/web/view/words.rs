//! Text of others in the best language for a reader, always with `lang` and `dir` (UI-09), and
//! labelled when a machine translated it (UI-30).

use crate::domain::record::{Record, Translation, TranslationMethod};
use crate::domain::text::{LanguageTag, Localized, PlainText, SafeHtml};
use crate::web::html::Html;

/// A title longer than this is cut, with a mark (SEC-163).
const TITLE_CHARS: usize = 240;
/// An excerpt on a card.
const EXCERPT_CHARS: usize = 220;
/// Combining marks kept on one base character (SEC-163).
const MARKS_PER_CHARACTER: usize = 4;

/// One text in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// BCP 47 tag.
    pub lang: String,
    /// `ltr`, `rtl` or `auto`.
    pub dir: &'static str,
    /// The text as markup.
    pub html: Html,
    /// The original, when `html` is a machine's translation of it.
    pub original: Option<Box<Words>>,
    /// Whether the original is shown at once (official answers), not on demand.
    pub unfolded: bool,
}

impl Words {
    /// A line without markup.
    #[must_use]
    pub fn line(language: &LanguageTag, text: &str) -> Self {
        let html = Html::text(&shorten(text, TITLE_CHARS));
        Self { lang: language.as_str().to_owned(), dir: language.direction(), html, original: None, unfolded: false }
    }

    fn block(language: &LanguageTag, html: &SafeHtml) -> Self {
        let html = Html::foreign(html);
        Self { lang: language.as_str().to_owned(), dir: language.direction(), html, original: None, unfolded: false }
    }

    /// The attributes of the element that holds the text.
    #[must_use]
    pub fn attributes(&self) -> Html {
        Html::trusted(format!("lang=\"{}\" dir=\"{}\"", Html::text(&self.lang), self.dir))
    }

    /// The line inside an element of its own language, for use in a sentence or a link.
    #[must_use]
    pub fn span(&self) -> Html {
        let (lang, dir, html) = (Html::text(&self.lang), self.dir, &self.html);
        Html::trusted(format!("<bdi lang=\"{lang}\" dir=\"{dir}\">{html}</bdi>"))
    }
}

/// What a record says in its own language only: one line, cut after `max` characters.
#[must_use]
pub fn said(record: &Record, text: &PlainText, max: usize) -> Html {
    let words = Words { html: Html::text(&shorten(text.as_str(), max)), ..Words::line(&record.language, "") };
    words.span()
}

/// What a reader would like to read in, best first.
#[derive(Debug, Clone)]
pub struct Wanted(pub Vec<LanguageTag>);

impl Wanted {
    /// The record's title, when it has one.
    #[must_use]
    pub fn title(&self, record: &Record) -> Option<Words> {
        self.line(record.title.as_ref()?, record)
    }

    /// A short text of the record.
    #[must_use]
    pub fn line(&self, text: &Localized<PlainText>, record: &Record) -> Option<Words> {
        let (language, text) = text.pick(&self.0, &record.language);
        Some(Words::line(language, text.as_str()))
    }

    /// A long text of the record.
    #[must_use]
    pub fn text(&self, text: &Localized<SafeHtml>, record: &Record) -> Words {
        let (language, html) = text.pick(&self.0, &record.language);
        let mut words = Words::block(language, html);
        if is_machine(&record.translations, language)
            && let Some(original) = text.get(&record.language)
        {
            words.original = Some(Box::new(Words::block(&record.language, original)));
        }
        words
    }

    /// The first words of the record's text, without markup.
    #[must_use]
    pub fn excerpt(&self, record: &Record) -> Option<Words> {
        let text = record.summary.as_ref().or(record.content.as_ref())?;
        let (language, html) = text.pick(&self.0, &record.language);
        let mut words = Words::line(language, "");
        // Tags became spaces, before full stops and commas too.
        let plain = html.to_plain().replace(" .", ".").replace(" ,", ",");
        words.html = Html::text(&shorten(&plain, EXCERPT_CHARS));
        Some(words)
    }

    /// A text that stands outside a record (a theme's label, a city's name).
    #[must_use]
    pub fn label(&self, text: &Localized<PlainText>) -> Words {
        let (language, text) = text.pick(&self.0, &LanguageTag::undetermined());
        Words::line(language, text.as_str())
    }
}

fn is_machine(translations: &[Translation], language: &LanguageTag) -> bool {
    translations.iter().any(|t| t.language == *language && t.method == TranslationMethod::Machine)
}

/// Cuts after `max` characters, at a space where one is near, and marks the cut; drops combining
/// marks that would pile up.
#[must_use]
pub fn shorten(text: &str, max: usize) -> String {
    let (mut out, mut marks, mut taken) = (String::new(), 0, 0);
    for c in text.chars() {
        marks = if is_combining(c) { marks + 1 } else { 0 };
        if marks > MARKS_PER_CHARACTER {
            continue;
        }
        if taken == max {
            let cut = out.rfind(' ').filter(|&at| at > out.len() / 2).unwrap_or(out.len());
            out.truncate(cut);
            out.push('…');
            return out;
        }
        out.push(c);
        taken += 1;
    }
    out
}

const fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_163_long_and_piled_up_text_is_bounded() {
        assert_eq!(shorten("one two three", 9), "one two…");
        assert_eq!(shorten("short", 9), "short");
        assert_eq!(shorten(&"é".repeat(1_000), 10).chars().count(), 11);
        let piled = format!("a{}", "\u{301}".repeat(20_000));
        assert_eq!(shorten(&piled, 240).chars().count(), 1 + MARKS_PER_CHARACTER);
    }

    #[test]
    fn ui_09_foreign_text_says_its_language_and_direction() {
        let arabic: LanguageTag = "ar".parse().expect("a tag");
        let span = Words::line(&arabic, "مرحبا <b>").span();
        assert_eq!(span.as_str(), "<bdi lang=\"ar\" dir=\"rtl\">مرحبا &lt;b&gt;</bdi>");
    }
}
