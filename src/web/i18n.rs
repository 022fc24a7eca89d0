//! The words of the interface (Fluent files under `locales/`), with the numbers and dates of a language.
//!
//! Fluent's isolation marks are off: what others wrote is isolated by `<bdi>` instead (UI-28).

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::tz::TimeZone;

use super::html::Html;
use super::language::Language;
use super::names;
use crate::domain::calendar::Day;
use crate::domain::money::Money;
use crate::domain::progress::Completion;
use crate::domain::time::Timestamp;

/// The text file of each language.
const FILES: [(Language, &str); 2] =
    [(Language::French, include_str!("locales/fr.ftl")), (Language::English, include_str!("locales/en.ftl"))];

/// The first of the characters that hold the place of names; no text of ours has them.
const FIRST_MARK: char = '\u{F0000}';

static BUNDLES: LazyLock<Vec<(Language, FluentBundle<FluentResource>)>> =
    LazyLock::new(|| FILES.iter().map(|&(language, text)| (language, bundle(language, text))).collect());

/// A value put into a sentence.
#[derive(Debug, Clone, Copy)]
pub enum Arg<'a> {
    /// Plain words; escaped.
    Text(&'a str),
    /// A name that others chose; escaped and isolated in pages.
    Name(&'a str),
    /// A number; chooses the plural and is grouped as the language does.
    Number(u64),
    /// A day, in the city's zone.
    Day(Timestamp),
    /// A day and time, in the city's zone.
    Moment(Timestamp),
    /// Markup of ours.
    Html(&'a Html),
}

/// The texts of one language, told in one city's time.
#[derive(Debug, Clone)]
pub struct Texts {
    language: Language,
    zone: TimeZone,
}

impl Texts {
    /// The texts of `language`; instants are shown in `zone`.
    #[must_use]
    pub const fn new(language: Language, zone: TimeZone) -> Self {
        Self { language, zone }
    }

    /// The language.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The text named `key`. A key that no file has is shown as itself (a test sees to it that there
    /// is none).
    #[must_use]
    pub fn say(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// A text with values, without markup: for titles and attributes.
    #[must_use]
    pub fn plain(&self, key: &str, values: &[(&'static str, Arg<'_>)]) -> String {
        self.sentence(key, values, |value| match value {
            Arg::Text(text) | Arg::Name(text) => text.to_owned().into(),
            Arg::Number(number) => number.into(),
            Arg::Day(at) => self.day(at).into(),
            Arg::Moment(at) => self.moment(at).into(),
            Arg::Html(html) => html.as_str().to_owned().into(),
        })
    }

    /// A text with values, as markup: names isolated, instants in `<time>`.
    #[must_use]
    pub fn html(&self, key: &str, values: &[(&'static str, Arg<'_>)]) -> Html {
        Html::trusted(self.sentence(key, values, |value| match value {
            Arg::Text(text) => Html::text(text).to_string().into(),
            Arg::Name(text) => Html::name(text).to_string().into(),
            Arg::Number(number) => number.into(),
            Arg::Day(at) => self.day_tag(at).to_string().into(),
            Arg::Moment(at) => self.moment_tag(at).to_string().into(),
            Arg::Html(html) => html.as_str().to_owned().into(),
        }))
    }

    /// Puts values into a text. In French a mark stands where a name comes: what is written before it depends on
    /// it ("d'Angers", "au Mans").
    fn sentence<'a>(
        &self,
        key: &str,
        values: &[(&'static str, Arg<'a>)],
        show: impl Fn(Arg<'a>) -> FluentValue<'static>,
    ) -> String {
        let mut args = FluentArgs::with_capacity(values.len());
        let mut named = Vec::new();
        for &(name, value) in values {
            match (self.language, value) {
                (Language::French, Arg::Name(text)) => {
                    let mark = (FIRST_MARK..).nth(named.len()).unwrap_or(FIRST_MARK);
                    args.set(name, mark.to_string());
                    named.push((mark, text, show(value)));
                }
                _ => args.set(name, show(value)),
            }
        }
        let text = self.format(key, Some(&args));
        if named.is_empty() {
            return text;
        }
        let mut whole = String::with_capacity(text.len() + 64);
        for c in text.chars() {
            match named.iter().find(|(mark, ..)| *mark == c) {
                Some((_, name, FluentValue::String(shown))) => names::write_french(&mut whole, name, shown),
                _ => whole.push(c),
            }
        }
        whole
    }

    /// A text about a number `n`.
    #[must_use]
    pub fn count(&self, key: &str, n: u64) -> String {
        self.plain(key, &[("n", Arg::Number(n))])
    }

    /// The label of a machine's translation of a text in `language` (UI-30).
    #[must_use]
    pub fn translated(&self, language: &str) -> String {
        let primary = language.split('-').next().unwrap_or_default();
        let key = format!("language-{primary}");
        let name = self.say(&key);
        let name = if name == key { language } else { &name };
        self.plain("translated", &[("lang", Arg::Text(name))])
    }

    /// A number as the language groups it.
    #[must_use]
    pub fn number(&self, n: u64) -> String {
        group(&n.to_string(), separator(self.language))
    }

    /// An amount, for example "45 000 €" or "€45,000".
    #[must_use]
    pub fn money(&self, money: &Money) -> String {
        let mark = if self.language == Language::French { ',' } else { '.' };
        let mut number = self.number(money.amount.units());
        if money.amount.cents() > 0 {
            number.push_str(&format!("{mark}{:02}", money.amount.cents()));
        }
        match (self.language, money.currency.code()) {
            (Language::French, "EUR") => format!("{number}\u{A0}€"),
            (Language::English, "EUR") => format!("€{number}"),
            (_, code) => format!("{number}\u{A0}{code}"),
        }
    }

    /// A percentage, for example "40 %".
    #[must_use]
    pub fn percent(&self, completion: Completion) -> String {
        match self.language {
            Language::French => format!("{completion}\u{202F}%"),
            Language::English => format!("{completion}%"),
        }
    }

    /// The size of a file in the unit that gives one to three digits.
    #[must_use]
    pub fn size(&self, bytes: u64) -> String {
        let units = if self.language == Language::French { ["o", "ko", "Mo", "Go"] } else { ["B", "kB", "MB", "GB"] };
        let mut size = bytes;
        let mut unit = 0;
        while size >= 1000 && unit + 1 < units.len() {
            size = (size + 500) / 1000;
            unit += 1;
        }
        format!("{}\u{A0}{}", self.number(size), units[unit])
    }

    /// A day, for example "15 septembre 2026".
    #[must_use]
    pub fn day(&self, at: Timestamp) -> String {
        self.local(at).map_or_else(String::new, |local| self.date(local.date()))
    }

    fn date(&self, date: jiff::civil::Date) -> String {
        let month = self.say(&format!("month-{}", date.month()));
        let day = if self.language == Language::French && date.day() == 1 { "1er".to_owned() } else { date.day().to_string() };
        format!("{day}\u{A0}{month} {}", date.year())
    }

    /// A day of the calendar in `<time>`: it is the same in every zone.
    #[must_use]
    pub fn date_tag(&self, day: Day) -> Html {
        Html::time(&day.to_string(), &self.date(day.date()))
    }

    /// A day and time, for example "15 septembre 2026 à 14:02".
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        let time = self.local(at).map_or_else(String::new, |local| format!("{:02}:{:02}", local.hour(), local.minute()));
        self.plain("day-and-time", &[("day", Arg::Text(&self.day(at))), ("time", Arg::Text(&time))])
    }

    /// A day in `<time>` with the zone's ISO date (UI-31).
    #[must_use]
    pub fn day_tag(&self, at: Timestamp) -> Html {
        Html::time(&self.iso(at, "%Y-%m-%d"), &self.day(at))
    }

    /// A time of day in `<time>` with offset.
    #[must_use]
    pub fn time_tag(&self, at: Timestamp) -> Html {
        let time = self.local(at).map_or_else(String::new, |local| format!("{:02}:{:02}", local.hour(), local.minute()));
        Html::time(&self.iso(at, "%Y-%m-%dT%H:%M:%S%:z"), &time)
    }

    /// A day and time in `<time>` with offset (UI-31).
    #[must_use]
    pub fn moment_tag(&self, at: Timestamp) -> Html {
        Html::time(&self.iso(at, "%Y-%m-%dT%H:%M:%S%:z"), &self.moment(at))
    }

    /// The calendar day that `at` falls into here.
    #[must_use]
    pub fn day_of(&self, at: Timestamp) -> Option<Day> {
        Day::of(at, &self.zone)
    }

    /// The calendar month that `at` falls into here: year and month.
    #[must_use]
    pub fn month_of(&self, at: Timestamp) -> (i16, i8) {
        self.local(at).map_or((0, 0), |local| (local.year(), local.month()))
    }

    fn iso(&self, at: Timestamp, pattern: &str) -> String {
        self.local(at).map_or_else(String::new, |local| local.strftime(pattern).to_string())
    }

    fn local(&self, at: Timestamp) -> Option<jiff::ZonedDateTime> {
        jiff::Timestamp::from_microsecond(at.micros()).ok().map(|instant| instant.to_zoned_datetime(self.zone.clone()))
    }

    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let bundle = BUNDLES.iter().find(|(language, _)| *language == self.language).map(|(_, bundle)| bundle);
        let pattern = bundle.and_then(|bundle| bundle.get_message(key)).and_then(|message| message.value());
        let (Some(bundle), Some(pattern)) = (bundle, pattern) else { return key.to_owned() };
        let mut problems = Vec::new();
        let text = bundle.format_pattern(pattern, args, &mut problems).into_owned();
        if !problems.is_empty() {
            tracing::error!(key, ?problems, "A text of the interface lacks a value");
        }
        text
    }
}

/// Every key of a language's file, in its order; for the test that compares them.
#[must_use]
pub fn keys(language: Language) -> Vec<&'static str> {
    let text = FILES.iter().find(|(of, _)| *of == language).map_or("", |(_, text)| text);
    text.lines().filter_map(|line| line.split_once(" =")).map(|(key, _)| key).filter(|key| is_key(key)).collect()
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn bundle(language: Language, text: &str) -> FluentBundle<FluentResource> {
    let tag = language.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(match language {
        Language::French => |value, _| grouped(value, separator(Language::French)),
        Language::English => |value, _| grouped(value, separator(Language::English)),
    }));
    // A file that does not parse as a whole still gives its good lines; the test names the bad ones.
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
    bundle.add_resource_overriding(resource);
    bundle
}

