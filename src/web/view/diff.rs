//! What changed between two texts, word by word: `<ins>` and `<del>` with words around them that a screen
//! reader says, because some say nothing of the elements themselves (interface.md §4.10).

use std::fmt::Write as _;

use similar::{ChangeTag, TextDiff};

use crate::web::html::Html;
use crate::web::i18n::Texts;

/// Longer texts are not compared: the time it takes grows with the square of what differs.
const MOST_WORDS: usize = 4_000;

/// The difference as markup; none when the texts are too long to compare.
#[must_use]
pub fn words(texts: &Texts, before: &str, after: &str) -> Option<Html> {
    if before.split_whitespace().count().max(after.split_whitespace().count()) > MOST_WORDS {
        return None;
    }
    let diff = TextDiff::from_words(before, after);
    let mut out = String::with_capacity(before.len() + after.len());
    let mut open = ChangeTag::Equal;
    for change in diff.iter_all_changes() {
        if change.tag() != open {
            out.push_str(&end(texts, open));
            out.push_str(&begin(texts, change.tag()));
            open = change.tag();
        }
        let _ = write!(out, "{}", Html::text(change.value()));
    }
    out.push_str(&end(texts, open));
    Some(Html::trusted(out))
}

fn begin(texts: &Texts, tag: ChangeTag) -> String {
    let (element, key) = match tag {
        ChangeTag::Equal => return String::new(),
        ChangeTag::Insert => ("ins", "diff-added"),
        ChangeTag::Delete => ("del", "diff-removed"),
    };
    format!("<{element}><span class=\"hidden-words\">[{}] </span>", Html::text(&texts.say(key)))
}

fn end(texts: &Texts, tag: ChangeTag) -> String {
    let element = match tag {
        ChangeTag::Equal => return String::new(),
        ChangeTag::Insert => "ins",
        ChangeTag::Delete => "del",
    };
    format!("<span class=\"hidden-words\"> [{}] </span></{element}>", Html::text(&texts.say("diff-end")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::language::Language;
    use jiff::tz::TimeZone;

    fn diff(before: &str, after: &str) -> Option<String> {
        words(&Texts::new(Language::English, TimeZone::UTC), before, after).map(|html| html.to_string())
    }

    #[test]
    fn what_changed_is_marked_for_eyes_and_ears() {
        let mark = |word: &str| format!("<span class=\"hidden-words\">[{word}] </span>");
        let close = "<span class=\"hidden-words\"> [end] </span>";
        assert_eq!(
            diff("one two three", "one 2 three"),
            Some(format!("one <del>{}two{close}</del><ins>{}2{close}</ins> three", mark("removed"), mark("added")))
        );
        assert_eq!(diff("the same", "the same").as_deref(), Some("the same"));
        assert!(diff("", "<b>").is_some_and(|html| html.contains("&lt;b&gt;") && !html.contains("<b>")));
    }

    #[test]
    fn texts_that_would_take_too_long_are_not_compared() {
        let long = |word: &str| vec![word; MOST_WORDS + 1].join(" ");
        assert_eq!(diff(&long("a"), "a"), None);
        assert_eq!(diff("a", &long("b")), None);
    }
}
