//! One address, two forms: a page for people and ActivityPub JSON for machines.
//!
//! The choice is a pure function of the `Accept` header (and of `?form=json`, by which a person asks
//! for the machines' form with a plain link), so caches and tests can rely on it (SEC-173):
//!
//! 1. each form gets the weight of the most specific range that names it;
//! 2. the greater weight wins; of equal weights the more specific range; of equal ranges the page;
//! 3. whoever accepts neither gets the page.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// The media type of our ActivityPub answers.
pub const ACTIVITY_JSON: &str = "application/activity+json";

/// The profile parameter by which `application/ld+json` means ActivityPub.
const ACTIVITY_STREAMS: &str = "https://www.w3.org/ns/activitystreams";

/// A header with more ranges than this is read up to here.
const MAX_RANGES: usize = 64;

/// What a reader wants of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// An HTML page.
    Page,
    /// ActivityPub JSON.
    Machine,
}

impl Form {
    /// The form that these headers ask for.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        Self::chosen(ranges.flat_map(split_ranges))
    }

    fn chosen<'a>(ranges: impl Iterator<Item = &'a str>) -> Self {
        // (specificity, weight in thousandths) of the best range for each form.
        let (mut page, mut machine) = ((0_u8, 0_u16), (0_u8, 0_u16));
        for range in ranges.take(MAX_RANGES) {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = weight(range.split(';').skip(1));
            let candidates = match name.as_str() {
                "text/html" | "application/xhtml+xml" => (3, 0),
                "application/activity+json" => (0, 3),
                "application/ld+json" if names_activity_streams(range) => (0, 3),
                "application/ld+json" | "application/json" => (0, 2),
                "text/*" => (1, 0),
                "application/*" => (0, 1),
                // `*/*` alone is a browser's or a tool's shrug: a page.
                "*/*" => (1, 1),
                _ => continue,
            };
            take(&mut page, candidates.0, weight);
            take(&mut machine, candidates.1, weight);
        }
        let wins = match machine.1.cmp(&page.1) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => machine.1 > 0 && machine.0 > page.0,
        };
        if wins { Self::Machine } else { Self::Page }
    }
}

/// Keeps the weight of the most specific range; of two equally specific ones, the greater.
fn take(best: &mut (u8, u16), specificity: u8, weight: u16) {
    if specificity > best.0 || (specificity == best.0 && specificity > 0 && weight > best.1) {
        *best = (specificity, weight);
    }
}

/// Splits at commas outside quotes: a profile may hold one.
fn split_ranges(header: &str) -> Vec<&str> {
    let (mut ranges, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, c) in header.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                ranges.push(header.get(start..at).unwrap_or_default().trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    ranges.push(header.get(start..).unwrap_or_default().trim());
    ranges
}

/// Whether an `application/ld+json` range carries the profile of ActivityStreams (a profile may list
/// several, separated by spaces: RFC 6906).
fn names_activity_streams(range: &str) -> bool {
    range.split(';').skip(1).any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("profile")
            && value.trim().trim_matches('"').split(' ').any(|profile| profile == ACTIVITY_STREAMS)
    })
}

/// The weight `q` among a range's parameters, in thousandths; 1000 when there is none, 0 when it
/// cannot be read.
pub(super) fn weight<'a>(parameters: impl Iterator<Item = &'a str>) -> u16 {
    for parameter in parameters {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        if name.trim().eq_ignore_ascii_case("q") {
            let weight = value.trim().parse::<f32>().unwrap_or(0.0);
            let inside = (0.0..=1.0).contains(&weight);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
            return if inside { (weight * 1000.0).round() as u16 } else { 0 };
        }
    }
    1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_173_the_choice_is_the_same_whatever_the_spelling() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let ld = "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"";
        for (accept, form) in [
            ("", Form::Page),
            ("*/*", Form::Page),
            (browser, Form::Page),
            ("application/activity+json", Form::Machine),
            ("APPLICATION/Activity+JSON;q=0.1", Form::Machine),
            (ld, Form::Machine),
            ("application/ld+json;profile=https://www.w3.org/ns/activitystreams", Form::Machine),
            ("application/ld+json", Form::Machine),
            ("application/json", Form::Machine),
            ("application/activity+json, */*", Form::Machine),
            ("application/activity+json, */*;q=0.8", Form::Machine),
            ("*/*;q=0, application/activity+json", Form::Machine),
            ("text/html, application/activity+json", Form::Page),
            ("application/activity+json, text/html", Form::Page),
            ("application/activity+json, text/html;q=0.9", Form::Machine),
            ("application/activity+json;q=0.5, text/html;q=0.9", Form::Page),
            ("application/activity+json;q=0, */*", Form::Page),
            ("text/html;q=0, */*", Form::Machine),
            ("application/*", Form::Machine),
            ("text/*", Form::Page),
            ("image/png", Form::Page),
            ("application/activity+json;q=2", Form::Page),
            ("application/activity+json;q=x", Form::Page),
            ("application/ld+json;profile=\"a,b https://www.w3.org/ns/activitystreams\", text/html;q=0.1", Form::Machine),
            (",,;;\"", Form::Page),
        ] {
            assert_eq!(Form::chosen(split_ranges(accept).into_iter()), form, "Accept: {accept}");
        }
    }

    #[test]
    fn repeated_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, "text/html;q=0.2".parse().expect("a header value"));
        headers.append(ACCEPT, "application/activity+json;q=0.3".parse().expect("a header value"));
        assert_eq!(Form::of(&headers), Form::Machine);
    }
}
