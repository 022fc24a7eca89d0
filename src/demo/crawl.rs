//! Finding records as a visitor finds them: from the list of consultations by plain links.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::ensure;
use url::Url;

use super::stranger::Stranger;
use crate::domain::RecordId;

/// More pages than the lists of a demo have.
const MAX_PAGES: usize = 400;

/// Every contribution that links lead to, with the words of its link.
pub(super) async fn contributions(stranger: &Stranger, public_url: &Url) -> anyhow::Result<BTreeMap<RecordId, String>> {
    walk(stranger, public_url, None).await
}

/// The contribution whose link says `title`, if links lead to one.
pub(super) async fn find(stranger: &Stranger, public_url: &Url, title: &str) -> anyhow::Result<Option<RecordId>> {
    let found = walk(stranger, public_url, Some(title)).await?;
    Ok(found.into_iter().find(|(_, words)| words == title).map(|(id, _)| id))
}

async fn walk(stranger: &Stranger, public_url: &Url, stop_at: Option<&str>) -> anyhow::Result<BTreeMap<RecordId, String>> {
    let mut found: BTreeMap<RecordId, String> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut queue = VecDeque::from([public_url.join("/consultations")?]);
    while let Some(url) = queue.pop_front() {
        if !seen.insert(url.to_string()) {
            continue;
        }
        ensure!(seen.len() <= MAX_PAGES, "the lists of {public_url} have no end");
        let page = stranger.page(&url).await?;
        ensure!(page.status == 200, "{url} answers {}", page.status);
        for (href, words) in links(&page.body) {
            let Ok(mut target) = url.join(&href) else { continue };
            target.set_fragment(None);
            if target.origin() != public_url.origin() || target.query_pairs().any(|(name, _)| name == "lang") {
                continue;
            }
            let steps: Vec<&str> = target.path().split('/').filter(|step| !step.is_empty()).collect();
            match steps.as_slice() {
                ["contributions", _] if target.query().is_none() => {
                    let id: RecordId = target.as_str().parse()?;
                    let done = stop_at == Some(words.as_str());
                    // The same record is linked more than once; its longest words are its title.
                    let known = found.entry(id).or_default();
                    if done || words.len() > known.len() {
                        *known = words;
                    }
                    if done {
                        return Ok(found);
                    }
                }
                ["consultations", ..] => queue.push_back(target),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Address and words of every link.
fn links(html: &str) -> Vec<(String, String)> {
    let mut links = Vec::new();
    for anchor in html.split("<a ").skip(1) {
        let Some((attributes, rest)) = anchor.split_once('>') else { continue };
        let Some((_, href)) = attributes.split_once("href=\"") else { continue };
        let href = href.split('"').next().unwrap_or_default();
        let inner = rest.split("</a>").next().unwrap_or_default();
        links.push((decoded(href), words(inner)));
    }
    links
}

/// The words of a piece of HTML: no tags, entities decoded, white space collapsed.
pub(super) fn words(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if inside => {}
            _ => text.push(c),
        }
    }
    decoded(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity = rest.find(';').filter(|end| *end <= 8).map(|end| &rest[1..end]);
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let meant = entity.and_then(|entity| match entity {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some('\u{a0}'),
            _ => match entity.strip_prefix('#') {
                Some(digits) => digits.strip_prefix('x').map_or_else(|| number(digits, 10), |hex| number(hex, 16)),
                None => None,
            },
        });
        if let (Some(c), Some(entity)) = (meant, entity) {
            decoded.push(c);
            rest = &rest[entity.len() + 2..];
        } else {
            decoded.push('&');
            rest = &rest[1..];
        }
    }
    decoded + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_with_their_words() {
        let html = "<p><a class=\"x\" href=\"/contributions/k?a=1&amp;b=2\"><bdi>L&#39;école &amp;\n la  rue</bdi></a> &lt;b&gt; & <a>x</a></p>";
        assert_eq!(links(html), [("/contributions/k?a=1&b=2".to_owned(), "L'école & la rue".to_owned())]);
        assert_eq!(words(html), "L'école & la rue <b> & x");
    }
}
