//! How large the tree of some HTML can become, told before any parser builds it.
//!
//! An HTML parser opens every formatting element that is still active again in each new block
//! (html.spec.whatwg.org §13.2.4.3), so 44 kB of text can become a tree of gigabytes. What it keeps
//! active is bounded: equal tags count three times at most, links once, and elements such as `object` or
//! a cell of a nested table begin a list of their own. [`is_bounded`] multiplies these bounds with the
//! number of tags in one linear pass; it may find too much in odd but harmless text, never too little.

use std::collections::HashMap;

/// Tags in one text, closing ones included. A long answer of a city has a few hundred.
const MAX_TAGS: usize = 8_000;

/// Nodes that a parser may build for one text.
const MAX_NODES: usize = 50_000;

/// A longer tag counts as unlike all others.
const MAX_TAG_BYTES: usize = 512;

/// Elements that a parser opens again.
const FORMATTING: [&str; 14] = ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Elements inside which the list of active ones begins anew.
const MARKERS: [&str; 5] = ["applet", "marquee", "object", "table", "template"];

/// Whether a parser's tree of `html` stays small, whatever the text around the tags.
pub(super) fn is_bounded(html: &str) -> bool {
    let (mut tags, mut markers, mut unlike, mut links) = (0, 0, 0, 0);
    let mut alike: HashMap<&str, usize> = HashMap::new();
    for (at, _) in html.match_indices('<') {
        let rest = &html[at + 1..];
        let opening = rest.strip_prefix('/').unwrap_or(rest);
        let name_ends = opening.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(opening.len());
        let name = opening[..name_ends].to_ascii_lowercase();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        tags += 1;
        if tags > MAX_TAGS {
            return false;
        }
        if rest.starts_with('/') {
            continue;
        }
        if MARKERS.contains(&name.as_str()) {
            markers += 1;
        } else if name == "a" {
            links = 1;
        } else if FORMATTING.contains(&name.as_str()) {
            match end_of_tag(&rest[name_ends..]) {
                Some(end) => *alike.entry(&rest[..name_ends + end]).or_default() += 1,
                None => unlike += 1,
            }
        }
    }
    let active = links + unlike + alike.values().map(|&times: &usize| times.min(3)).sum::<usize>();
    tags * (1 + active * (1 + markers)) <= MAX_NODES
}

/// Where a tag ends whose attributes begin at `text`, quoted values skipped as a parser does. `None` for
/// one that is too long or does not end.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut after_equals = false;
    for (at, byte) in text.bytes().enumerate().take(MAX_TAG_BYTES) {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') if after_equals => quote = Some(byte),
            (None, b' ' | b'\t' | b'\n' | b'\x0C' | b'\r') => continue,
            _ => {}
        }
        // Taking a quote for one where a parser does not only makes the tag longer, hence unlike others.
        after_equals = quote.is_none() && byte == b'=';
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_164_what_multiplies_is_seen_before_it_is_parsed() {
        let opened = |n: usize, tag: fn(usize) -> String| (0..n).map(tag).collect::<Vec<_>>().concat();
        let paragraphs = "<p>x".repeat(2_000);
        for (name, tags) in [
            ("attributes", opened(2_000, |n| format!("<b {n}>"))),
            ("fonts", opened(500, |n| format!("<font color={n}>"))),
            ("a quoted end of tag", opened(300, |n| format!("<b x=\"'>'{n}\">"))),
            ("a quoted end after a stray sign", opened(300, |n| format!("<b = =\">{n}\">"))),
            ("a closing in a comment", opened(300, |n| format!("<b {n}><!--</b>-->"))),
            ("objects", "<object><b><i><u><s><em><strong>".repeat(40)),
            ("nested tables", "<table><td><b><i><u><s><em><strong>".repeat(40)),
            ("tags without end", "<p>".repeat(9_000)),
        ] {
            assert!(!is_bounded(&format!("<p>{tags}{paragraphs}")), "{name}");
        }
    }

    #[test]
    fn what_people_write_is_bounded() {
        let pasted = "<p class=\"MsoNormal\"><strong>Le vélo</strong> <em>en ville</em>, <a href=\"https://ville.example/\">ici</a> \
                      et <u>là</u>.</p><ul><li>un</li><li>deux</li></ul>";
        assert!(is_bounded(&pasted.repeat(200)));
        assert!(is_bounded(&format!("<table>{}</table>", "<tr><td><b>a</b></td><td>b</td></tr>".repeat(200))));
        assert!(is_bounded("1 < 2, a <b and >"));
    }
}
