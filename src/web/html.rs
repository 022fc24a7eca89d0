//! Markup made by us: a value of [`Html`] is either escaped text or one of our own few tags.

use std::fmt::{self, Write as _};

use crate::domain::text::SafeHtml;

/// Markup that may be written into a page as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// A text, escaped for element content and quoted attributes.
    #[must_use]
    pub fn text(text: &str) -> Self {
        let mut out = String::with_capacity(text.len() + 8);
        escape(text, &mut out);
        Self(out)
    }

    /// A name that others chose, isolated so that its direction stays its own (UI-09).
    #[must_use]
    pub fn name(name: &str) -> Self {
        Self(format!("<bdi>{}</bdi>", Self::text(name)))
    }

    /// `words` inside `<time datetime>`.
    #[must_use]
    pub fn time(datetime: &str, words: &str) -> Self {
        Self(format!("<time datetime=\"{}\">{}</time>", Self::text(datetime), Self::text(words)))
    }

    /// A link of ours.
    #[must_use]
    pub fn link(href: &str, inside: &Self) -> Self {
        Self(format!("<a href=\"{}\">{inside}</a>", Self::text(href)))
    }

    /// A link that leaves this site.
    #[must_use]
    pub fn link_out(href: &str, inside: &Self) -> Self {
        Self(format!("<a href=\"{}\" rel=\"noopener noreferrer\">{inside}</a>", Self::text(href)))
    }

    /// Several pieces after one another.
    #[must_use]
    pub fn join(pieces: &[Self], between: &str) -> Self {
        Self(pieces.iter().map(Self::as_str).collect::<Vec<_>>().join(between))
    }

    /// Short facts in one line. What parts them is text: it is there without the style sheet too (UI-25).
    #[must_use]
    pub fn dots(facts: &[Self]) -> Self {
        Self::join(facts, " · ")
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A sentence of our own text files into which already escaped values were put.
    pub(in crate::web) const fn trusted(markup: String) -> Self {
        Self(markup)
    }

    /// Sanitised text of somebody else, made ready for a page: its headings become plain strong
    /// lines (ours alone make the outline, UI-08), and each link says where it leads (SEC-161).
    #[must_use]
    pub fn foreign(html: &SafeHtml) -> Self {
        let mut text = html.as_str().to_owned();
        for level in ["h3", "h4", "h5", "h6"] {
            text = text.replace(&format!("<{level}>"), "<p class=\"subhead\">").replace(&format!("</{level}>"), "</p>");
        }
        Self(show_hosts(&text))
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Html {}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// After each link of sanitised HTML, its host, when the words of the link do not say it.
fn show_hosts(html: &str) -> String {
    const OPEN: &str = "<a href=\"";
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find(OPEN) {
        let (before, link) = rest.split_at(start);
        out.push_str(before);
        let Some(end) = link.find("</a>") else {
            rest = link;
            break;
        };
        let (link, after) = link.split_at(end);
        let href = link.get(OPEN.len()..).and_then(|tail| tail.split('"').next()).unwrap_or_default();
        let host = url::Url::parse(&href.replace("&amp;", "&")).ok().and_then(|url| url.host_str().map(str::to_owned));
        out.push_str(link);
        out.push_str("</a>");
        let words = link.split_once('>').map_or("", |(_, words)| words);
        if let Some(host) = host.filter(|host| !words.contains(host.as_str())) {
            let _ = write!(out, " <span class=\"host\">({})</span>", Html::text(&host));
        }
        rest = after.strip_prefix("</a>").unwrap_or(after);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(html: &str) -> String {
        Html::foreign(&SafeHtml::new(html).expect("some text")).to_string()
    }

    #[test]
    fn sec_161_a_link_says_where_it_leads() {
        let shown = foreign(
            "<p>See <a href=\"https://evil.example/x?a=1&b=2\">my city</a>, <a href=\"https://b.example/\">b.example</a></p>",
        );
        assert!(shown.contains("my city</a> <span class=\"host\">(evil.example)</span>"), "{shown}");
        assert!(!shown.contains("(b.example)"), "{shown}");
        assert!(shown.contains("rel=\"noopener noreferrer nofollow ugc\""), "{shown}");
    }

    #[test]
    fn headings_of_others_do_not_break_our_outline() {
        assert_eq!(foreign("<h5>Title</h5><p>x</p>"), "<p class=\"subhead\">Title</p><p>x</p>");
    }

    #[test]
    fn sec_166_text_is_escaped_for_attributes_too() {
        assert_eq!(Html::text("<a b=\"c\" d='e'>&").as_str(), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
        assert_eq!(Html::name("A<b>").as_str(), "<bdi>A&lt;b&gt;</bdi>");
    }
}