fn grouped(value: &FluentValue<'_>, separator: char) -> Option<String> {
    match value {
        FluentValue::Number(number) => Some(group(&number.as_string(), separator)),
        _ => None,
    }
}

const fn separator(language: Language) -> char {
    match language {
        Language::French => '\u{202F}',
        Language::English => ',',
    }
}

/// Groups the digits of a whole number by three, from four digits on.
fn group(digits: &str, separator: char) -> String {
    let mut out = String::with_capacity(digits.len() + 4);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(language: Language) -> Texts {
        Texts::new(language, TimeZone::get("Europe/Paris").expect("the zone database is bundled"))
    }

    #[test]
    fn ui_26_both_files_hold_the_same_keys() {
        let (french, english) = (keys(Language::French), keys(Language::English));
        let missing = |of: &[&str], from: &[&str]| -> Vec<String> {
            of.iter().filter(|key| !from.contains(key)).map(|key| (*key).to_owned()).collect()
        };
        assert_eq!(missing(&french, &english), Vec::<String>::new(), "missing in en.ftl");
        assert_eq!(missing(&english, &french), Vec::<String>::new(), "missing in fr.ftl");
        for (language, text) in FILES {
            assert!(FluentResource::try_new(text.to_owned()).is_ok(), "{language}.ftl does not parse");
            let mut seen = std::collections::HashSet::new();
            assert!(keys(language).iter().all(|key| seen.insert(*key)), "{language}.ftl names a key twice");
        }
    }

    #[test]
    fn ui_27_french_has_its_spaces() {
        for (n, line) in FILES[0].1.lines().enumerate().filter(|(_, line)| !line.starts_with('#')) {
            let text = line.split_once(" = ").map_or(line, |(_, text)| text);
            for pair in text.chars().collect::<Vec<_>>().windows(2) {
                let wrong = match pair[1] {
                    ';' | '!' | '?' => pair[0] != '\u{202F}',
                    ':' | '»' => pair[0] != '\u{A0}',
                    _ => pair[0] == '«' && pair[1] != '\u{A0}',
                };
                let inside_a_word = pair[1] == ':' && (pair[0].is_ascii_alphanumeric());
                assert!(!wrong || inside_a_word, "fr.ftl line {}: `{}{}` in {line}", n + 1, pair[0], pair[1]);
            }
        }
    }

    #[test]
    fn ui_28_no_isolation_marks() {
        let text = texts(Language::French).plain("origin-copy", &[("city", Arg::Text("Lyon"))]);
        assert!(!text.contains(['\u{2068}', '\u{2069}']), "{text:?}");
        assert!(text.contains("Lyon"));
    }

    #[test]
    fn a_french_sentence_bends_before_a_name() {
        let say = |key, city| texts(Language::French).html(key, &[("city", Arg::Name(city))]).to_string();
        assert_eq!(say("held-title", "Angers"), "Copies d'<bdi>Angers</bdi>");
        assert_eq!(say("held-title", "Lyon"), "Copies de <bdi>Lyon</bdi>");
        assert_eq!(say("held-title", "Le Mans"), "Copies du <bdi>Mans</bdi>");
        assert_eq!(say("a11y-1", "Région Bretagne").split(" s'engage").next(), Some("La <bdi>Région Bretagne</bdi>"));
        let home = |city| texts(Language::French).plain("home-title", &[("city", Arg::Name(city))]);
        assert_eq!(home("Le Mans"), "La participation au Mans, et chez ses voisines");
        assert_eq!(home("Métropole de Lyon"), "La participation à la Métropole de Lyon, et chez ses voisines");
        let english = texts(Language::English).plain("home-title", &[("city", Arg::Name("Le Mans"))]);
        assert_eq!(english, "Participation in Le Mans and its neighbours");
    }

    #[test]
    fn ui_26_what_is_counted_once_is_singular() {
        for language in Language::ALL {
            for key in ["short-support", "short-vote", "short-points", "short-signature", "short-comments"] {
                let (one, two) = (texts(language).count(key, 1), texts(language).count(key, 2));
                assert_eq!(one.replace('1', "2") + "s", two, "{key} in {language}");
            }
        }
    }

    #[test]
    fn numbers_and_dates_are_written_as_the_language_does() {
        let at: Timestamp = "2026-11-30T23:30:00Z".parse().expect("a time");
        assert_eq!(texts(Language::French).number(1_234_567), "1\u{202F}234\u{202F}567");
        assert_eq!(texts(Language::English).number(999), "999");
        assert_eq!(texts(Language::French).day(at), "1er\u{A0}décembre 2026");
        assert_eq!(
            texts(Language::English).moment_tag(at).as_str(),
            "<time datetime=\"2026-12-01T00:30:00+01:00\">1\u{A0}December 2026,\u{A0}00:30</time>"
        );
    }
}
