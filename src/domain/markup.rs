//! How large the tree of some HTML can become, told before any parser builds it.
//!
//! An HTML parser opens every formatting element that is still active again in each new block
//! (html.spec.whatwg.org §13.2.4.3), so 44 kB of text can become a tree of gigabytes. What it keeps
//! active is bounded: equal tags count three times at most, links once, and elements such as `object` or
//! a cell of a nested table begin a list of their own. [`is_bounded`] multiplies these bounds with the
//! number of tags in one linear pass; it may find too much in odd but harmless text, never too little.
//!
//! Most text that arrives is clean already, because it was cleaned when it left. [`settled`] tells so in one
//! pass, for a small grammar; what does not fit is parsed.

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

/// Blocks that hold words and emphasis.
const PARAGRAPHS: [&str; 5] = ["p", "h3", "h4", "h5", "h6"];

/// Emphasis: inside of a paragraph or an item, never around one.
const EMPHASIS: [&str; 10] = ["strong", "b", "em", "i", "u", "s", "del", "ins", "sub", "sup"];

/// The references that a clean text may hold; everything else stands for itself.
const REFERENCES: [&str; 4] = ["&amp;", "&lt;", "&gt;", "&nbsp;"];

/// More tags, or deeper ones, are left to the parser.
const FEW_TAGS: usize = 1_000;
const FLAT: usize = 16;

/// Whether `html` holds words, if it is certain that the sanitiser of this program would not change it:
/// paragraphs, lists and quotes of nothing but closed tags without attributes. `None` where it has to be
/// asked. `strange` are the characters that no text keeps.
pub(super) fn settled(html: &str, strange: impl Fn(char) -> bool) -> Option<bool> {
    let (mut open, mut tags, mut words): (Vec<&str>, usize, bool) = (Vec::new(), 0, false);
    let mut rest = html;
    while let Some(next) = rest.chars().next() {
        match next {
            '<' => {
                let end = rest.find('>')?;
                let (tag, after) = (&rest[1..end], &rest[end + 1..]);
                tags += 1;
                if tags > FEW_TAGS {
                    return None;
                }
                match tag.strip_prefix('/') {
                    Some(closed) => {
                        if open.pop() != Some(closed) {
                            return None;
                        }
                    }
                    None if !fits(tag, &open) => return None,
                    None if tag == "br" => {}
                    None => open.push(tag),
                }
                rest = after;
            }
            '&' => {
                let reference = REFERENCES.iter().find(|reference| rest.starts_with(**reference))?;
                words |= *reference != "&nbsp;";
                rest = &rest[reference.len()..];
            }
            '>' | '\u{A0}' => return None,
            c if strange(c) => return None,
            c => {
                if !c.is_whitespace() {
                    if matches!(open.last(), Some(&("ul" | "ol"))) {
                        return None;
                    }
                    words = true;
                }
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    open.is_empty().then_some(words)
}

/// Whether a parser leaves this tag where it stands.
fn fits(tag: &str, open: &[&str]) -> bool {
    let inside = open.last().copied().unwrap_or_default();
    if matches!(inside, "ul" | "ol") {
        return tag == "li";
    }
    let in_line = PARAGRAPHS.contains(&inside) || EMPHASIS.contains(&inside);
    match tag {
        "br" => true,
        "ul" | "ol" | "blockquote" => !in_line && open.len() < FLAT,
        _ if PARAGRAPHS.contains(&tag) => !in_line,
        // Equal tags inside each other are opened again by other rules.
        _ => EMPHASIS.contains(&tag) && !open.contains(&tag),
    }
}

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
    use proptest::prelude::*;

    use super::super::text::{SafeHtml, is_deceptive};
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

    #[test]
    fn what_is_clean_already_is_seen_without_parsing_it() {
        let written = "<h3>Le tilleul</h3><p>Un banc, <strong>une <em>fontaine</em></strong> &amp; de l’ombre :<br>1 &lt; 2</p>\n\
                       <ul><li>un</li><li>deux<ol><li>trois</li></ol></li></ul><blockquote><p>Oui.</p></blockquote> fin";
        assert_eq!(settled(written, is_deceptive), Some(true));
        assert_eq!(SafeHtml::parsed(written).as_ref().map(SafeHtml::as_str), Some(written));
        for empty in ["", " \n", "<p></p>", "<ul><li><br></li></ul>", "<p>&nbsp;</p>"] {
            assert_eq!((settled(empty, is_deceptive), SafeHtml::parsed(empty)), (Some(false), None), "{empty}");
        }
        for parsed in [
            "<p>a",
            "a</p>",
            "<P>a</P>",
            "<p >a</p>",
            "<p class=\"x\">a</p>",
            "<a href=\"https://a.example/\">a</a>",
            "<p><p>a</p></p>",
            "<strong><p>a</p></strong>",
            "<b><b>a</b></b>",
            "<p><b>a</p></b>",
            "<ul>a</ul>",
            "<li>a</li>",
            "<script>a</script>",
            "<br/>",
            "&",
            "&eacute;",
            "&#60;",
            "a > b",
            "a\u{A0}b",
            "a\u{202E}b",
            "a\0b",
            "a\r\nb",
            "<!-- a -->",
            "<pre>\na</pre>",
            "<",
            "<>",
            "</>",
        ] {
            assert_eq!(settled(parsed, is_deceptive), None, "{parsed}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn a_text_that_is_not_parsed_would_not_have_changed(
            pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..24),
        ) {
            let raw = pieces.concat();
            prop_assert_eq!(SafeHtml::new(&raw), SafeHtml::parsed(&raw), "{}", raw);
        }

        #[test]
        fn whole_elements_in_any_order_stay_as_they_are(
            pieces in proptest::collection::vec(proptest::sample::select(&WHOLE[..]), 0..12), around in 0..5_usize,
        ) {
            let mut raw = pieces.concat();
            for (open, close) in WRAPS.iter().cycle().skip(around).take(around) {
                raw = format!("{open}{raw}{close}");
            }
            prop_assert_eq!(SafeHtml::new(&raw), SafeHtml::parsed(&raw), "{}", raw);
        }
    }

    const PIECES: [&str; 34] = [
        "<p>",
        "</p>",
        "<strong>",
        "</strong>",
        "<em>",
        "</em>",
        "<b>",
        "</b>",
        "<u>",
        "</u>",
        "<del>",
        "</del>",
        "<ul>",
        "</ul>",
        "<ol>",
        "</ol>",
        "<li>",
        "</li>",
        "<blockquote>",
        "</blockquote>",
        "<h3>",
        "</h3>",
        "<br>",
        "<pre>",
        "</pre>",
        "<a>",
        "a",
        "é ",
        " ",
        "\n",
        "&amp;",
        "&nbsp;",
        "&",
        "\"",
    ];
    const WHOLE: [&str; 14] = [
        "<p>a</p>",
        "<p></p>",
        "<p><b>a</b></p>",
        "<strong>a<em>b</em></strong>",
        "<ul><li>a</li>\n<li></li></ul>",
        "<br>",
        "a",
        " ",
        "\n\n",
        "&lt;",
        "<h4>a</h4>",
        "<blockquote>a<p>b</p></blockquote>",
        "<s>a</s>",
        "<sub>2</sub>",
    ];
    const WRAPS: [(&str, &str); 5] = [
        ("<blockquote>", "</blockquote>"),
        ("<ul><li>", "</li></ul>"),
        ("<p>", "</p>"),
        ("<em>", "</em>"),
        ("<ol><li>", "</li></ol>"),
    ];
}
